// SPDX-License-Identifier: Apache-2.0
//
// Interface between the vector versions of what a pass computes and the code that picks one at run
// time (function.cpp): activations spread out to dense rows, sums of products, requantization, and
// how many products that are. All versions give the same bits: sums wrap at 32 bits, so their order
// does not matter, and requantization is exact in 64. Plain data only, as in kernel.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lacuna::timing::engine {

enum class Kernel;  // pass.h

/// The packed values of one way of one token, and where they belong.
struct PackedRow {
  const std::uint64_t* masks;  ///< [windows][window_words]
  const int* base;             ///< [windows] first position of each window
  int windows;
  int window_words;
  int word_bytes;              ///< bytes of a mask word that can have bits: 1..8
  const std::uint8_t* values;  ///< one per set bit
  const std::uint8_t* end;     ///< of what may be read
};
/// So many bytes past the way's last position are overwritten too (a window is up to 256 wide).
inline constexpr int kRowSlack = 256;

/// row[x] = value at position x, 0 where no bit is set.
using ExpandKernel = void (*)(const PackedRow& packed, std::uint8_t* row);

/// Four k ("a quad") of a channel lie side by side, as in Tile::codes.
struct ProductInput {
  const std::int8_t* weights;  ///< [quads][channels][4]
  int quads;
  int channels;
  const std::uint8_t* activations;  ///< [tokens][quads][4], s8 or u8
  int tokens;
  bool is_signed;
};

/// sums[t*stride + n] += sum over quads and i of activations[t][quad][i] * weights[quad][n][i].
/// `present`: room for `quads` numbers.
using ProductKernel = void (*)(const ProductInput& input, int* present, std::int32_t* sums,
                               std::ptrdiff_t stride);

struct RequantizeInput {
  const std::int32_t* bias;  ///< [channels]; so are the next two
  const std::int32_t* multiplier;
  const std::uint8_t* shift;
  int channels;
  int clamp_lo, clamp_hi, gate;
};

/// Codes of a token's sums (numerics.md); returns how many are not zero.
using RequantizeKernel = int (*)(const RequantizeInput& input, const std::int32_t* sums,
                                 std::uint8_t* codes);

/// Of each entry of a tile and a block; the names are theirs.
struct EntryCounts {
  const std::uint32_t* set_groups;
  const std::uint32_t* nonzero_lanes;
  const std::uint32_t* count_sum;
  const std::uint32_t* word_sum;
  std::size_t entries;
};
struct EntrySums {
  std::uint64_t acc_writes = 0;    ///< set_groups * count_sum
  std::uint64_t weight_words = 0;  ///< set_groups * word_sum
  std::uint64_t macs = 0;          ///< nonzero_lanes * count_sum
};
using EntryKernel = EntrySums (*)(const EntryCounts& counts);

struct FunctionKernels {
  ExpandKernel expand;
  ProductKernel products;
  RequantizeKernel requantize;
  EntryKernel sum_entries;
};
/// The fastest that `kernel` and this machine allow.
[[nodiscard]] const FunctionKernels& function_kernels(Kernel kernel);

namespace portable {
extern const FunctionKernels kFunction;
}  // namespace portable
namespace avx2 {
extern const FunctionKernels kFunction;
}  // namespace avx2
namespace avx512 {
extern const FunctionKernels kFunction;
}  // namespace avx512

}  // namespace lacuna::timing::engine
