// SPDX-License-Identifier: Apache-2.0
#include "random_pass.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "timing/engine/balance.h"
#include "timing/engine/capacity.h"

namespace lacuna::test {

namespace engine = timing::engine;

RandomPasses::RandomPasses(const params::EngineParams& engine, std::uint64_t seed)
    : engine_(engine), rng_(seed) {}

double RandomPasses::draw_density() {
  constexpr double kDensities[] = {0, 0.03, 0.1, 0.3, 0.5, 0.8, 1, 1};
  return kDensities[rng_.below(std::size(kDensities))];
}

RandomPasses::Shape RandomPasses::draw_shape() {
  for (;;) {
    Shape shape;
    shape.segments.count = rng_.bernoulli(0.5) ? 1 : static_cast<int>(rng_.range(2, 6));
    const int window_k = engine_.scan_width * engine_.k_ways;
    shape.segments.channels = static_cast<int>(
        rng_.range(1, rng_.bernoulli(0.3) ? 3 * engine_.k_ways : 2 * window_k + 3));
    const engine::WindowTable table(engine_, shape.segments);
    const int begin =
        rng_.bernoulli(0.7)
            ? 0
            : static_cast<int>(rng_.below(static_cast<std::uint64_t>(table.windows())));
    const int most = std::min(table.windows() - begin, engine_.max_windows());
    int count = rng_.bernoulli(0.6) ? most : static_cast<int>(rng_.range(1, most));
    while (count > 1 && table.positions({begin, begin + count}) > engine::max_positions(engine_)) {
      --count;
    }
    shape.windows = {begin, begin + count};
    if (table.positions(shape.windows) <= engine::max_positions(engine_)) return shape;
  }
}

bool RandomPasses::draw_tile() {
  shape_ = draw_shape();
  const auto k = static_cast<std::size_t>(shape_.segments.k());
  engine::TileSource source;
  source.segments = shape_.segments;
  source.windows = shape_.windows;
  source.first_channel = static_cast<std::int64_t>(rng_.below(3));
  source.channels = static_cast<int>(rng_.range(1, engine_.max_channels()));
  if (rng_.bernoulli(0.3)) source.channels = engine_.max_channels();
  const auto all = static_cast<std::size_t>(source.first_channel + source.channels);
  std::vector<std::int8_t> weights(all * k);
  const double density = draw_density();
  // Some channels are heavier than others: that is what fills single FIFOs.
  std::vector<double> channel_density(all);
  for (double& d : channel_density) d = rng_.bernoulli(0.3) ? draw_density() : density;
  for (std::size_t n = 0; n < all; ++n) {
    for (std::size_t i = 0; i < k; ++i) {
      if (rng_.bernoulli(channel_density[n])) {
        weights[n * k + i] = static_cast<std::int8_t>(rng_.range(-128, 127));
      }
    }
  }
  source.weights = {weights.data(), static_cast<std::int64_t>(k), 1};
  source.skip_weights = !rng_.bernoulli(0.15);
  source.in_place = rng_.bernoulli(0.15);

  const int rows = (source.channels + engine_.pes - 1) / engine_.pes;
  if (rng_.bernoulli(0.3)) {
    source.order = engine::balance_order(engine_, source, params::Balance::kGreedy);
  } else if (rng_.bernoulli(0.5)) {
    for (int row = 0; row < rows; ++row) {
      std::vector<std::uint8_t> places(static_cast<std::size_t>(engine_.pes));
      std::iota(places.begin(), places.end(), std::uint8_t{0});
      for (std::size_t i = places.size(); i > 1; --i) {
        std::swap(places[i - 1], places[rng_.below(i)]);
      }
      source.order.insert(source.order.end(), places.begin(), places.end());
    }
  }

  constexpr auto kLowest = std::numeric_limits<std::int32_t>::min();
  constexpr auto kHighest = std::numeric_limits<std::int32_t>::max();
  const auto channels = static_cast<std::size_t>(source.channels);
  std::vector<std::int32_t> bias(channels);
  std::vector<std::int32_t> multiplier(channels);
  std::vector<std::uint8_t> shift(channels);
  const bool extreme = rng_.bernoulli(0.2);
  for (std::size_t n = 0; n < channels; ++n) {
    bias[n] = static_cast<std::int32_t>(extreme ? rng_.range(kLowest, kHighest)
                                                : rng_.range(-5000, 5000));
    multiplier[n] = static_cast<std::int32_t>(extreme ? rng_.range(kLowest, kHighest)
                                                      : rng_.range(-20000, 20000));
    shift[n] = static_cast<std::uint8_t>(extreme ? rng_.range(1, 62) : rng_.range(14, 24));
  }
  source.bias = bias;
  source.multiplier = multiplier;
  source.shift = shift;

  auto tile = std::make_shared<engine::Tile>(engine::make_tile(engine_, source));
  if (!engine::capacity_violations(engine_, *tile).empty()) return false;
  tile_ = std::move(tile);
  return true;
}

bool RandomPasses::draw_block() {
  const engine::WindowTable table(engine_, shape_.segments);
  const int first = table.first_segment(shape_.windows);
  const int touched = table.last_segment(shape_.windows) - first;
  const auto channels = static_cast<std::size_t>(shape_.segments.channels);
  engine::BlockSource source;
  source.segments = shape_.segments;
  source.windows = shape_.windows;
  source.tokens = static_cast<int>(rng_.range(1, 8 * engine_.lanes));
  source.skip_activations = !rng_.bernoulli(0.15);
  const std::size_t segments =
      static_cast<std::size_t>(source.tokens) * static_cast<std::size_t>(touched);
  std::vector<std::uint8_t> codes(segments * channels);
  std::vector<const std::uint8_t*> rows(segments);
  const double density = draw_density();
  const double padding = rng_.bernoulli(0.3) ? 0.3 : 0;
  for (std::size_t s = 0; s < segments; ++s) {
    const double own = rng_.bernoulli(0.2) ? draw_density() : density;
    for (std::size_t c = 0; c < channels; ++c) {
      if (rng_.bernoulli(own)) {
        codes[s * channels + c] = static_cast<std::uint8_t>(rng_.range(1, 255));
      }
    }
    rows[s] = rng_.bernoulli(padding) ? nullptr : codes.data() + s * channels;
  }
  source.rows = rows;
  auto block = std::make_shared<engine::Block>(engine::make_block(engine_, source));
  if (!engine::capacity_violations(engine_, *block).empty()) return false;
  block_ = std::move(block);
  return true;
}

engine::PassCommand RandomPasses::draw_command() {
  engine::PassCommand command;
  command.act_signed = rng_.bernoulli(0.5);
  command.psum_read = rng_.bernoulli(0.3);
  command.psum_write = rng_.bernoulli(0.3);
  if (rng_.bernoulli(0.5)) {
    command.clamp_lo = rng_.bernoulli(0.5) ? 0 : -128;
    command.clamp_hi = command.clamp_lo == 0 ? 255 : 127;
  } else {
    command.clamp_lo = static_cast<int>(rng_.range(-128, 127));
    command.clamp_hi =
        static_cast<int>(rng_.range(command.clamp_lo, command.clamp_lo < 0 ? 127 : 255));
  }
  command.gate = rng_.bernoulli(0.1) ? 255 : static_cast<int>(rng_.range(0, 20));
  if (rng_.bernoulli(0.4)) {
    command.hold1 = rng_.range(0, 300);
    command.hold2 = rng_.range(0, command.hold1);
  }
  return command;
}

RandomPass RandomPasses::next() {
  if (!tile_ || rng_.bernoulli(0.5)) {
    block_.reset();
    while (!draw_tile()) {
    }
  }
  if (!block_ || rng_.bernoulli(0.8)) {
    for (int tries = 0; !draw_block(); ++tries) {
      // A tile with very many windows leaves room for few groups.
      if (tries == 100) {
        while (!draw_tile()) {
        }
        tries = 0;
      }
    }
  }
  RandomPass pass{tile_, block_, draw_command(), {}};
  const bool psum = pass.command.psum_read || pass.command.psum_write;
  if (psum && !engine::capacity_violations(engine_, *tile_, *block_, true, false).empty()) {
    pass.command.psum_read = pass.command.psum_write = false;
  }
  if (pass.command.psum_read) {
    pass.psum_in.resize(
        static_cast<std::size_t>(engine::psum_words(engine_, tile_->rows, block_->groups)));
    for (std::int32_t& sum : pass.psum_in) {
      sum = static_cast<std::int32_t>(rng_.range(-1'000'000, 1'000'000));
    }
  }
  return pass;
}

}  // namespace lacuna::test
