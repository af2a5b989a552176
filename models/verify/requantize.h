// SPDX-License-Identifier: Apache-2.0
//
// What happens to sums after a drain: bias, multiplier and shift per channel, clamp and gate
// (docs/reference/engine.md, section 6). Usual values keep outputs in range; corners are powers of
// two and their neighbours, ties of the rounding, wrapping biases, and clamps that leave one value.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "timing/engine/pass.h"

namespace lacuna::verify {

struct PostVectors {
  std::vector<std::int32_t> bias, multiplier;
  std::vector<std::uint8_t> shift;
};

enum class PostKind { kUsual, kAnything, kCorners, kTies };

[[nodiscard]] PostKind draw_post_kind(base::Rng& rng);
[[nodiscard]] std::string_view post_kind_name(PostKind kind);
[[nodiscard]] PostVectors draw_post(base::Rng& rng, PostKind kind, int channels);

/// Fills clamp_lo, clamp_hi and gate.
void draw_clamp(base::Rng& rng, timing::engine::PassCommand& command);

/// A 32-bit number: usually within +-`usual`, sometimes anything, sometimes a corner.
[[nodiscard]] std::int32_t draw_sum(base::Rng& rng, std::int32_t usual);

}  // namespace lacuna::verify
