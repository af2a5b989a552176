// SPDX-License-Identifier: Apache-2.0
//
// What the vector unit computes, exactly as docs/reference/numerics.md says. No time: that is
// timing/vector. Integer arithmetic only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workload/graph.h"
#include "workload/tensor_store.h"

namespace lacuna::workload {

/// Computes output tokens [row_begin, row_end) of a vector layer for one sample, from and to the
/// store. Nothing to do for a view (flatten). LACUNA_CHECK for engine layers.
void run_vector_rows(const Layer& layer, TensorStore& store, std::int64_t sample,
                     std::int64_t row_begin, std::int64_t row_end);
/// All of them.
void run_vector_layer(const Layer& layer, TensorStore& store, std::int64_t sample);

/// floor(sqrt(x)).
[[nodiscard]] std::uint64_t integer_sqrt(std::uint64_t x);
/// Rounds towards minus infinity; divisor > 0.
[[nodiscard]] inline std::int64_t floor_divide(std::int64_t dividend, std::int64_t divisor) {
  const std::int64_t quotient = dividend / divisor;
  return quotient - ((dividend % divisor != 0 && dividend < 0) ? 1 : 0);
}

/// One row of softmax: s8 or u8 codes to u8 codes. `table` has 256 entries, the first not 0.
void softmax_row(std::span<const std::uint8_t> codes, bool is_signed,
                 std::span<const std::uint16_t> table, const OutputRange& range,
                 std::span<std::uint8_t> out);
/// One token of layer_norm.
void layer_norm_row(std::span<const int> codes, std::span<const std::int32_t> gamma,
                    std::span<const std::int32_t> beta, int shift, const OutputRange& range,
                    std::span<int> out);

/// One token of rms_norm.
void rms_norm_row(std::span<const int> codes, std::span<const std::int32_t> gamma, int shift,
                  const OutputRange& range, std::span<int> out);

/// The row of the table that token `token` of an embedding's input names.
[[nodiscard]] std::int64_t embedding_index(const Layer& layer, std::span<const std::uint8_t> codes,
                                           std::int64_t token);
/// That row's codes.
[[nodiscard]] std::vector<std::int8_t> embedding_row(const Layer& layer, std::int64_t row);

}  // namespace lacuna::workload
