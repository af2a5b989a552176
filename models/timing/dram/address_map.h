// SPDX-License-Identifier: Apache-2.0
//
// Byte address -> channel, bank, row, column, and back: shifts and masks compiled from a mapping
// (params/memory_mapping.h). Banks are numbered through the channel: pseudo-channel, rank, bank
// group, bank from the most significant part on.
#pragma once

#include <cstdint>
#include <vector>

#include "params/memory_params.h"

namespace lacuna::timing::dram {

struct DramAddress {
  std::int32_t channel = 0;
  std::int32_t bank = 0;  ///< within the channel
  std::int32_t row = 0;
  std::int32_t column = 0;  ///< in bursts

  friend bool operator==(const DramAddress&, const DramAddress&) = default;
};

class AddressMap {
 public:
  /// Throws UserError when `mapping` does not fit the organization. `channels` is a power of two.
  AddressMap(const std::string& mapping, const params::MemoryOrganization& organization,
             int channels);

  [[nodiscard]] std::uint64_t capacity_bytes() const { return std::uint64_t{1} << total_bits_; }
  [[nodiscard]] int burst_shift() const { return burst_shift_; }

  /// Address bits above the capacity are ignored.
  [[nodiscard]] DramAddress decode(std::uint64_t address) const {
    std::uint64_t word[3] = {0, 0, 0};  // bank and channel, row, column
    const std::uint64_t burst = address >> burst_shift_;
    for (const Slice& slice : slices_) {
      word[slice.word] |= ((burst >> slice.address_bit) & slice.mask) << slice.word_bit;
    }
    for (const Slice& slice : xored_) {
      word[0] ^= ((word[1] >> slice.address_bit) & slice.mask) << slice.word_bit;
    }
    return {static_cast<std::int32_t>(word[0] >> kChannelShift),
            static_cast<std::int32_t>(word[0] & ((1U << kChannelShift) - 1)),
            static_cast<std::int32_t>(word[1]), static_cast<std::int32_t>(word[2])};
  }
  [[nodiscard]] std::uint64_t encode(const DramAddress& address) const;

 private:
  static constexpr int kChannelShift = 16;
  struct Slice {
    int word = 0;
    int address_bit = 0;
    int word_bit = 0;
    std::uint64_t mask = 0;
  };

  std::vector<Slice> slices_;
  std::vector<Slice> xored_;  ///< address_bit is a row bit
  int burst_shift_ = 0;
  int total_bits_ = 0;
};

}  // namespace lacuna::timing::dram
