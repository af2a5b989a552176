// SPDX-License-Identifier: Apache-2.0
#include "verify/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "timing/engine/capacity.h"
#include "timing/engine/pass.h"

namespace lacuna::verify {

namespace engine = timing::engine;

namespace {

/// Whole layers are at most this many times as long as one K tile may be.
constexpr int kTilesOfLayer = 2;

int draw_int(base::Rng& rng, std::int64_t low, std::int64_t high) {
  return static_cast<int>(rng.range(low, std::max(low, high)));
}

/// Small numbers as likely as large ones: uniform in the logarithm.
int draw_log(base::Rng& rng, int low, int high) {
  if (high <= low) return low;
  const double exponent = rng.uniform() * std::log(static_cast<double>(high) / low + 1);
  return std::clamp(static_cast<int>(low * std::exp(exponent)), low, high);
}

int draw_rows(base::Rng& rng, int most) {
  const double choice = rng.uniform();
  if (choice < 0.25) return 1;
  if (choice < 0.5) return most;
  // Around the widths at which masks take another byte.
  if (choice < 0.65) return std::min(most, (8 << rng.below(3)) + draw_int(rng, 0, 1));
  return draw_int(rng, 1, most);
}

int draw_channels(base::Rng& rng, const params::EngineParams& params) {
  const int full = draw_rows(rng, params.rows_per_pe) * params.pes;
  const double choice = rng.uniform();
  if (choice < 0.4) return full;
  if (choice < 0.55) return full - params.pes + 1;
  return draw_int(rng, full - params.pes + 1, full);
}

/// Positions of a segment: the boundaries of windows, short segments, or anything up to `most`.
int draw_segment_positions(base::Rng& rng, int scan_width, int most) {
  const double choice = rng.uniform();
  int positions = 1;
  if (choice < 0.1) {
    positions = 1;
  } else if (choice < 0.3) {
    positions = draw_int(rng, 1, scan_width);
  } else if (choice < 0.55) {
    const int windows = draw_log(rng, 1, std::max(1, most / scan_width));
    positions = windows * scan_width + draw_int(rng, -1, 1);
  } else {
    positions = draw_log(rng, 1, most);
  }
  return std::clamp(positions, 1, most);
}

int ceil_div(int value, int divisor) { return (value + divisor - 1) / divisor; }

}  // namespace

Shape draw_shape(base::Rng& rng, const params::EngineParams& params, Densities densities) {
  Shape shape;
  shape.in_place = rng.bernoulli(0.12);
  shape.channels = draw_channels(rng, params);
  shape.first_channel = rng.bernoulli(0.2) ? draw_int(rng, 1, 5) : 0;

  // Positions that fit beside their weights; in place all values take room.
  const int rows = shape.rows(params);
  const double per_position =
      engine::mask_bytes_for(rows) + 2 + (shape.in_place ? 1.0 : densities.weights) * rows;
  const double room = static_cast<double>(engine::pe_weight_capacity(params));
  const int most = std::clamp(static_cast<int>(room / per_position), 1,
                              std::max(1, engine::max_positions(params)));

  int segments = 1;
  const double choice = rng.uniform();
  if (choice < 0.3) {
    segments = draw_int(rng, 2, 9);
  } else if (choice < 0.4) {
    segments = draw_log(rng, 2, std::max(2, params.max_windows()));
  }
  segments = std::min(segments, std::min(most, params.max_windows()) * kTilesOfLayer);
  const int layer_windows = params.max_windows() * kTilesOfLayer / segments;
  const int most_of_segment = std::clamp(most * kTilesOfLayer / segments, 1,
                                         std::max(1, layer_windows) * params.scan_width);
  const int positions = draw_segment_positions(rng, params.scan_width, most_of_segment);
  shape.segments.count = segments;
  shape.segments.channels =
      std::max(1, positions * params.k_ways -
                      (rng.bernoulli(0.5) ? 0 : draw_int(rng, 0, params.k_ways - 1)));

  const engine::WindowTable table(params, shape.segments);
  const int begin = rng.bernoulli(0.7) ? 0 : draw_int(rng, 0, table.windows() - 1);
  const int limit = std::min(table.windows() - begin, params.max_windows());
  int count = rng.bernoulli(0.7) ? limit : draw_int(rng, 1, limit);
  while (count > 1 && table.positions({begin, begin + count}) > most) --count;
  shape.windows = {begin, begin + count};
  while (table.positions(shape.windows) > most && shape.segments.channels > 1) {
    // A single window that is too long: a shorter segment.
    shape.segments.channels = std::max(1, shape.segments.channels / 2);
    shape.segments.count = 1;
    shape.windows = {0, 1};
    const engine::WindowTable shorter(params, shape.segments);
    if (shorter.positions(shape.windows) <= most) break;
  }
  return shape;
}

void draw_tokens(base::Rng& rng, const params::EngineParams& params, Densities densities,
                 double cycles, bool outputs, bool psums, Shape& shape) {
  const engine::WindowTable table(params, shape.segments);
  const int rows = shape.rows(params);
  const int positions = table.positions(shape.windows);
  const double unions = 1 - std::pow(1 - std::clamp(densities.activations, 0.0, 1.0), params.lanes);
  const double entries = positions * unions;
  const double compute = entries * std::max(0.7, rows * densities.weights) + 2;
  const double group_cycles = std::max(compute, 1.0 + engine::drain_beats(params, rows));

  double most = static_cast<double>(params.act_slots()) / shape.windows.count();
  const double bytes = std::max(1.0, entries * params.lanes);
  const std::int64_t way_bytes = params.activation_buffer / params.k_ways;
  most = std::min(most, static_cast<double>(way_bytes) / bytes);
  if (outputs) {
    most = std::min(
        most, static_cast<double>(params.output_buffer) /
                  static_cast<double>(engine::output_bytes(params, params.lanes, shape.channels)));
  }
  if (psums) {
    most = std::min(most, static_cast<double>(params.psum_buffer) /
                              static_cast<double>(engine::psum_bytes(params, rows, 1)));
  }
  const int by_room = std::max(1, static_cast<int>(std::min(most, 65535.0 / params.lanes)));
  const int by_time =
      std::clamp(static_cast<int>(std::min(cycles / group_cycles, 65535.0)), 1, by_room);
  int groups = by_time;
  const double choice = rng.uniform();
  if (choice < 0.1) {
    groups = 1;
  } else if (choice < 0.2) {
    groups = std::min(by_time, 2);
  } else if (choice < 0.6) {
    groups = draw_int(rng, 1, by_time);
  }
  shape.tokens = groups * params.lanes;
  if (rng.bernoulli(0.5))
    shape.tokens -= static_cast<int>(rng.below(static_cast<std::uint64_t>(params.lanes)));
}

bool shrink(const params::EngineParams& params, Shape& shape) {
  if (shape.groups(params) > 1) {
    shape.tokens = std::max(1, (shape.groups(params) / 2) * params.lanes);
    return true;
  }
  if (shape.windows.count() > 1) {
    shape.windows.end = shape.windows.begin + shape.windows.count() / 2;
    return true;
  }
  if (shape.segments.channels > 1) {
    const engine::WindowTable table(params, shape.segments);
    const int segment = table.first_segment(shape.windows);
    shape.segments.channels = ceil_div(shape.segments.channels, 2);
    const engine::WindowTable shorter(params, shape.segments);
    const int begin = segment * shorter.segment_windows();
    shape.windows = {begin, begin + 1};
    return true;
  }
  if (shape.channels > 1) {
    shape.channels = ceil_div(shape.channels, 2);
    return true;
  }
  return false;
}

std::string describe(const params::EngineParams& params, const Shape& shape) {
  const engine::WindowTable table(params, shape.segments);
  return fmt::format("{} segment{} of {} channels, windows {}..{} of {}, {} channels{}, {} token{}",
                     shape.segments.count, shape.segments.count == 1 ? "" : "s",
                     shape.segments.channels, shape.windows.begin, shape.windows.end,
                     table.windows(), shape.channels, shape.in_place ? " in place" : "",
                     shape.tokens, shape.tokens == 1 ? "" : "s");
}

}  // namespace lacuna::verify
