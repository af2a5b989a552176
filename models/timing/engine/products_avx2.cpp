// SPDX-License-Identifier: Apache-2.0
//
// What a pass computes, for AVX2: sums through multiply-add of 16-bit pairs. Compiled with flags of
// its own; see kernel_avx2.cpp.
#include "timing/engine/products.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace lacuna::timing::engine::avx2 {
namespace {
// NOLINTBEGIN(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/products_body.h"
//
#include "timing/engine/expand_bmi2.h"
// NOLINTEND(bugprone-suspicious-include)

/// kTokens tokens, 4*kVectors channels from `channel` on. An accumulator holds two sums of each of
/// four channels: of the first and of the second pair of each quad.
template <int kTokens, int kVectors>
void products_of(const ProductInput& input, int token, const int* present, int count, int channel,
                 std::int32_t* sums, std::ptrdiff_t stride) {
  const std::size_t step = static_cast<std::size_t>(input.channels) * 4;
  const std::size_t row = static_cast<std::size_t>(input.quads) * 4;
  const std::uint8_t* codes = input.activations + static_cast<std::size_t>(token) * row;
  const std::int8_t* weights = input.weights + 4 * channel;
  __m256i sum[kTokens][kVectors];
  for (int t = 0; t < kTokens; ++t) {
    for (int c = 0; c < kVectors; ++c) sum[t][c] = _mm256_setzero_si256();
  }
  for (int i = 0; i < count; ++i) {
    const std::int8_t* from = weights + static_cast<std::size_t>(present[i]) * step;
    __m256i w[kVectors];
    for (int c = 0; c < kVectors; ++c) {
      w[c] = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16 * c)));
    }
    for (int t = 0; t < kTokens; ++t) {
      int four;
      __builtin_memcpy(&four, codes + static_cast<std::size_t>(t) * row + 4 * present[i], 4);
      const __m128i bytes = _mm_set1_epi32(four);
      const __m256i a = input.is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
      for (int c = 0; c < kVectors; ++c) {
        sum[t][c] = _mm256_add_epi32(sum[t][c], _mm256_madd_epi16(w[c], a));
      }
    }
  }
  for (int t = 0; t < kTokens; ++t) {
    std::int32_t* const to = sums + (token + t) * stride + channel;
    if constexpr (kVectors == 2) {
      const __m256i both = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[t][0], sum[t][1]), 0xD8);
      __m256i* const place = reinterpret_cast<__m256i*>(to);
      _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), both));
    } else {
      const __m128i both =
          _mm_hadd_epi32(_mm256_castsi256_si128(sum[t][0]), _mm256_extracti128_si256(sum[t][0], 1));
      __m128i* const place = reinterpret_cast<__m128i*>(to);
      _mm_storeu_si128(place, _mm_add_epi32(_mm_loadu_si128(place), both));
    }
  }
}

template <int kTokens>
void products_of(const ProductInput& input, int token, int* present, std::int32_t* sums,
                 std::ptrdiff_t stride) {
  const int count = list_present(input, token, kTokens, present);
  int channel = 0;
  for (; channel + 8 <= input.channels; channel += 8) {
    products_of<kTokens, 2>(input, token, present, count, channel, sums, stride);
  }
  if (channel + 4 <= input.channels) {
    products_of<kTokens, 1>(input, token, present, count, channel, sums, stride);
    channel += 4;
  }
  for (int t = token; channel < input.channels && t < token + kTokens; ++t) {
    products_rest(input, t, present, count, channel, input.channels, sums + t * stride);
  }
}

void products(const ProductInput& input, int* present, std::int32_t* sums, std::ptrdiff_t stride) {
  int token = 0;
  for (; token + 4 <= input.tokens; token += 4) {
    products_of<4>(input, token, present, sums, stride);
  }
  if (token + 2 <= input.tokens) {
    products_of<2>(input, token, present, sums, stride);
    token += 2;
  }
  if (token < input.tokens) products_of<1>(input, token, present, sums, stride);
}

/// y of four channels: sums and multipliers in the low halves of 64 bits.
__m256i scaled(__m256i sum, __m256i multiplier, __m256i shift, const RequantizeInput& input) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(shift, one));
  const __m256i product = _mm256_add_epi64(_mm256_mul_epi32(sum, multiplier), half);
  // There is no arithmetic shift of 64 bits: shift p + 2^63 and take off what became of 2^63.
  const __m256i top = _mm256_set1_epi64x(INT64_MIN);
  const __m256i y = _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(product, top), shift),
                                     _mm256_srlv_epi64(top, shift));
  const __m256i low = _mm256_set1_epi64x(input.clamp_lo);
  const __m256i high = _mm256_set1_epi64x(input.clamp_hi);
  const __m256i capped = _mm256_blendv_epi8(y, high, _mm256_cmpgt_epi64(y, high));
  return _mm256_blendv_epi8(capped, low, _mm256_cmpgt_epi64(low, capped));
}

int requantize(const RequantizeInput& input, const std::int32_t* sums, std::uint8_t* codes) {
  const __m256i gate = _mm256_set1_epi32(input.gate);
  const __m256i lowest_bytes = _mm256_set1_epi32(0x0C080400);
  int nonzero = 0;
  int n = 0;
  for (; n + 8 <= input.channels; n += 8) {
    const auto eight = [n](const std::int32_t* from) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + n));
    };
    const __m256i sum = _mm256_add_epi32(eight(sums), eight(input.bias));
    const __m256i multiplier = eight(input.multiplier);
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(input.shift + n));
    const __m256i shift = _mm256_cvtepu8_epi32(bytes);
    // Even channels, odd channels.
    const __m256i even =
        scaled(sum, multiplier, _mm256_and_si256(shift, _mm256_set1_epi64x(0xFF)), input);
    const __m256i odd = scaled(_mm256_srli_epi64(sum, 32), _mm256_srli_epi64(multiplier, 32),
                               _mm256_srli_epi64(shift, 32), input);
    const __m256i y = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    const __m256i kept = _mm256_cmpgt_epi32(_mm256_abs_epi32(y), gate);
    const __m256i packed = _mm256_shuffle_epi8(_mm256_and_si256(y, kept), lowest_bytes);
    const auto low = static_cast<std::uint32_t>(_mm256_extract_epi32(packed, 0));
    const auto high = static_cast<std::uint32_t>(_mm256_extract_epi32(packed, 4));
    __builtin_memcpy(codes + n, &low, 4);
    __builtin_memcpy(codes + n + 4, &high, 4);
    nonzero +=
        __builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(kept))));
  }
  return nonzero + requantize_rest(input, sums, n, codes);
}

}  // namespace

const FunctionKernels kFunction{expand, products, requantize, sum_entries};

}  // namespace lacuna::timing::engine::avx2
#else
namespace lacuna::timing::engine::avx2 {
const FunctionKernels kFunction{};
}  // namespace lacuna::timing::engine::avx2
#endif
