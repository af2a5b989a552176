// SPDX-License-Identifier: Apache-2.0
//
// Native vectors and the few operations between lanes, for AVX2. Included inside namespace avx2.

struct Native16 {
  static constexpr int kLanes = 16;
  __m256i v;
};
struct Native32 {
  static constexpr int kLanes = 8;
  __m256i v;
};

#define LACUNA_NATIVE_BINARY(TYPE, NAME, INTRINSIC) \
  static LACUNA_INLINE TYPE NAME(const TYPE& a, const TYPE& b) { return {INTRINSIC(a.v, b.v)}; }
LACUNA_NATIVE_BINARY(Native16, add, _mm256_add_epi16)
LACUNA_NATIVE_BINARY(Native16, sub, _mm256_sub_epi16)
LACUNA_NATIVE_BINARY(Native16, bit_and, _mm256_and_si256)
LACUNA_NATIVE_BINARY(Native16, bit_or, _mm256_or_si256)
LACUNA_NATIVE_BINARY(Native16, greater, _mm256_cmpgt_epi16)
LACUNA_NATIVE_BINARY(Native16, vmax, _mm256_max_epi16)
LACUNA_NATIVE_BINARY(Native16, vmin, _mm256_min_epi16)
LACUNA_NATIVE_BINARY(Native32, add, _mm256_add_epi32)
LACUNA_NATIVE_BINARY(Native32, sub, _mm256_sub_epi32)
LACUNA_NATIVE_BINARY(Native32, bit_and, _mm256_and_si256)
LACUNA_NATIVE_BINARY(Native32, bit_or, _mm256_or_si256)
LACUNA_NATIVE_BINARY(Native32, greater, _mm256_cmpgt_epi32)
LACUNA_NATIVE_BINARY(Native32, vmax, _mm256_max_epi32)
LACUNA_NATIVE_BINARY(Native32, vmin, _mm256_min_epi32)
#undef LACUNA_NATIVE_BINARY

/// As assembly, because GCC 12 rewrites the intrinsic into a comparison and a blend.
template <class Native>
static LACUNA_INLINE Native select(const Native& mask, const Native& a, const Native& b) {
  Native result;
  asm("vpblendvb %3, %2, %1, %0" : "=x"(result.v) : "x"(b.v), "x"(a.v), "x"(mask.v));
  return result;
}
static LACUNA_INLINE void splat(Native16& to, int value) {
  to.v = _mm256_set1_epi16(static_cast<short>(value));
}
static LACUNA_INLINE void splat(Native32& to, int value) { to.v = _mm256_set1_epi32(value); }
template <class Native>
static LACUNA_INLINE void load(Native& to, const void* from) {
  to.v = _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
template <class Native>
static LACUNA_INLINE void store(void* to, const Native& from) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), from.v);
}

#include "timing/engine/simd_pack.h"

static LACUNA_INLINE __m256i load256(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
static LACUNA_INLINE __m128i load128(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

static LACUNA_INLINE void load_counts(V16& to, const std::uint8_t* row) {
  to.part[0].v = _mm256_cvtepu8_epi16(load128(row));
}
static LACUNA_INLINE void load_counts(V32& to, const std::uint8_t* row) {
  const __m128i bytes = load128(row);
  to.part[0].v = _mm256_cvtepu8_epi32(bytes);
  to.part[1].v = _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8));
}
static LACUNA_INLINE void load_counts(V32& to, const std::uint16_t* row) {
  to.part[0].v = _mm256_cvtepu16_epi32(load128(row));
  to.part[1].v = _mm256_cvtepu16_epi32(load128(row + 8));
}

