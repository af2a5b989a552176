// SPDX-License-Identifier: Apache-2.0
//
// One engine pass in raw form (matrices, not masks), random ones for tests, and the compiled form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"

namespace lacuna::test {

/// `weights` and `activations` cover all of K; the pass is on `windows` of it.
struct RawPass {
  params::EngineParams params;
  timing::engine::Segments segments;
  timing::engine::WindowRange windows;
  int channels = 0;
  int tokens = 0;
  std::vector<std::int8_t> weights;       ///< [channel][k]
  std::vector<std::uint8_t> activations;  ///< [token][k]
  std::vector<std::uint8_t> order;        ///< [row][place], or empty
  std::vector<std::int32_t> bias, multiplier;
  std::vector<std::uint8_t> shift;
  bool in_place = false;
  timing::engine::PassCommand command;
  std::vector<std::int32_t> psum_in;

  [[nodiscard]] timing::engine::Tile tile() const;
  [[nodiscard]] timing::engine::Block block(bool keep_values = true) const;
  [[nodiscard]] std::string describe() const;
};

/// What random_pass() draws from.
struct RandomLimits {
  int max_pes = 40;
  int max_ways = 5;
  int max_rows = 12;
  int max_depth = 32;
  int max_lanes_log = 2;
  int max_segments = 6;
  int max_segment_channels = 120;
  int max_tokens = 12;
};

/// A random pass, the same for the same seed everywhere: all parameters, densities from 0 to 1,
/// zero regions, convolution segments, carry-in, K tiles, partial sums, in-place tiles.
[[nodiscard]] RawPass random_pass(std::uint64_t seed, const RandomLimits& limits = {});

}  // namespace lacuna::test
