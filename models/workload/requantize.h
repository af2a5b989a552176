// SPDX-License-Identifier: Apache-2.0
//
// The output arithmetic of docs/reference/numerics.md in plain C++, shared by the dense reference
// and the vector unit's function. The engine's backends have their own (they are checked against
// this).
#pragma once

#include <algorithm>
#include <cstdint>

#include "workload/graph.h"

namespace lacuna::workload {

/// Clamp, then the gate.
[[nodiscard]] inline std::int64_t finish(std::int64_t y, const OutputRange& range) {
  y = std::clamp(y, range.low, range.high);
  return (y <= range.gate && y >= -range.gate) ? 0 : y;
}

/// (product + 2^(shift-1)) >> shift in 64 bits; shift 1..62. Wraps like the hardware's adder.
[[nodiscard]] inline std::int64_t round_shift(std::int64_t product, int shift) {
  const auto sum = static_cast<std::uint64_t>(product) + (std::uint64_t{1} << (shift - 1));
  return static_cast<std::int64_t>(sum) >> shift;
}

[[nodiscard]] inline std::int32_t wrap_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

/// The code of one engine output, as a number within the output type.
[[nodiscard]] inline std::int64_t requantize(std::int32_t accumulator, const Requantize& constants,
                                             std::int64_t channel, const OutputRange& range) {
  const auto n = static_cast<std::size_t>(channel);
  const std::int64_t a = wrap_add(accumulator, constants.bias[n]);
  return finish(round_shift(a * constants.multiplier[n], constants.shift[n]), range);
}

}  // namespace lacuna::workload
