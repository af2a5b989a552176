// SPDX-License-Identifier: Apache-2.0
//
// Simulated time: a count of clock edges of the clock domain that the context names. Signed, so
// that differences and "not yet" (-1) need no casts; 2^63 cycles at 1 GHz are 292 years.
#pragma once

#include <cstdint>

namespace lacuna::base {

using Cycle = std::int64_t;

/// Number of steps of size `step` needed to cover `amount`; amount >= 0, step > 0.
template <class Integer>
[[nodiscard]] constexpr Integer ceil_div(Integer amount, Integer step) {
  return static_cast<Integer>(amount / step + (amount % step != 0 ? 1 : 0));
}

/// `amount` rounded up to a multiple of `step`; amount >= 0, step > 0.
template <class Integer>
[[nodiscard]] constexpr Integer round_up(Integer amount, Integer step) {
  return static_cast<Integer>(ceil_div(amount, step) * step);
}

[[nodiscard]] constexpr bool is_power_of_two(std::int64_t value) {
  return value > 0 && (value & (value - 1)) == 0;
}

}  // namespace lacuna::base
