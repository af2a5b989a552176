// SPDX-License-Identifier: Apache-2.0
//
// Native vectors of 16 bytes in the compiler's portable notation (SSE4.1 in the x86-64-v2 baseline,
// NEON on ARM), and the few operations between lanes. Included inside namespace portable.

typedef I16 Vector16 __attribute__((vector_size(16)));
typedef I32 Vector32 __attribute__((vector_size(16)));
// Sums and differences wrap, as those of the processors' own instructions do.
typedef std::uint16_t Wrapping16 __attribute__((vector_size(16)));
typedef std::uint32_t Wrapping32 __attribute__((vector_size(16)));

struct Native16 {
  static constexpr int kLanes = 8;
  using Wrapping = Wrapping16;
  Vector16 v;
};
struct Native32 {
  static constexpr int kLanes = 4;
  using Wrapping = Wrapping32;
  Vector32 v;
};

template <class Native>
static LACUNA_INLINE Native add(const Native& a, const Native& b) {
  using Wrapping = typename Native::Wrapping;
  return {reinterpret_cast<decltype(Native::v)>(reinterpret_cast<Wrapping>(a.v) +
                                                reinterpret_cast<Wrapping>(b.v))};
}
template <class Native>
static LACUNA_INLINE Native sub(const Native& a, const Native& b) {
  using Wrapping = typename Native::Wrapping;
  return {reinterpret_cast<decltype(Native::v)>(reinterpret_cast<Wrapping>(a.v) -
                                                reinterpret_cast<Wrapping>(b.v))};
}
template <class Native>
static LACUNA_INLINE Native bit_and(const Native& a, const Native& b) {
  return {a.v & b.v};
}
template <class Native>
static LACUNA_INLINE Native bit_or(const Native& a, const Native& b) {
  return {a.v | b.v};
}
template <class Native>
static LACUNA_INLINE Native greater(const Native& a, const Native& b) {
  return {a.v > b.v};
}
template <class Native>
static LACUNA_INLINE Native vmax(const Native& a, const Native& b) {
  return {a.v > b.v ? a.v : b.v};
}
template <class Native>
static LACUNA_INLINE Native vmin(const Native& a, const Native& b) {
  return {a.v < b.v ? a.v : b.v};
}
template <class Native>
static LACUNA_INLINE Native select(const Native& mask, const Native& a, const Native& b) {
  return {(a.v & mask.v) | (b.v & ~mask.v)};
}
static LACUNA_INLINE void splat(Native16& to, int value) {
  to.v = Vector16{} + static_cast<I16>(value);
}
static LACUNA_INLINE void splat(Native32& to, int value) { to.v = Vector32{} + value; }
template <class Native>
static LACUNA_INLINE void load(Native& to, const void* from) {
  __builtin_memcpy(&to.v, from, sizeof(to.v));
}
template <class Native>
static LACUNA_INLINE void store(void* to, const Native& from) {
  __builtin_memcpy(to, &from.v, sizeof(from.v));
}

#include "timing/engine/simd_pack.h"

/// Scalars -> lags; compilers turn these loops into widening loads.
template <class Vector, class Lag, class Count>
static LACUNA_INLINE void widen(Vector& to, const Count* from) {
  alignas(16) Lag lags[16];
  for (int i = 0; i < 16; ++i) lags[i] = static_cast<Lag>(from[i]);
  to = load_lags<Vector>(lags);
}
static LACUNA_INLINE void load_counts(V16& to, const std::uint8_t* row) {
  widen<V16, I16>(to, row);
}
static LACUNA_INLINE void load_counts(V32& to, const std::uint8_t* row) {
  widen<V32, I32>(to, row);
}
static LACUNA_INLINE void load_counts(V32& to, const std::uint16_t* row) {
  widen<V32, I32>(to, row);
}

/// 16 cycles minus `origin`; the 16-bit version saturates downwards (upwards it never has to).
static LACUNA_INLINE void load_cycles(V32& to, const I32* from, I32 origin) {
  to = load_lags<V32>(from) - splat<V32>(origin);
}
static LACUNA_INLINE void load_cycles(V16& to, const I32* from, I32 origin) {
  alignas(16) I16 lags[16];
  for (int i = 0; i < 16; ++i) {
    const I32 lag = from[i] - origin;
    lags[i] = static_cast<I16>(lag < -32768 ? -32768 : lag);
  }
  to = load_lags<V16>(lags);
}
template <class Lag, class Vector>
static LACUNA_INLINE void widen_cycles(I32* to, const Vector& from, I32 origin) {
  alignas(16) Lag lags[16];
  store_lags(lags, from);
  for (int i = 0; i < 16; ++i) to[i] = I32{lags[i]} + origin;
}
static LACUNA_INLINE void store_cycles(I32* to, const V16& from, I32 origin) {
  widen_cycles<I16>(to, from, origin);
}
static LACUNA_INLINE void store_cycles(I32* to, const V32& from, I32 origin) {
  widen_cycles<I32>(to, from, origin);
}

