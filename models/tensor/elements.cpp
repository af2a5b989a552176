// SPDX-License-Identifier: Apache-2.0
#include "tensor/elements.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace lacuna::tensor {

namespace {

template <class T>
T load(const TensorView& view, std::int64_t index) {
  T value;
  std::memcpy(&value, view.data.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10U) & 0x1F;
  const int fraction = bits & 0x3FF;
  double magnitude = 0;
  if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
  } else {
    magnitude = std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

double bfloat16_to_double(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

bool is_real(DType type) {
  return type == DType::kF16 || type == DType::kBF16 || type == DType::kF32 || type == DType::kF64;
}

double element_as_double(const TensorView& view, std::int64_t index) {
  LACUNA_CHECK(index >= 0 && index < view.elements(), "tensor {} read at {}", view.name, index);
  switch (view.dtype) {
    case DType::kBool:
    case DType::kU8:
      return load<std::uint8_t>(view, index);
    case DType::kI8:
      return load<std::int8_t>(view, index);
    case DType::kI16:
      return load<std::int16_t>(view, index);
    case DType::kU16:
      return load<std::uint16_t>(view, index);
    case DType::kF16:
      return half_to_double(load<std::uint16_t>(view, index));
    case DType::kBF16:
      return bfloat16_to_double(load<std::uint16_t>(view, index));
    case DType::kI32:
      return load<std::int32_t>(view, index);
    case DType::kU32:
      return load<std::uint32_t>(view, index);
    case DType::kF32:
      return load<float>(view, index);
    case DType::kI64:
      return static_cast<double>(load<std::int64_t>(view, index));
    case DType::kU64:
      return static_cast<double>(load<std::uint64_t>(view, index));
    case DType::kF64:
      return load<double>(view, index);
  }
  return 0;
}

}  // namespace lacuna::tensor
