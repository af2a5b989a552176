// SPDX-License-Identifier: Apache-2.0
//
// One job of the vector unit, described by what its time and energy depend on: no data. workload/
// makes it from a layer, timing/vector turns it into cycles and activity
// (docs/reference/vector.md).
#pragma once

#include <cstdint>

#include "params/workload_params.h"

namespace lacuna::params {

/// For one sample of one layer.
///
/// | op           | rows        | columns  | window               |
/// |--------------|-------------|----------|----------------------|
/// | add, lookup  | 1           | elements | 1                    |
/// | softmax      | T * heads   | U        | 1                    |
/// | layer_norm   | T           | C        | 1                    |
/// | max_pool     | OH * OW     | C        | kernel R * S         |
/// | average_pool | 1           | C        | pixels or tokens     |
/// | flatten      | 0           | 0        | 0: no work at all    |
struct VectorWork {
  Op op = Op::kFlatten;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t window = 0;

  /// Codes read from the operands, each counted as often as the unit reads it from the operand
  /// buffer (an overlapping pooling window reads a pixel several times).
  [[nodiscard]] constexpr std::int64_t codes_read() const {
    return rows * columns * window * (op == Op::kAdd ? 2 : 1);
  }
  /// Codes written.
  [[nodiscard]] constexpr std::int64_t codes_written() const { return rows * columns; }
  /// Bytes of tables and vectors that must be on chip: a lookup table, gamma and beta.
  [[nodiscard]] constexpr std::int64_t parameter_bytes() const {
    switch (op) {
      case Op::kSoftmax:
        return 512;
      case Op::kLookup:
        return 256;
      case Op::kLayerNorm:
        return 8 * columns;
      default:
        return 0;
    }
  }
  friend bool operator==(const VectorWork&, const VectorWork&) = default;
};

}  // namespace lacuna::params
