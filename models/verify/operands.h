// SPDX-License-Identifier: Apache-2.0
//
// Contents of random passes: where weights and activations are zero, and what the others are. A
// recipe is drawn first (its densities decide how large the pass may be), the contents follow from
// recipe and shape. Both sides may close parts of windows, so that windows are not visited, visited
// without hits, or hit only at their ends; lanes may share their zeros or avoid each other's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/tile.h"
#include "verify/requantize.h"
#include "verify/shape.h"

namespace lacuna::verify {

enum class WeightPattern {
  kUniform,      ///< every place on its own
  kNOfM,         ///< n in every m consecutive k of a channel
  kBank,         ///< the same number in every bank of a channel, anywhere in it
  kBlock,        ///< blocks of k x channels, zero or full
  kChannelSkew,  ///< a density per channel
  kPeSkew,       ///< places of one PE dense, all others sparse: one FIFO fills
  kSingle,       ///< one weight in all
};

enum class ActivationPattern {
  kUniform,
  kTokenSkew,   ///< a density per token
  kAlternate,   ///< groups are full and empty in turn
  kLanesApart,  ///< no two lanes have a value at the same place
  kLanesAlike,  ///< all lanes have their values at the same places
  kSingle,      ///< one value in all
};

/// What a window lets through.
enum class WindowMode : std::uint8_t { kOpen, kClosed, kEven, kOdd, kFirst, kLast };

/// What values other than zero are.
enum class ValueRange { kAny, kExtreme, kHighest, kLowest, kSmall };

struct WeightRecipe {
  WeightPattern pattern = WeightPattern::kUniform;
  double density = 1;
  ValueRange values = ValueRange::kAny;
  double closed_windows = 0;  ///< share of windows that are not kOpen
  double empty_channels = 0;  ///< share of channels without any weight
  bool skip = true;           ///< false: mask bits of zeros are set too
  enum class Order { kInOrder, kRandom, kReversed, kBalanced } order = Order::kInOrder;

  [[nodiscard]] std::string text() const;
};

struct ActivationRecipe {
  ActivationPattern pattern = ActivationPattern::kUniform;
  double density = 1;
  ValueRange values = ValueRange::kAny;
  double closed_windows = 0;
  double empty_tokens = 0;  ///< share of tokens without any value
  double padding = 0;       ///< share of segments of tokens that lie outside the image
  bool skip = true;

  [[nodiscard]] std::string text() const;
};

[[nodiscard]] WeightRecipe draw_weight_recipe(base::Rng& rng);
[[nodiscard]] ActivationRecipe draw_activation_recipe(base::Rng& rng);

/// `post`: requantize vectors of the tile's channels, or null for a tile without.
[[nodiscard]] std::shared_ptr<const timing::engine::Tile> draw_tile(
    base::Rng& rng, const params::EngineParams& engine, const Shape& shape,
    const WeightRecipe& recipe, const PostVectors* post);

[[nodiscard]] std::shared_ptr<const timing::engine::Block> draw_block(
    base::Rng& rng, const params::EngineParams& engine, const Shape& shape,
    const ActivationRecipe& recipe);

}  // namespace lacuna::verify
