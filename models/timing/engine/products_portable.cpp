// SPDX-License-Identifier: Apache-2.0
//
// What a pass computes, for the baseline of the build.
#include <cstring>

#include "timing/engine/products.h"

namespace lacuna::timing::engine::portable {
namespace {
// NOLINTBEGIN(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/products_body.h"
// NOLINTEND(bugprone-suspicious-include)

void expand(const PackedRow& packed, std::uint8_t* row) {
  const std::uint8_t* value = packed.values;
  const std::uint64_t* mask = packed.masks;
  for (int w = 0; w < packed.windows; ++w) {
    for (int i = 0; i < packed.window_words; ++i) {
      std::uint8_t* out = row + packed.base[w] + 64 * i;
      std::memset(out, 0, 8 * static_cast<std::size_t>(packed.word_bytes));
      for (std::uint64_t bits = *mask++; bits != 0; bits &= bits - 1) {
        out[__builtin_ctzll(bits)] = *value++;
      }
    }
  }
}

void products(const ProductInput& input, int* present, std::int32_t* sums, std::ptrdiff_t stride) {
  for (int t = 0; t < input.tokens; ++t) {
    const int count = list_present(input, t, 1, present);
    products_rest(input, t, present, count, 0, input.channels, sums + t * stride);
  }
}

int requantize(const RequantizeInput& input, const std::int32_t* sums, std::uint8_t* codes) {
  return requantize_rest(input, sums, 0, codes);
}

}  // namespace

const FunctionKernels kFunction{expand, products, requantize, sum_entries};

}  // namespace lacuna::timing::engine::portable
