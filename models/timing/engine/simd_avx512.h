// SPDX-License-Identifier: Apache-2.0
//
// What AVX-512 adds to simd_avx2.h: the lags of two ways in one vector, positions of 16 bits at a
// time. Included inside namespace avx512.

/// 16-bit lags of two ways of 16 PEs, the first way's in the lower half.
struct Pair {
  __m512i v;
};
struct PairMask {
  __mmask32 v;
};

static LACUNA_INLINE Pair operator+(const Pair& a, const Pair& b) {
  return {_mm512_add_epi16(a.v, b.v)};
}
static LACUNA_INLINE Pair operator-(const Pair& a, const Pair& b) {
  return {_mm512_sub_epi16(a.v, b.v)};
}
static LACUNA_INLINE Pair operator&(const Pair& a, const PairMask& mask) {
  return {_mm512_maskz_mov_epi16(mask.v, a.v)};
}
static LACUNA_INLINE Pair vmax(const Pair& a, const Pair& b) {
  return {_mm512_max_epi16(a.v, b.v)};
}
static LACUNA_INLINE Pair vmin(const Pair& a, const Pair& b) {
  return {_mm512_min_epi16(a.v, b.v)};
}
static LACUNA_INLINE PairMask greater(const Pair& a, const Pair& b) {
  return {_mm512_cmpgt_epi16_mask(a.v, b.v)};
}
static LACUNA_INLINE Pair select(const PairMask& mask, const Pair& a, const Pair& b) {
  return {_mm512_mask_blend_epi16(mask.v, b.v, a.v)};
}
/// As in simd_pack.h, with masks that cost nothing.
static LACUNA_INLINE Pair raised(const PairMask& mask, const Pair& base, const Pair& larger,
                                 const Pair& /*early*/) {
  return select(mask, larger, base);
}
static LACUNA_INLINE Pair add_where(const PairMask& mask, const Pair& a, const Pair& b,
                                    const Pair& c, const Pair& one) {
  return Pair{_mm512_mask_add_epi16(c.v, mask.v, a.v, b.v)} - one;
}
static LACUNA_INLINE bool any_lane(const PairMask& mask) { return mask.v != 0; }
template <class Vector>
requires(sizeof(Vector) == sizeof(__m512i) &&
         requires(Vector v) { v.v; }) static LACUNA_INLINE Vector splat(int value) {
  return {_mm512_set1_epi16(static_cast<short>(value))};
}

static LACUNA_INLINE Pair join(const V16& first, const V16& second) {
  return {_mm512_inserti64x4(_mm512_castsi256_si512(first.part[0].v), second.part[0].v, 1)};
}
static LACUNA_INLINE void split(const Pair& pair, V16& first, V16& second) {
  first.part[0].v = _mm512_castsi512_si256(pair.v);
  second.part[0].v = _mm512_extracti64x4_epi64(pair.v, 1);
}
/// 16 cycles of each way minus an origin of its own, saturated.
static LACUNA_INLINE void load_cycles(Pair& to, const I32* first, I32 first_origin,
                                      const I32* second, I32 second_origin) {
  const auto load = [](const I32* from, I32 origin) __attribute__((always_inline)) {
    return _mm512_cvtsepi32_epi16(
        _mm512_sub_epi32(_mm512_loadu_si512(from), _mm512_set1_epi32(origin)));
  };
  to.v = _mm512_inserti64x4(_mm512_castsi256_si512(load(first, first_origin)),
                            load(second, second_origin), 1);
}
static LACUNA_INLINE void store_cycles(I32* first, I32 first_origin, I32* second, I32 second_origin,
                                       const Pair& from) {
  const auto store = [](I32 * to, I32 origin, __m256i lags) __attribute__((always_inline)) {
    _mm512_storeu_si512(to,
                        _mm512_add_epi32(_mm512_cvtepi16_epi32(lags), _mm512_set1_epi32(origin)));
  };
  store(first, first_origin, _mm512_castsi512_si256(from.v));
  store(second, second_origin, _mm512_extracti64x4_epi64(from.v, 1));
}
static LACUNA_INLINE Pair saturating_sub(const Pair& a, const Pair& b) {
  return {_mm512_subs_epi16(a.v, b.v)};
}
/// Of each way, as in simd_avx2.h.
static LACUNA_INLINE Pair prefix_maxima(const Pair& from) {
  __m512i v = from.v;
  v = _mm512_max_epi16(v, _mm512_bslli_epi128(v, 2));
  v = _mm512_max_epi16(v, _mm512_bslli_epi128(v, 4));
  v = _mm512_max_epi16(v, _mm512_bslli_epi128(v, 8));
  const __m512i low = _mm512_maskz_shuffle_i64x2(0xCC, v, v, 0x80);
  const __m512i last = _mm512_shuffle_epi8(low, _mm512_set1_epi16(0x0F0E));
  return {_mm512_max_epi16(v, last)};
}
static LACUNA_INLINE void load_counts(Pair& to, const std::uint8_t* first,
                                      const std::uint8_t* second) {
  to.v = _mm512_cvtepu8_epi16(
      _mm256_inserti128_si256(_mm256_castsi128_si256(load128(first)), load128(second), 1));
}

