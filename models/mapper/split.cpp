// SPDX-License-Identifier: Apache-2.0
#include "mapper/split.h"

#include <algorithm>

namespace lacuna::mapper {

using base::ceil_div;

bool block_fits(const WindowTable& windows, const params::EngineParams& engine, std::int64_t rows,
                int begin, int end) {
  const std::int64_t groups = ceil_div<std::int64_t>(rows, engine.lanes);
  if (groups * (end - begin) > engine.act_slots()) return false;
  return engine.lanes * groups * windows.positions({begin, end}) <=
         engine.activation_buffer / engine.k_ways;
}

std::int64_t psum_bytes(const params::EngineParams& engine, const Split& split) {
  const auto k_tiles = static_cast<int>(split.k_tiles.size());
  const std::int64_t block = block_psum_bytes(engine, split.tile_channels, split.block_rows);
  if (k_tiles > split.k_parts) return split.blocks_per_task * block;
  return split.k_parts > 1 ? block : 0;
}

std::vector<std::string> split_violations(const SplitProblem& problem, const WeightCounts& counts,
                                          const WindowTable& windows,
                                          const params::EngineParams& engine, const Split& split) {
  std::vector<std::string> broken;
  const auto rule = [&](bool holds, std::string text) {
    if (!holds) broken.push_back(std::move(text));
  };
  rule(split.tile_channels >= 1 && split.block_rows >= 1 && split.blocks_per_task >= 1,
       "sizes are positive");
  if (!broken.empty()) return broken;
  rule(std::int64_t{split.n_tiles} * split.tile_channels >= problem.n &&
           std::int64_t{split.n_tiles - 1} * split.tile_channels < problem.n,
       "n tiles cover N without an empty one");
  rule(std::int64_t{split.blocks} * split.block_rows >= problem.rows &&
           std::int64_t{split.blocks - 1} * split.block_rows < problem.rows,
       "blocks cover M without an empty one");
  rule(std::int64_t{split.task_runs} * split.blocks_per_task >= split.blocks &&
           std::int64_t{split.task_runs - 1} * split.blocks_per_task < split.blocks,
       "tasks cover the blocks without an empty one");
  rule(split.n_tiles == 1 || split.tile_channels % engine.pes == 0,
       "a tile that is not the last holds whole rows of PEs");
  int window = 0;
  for (const KTile& tile : split.k_tiles) {
    rule(tile.window_begin == window && tile.window_end > window, "k tiles follow each other");
    window = tile.window_end;
    rule(tile.positions == windows.positions({tile.window_begin, tile.window_end}) &&
             tile.k == windows.k_range({tile.window_begin, tile.window_end}).count(),
         "a k tile knows its size");
    rule(block_fits(windows, engine, split.block_rows, tile.window_begin, tile.window_end),
         "a block fits the activation buffer");
    for (std::int64_t n = 0; n < problem.n; n += split.tile_channels) {
      rule(tile_fits(counts, windows, engine, n, std::min(n + split.tile_channels, problem.n),
                     tile.window_begin, tile.window_end),
           "a tile fits the weight buffer");
    }
  }
  rule(window == windows.windows(), "k tiles cover K");
  rule(split.block_rows * token_output_bytes(engine, split.tile_channels) <= engine.output_buffer,
       "a block's outputs fit the output buffer");
  rule(split.k_parts >= 1 && split.k_parts <= static_cast<int>(split.k_tiles.size()),
       "a part of K has a k tile");
  rule(psum_bytes(engine, split) <= engine.psum_buffer,
       "a task's partial sums fit the psum buffer");
  return broken;
}

}  // namespace lacuna::mapper
