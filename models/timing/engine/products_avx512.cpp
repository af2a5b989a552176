// SPDX-License-Identifier: Apache-2.0
//
// What a pass computes, for AVX-512 with VNNI (docs/decisions/0042): sums of four products of an
// unsigned and a signed byte at a time. Where activations are signed, weights take the unsigned
// side, 128 too large; 128 times the sum of a token's activations is taken off again. Nothing
// saturates; sums wrap. Compiled with flags of its own; see kernel_avx2.cpp.
#include "timing/engine/products.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>

namespace lacuna::timing::engine::avx512 {
namespace {
// NOLINTBEGIN(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/products_body.h"
//
#include "timing/engine/expand_bmi2.h"
// NOLINTEND(bugprone-suspicious-include)

/// The lowest `lanes` of 16; lanes >= 0.
__mmask16 low_lanes(int lanes) {
  return static_cast<__mmask16>(lanes >= 16 ? 0xFFFF : (1U << static_cast<unsigned>(lanes)) - 1);
}

template <int kValue>
struct Count {
  static constexpr int kCount = kValue;
};

/// Sum of the signed codes of a row.
int row_sum(const std::uint8_t* codes, int quads) {
  __m512i sum = _mm512_setzero_si512();
  const __m512i ones = _mm512_set1_epi8(1);
  for (int quad = 0; quad < quads; quad += 16) {
    sum = _mm512_dpbusd_epi32(sum, ones,
                              _mm512_maskz_loadu_epi32(low_lanes(quads - quad), codes + 4 * quad));
  }
  return _mm512_reduce_add_epi32(sum);
}

/// kTokens tokens, 16*kVectors channels from `channel` on, of the last 16 only those in `last`.
template <int kTokens, int kVectors, bool kSigned>
void products_of(const ProductInput& input, int token, const int* present, int count, int channel,
                 __mmask16 last, const int* corrections, std::int32_t* sums,
                 std::ptrdiff_t stride) {
  const std::size_t step = static_cast<std::size_t>(input.channels) * 4;
  const std::size_t row = static_cast<std::size_t>(input.quads) * 4;
  const std::uint8_t* codes = input.activations + static_cast<std::size_t>(token) * row;
  const std::int8_t* weights = input.weights + 4 * channel;
  const auto lanes = [last](int c) { return c + 1 < kVectors ? __mmask16{0xFFFF} : last; };
  std::int32_t* const to = sums + token * stride + channel;
  const __m512i flip = _mm512_set1_epi8(-128);
  __m512i sum[kTokens][kVectors];
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    const __m512i correction = _mm512_set1_epi32(corrections[t]);
#pragma GCC unroll 8
    for (int c = 0; c < kVectors; ++c) {
      sum[t][c] = _mm512_add_epi32(correction,
                                   _mm512_maskz_loadu_epi32(lanes(c), to + t * stride + 16 * c));
    }
  }
  for (int i = 0; i < count; ++i) {
    const std::int8_t* from = weights + static_cast<std::size_t>(present[i]) * step;
    __m512i w[kVectors];
#pragma GCC unroll 8
    for (int c = 0; c < kVectors; ++c) {
      w[c] = _mm512_maskz_loadu_epi32(lanes(c), from + 64 * c);
      if constexpr (kSigned) w[c] = _mm512_xor_si512(w[c], flip);
    }
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
      int four;
      __builtin_memcpy(&four, codes + static_cast<std::size_t>(t) * row + 4 * present[i], 4);
      const __m512i a = _mm512_set1_epi32(four);
#pragma GCC unroll 8
      for (int c = 0; c < kVectors; ++c) {
        sum[t][c] = kSigned ? _mm512_dpbusd_epi32(sum[t][c], w[c], a)
                            : _mm512_dpbusd_epi32(sum[t][c], a, w[c]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 8
    for (int c = 0; c < kVectors; ++c) {
      _mm512_mask_storeu_epi32(to + t * stride + 16 * c, lanes(c), sum[t][c]);
    }
  }
}

template <int kTokens, bool kSigned>
void products_of(const ProductInput& input, int token, int* present, std::int32_t* sums,
                 std::ptrdiff_t stride) {
  const int count = list_present(input, token, kTokens, present);
  int corrections[kTokens];
  for (int t = 0; t < kTokens; ++t) {
    const std::uint8_t* codes = input.activations + static_cast<std::size_t>(token + t) *
                                                        static_cast<std::size_t>(input.quads) * 4;
    corrections[t] =
        kSigned ? static_cast<int>(-128U * static_cast<unsigned>(row_sum(codes, input.quads))) : 0;
  }
  const auto run = [&](auto vectors, int channel) {
    constexpr int kVectors = decltype(vectors)::kCount;
    const __mmask16 last = low_lanes(input.channels - channel - 16 * (kVectors - 1));
    products_of<kTokens, kVectors, kSigned>(input, token, present, count, channel, last,
                                            corrections, sums, stride);
  };
  int channel = 0;
  for (; input.channels - channel > 48; channel += 64) run(Count<4>{}, channel);
  const int left = input.channels - channel;
  if (left > 32) {
    run(Count<3>{}, channel);
  } else if (left > 16) {
    run(Count<2>{}, channel);
  } else if (left > 0) {
    run(Count<1>{}, channel);
  }
}

template <bool kSigned>
void all_products(const ProductInput& input, int* present, std::int32_t* sums,
                  std::ptrdiff_t stride) {
  int token = 0;
  for (; token + 4 <= input.tokens; token += 4) {
    products_of<4, kSigned>(input, token, present, sums, stride);
  }
  if (token + 2 <= input.tokens) {
    products_of<2, kSigned>(input, token, present, sums, stride);
    token += 2;
  }
  if (token < input.tokens) products_of<1, kSigned>(input, token, present, sums, stride);
}

void products(const ProductInput& input, int* present, std::int32_t* sums, std::ptrdiff_t stride) {
  if (input.is_signed) {
    all_products<true>(input, present, sums, stride);
  } else {
    all_products<false>(input, present, sums, stride);
  }
}

int requantize(const RequantizeInput& input, const std::int32_t* sums, std::uint8_t* codes) {
  const __m512i one = _mm512_set1_epi64(1);
  const __m512i low = _mm512_set1_epi64(input.clamp_lo);
  const __m512i high = _mm512_set1_epi64(input.clamp_hi);
  const __m512i gate = _mm512_set1_epi64(input.gate);
  int nonzero = 0;
  for (int n = 0; n < input.channels; n += 8) {
    const auto lanes = static_cast<__mmask8>(low_lanes(input.channels - n));
    const auto eight = [&](const std::int32_t* from) {
      return _mm256_maskz_loadu_epi32(lanes, from + n);
    };
    const __m256i sum = _mm256_add_epi32(eight(sums), eight(input.bias));
    const __m512i shift = _mm512_cvtepu8_epi64(_mm_maskz_loadu_epi8(lanes, input.shift + n));
    const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(shift, one));
    const __m512i product = _mm512_mul_epi32(_mm512_cvtepu32_epi64(sum),
                                             _mm512_cvtepu32_epi64(eight(input.multiplier)));
    const __m512i y = _mm512_max_epi64(
        low, _mm512_min_epi64(high, _mm512_srav_epi64(_mm512_add_epi64(product, half), shift)));
    const __mmask8 kept = _mm512_mask_cmpgt_epi64_mask(lanes, _mm512_abs_epi64(y), gate);
    _mm_mask_storeu_epi8(codes + n, lanes, _mm512_maskz_cvtepi64_epi8(kept, y));
    nonzero += __builtin_popcount(kept);
  }
  return nonzero;
}

}  // namespace

const FunctionKernels kFunction{expand, products, requantize, sum_entries};

}  // namespace lacuna::timing::engine::avx512
#else
namespace lacuna::timing::engine::avx512 {
const FunctionKernels kFunction{};
}  // namespace lacuna::timing::engine::avx512
#endif