/// 16 cycles minus `origin`; the 16-bit version saturates downwards (upwards it never has to).
static LACUNA_INLINE void load_cycles(V32& to, const I32* from, I32 origin) {
  const __m256i minus = _mm256_set1_epi32(origin);
  to.part[0].v = _mm256_sub_epi32(load256(from), minus);
  to.part[1].v = _mm256_sub_epi32(load256(from + 8), minus);
}
static LACUNA_INLINE void load_cycles(V16& to, const I32* from, I32 origin) {
  V32 wide;
  load_cycles(wide, from, origin);
  to.part[0].v = _mm256_permute4x64_epi64(_mm256_packs_epi32(wide.part[0].v, wide.part[1].v), 0xD8);
}
static LACUNA_INLINE void store_cycles(I32* to, const V32& from, I32 origin) {
  const __m256i plus = _mm256_set1_epi32(origin);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_add_epi32(from.part[0].v, plus));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), _mm256_add_epi32(from.part[1].v, plus));
}
static LACUNA_INLINE void store_cycles(I32* to, const V16& from, I32 origin) {
  V32 wide;
  wide.part[0].v = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(from.part[0].v));
  wide.part[1].v = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(from.part[0].v, 1));
  store_cycles(to, wide, origin);
}

/// a - b without wrapping.
static LACUNA_INLINE V16 saturating_sub(const V16& a, const V16& b) {
  return {{{_mm256_subs_epi16(a.part[0].v, b.part[0].v)}}};
}
static LACUNA_INLINE V32 saturating_sub(const V32& a, const V32& b) { return a - b; }

/// Element i becomes the maximum of elements 0..i; all are >= 0.
static LACUNA_INLINE V16 prefix_maxima(const V16& from) {
  __m256i v = from.part[0].v;
  v = _mm256_max_epi16(v, _mm256_slli_si256(v, 2));
  v = _mm256_max_epi16(v, _mm256_slli_si256(v, 4));
  v = _mm256_max_epi16(v, _mm256_slli_si256(v, 8));
  // The last element of the lower half, in every element of the upper one.
  const __m256i low = _mm256_permute2x128_si256(v, v, 0x08);
  const __m256i last = _mm256_shuffle_epi8(low, _mm256_set1_epi16(0x0F0E));
  return {{{_mm256_max_epi16(v, last)}}};
}
static LACUNA_INLINE V32 prefix_maxima(const V32& from) {
  alignas(64) I32 lags[16];
  store_lags(lags, from);
  for (int i = 1; i < 16; ++i) lags[i] = lags[i] > lags[i - 1] ? lags[i] : lags[i - 1];
  return load_lags<V32>(lags);
}

/// The largest element of each of 16 rows that are added in order, with constant i: row i's is
/// element i of the result. Each level of the tree halves the lanes per row.
template <class Vector>
struct RowMaxima {
  V32 rows[16];
  LACUNA_INLINE void add(int i, const V32& row) { rows[i] = row; }
  [[nodiscard]] LACUNA_INLINE V32 result() const;
};
template <>
struct RowMaxima<V16> {
  __m256i row;
  __m256i pair;
  __m256i four;
  __m256i eight[2];
  LACUNA_INLINE void add(int i, const V16& next) {
    const __m256i a = next.part[0].v;
    if (i % 2 == 0) {
      row = a;
      return;
    }
    const __m256i two =
        _mm256_max_epi16(_mm256_unpacklo_epi16(row, a), _mm256_unpackhi_epi16(row, a));
    if (i % 4 == 1) {
      pair = two;
      return;
    }
    const __m256i quad =
        _mm256_max_epi16(_mm256_unpacklo_epi32(pair, two), _mm256_unpackhi_epi32(pair, two));
    if (i % 8 == 3) {
      four = quad;
      return;
    }
    eight[i / 8] =
        _mm256_max_epi16(_mm256_unpacklo_epi64(four, quad), _mm256_unpackhi_epi64(four, quad));
  }
  [[nodiscard]] LACUNA_INLINE V16 result() const {
    return {{{_mm256_max_epi16(_mm256_permute2x128_si256(eight[0], eight[1], 0x20),
                               _mm256_permute2x128_si256(eight[0], eight[1], 0x31))}}};
  }
};
static LACUNA_INLINE I32 largest(const V32& vector) {
  const __m256i eight = _mm256_max_epi32(vector.part[0].v, vector.part[1].v);
  __m128i v = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  v = _mm_max_epi32(v, _mm_shuffle_epi32(v, 0x4E));
  v = _mm_max_epi32(v, _mm_shuffle_epi32(v, 0xB1));
  return _mm_cvtsi128_si32(v);
}
static LACUNA_INLINE I32 largest(const V16& vector) {
  __m128i v = _mm_max_epi16(_mm256_castsi256_si128(vector.part[0].v),
                            _mm256_extracti128_si256(vector.part[0].v, 1));
  // The machine has a minimum of eight unsigned elements.
  v = _mm_minpos_epu16(_mm_xor_si128(v, _mm_set1_epi16(0x7FFF)));
  return static_cast<I16>(_mm_cvtsi128_si32(v) ^ 0x7FFF);
}
template <class Vector>
LACUNA_INLINE V32 RowMaxima<Vector>::result() const {
  alignas(64) I32 maxima[16];
  for (int i = 0; i < 16; ++i) maxima[i] = largest(rows[i]);
  return load_lags<V32>(maxima);
}

