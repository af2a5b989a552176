// SPDX-License-Identifier: Apache-2.0
//
// 16 lags as one value, made of as many native vectors as it takes. Included by the kernels after
// the native types Native16 and Native32 of their instruction set and their operations add, sub,
// bit_and, bit_or, vmax, vmin, greater, select, splat, load, store; see kernel_body.h for why
// nothing here may be shared between translation units.

template <class Native, int kParts>
struct Pack {
  Native part[kParts];
};

using V16 = Pack<Native16, 16 / Native16::kLanes>;
using V32 = Pack<Native32, 16 / Native32::kLanes>;

#define LACUNA_PACK_BINARY(NAME, OPERATION)                                       \
  template <class Native, int kParts>                                             \
  static LACUNA_INLINE Pack<Native, kParts> NAME(const Pack<Native, kParts>& a,   \
                                                 const Pack<Native, kParts>& b) { \
    Pack<Native, kParts> result;                                                  \
    LACUNA_UNROLL for (int i = 0; i < kParts; ++i) {                              \
      result.part[i] = OPERATION(a.part[i], b.part[i]);                           \
    }                                                                             \
    return result;                                                                \
  }
LACUNA_PACK_BINARY(operator+, add)
LACUNA_PACK_BINARY(operator-, sub)
LACUNA_PACK_BINARY(operator&, bit_and)
LACUNA_PACK_BINARY(operator|, bit_or)
LACUNA_PACK_BINARY(greater, greater)
LACUNA_PACK_BINARY(vmax, vmax)
LACUNA_PACK_BINARY(vmin, vmin)
#undef LACUNA_PACK_BINARY

/// mask ? a : b; every lane of the mask is all ones or zero.
template <class Native, int kParts>
static LACUNA_INLINE Pack<Native, kParts> select(const Pack<Native, kParts>& mask,
                                                 const Pack<Native, kParts>& a,
                                                 const Pack<Native, kParts>& b) {
  Pack<Native, kParts> result;
  LACUNA_UNROLL for (int i = 0; i < kParts; ++i) {
    result.part[i] = select(mask.part[i], a.part[i], b.part[i]);
  }
  return result;
}

/// mask ? larger : base, where larger >= base >= 0 and larger = max(base, early).
template <class Native, int kParts>
static LACUNA_INLINE Pack<Native, kParts> raised(const Pack<Native, kParts>& mask,
                                                 const Pack<Native, kParts>& base,
                                                 const Pack<Native, kParts>& /*larger*/,
                                                 const Pack<Native, kParts>& early) {
  return vmax(base, early & mask);
}
/// (mask ? a + b : c) - one, where b is 0 outside of the mask.
template <class Native, int kParts>
static LACUNA_INLINE Pack<Native, kParts> add_where(const Pack<Native, kParts>& mask,
                                                    const Pack<Native, kParts>& a,
                                                    const Pack<Native, kParts>& b,
                                                    const Pack<Native, kParts>& c,
                                                    const Pack<Native, kParts>& one) {
  return select(mask, a, c) + (b - one);
}

template <class Vector>
static LACUNA_INLINE Vector splat(int value) {
  Vector result;
  LACUNA_UNROLL for (auto& part : result.part) splat(part, value);
  return result;
}

template <class Vector, class Lag>
static LACUNA_INLINE Vector load_lags(const Lag* from) {
  Vector result;
  LACUNA_UNROLL for (auto& part : result.part) {
    load(part, from);
    from += sizeof(part) / sizeof(Lag);
  }
  return result;
}

template <class Lag, class Native, int kParts>
static LACUNA_INLINE void store_lags(Lag* to, const Pack<Native, kParts>& vector) {
  LACUNA_UNROLL for (int i = 0; i < kParts; ++i) { store(to + i * Native::kLanes, vector.part[i]); }
}
