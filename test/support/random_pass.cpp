// SPDX-License-Identifier: Apache-2.0
#include "support/random_pass.h"

#include <fmt/format.h>

#include <array>
#include <numeric>

namespace lacuna::test {
namespace {

using timing::engine::Segments;
using timing::engine::WindowTable;

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

double random_density(base::Rng& rng) {
  constexpr std::array kDensities{0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 1.0};
  return rng.bernoulli(0.7) ? kDensities[rng.below(kDensities.size())] : rng.uniform();
}

params::EngineParams random_params(base::Rng& rng, const RandomLimits& limits) {
  params::EngineParams params;
  params.pes = static_cast<int>(rng.range(1, limits.max_pes));
  params.k_ways = static_cast<int>(rng.range(1, limits.max_ways));
  params.rows_per_pe = static_cast<int>(rng.range(1, limits.max_rows));
  params.lanes = 1 << rng.range(0, limits.max_lanes_log);
  params.fifo_depth = static_cast<int>(rng.range(1, limits.max_depth));
  if (rng.bernoulli(0.3)) params.fifo_depth = static_cast<int>(rng.range(1, 3));
  params.scan_width = 8 << rng.range(0, 5);
  params.skip_empty =
      rng.bernoulli(0.25) ? params::SkipEmpty::kNone : params::SkipEmpty::kDecoupled;
  if (rng.bernoulli(0.5)) {
    params.drain_width = params.pes * static_cast<int>(rng.range(1, 3));
  } else {
    do {
      params.drain_width = static_cast<int>(rng.range(1, params.pes));
    } while (params.pes % params.drain_width != 0);
  }
  params.load_width = 8 << rng.range(0, 3);
  params.weight_word = 4 << rng.range(0, 2);
  if (params.weight_word > params.load_width) params.weight_word = params.load_width;
  params.skip_weights = !rng.bernoulli(0.1);
  params.skip_activations = !rng.bernoulli(0.1);
  params.weight_buffer = 1 << 28;
  params.activation_buffer = 1 << 28;
  params.psum_buffer = 1 << 28;
  params.output_buffer = 1 << 28;
  params.max_k = 65536;
  return params;
}

/// Zero regions: whole runs of k without a value, so that windows are empty or not visited.
std::vector<bool> random_holes(base::Rng& rng, std::int64_t k) {
  std::vector<bool> hole(size_of(k), false);
  if (rng.bernoulli(0.5)) return hole;
  for (std::int64_t at = 0; at < k;) {
    const std::int64_t length = rng.range(1, 80);
    const bool empty = rng.bernoulli(0.5);
    for (std::int64_t i = at; i < at + length && i < k; ++i) hole[size_of(i)] = empty;
    at += length;
  }
  return hole;
}

}  // namespace

timing::engine::Tile RawPass::tile() const {
  timing::engine::TileSource source;
  source.weights = {weights.data(), segments.k(), 1};
  source.segments = segments;
  source.windows = windows;
  source.channels = channels;
  source.skip_weights = params.skip_weights;
  source.in_place = in_place;
  source.order = order;
  source.bias = bias;
  source.multiplier = multiplier;
  source.shift = shift;
  return timing::engine::make_tile(params, source);
}

timing::engine::Block RawPass::block(bool keep_values) const {
  const WindowTable table(params, segments);
  std::vector<const std::uint8_t*> rows;
  for (int t = 0; t < tokens; ++t) {
    for (int s = table.first_segment(windows); s < table.last_segment(windows); ++s) {
      rows.push_back(activations.data() + t * segments.k() + std::int64_t{s} * segments.channels);
    }
  }
  timing::engine::BlockSource source;
  source.tokens = tokens;
  source.segments = segments;
  source.windows = windows;
  source.rows = rows;
  source.skip_activations = params.skip_activations;
  source.keep_values = keep_values;
  return timing::engine::make_block(params, source);
}

std::string RawPass::describe() const {
  return fmt::format(
      "P={} Q={} R={} V={} D={} S={} W={} load={} word={} skip_empty={} skip={}/{} segments={}x{} "
      "windows={}..{} N={} tokens={} in_place={} signed={} psum={}/{} hold={}/{}",
      params.pes, params.k_ways, params.rows_per_pe, params.lanes, params.fifo_depth,
      params.scan_width, params.drain_width, params.load_width, params.weight_word,
      params.skip_empty == params::SkipEmpty::kNone ? "none" : "decoupled", params.skip_weights,
      params.skip_activations, segments.count, segments.channels, windows.begin, windows.end,
      channels, tokens, in_place, command.act_signed, command.psum_read, command.psum_write,
      command.hold1, command.hold2);
}

RawPass random_pass(std::uint64_t seed, const RandomLimits& limits) {
  base::Rng rng(seed);
  RawPass pass;
  pass.params = random_params(rng, limits);
  const auto& params = pass.params;
  pass.segments.count = static_cast<int>(rng.range(1, limits.max_segments));
  pass.segments.channels = static_cast<int>(rng.range(1, limits.max_segment_channels));
  const WindowTable table(params, pass.segments);
  pass.windows = table.all();
  if (rng.bernoulli(0.3)) {
    pass.windows.begin = static_cast<int>(rng.range(0, table.windows() - 1));
    pass.windows.end = static_cast<int>(rng.range(pass.windows.begin + 1, table.windows()));
  }
  pass.channels = static_cast<int>(rng.range(1, params.max_channels()));
  pass.tokens = static_cast<int>(rng.range(1, limits.max_tokens));
  pass.in_place = rng.bernoulli(0.15);
  const std::int64_t k = pass.segments.k();

  const double weight_density = random_density(rng);
  const std::vector<bool> weight_hole = random_holes(rng, k);
  const bool skewed = rng.bernoulli(0.3);  // some channels much denser than others
  pass.weights.assign(size_of(pass.channels * k), 0);
  for (int n = 0; n < pass.channels; ++n) {
    const double density = skewed ? weight_density * rng.uniform() : weight_density;
    for (std::int64_t i = 0; i < k; ++i) {
      if (weight_hole[size_of(i)] || !rng.bernoulli(density)) continue;
      pass.weights[size_of(n * k + i)] = static_cast<std::int8_t>(rng.range(-128, 127));
    }
  }
  const double act_density = random_density(rng);
  const std::vector<bool> act_hole = random_holes(rng, k);
  pass.activations.assign(size_of(pass.tokens * k), 0);
  for (int t = 0; t < pass.tokens; ++t) {
    const double density = rng.bernoulli(0.2) ? random_density(rng) : act_density;
    for (std::int64_t i = 0; i < k; ++i) {
      if (act_hole[size_of(i)] || !rng.bernoulli(density)) continue;
      pass.activations[size_of(t * k + i)] = static_cast<std::uint8_t>(rng.range(0, 255));
    }
  }

  const int rows = (pass.channels + params.pes - 1) / params.pes;
  if (rng.bernoulli(0.7)) {
    for (int r = 0; r < rows; ++r) {
      std::vector<std::uint8_t> row(size_of(params.pes));
      std::iota(row.begin(), row.end(), std::uint8_t{0});
      for (std::size_t i = row.size(); i > 1; --i) std::swap(row[i - 1], row[rng.below(i)]);
      pass.order.insert(pass.order.end(), row.begin(), row.end());
    }
  }
  for (int n = 0; n < pass.channels; ++n) {
    pass.bias.push_back(static_cast<std::int32_t>(
        rng.bernoulli(0.05) ? rng.range(INT32_MIN, INT32_MAX) : rng.range(-2000, 2000)));
    pass.multiplier.push_back(static_cast<std::int32_t>(
        rng.bernoulli(0.1) ? rng.range(INT32_MIN, INT32_MAX) : rng.range(-500, 3000)));
    pass.shift.push_back(
        static_cast<std::uint8_t>(rng.bernoulli(0.1) ? rng.range(1, 62) : rng.range(8, 20)));
  }
  pass.command.act_signed = rng.bernoulli(0.4);
  pass.command.psum_read = rng.bernoulli(0.2);
  pass.command.psum_write = rng.bernoulli(0.2);
  pass.command.clamp_lo = rng.bernoulli(0.5) ? 0 : -128;
  pass.command.clamp_hi = pass.command.clamp_lo == 0 ? 255 : 127;
  pass.command.gate = rng.bernoulli(0.5) ? 0 : static_cast<int>(rng.range(0, 20));
  if (rng.bernoulli(0.4)) {
    pass.command.hold2 = rng.range(0, 60);
    pass.command.hold1 = pass.command.hold2 + rng.range(0, 60);
  }
  if (pass.command.psum_read) {
    const int groups = (pass.tokens + params.lanes - 1) / params.lanes;
    pass.psum_in.resize(size_of(timing::engine::psum_words(params, rows, groups)));
    for (std::int32_t& word : pass.psum_in) {
      word = static_cast<std::int32_t>(rng.range(-100000, 100000));
    }
  }
  return pass;
}

}  // namespace lacuna::test
