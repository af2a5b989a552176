// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/address_map.h"

#include <fmt/format.h>

#include <bit>

#include "base/cycles.h"
#include "base/error.h"
#include "params/memory_mapping.h"

namespace lacuna::timing::dram {

using params::MemoryField;

AddressMap::AddressMap(const std::string& mapping, const params::MemoryOrganization& organization,
                       int channels) {
  if (channels < 1 || !base::is_power_of_two(channels)) {
    throw base::UserError(fmt::format("dram.channels ({}) must be a power of two", channels));
  }
  const params::MemoryMapping parsed =
      params::parse_memory_mapping(mapping, organization, channels);
  if (!parsed.error.empty()) {
    throw base::UserError(fmt::format("address mapping '{}': {}", mapping, parsed.error));
  }
  const auto log2_of = [](int value) { return std::bit_width(static_cast<unsigned>(value)) - 1; };
  burst_shift_ = log2_of(organization.burst_bytes());
  total_bits_ = burst_shift_ + parsed.address_bits;
  if (total_bits_ > 62) {
    throw base::UserError(fmt::format("a memory of 2^{} bytes is too large", total_bits_));
  }

  const int group_shift = log2_of(organization.banks);
  const int rank_shift = group_shift + log2_of(organization.bank_groups);
  const int pseudo_shift = rank_shift + log2_of(organization.ranks);
  for (const params::MappingSlice& from : parsed.slices) {
    Slice slice;
    slice.address_bit = from.address_bit;
    slice.mask = (std::uint64_t{1} << from.bits) - 1;
    int base = 0;
    switch (from.field) {
      case MemoryField::kRow:
        slice.word = 1;
        break;
      case MemoryField::kColumn:
        slice.word = 2;
        break;
      case MemoryField::kBank:
        break;
      case MemoryField::kBankGroup:
        base = group_shift;
        break;
      case MemoryField::kRank:
        base = rank_shift;
        break;
      case MemoryField::kPseudoChannel:
        base = pseudo_shift;
        break;
      case MemoryField::kChannel:
        base = kChannelShift;
        break;
    }
    slice.word_bit = base + from.field_bit;
    slices_.push_back(slice);
    if (from.row_bit >= 0) {
      slice.address_bit = from.row_bit;
      xored_.push_back(slice);
    }
  }
  for (std::size_t burst = 0; burst < low_.size(); ++burst) low_[burst] = words_of(burst);
}

std::uint64_t AddressMap::encode(const DramAddress& address) const {
  std::uint64_t word[3] = {(static_cast<std::uint64_t>(address.channel) << kChannelShift) |
                               static_cast<std::uint64_t>(address.bank),
                           static_cast<std::uint64_t>(address.row),
                           static_cast<std::uint64_t>(address.column)};
  for (const Slice& slice : xored_) {
    word[0] ^= ((word[1] >> slice.address_bit) & slice.mask) << slice.word_bit;
  }
  std::uint64_t burst = 0;
  for (const Slice& slice : slices_) {
    burst |= ((word[slice.word] >> slice.word_bit) & slice.mask) << slice.address_bit;
  }
  return burst << burst_shift_;
}

}  // namespace lacuna::timing::dram
