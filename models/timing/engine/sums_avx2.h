// SPDX-License-Identifier: Apache-2.0
//
// Sums of products of 64 channels for AVX2: two rows of weights at a time through multiply-add of
// 16-bit pairs. Included inside namespace avx2.

static void sum_products_64(const std::int8_t* const* rows, const std::int16_t* values, int count,
                            int channel, std::int32_t* sums) {
  __m256i even[4];  // channels 0-3 and 8-11 of each 16
  __m256i odd[4];   // 4-7 and 12-15
  LACUNA_UNROLL for (int c = 0; c < 4; ++c) even[c] = odd[c] = _mm256_setzero_si256();
  const auto add_pair = [&](const std::int8_t* first, const std::int8_t* second, std::uint32_t pair)
      __attribute__((always_inline)) {
    const __m256i factors = _mm256_set1_epi32(static_cast<int>(pair));
    LACUNA_UNROLL for (int c = 0; c < 4; ++c) {
      const __m256i a = _mm256_cvtepi8_epi16(load128(first + channel + 16 * c));
      const __m256i b = _mm256_cvtepi8_epi16(load128(second + channel + 16 * c));
      even[c] = _mm256_add_epi32(even[c], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), factors));
      odd[c] = _mm256_add_epi32(odd[c], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), factors));
    }
  };
  int i = 0;
  for (; i + 2 <= count; i += 2) {
    add_pair(rows[i], rows[i + 1],
             static_cast<std::uint16_t>(values[i]) |
                 static_cast<std::uint32_t>(static_cast<std::uint16_t>(values[i + 1])) << 16U);
  }
  if (i < count) add_pair(rows[i], rows[i], static_cast<std::uint16_t>(values[i]));
  LACUNA_UNROLL for (int c = 0; c < 4; ++c) {
    __m256i* const to = reinterpret_cast<__m256i*>(sums + channel + 16 * c);
    const __m256i low = _mm256_permute2x128_si256(even[c], odd[c], 0x20);
    const __m256i high = _mm256_permute2x128_si256(even[c], odd[c], 0x31);
    _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), low));
    _mm256_storeu_si256(to + 1, _mm256_add_epi32(_mm256_loadu_si256(to + 1), high));
  }
}

void sum_products(const std::int8_t* const* rows, const std::int16_t* values, int count,
                  int channels, std::int32_t* sums) {
  int channel = 0;
  for (; channel + 64 <= channels; channel += 64) {
    sum_products_64(rows, values, count, channel, sums);
  }
  sum_products_rest(rows, values, count, channel, channels, sums);
}
