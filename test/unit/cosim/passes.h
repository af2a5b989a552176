// SPDX-License-Identifier: Apache-2.0
//
// A few small passes, and an RTL that is the model behind another face: what tests of checkers
// need.
#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "cosim/backend.h"
#include "cosim/checker.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

inline params::EngineParams small_engine() {
  params::EngineParams engine;
  engine.pes = 2;
  engine.k_ways = 2;
  engine.rows_per_pe = 4;
  engine.fifo_depth = 2;
  engine.scan_width = 8;
  engine.drain_width = 2;
  engine.weight_buffer = 1024;
  engine.activation_buffer = 512;
  engine.psum_buffer = 512;
  engine.output_buffer = 512;
  engine.load_width = 8;
  engine.weight_word = 4;
  engine.max_k = 256;
  engine.act_block = 8;
  return engine;
}

/// Tokens x K times K x N of about half zeros.
struct SmallPass {
  std::shared_ptr<const timing::engine::Tile> tile;
  std::shared_ptr<const timing::engine::Block> block;
  timing::engine::PassCommand command;
};

inline SmallPass small_pass(std::uint64_t seed) {
  constexpr int kChannels = 7;
  constexpr int kTokens = 3;
  const params::EngineParams engine = small_engine();
  base::Rng rng(seed);
  const timing::engine::Segments segments{1, 40};
  const timing::engine::WindowTable table(engine, segments);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(kChannels * segments.channels));
  for (std::int8_t& weight : weights) {
    if (rng.bernoulli(0.5)) weight = static_cast<std::int8_t>(rng.range(-127, 127));
  }
  const std::vector<std::int32_t> bias(kChannels, 5);
  const std::vector<std::int32_t> multiplier(kChannels, 900);
  const std::vector<std::uint8_t> shift(kChannels, 20);
  timing::engine::TileSource tile;
  tile.weights = {weights.data(), segments.channels, 1};
  tile.segments = segments;
  tile.windows = table.all();
  tile.channels = kChannels;
  tile.bias = bias;
  tile.multiplier = multiplier;
  tile.shift = shift;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(kTokens * segments.channels));
  for (std::uint8_t& code : codes) {
    if (rng.bernoulli(0.5)) code = static_cast<std::uint8_t>(rng.range(1, 255));
  }
  std::vector<const std::uint8_t*> rows;
  for (int t = 0; t < kTokens; ++t) rows.push_back(codes.data() + t * segments.channels);
  timing::engine::BlockSource block;
  block.tokens = kTokens;
  block.segments = segments;
  block.windows = table.all();
  block.rows = rows;
  SmallPass pass;
  pass.tile = std::make_shared<const timing::engine::Tile>(timing::engine::make_tile(engine, tile));
  pass.block =
      std::make_shared<const timing::engine::Block>(timing::engine::make_block(engine, block));
  return pass;
}

inline CheckJob check_job(std::int64_t index) {
  const SmallPass pass = small_pass(static_cast<std::uint64_t>(index) % 5 + 1);
  CheckJob job;
  job.tile = pass.tile;
  job.block = pass.block;
  job.command = pass.command;
  job.driven = timing::engine::evaluate(small_engine(), *job.tile, *job.block, job.command);
  job.core = static_cast<int>(index % 3);
  job.layer = "layer" + std::to_string(index % 4);
  job.pass_index = index;
  return job;
}

/// The model as RTL: equal in everything.
inline RtlPassResult faithful(const CheckJob& job) {
  timing::engine::EvaluateOptions options;
  options.trace = true;
  RtlPassResult rtl;
  rtl.result = timing::engine::evaluate(small_engine(), *job.tile, *job.block, job.command,
                                        job.psum_in, options);
  return rtl;
}

inline RtlRunnerFactory faithful_rtl() {
  return [] { return RtlRunner(faithful); };
}

}  // namespace lacuna::cosim
