// SPDX-License-Identifier: Apache-2.0
//
// How an address falls apart into channel, bank, row and column: a list of fields from the most to
// the least significant address bit, above the offset inside a burst. A field may appear several
// times ("column ... column:2"); one appearance of each may leave its width out and takes what
// remains. "^row" on a field XORs it with row bits (permutation-based interleaving; Zhang, Zhu and
// Zhang, MICRO 2000), lowest row bits to the least significant such field: rows that would collide
// in a bank spread over banks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "params/memory_params.h"

namespace lacuna::params {

enum class MemoryField { kColumn, kBank, kBankGroup, kRank, kPseudoChannel, kChannel, kRow };
inline constexpr int kMemoryFields = 7;

/// Consecutive address bits that are consecutive bits of one field.
struct MappingSlice {
  MemoryField field = MemoryField::kColumn;
  int address_bit = 0;  ///< lowest address bit; bit 0 is the lowest bit above the burst offset
  int field_bit = 0;    ///< where that bit goes inside the field
  int bits = 0;
  int row_bit = -1;  ///< first row bit that is XORed in, or -1
};

struct MemoryMapping {
  std::vector<MappingSlice> slices;  ///< from the least significant; empty slices are left out
  int address_bits = 0;              ///< above the burst offset
  std::string error;                 ///< a sentence without a full stop; empty if all is well
};

/// Parses a mapping or a name of one (row_bank_column, bank_row_column, row_column_bank).
/// `channels` is a power of two.
[[nodiscard]] MemoryMapping parse_memory_mapping(std::string_view text,
                                                 const MemoryOrganization& organization,
                                                 int channels);

}  // namespace lacuna::params