/// a - b without wrapping, for 0 <= b.
static LACUNA_INLINE V16 saturating_sub(const V16& a, const V16& b) {
  return vmax(a, splat<V16>(-32768) + b) - b;
}
static LACUNA_INLINE V32 saturating_sub(const V32& a, const V32& b) { return a - b; }

template <class Lag, class Vector>
static LACUNA_INLINE Vector prefix_maxima_of(const Vector& from) {
  alignas(16) Lag lags[16];
  store_lags(lags, from);
  for (int i = 1; i < 16; ++i) lags[i] = lags[i] > lags[i - 1] ? lags[i] : lags[i - 1];
  return load_lags<Vector>(lags);
}
/// Element i becomes the maximum of elements 0..i; all are >= 0.
static LACUNA_INLINE V16 prefix_maxima(const V16& from) { return prefix_maxima_of<I16>(from); }
static LACUNA_INLINE V32 prefix_maxima(const V32& from) { return prefix_maxima_of<I32>(from); }

static LACUNA_INLINE I32 largest(const V16& vector) {
  Vector16 v = vmax(vector.part[0], vector.part[1]).v;
  v = vmax(Native16{v}, Native16{__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)}).v;
  v = vmax(Native16{v}, Native16{__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)}).v;
  return v[0] > v[1] ? v[0] : v[1];
}
static LACUNA_INLINE I32 largest(const V32& vector) {
  const Vector32 v =
      vmax(vmax(vector.part[0], vector.part[1]), vmax(vector.part[2], vector.part[3])).v;
  const I32 low = v[0] > v[1] ? v[0] : v[1];
  const I32 high = v[2] > v[3] ? v[2] : v[3];
  return low > high ? low : high;
}
template <class Vector>
struct LagOf;
template <>
struct LagOf<V16> {
  using Type = I16;
};
template <>
struct LagOf<V32> {
  using Type = I32;
};

/// The largest element of each of 16 rows: row i's is element i of the result.
template <class Vector>
struct RowMaxima {
  alignas(16) typename LagOf<Vector>::Type maxima[16];
  LACUNA_INLINE void add(int i, const Vector& row) {
    maxima[i] = static_cast<typename LagOf<Vector>::Type>(largest(row));
  }
  [[nodiscard]] LACUNA_INLINE Vector result() const { return load_lags<Vector>(maxima); }
};

/// Lags in the form from which each is read back in all lanes.
static LACUNA_INLINE void store_scalars(I32* to, const V16& from) {
  widen_cycles<I16>(to, from, 0);
}
static LACUNA_INLINE void store_scalars(I32* to, const V32& from) { store_lags(to, from); }
template <class Vector>
static LACUNA_INLINE Vector splat_scalar(const I32* from) {
  return splat<Vector>(*from);
}

template <class Vector>
static LACUNA_INLINE bool any_bit(const Vector& v) {
  std::uint64_t words[sizeof(v) / 8];
  __builtin_memcpy(words, &v, sizeof(v));
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  return any != 0;
}

template <class Lag, class Vector>
static LACUNA_INLINE std::uint64_t sum_of(const Vector& v) {
  alignas(16) Lag lags[16];
  store_lags(lags, v);
  std::uint64_t sum = 0;
  for (const Lag lag : lags) sum += static_cast<std::uint64_t>(lag);
  return sum;
}
/// Sum of all lanes, none of which is negative.
static LACUNA_INLINE std::uint64_t lane_sum(const V16& v) { return sum_of<I16>(v); }
static LACUNA_INLINE std::uint64_t lane_sum(const V32& v) { return sum_of<I32>(v); }

/// to[i] = at + table[i] for 8 elements.
static LACUNA_INLINE void store_positions(std::uint16_t* to, const std::uint8_t* table,
                                          std::uint16_t at) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<std::uint16_t>(at + table[i]);
}

/// 32 bytes of masks.
struct Bits {
  std::uint64_t v[4];
};
static LACUNA_INLINE Bits load_bits(const std::uint8_t* from) {
  Bits bits;
  __builtin_memcpy(bits.v, from, sizeof(bits.v));
  return bits;
}
static LACUNA_INLINE Bits operator|(const Bits& a, const Bits& b) {
  return {{a.v[0] | b.v[0], a.v[1] | b.v[1], a.v[2] | b.v[2], a.v[3] | b.v[3]}};
}
/// Every bit of b is set in a.
static LACUNA_INLINE bool covers(const Bits& a, const Bits& b) {
  return ((~a.v[0] & b.v[0]) | (~a.v[1] & b.v[1]) | (~a.v[2] & b.v[2]) | (~a.v[3] & b.v[3])) == 0;
}
static LACUNA_INLINE std::uint64_t count_bits(const Bits& bits) {
  return static_cast<std::uint64_t>(
      __builtin_popcountll(bits.v[0]) + __builtin_popcountll(bits.v[1]) +
      __builtin_popcountll(bits.v[2]) + __builtin_popcountll(bits.v[3]));
}
