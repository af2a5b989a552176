// SPDX-License-Identifier: Apache-2.0
//
// Byte address -> channel, bank, row, column, and back: shifts and masks compiled from a mapping
// (params/memory_mapping.h). Banks are numbered through the channel: pseudo-channel, rank, bank
// group, bank from the most significant part on.
#pragma once

#include <algorithm>
#include <array>
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
    return unpack(words_of(address >> burst_shift_));
  }
  /// Calls f(DramAddress) for bursts first .. last; a burst's number is its address >>
  /// burst_shift().
  template <class Function>
  void for_each_burst(std::uint64_t first, std::uint64_t last, Function&& f) const {
    for (std::uint64_t burst = first; burst <= last;) {
      const std::uint64_t upper = burst & ~kLowMask;
      const Words high = words_of(upper);
      for (const std::uint64_t end = std::min(last, upper | kLowMask); burst <= end; ++burst) {
        // Every bit of a place is an exclusive or of address bits, so that parts of an address can
        // be decoded one by one.
        const Words& low = low_[burst & kLowMask];
        f(unpack({high.bank ^ low.bank, high.row ^ low.row, high.column ^ low.column}));
      }
    }
  }
  [[nodiscard]] std::uint64_t encode(const DramAddress& address) const;

 private:
  static constexpr int kChannelShift = 16;
  static constexpr std::uint64_t kLowMask = 127;
  struct Words {
    std::uint32_t bank = 0;  ///< and channel
    std::uint32_t row = 0;
    std::uint32_t column = 0;
  };
  struct Slice {
    int word = 0;
    int address_bit = 0;
    int word_bit = 0;
    std::uint64_t mask = 0;
  };

  [[nodiscard]] Words words_of(std::uint64_t burst) const {
    std::uint64_t word[3] = {0, 0, 0};  // bank and channel, row, column
    for (const Slice& slice : slices_) {
      word[slice.word] |= ((burst >> slice.address_bit) & slice.mask) << slice.word_bit;
    }
    for (const Slice& slice : xored_) {
      word[0] ^= ((word[1] >> slice.address_bit) & slice.mask) << slice.word_bit;
    }
    return {static_cast<std::uint32_t>(word[0]), static_cast<std::uint32_t>(word[1]),
            static_cast<std::uint32_t>(word[2])};
  }
  [[nodiscard]] static DramAddress unpack(const Words& words) {
    return {static_cast<std::int32_t>(words.bank >> kChannelShift),
            static_cast<std::int32_t>(words.bank & ((1U << kChannelShift) - 1)),
            static_cast<std::int32_t>(words.row), static_cast<std::int32_t>(words.column)};
  }

  std::vector<Slice> slices_;
  std::vector<Slice> xored_;               ///< address_bit is a row bit
  std::array<Words, kLowMask + 1> low_{};  ///< of a burst's lowest bits
  int burst_shift_ = 0;
  int total_bits_ = 0;
};

}  // namespace lacuna::timing::dram
