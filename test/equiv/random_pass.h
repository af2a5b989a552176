// SPDX-License-Identifier: Apache-2.0
//
// Random engine passes that keep all capacity rules, for comparing implementations of the engine.
// The settings mix the usual with the extreme: empty operands, single tokens, cut-off segments,
// padding, wrapping sums, tiny FIFOs under load, drains that are still running.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"
#include "timing/engine/windows.h"

namespace lacuna::test {

struct RandomPass {
  std::shared_ptr<const timing::engine::Tile> tile;
  std::shared_ptr<const timing::engine::Block> block;
  timing::engine::PassCommand command;
  std::vector<std::int32_t> psum_in;
};

class RandomPasses {
 public:
  RandomPasses(const params::EngineParams& engine, std::uint64_t seed);

  /// One pass after the other; about every second keeps the tile of the one before.
  [[nodiscard]] RandomPass next();

 private:
  struct Shape {
    timing::engine::Segments segments;
    timing::engine::WindowRange windows;
  };
  Shape draw_shape();
  bool draw_tile();
  bool draw_block();
  timing::engine::PassCommand draw_command();
  double draw_density();

  params::EngineParams engine_;
  base::Rng rng_;
  Shape shape_;
  std::shared_ptr<const timing::engine::Tile> tile_;
  std::shared_ptr<const timing::engine::Block> block_;
};

}  // namespace lacuna::test