/// The scalars of a block of each of two ways; those of the entry that `lag` picks.
struct PairScalars {
  Pair all_issue;
  Pair all_blocked;
  Pair all_empty;
  Pair lag;
  [[nodiscard]] LACUNA_INLINE Pair issue() const {
    return {_mm512_permutexvar_epi16(lag.v, all_issue.v)};
  }
  [[nodiscard]] LACUNA_INLINE Pair blocked() const {
    return {_mm512_permutexvar_epi16(lag.v, all_blocked.v)};
  }
  [[nodiscard]] LACUNA_INLINE Pair empty() const {
    return {_mm512_permutexvar_epi16(lag.v, all_empty.v)};
  }
};
/// Hidden from the compiler, which would make a constant of every multiple of it, each with an
/// instruction of its own.
static LACUNA_INLINE Pair opaque_one() {
  Pair one{_mm512_set1_epi16(1)};
  asm("" : "+v"(one.v));
  return one;
}
/// Picks the first entry of both blocks.
static LACUNA_INLINE Pair first_lags() {
  return {_mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(16), 1)};
}

/// Scalars of two ways, which lie side by side.
static LACUNA_INLINE Pair load_scalars(const I16* from) { return {_mm512_load_si512(from)}; }
static LACUNA_INLINE void store_scalars(I16* to, const Pair& from) {
  _mm512_store_si512(to, from.v);
}
static LACUNA_INLINE void store_scalars(I16* to, const V16& from) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), from.part[0].v);
}
template <class Vector>
static LACUNA_INLINE Vector splat_scalar(const I16* from) {
  return {{{_mm256_set1_epi16(*from)}}};
}

/// As of one way: the largest of each row of each half.
template <>
struct RowMaxima<Pair> {
  __m512i row;
  __m512i pair;
  __m512i four;
  __m512i eight[2];
  LACUNA_INLINE void add(int i, const Pair& next) {
    const __m512i a = next.v;
    if (i % 2 == 0) {
      row = a;
      return;
    }
    const __m512i two =
        _mm512_max_epi16(_mm512_unpacklo_epi16(row, a), _mm512_unpackhi_epi16(row, a));
    if (i % 4 == 1) {
      pair = two;
      return;
    }
    const __m512i quad =
        _mm512_max_epi16(_mm512_unpacklo_epi32(pair, two), _mm512_unpackhi_epi32(pair, two));
    if (i % 8 == 3) {
      four = quad;
      return;
    }
    eight[i / 8] =
        _mm512_max_epi16(_mm512_unpacklo_epi64(four, quad), _mm512_unpackhi_epi64(four, quad));
  }
  [[nodiscard]] LACUNA_INLINE Pair result() const {
    // Quarters of the maximum: first way's rows 0-7, second way's, then rows 8-15 of both.
    const __m512i both = _mm512_max_epi16(_mm512_shuffle_i64x2(eight[0], eight[1], 0x88),
                                          _mm512_shuffle_i64x2(eight[0], eight[1], 0xDD));
    return {_mm512_shuffle_i64x2(both, both, 0xD8)};
  }
};

/// to[i] = at + position of set bit i; returns the end. Writes up to 16 more.
static LACUNA_INLINE std::uint16_t* store_hits(std::uint16_t* to, std::uint64_t hits,
                                               std::size_t at) {
  __m512i positions =
      _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(at)),
                       _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  for (; hits != 0; hits >>= 16U) {
    const auto bits = static_cast<__mmask16>(hits);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(bits, positions)));
    to += __builtin_popcount(bits);
    positions = _mm512_add_epi32(positions, _mm512_set1_epi32(16));
  }
  return to;
}
