// SPDX-License-Identifier: Apache-2.0
//
// The draw of one non-zero code, shared by everything that draws values. Masks and values come from
// two independent streams of one seed, so that the mask does not depend on the values.
#pragma once

#include <cstdint>

#include "base/rng.h"
#include "tensor/code_matrix.h"

namespace lacuna::tensor {

[[nodiscard]] inline base::Rng mask_rng(std::uint64_t seed) { return base::Rng(seed); }
[[nodiscard]] inline base::Rng value_rng(std::uint64_t seed) {
  return base::Rng(seed ^ 0x76616C7565730000ULL);
}

/// Uniform over -127..127 without 0 (s8) or 1..255 (u8).
[[nodiscard]] inline std::uint8_t draw_code(base::Rng& rng, CodeKind kind) {
  if (kind == CodeKind::kU8) return static_cast<std::uint8_t>(1 + rng.below(255));
  const auto drawn = static_cast<int>(rng.below(254));  // 0..253
  return static_cast<std::uint8_t>(
      static_cast<std::int8_t>(drawn < 127 ? drawn - 127 : drawn - 126));
}

}  // namespace lacuna::tensor