/// Lags in the form from which each is read back in all lanes: low half of a 32-bit word, the high
/// half is for the vector version.
static LACUNA_INLINE void store_scalars(I32* to, const V16& from) {
  const __m256i halves = _mm256_permute4x64_epi64(from.part[0].v, 0xD8);
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), _mm256_unpacklo_epi16(halves, halves));
  _mm256_store_si256(reinterpret_cast<__m256i*>(to + 8), _mm256_unpackhi_epi16(halves, halves));
}
static LACUNA_INLINE void store_scalars(I32* to, const V32& from) { store_lags(to, from); }
template <class Vector>
static LACUNA_INLINE Vector splat_scalar(const I32* from) {
  Vector result;
  LACUNA_UNROLL for (auto& part : result.part) part.v = _mm256_set1_epi32(*from);
  return result;
}

static LACUNA_INLINE bool any_bit(const V16& v) {
  return _mm256_testz_si256(v.part[0].v, v.part[0].v) == 0;
}
static LACUNA_INLINE bool any_bit(const V32& v) {
  const __m256i both = _mm256_or_si256(v.part[0].v, v.part[1].v);
  return _mm256_testz_si256(both, both) == 0;
}

/// Sum of all lanes, none of which is negative.
static LACUNA_INLINE std::uint64_t lane_sum(const V16& v) {
  const __m256i pairs = _mm256_madd_epi16(v.part[0].v, _mm256_set1_epi16(1));
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum));
}
static LACUNA_INLINE std::uint64_t lane_sum(const V32& v) {
  alignas(64) I32 lags[16];
  store_lags(lags, v);
  std::uint64_t sum = 0;
  for (const I32 lag : lags) sum += static_cast<std::uint64_t>(lag);
  return sum;
}

/// to[i] = at + table[i] for 8 elements.
static LACUNA_INLINE void store_positions(std::uint16_t* to, const std::uint8_t* table,
                                          std::uint16_t at) {
  const __m128i bits = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(table)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_add_epi16(bits, _mm_set1_epi16(static_cast<short>(at))));
}

/// 32 bytes of masks.
struct Bits {
  __m256i v;
};
static LACUNA_INLINE Bits load_bits(const std::uint8_t* from) { return {load256(from)}; }
static LACUNA_INLINE Bits operator|(const Bits& a, const Bits& b) {
  return {_mm256_or_si256(a.v, b.v)};
}
/// Every bit of b is set in a.
static LACUNA_INLINE bool covers(const Bits& a, const Bits& b) {
  return _mm256_testc_si256(a.v, b.v) != 0;
}
static LACUNA_INLINE std::uint64_t count_bits(const Bits& bits) {
  return static_cast<std::uint64_t>(
      __builtin_popcountll(static_cast<std::uint64_t>(_mm256_extract_epi64(bits.v, 0))) +
      __builtin_popcountll(static_cast<std::uint64_t>(_mm256_extract_epi64(bits.v, 1))) +
      __builtin_popcountll(static_cast<std::uint64_t>(_mm256_extract_epi64(bits.v, 2))) +
      __builtin_popcountll(static_cast<std::uint64_t>(_mm256_extract_epi64(bits.v, 3))));
}
