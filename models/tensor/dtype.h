// SPDX-License-Identifier: Apache-2.0
//
// Element types of safetensors files, by their names in the header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lacuna::tensor {

enum class DType { kBool, kI8, kU8, kI16, kU16, kF16, kBF16, kI32, kU32, kF32, kI64, kU64, kF64 };

/// "I8", "BF16" …; empty for a name that is not known.
[[nodiscard]] std::optional<DType> parse_dtype(std::string_view name);
[[nodiscard]] std::string_view dtype_name(DType type);
/// Bytes of an element.
[[nodiscard]] std::size_t dtype_size(DType type);

/// The DType of a C++ integer type that a view may be read as.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType kValue = DType::kI8;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType kValue = DType::kU8;
};
template <>
struct DTypeOf<std::uint16_t> {
  static constexpr DType kValue = DType::kU16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType kValue = DType::kI32;
};

}  // namespace lacuna::tensor
