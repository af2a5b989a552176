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
/// | op                                                               | rows     | columns  |
/// window         |
/// |------------------------------------------------------------------|----------|----------|----------------|
/// | add, multiply, lookup, rotary, concat, slice, upsample, embedding | 1        | elements | 1 |
/// | softmax                                                          | T * heads | U        | 1 |
/// | layer_norm, rms_norm                                             | T        | C        | 1 |
/// | max_pool, depthwise_conv2d                                       | OH * OW  | C        |
/// kernel R * S   | | average_pool                                                     | 1        |
/// C        | pixels, tokens | | flatten                                                          |
/// 0        | 0        | 0: no work     |
struct VectorWork {
  Op op = Op::kFlatten;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t window = 0;
  /// Causal softmax: columns that the rows of the first token see; those of each next token see one
  /// more. 0: all see all columns.
  std::int64_t visible = 0;
  std::int64_t rows_per_token = 1;  ///< causal softmax: heads
  std::int64_t constant_bytes = 0;  ///< rotary: angles; depthwise_conv2d: weights and constants

  /// Elements that the unit goes through in a pass: causal rows end at what they see.
  [[nodiscard]] constexpr std::int64_t elements() const {
    if (visible == 0) return rows * columns;
    std::int64_t total = 0;
    for (std::int64_t token = 0; token < rows / rows_per_token; ++token) {
      const std::int64_t seen = visible + token;
      total += rows_per_token * (seen < columns ? seen : columns);
    }
    return total;
  }
  /// Codes read from the operands, each counted as often as the unit reads it from the operand
  /// buffer (an overlapping pooling window reads a pixel several times).
  [[nodiscard]] constexpr std::int64_t codes_read() const {
    return elements() * window * (op == Op::kAdd || op == Op::kMultiply ? 2 : 1);
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
      case Op::kRmsNorm:
        return 4 * columns;
      case Op::kRotary:
      case Op::kDepthwise:
        return constant_bytes;
      default:
        return 0;
    }
  }
  friend bool operator==(const VectorWork&, const VectorWork&) = default;
};

}  // namespace lacuna::params
