// SPDX-License-Identifier: Apache-2.0
//
// Elements of a tensor as real numbers, whatever their type in the file.
#pragma once

#include <cstdint>

#include "tensor/safetensors.h"

namespace lacuna::tensor {

/// IEEE 754 binary16 and bfloat16, exactly.
[[nodiscard]] double half_to_double(std::uint16_t bits);
[[nodiscard]] double bfloat16_to_double(std::uint16_t bits);

/// F16, BF16, F32 or F64.
[[nodiscard]] bool is_real(DType type);

/// Element at a row-major index. I64 and U64 beyond 2^53 are rounded. May be infinite or nan where
/// the file says so.
[[nodiscard]] double element_as_double(const TensorView& view, std::int64_t index);

}  // namespace lacuna::tensor
