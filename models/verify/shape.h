// SPDX-License-Identifier: Apache-2.0
//
// Sizes of a random pass: segments, K tile, channels, tokens, such that the capacity rules of
// docs/reference/engine.md (section 9) can be kept and the pass takes about as long as wanted.
// Boundaries are drawn more often than chance would: one position, a window that is just full or
// just not, one row, a last row with one channel, one token, everything that fits.
#pragma once

#include <string>

#include "base/rng.h"
#include "params/chip_params.h"
#include "timing/engine/windows.h"

namespace lacuna::verify {

struct Shape {
  timing::engine::Segments segments;
  timing::engine::WindowRange windows;  ///< the K tile
  int first_channel = 0;                ///< channels of the layer before the tile's first
  int channels = 1;
  int tokens = 1;
  bool in_place = false;

  [[nodiscard]] int rows(const params::EngineParams& engine) const {
    return (channels + engine.pes - 1) / engine.pes;
  }
  [[nodiscard]] int groups(const params::EngineParams& engine) const {
    return (tokens + engine.lanes - 1) / engine.lanes;
  }
};

/// Expected shares of non-zeros, for estimates only.
struct Densities {
  double weights = 1;
  double activations = 1;
};

/// Draws everything but tokens. Positions, windows and rows keep their limits; with every weight at
/// `densities.weights` the tile also fits on average, which is for the caller to check.
[[nodiscard]] Shape draw_shape(base::Rng& rng, const params::EngineParams& engine,
                               Densities densities);

/// Draws tokens for the shape, so that the pass takes about `cycles` at most and slots, outputs
/// (if `outputs`) and partial sums (if `psums`) fit; at least one token.
void draw_tokens(base::Rng& rng, const params::EngineParams& engine, Densities densities,
                 double cycles, bool outputs, bool psums, Shape& shape);

/// A smaller shape of the same kind, for when the drawn contents did not fit: first fewer windows,
/// then fewer channels. Returns false if it cannot get smaller.
[[nodiscard]] bool shrink(const params::EngineParams& engine, Shape& shape);

/// "3 segments of 17 channels, windows 2..5 of 9, 12 channels, 40 tokens".
[[nodiscard]] std::string describe(const params::EngineParams& engine, const Shape& shape);

}  // namespace lacuna::verify
