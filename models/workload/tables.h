// SPDX-License-Identifier: Apache-2.0
//
// Constants of vector ops that a workload from a statistic does not bring along: tables of
// functions, the softmax's exponential, norms, angles of a rotary embedding. Codes stand for
// sixteenths on both sides (docs/reference/numerics.md, "Built-in constants").
#pragma once

#include <cstdint>
#include <vector>

#include "workload/graph.h"

namespace lacuna::workload {

/// Codes are multiples of 1/16 where a built-in table maps them.
inline constexpr int kCodesPerUnit = 16;

/// 256 entries, index = code (s8 codes offset by 128), within `range`.
[[nodiscard]] std::vector<std::int16_t> function_table(params::Function function, CodeType input,
                                                       CodeType output);
/// round(32767 * exp(-d / 16)).
[[nodiscard]] std::vector<std::uint16_t> exponential_table();

/// A norm's output has a standard deviation of a quarter of the type's range.
[[nodiscard]] std::int32_t norm_gamma(CodeType output);
inline constexpr int kNormShift = 12;

/// Pair i of `channels`/2 turns by position * theta^(-2i / channels) (Su et al., RoFormer, 2021).
[[nodiscard]] RotaryTable rotary_table(std::int64_t position, std::int64_t tokens,
                                       std::int64_t channels, bool interleaved, std::int64_t theta);

}  // namespace lacuna::workload
