// SPDX-License-Identifier: Apache-2.0
#include "mapper/split.h"

#include <algorithm>
#include <cmath>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

// Latencies of a pass as engine.md names them; only their sums matter here.
constexpr double kPassOverhead = 1 + 2 + 1 + 2;  // L_start + L_issue + L_mask + L_mac
constexpr double kDrainLatency = 1;              // L_drain
// From a request at the SRAM port to data in a buffer, roughly: request, crossbar, response.
constexpr double kLoadLatency = 8;

std::int64_t rows_used(const params::EngineParams& engine, std::int64_t channels) {
  return ceil_div<std::int64_t>(channels, engine.pes);
}

std::int64_t drain_beats(const params::EngineParams& engine, std::int64_t channels) {
  return ceil_div<std::int64_t>(engine.pes * rows_used(engine, channels), engine.drain_width);
}

std::int64_t output_bytes(const params::EngineParams& engine, std::int64_t channels) {
  return ceil_div<std::int64_t>(channels, engine.act_block) *
         (engine.act_block + engine.act_block / 8);
}

std::int64_t psum_bytes(const params::EngineParams& engine, std::int64_t channels,
                        std::int64_t rows) {
  return 4 * static_cast<std::int64_t>(engine.drain_width) * engine.lanes *
         drain_beats(engine, channels) * ceil_div<std::int64_t>(rows, engine.lanes);
}

KTile make_tile(const WindowTable& windows, int begin, int end) {
  return {begin, end, windows.positions({begin, end}), windows.k_range({begin, end}).count()};
}

bool k_tile_fits(const WeightCounts& counts, const WindowTable& windows,
                 const params::EngineParams& engine, std::int64_t tile_channels,
                 std::int64_t block_rows, int begin, int end) {
  return block_fits(windows, engine, block_rows, begin, end) &&
         tiles_fit(counts, windows, engine, tile_channels, begin, end);
}

/// Largest window_end such that windows [begin, window_end) make a tile for all channel ranges and
/// a block; `begin` if not even one window fits.
int furthest_window(const WeightCounts& counts, const WindowTable& windows,
                    const params::EngineParams& engine, std::int64_t tile_channels,
                    std::int64_t block_rows, int begin) {
  const auto fits = [&](int end) {
    return k_tile_fits(counts, windows, engine, tile_channels, block_rows, begin, end);
  };
  int low = begin;  // fits (the empty range)
  int high = windows.windows();
  if (fits(high)) return high;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

/// As few K tiles as fit, the longest first. Empty when a window does not fit.
std::vector<KTile> cut_k(const WeightCounts& counts, const WindowTable& windows,
                         const params::EngineParams& engine, std::int64_t tile_channels,
                         std::int64_t block_rows) {
  std::vector<KTile> greedy;
  for (int begin = 0; begin < windows.windows();) {
    const int end = furthest_window(counts, windows, engine, tile_channels, block_rows, begin);
    if (end == begin) return {};
    greedy.push_back(make_tile(windows, begin, end));
    begin = end;
  }
  return greedy;
}

/// That many K tiles of about the same number of windows. Empty when they do not fit.
std::vector<KTile> cut_k_evenly(const WeightCounts& counts, const WindowTable& windows,
                                const params::EngineParams& engine, std::int64_t tile_channels,
                                std::int64_t block_rows, int tiles) {
  std::vector<KTile> even;
  for (int i = 0; i < tiles; ++i) {
    const int begin = static_cast<int>(std::int64_t{windows.windows()} * i / tiles);
    const int end = static_cast<int>(std::int64_t{windows.windows()} * (i + 1) / tiles);
    if (begin == end ||
        !k_tile_fits(counts, windows, engine, tile_channels, block_rows, begin, end)) {
      return {};
    }
    even.push_back(make_tile(windows, begin, end));
  }
  return even;
}

/// Ways of cutting K: as few tiles as fit, evenly where that is possible, and up to four times as
/// many: the load of the next tile hides behind the passes of this one.
std::vector<std::vector<KTile>> k_candidates(const WeightCounts& counts, const WindowTable& windows,
                                             const params::EngineParams& engine,
                                             std::int64_t tile_channels, std::int64_t block_rows) {
  std::vector<std::vector<KTile>> candidates;
  std::vector<KTile> greedy = cut_k(counts, windows, engine, tile_channels, block_rows);
  if (greedy.empty()) return candidates;
  const auto fewest = static_cast<int>(greedy.size());
  candidates.push_back(std::move(greedy));
  for (const int tiles : {fewest, fewest + 1, 2 * fewest, 4 * fewest}) {
    if (tiles == 1 || tiles > windows.windows()) continue;
    std::vector<KTile> even =
        cut_k_evenly(counts, windows, engine, tile_channels, block_rows, tiles);
    if (!even.empty()) candidates.push_back(std::move(even));
  }
  return candidates;
}

/// 1, 2, 3, 4, 6, 8, 12, ... and the limit itself.
std::vector<std::int64_t> ladder(std::int64_t limit) {
  std::vector<std::int64_t> steps;
  for (std::int64_t power = 1; power <= limit; power *= 2) {
    steps.push_back(power);
    if (power > 1 && power + power / 2 <= limit) steps.push_back(power + power / 2);
  }
  if (steps.empty() || steps.back() != limit) steps.push_back(limit);
  return steps;
}

/// Beats of a weight tile's image (engine.md, section 9): sections and PEs begin in new beats.
double image_beats(const params::EngineParams& engine, const WeightCounts& counts, int rows,
                   double positions, double windows, double values_per_pe) {
  const double width = engine.load_width;
  const double places = static_cast<double>(rows) * engine.pes;
  const double masks = std::ceil(positions * static_cast<double>(mask_bytes(rows)) / width);
  const double values = std::ceil((counts.in_place() ? positions * rows : values_per_pe) / width);
  return std::ceil(windows * 2 / width) +
         std::ceil(engine.k_ways * windows * engine.scan_width / (8 * width)) +
         std::ceil(places / width) + std::ceil(places * 8 / width) + std::ceil(places / width) +
         static_cast<double>(engine.pes) * engine.k_ways * (masks + values);
}

}  // namespace

bool block_fits(const WindowTable& windows, const params::EngineParams& engine, std::int64_t rows,
                int begin, int end) {
  const std::int64_t groups = ceil_div<std::int64_t>(rows, engine.lanes);
  if (groups * (end - begin) > engine.act_slots()) return false;
  return engine.lanes * groups * windows.positions({begin, end}) <=
         engine.activation_buffer / engine.k_ways;
}

Prediction predict(const SplitProblem& problem, const WeightCounts& counts,
                   const WindowTable& windows, const params::ChipParams& chip, const Split& split) {
  const params::EngineParams& engine = chip.engine;
  const double lanes = engine.lanes;
  const double ways = engine.k_ways;
  const double pes = static_cast<double>(engine.pes) * ways;
  const double tiles_k = static_cast<double>(split.k_tiles.size());
  const double density = engine.skip_activations ? problem.activation_density : 1.0;
  const double united = 1.0 - std::pow(1.0 - density, lanes);
  const double channels =
      static_cast<double>(problem.n) / static_cast<double>(split.n_tiles);  // mean
  const double positions = static_cast<double>(windows.positions({0, windows.windows()})) / tiles_k;
  const double k = static_cast<double>(windows.segments().k()) / tiles_k;
  const double groups = static_cast<double>(ceil_div<std::int64_t>(split.block_rows, engine.lanes));

  Prediction result;
  // A position is issued if an activation is there and any channel has a weight there.
  const double present = 1.0 - std::pow(1.0 - counts.density(), std::max(1.0, channels));
  const double windows_each = windows.windows() / tiles_k;
  result.issue = groups * std::max(positions * united * present, windows_each * united);
  // Mean values of a PE, stretched by what greedy balancing leaves (about a standard deviation).
  const double mean = k * channels * counts.density() * united / pes;
  result.pe = groups * (mean + (counts.density() < 1.0 ? std::sqrt(mean) : 0.0));
  const double beats = static_cast<double>(drain_beats(engine, split.tile_channels));
  result.drain = groups * (kDrainLatency + beats);
  result.pass = std::max({result.issue, result.pe, result.drain}) + kPassOverhead;

  const double row_bytes = k * density + k / 8;
  result.block_load =
      static_cast<double>(split.block_rows) *
          std::max({row_bytes / engine.load_width, static_cast<double>(problem.gathers) / tiles_k,
                    lanes > 1 ? positions * united / lanes : 0.0}) +
      kLoadLatency;
  const auto rows = static_cast<int>(rows_used(engine, split.tile_channels));
  const double tile_beats = image_beats(engine, counts, rows, positions, windows_each,
                                        k * channels * counts.density() / pes);
  const double tile_bytes = tile_beats * engine.load_width;
  result.tile_load = tile_beats + kLoadLatency;
  if (problem.transpose_right) {
    result.tile_load += std::ceil(k * channels / engine.transpose_width);
  }

  const double blocks = std::min(split.blocks_per_task, split.blocks);
  const double per_k_tile = std::max(blocks * std::max(result.pass, result.block_load),
                                     blocks * result.block_load + result.tile_load);
  result.task = tiles_k * per_k_tile;
  result.tasks = static_cast<double>(split.task_runs) * split.n_tiles * problem.heads;
  const double rounds = std::ceil(result.tasks / chip.cores);
  const double ports = std::ceil(static_cast<double>(chip.cores) / chip.cores_per_port);
  const double bytes_per_task = tiles_k * (tile_bytes + blocks * split.block_rows * row_bytes);
  result.memory = result.tasks * bytes_per_task / (ports * chip.sram.width);
  result.total =
      std::max(rounds * result.task, result.memory) + result.tile_load + result.block_load + beats;
  return result;
}

Split choose_split(const SplitProblem& problem, const WeightCounts& counts,
                   const WindowTable& windows, const params::ChipParams& chip) {
  const params::EngineParams& engine = chip.engine;
  Split best;
  const std::int64_t row_limit =
      std::min<std::int64_t>(engine.rows_per_pe, rows_used(engine, problem.n));
  const std::int64_t group_limit = ceil_div<std::int64_t>(problem.rows, engine.lanes);
  bool output_too_small = false;
  for (const std::int64_t rows : ladder(row_limit)) {
    const std::int64_t channels = std::min<std::int64_t>(rows * engine.pes, problem.n);
    for (const std::int64_t groups : ladder(group_limit)) {
      const std::int64_t block_rows = std::min(groups * engine.lanes, problem.rows);
      if (block_rows * output_bytes(engine, channels) > engine.output_buffer) {
        output_too_small = output_too_small || (groups == 1 && rows == 1);
        break;
      }
      std::vector<std::vector<KTile>> cuts =
          k_candidates(counts, windows, engine, channels, block_rows);
      if (cuts.empty()) break;  // larger blocks fit even less
      for (std::vector<KTile>& cut : cuts) {
        Split split;
        split.k_tiles = std::move(cut);
        split.tile_channels = static_cast<int>(channels);
        split.n_tiles = static_cast<int>(ceil_div(problem.n, channels));
        split.block_rows = static_cast<int>(block_rows);
        split.blocks = static_cast<int>(ceil_div(problem.rows, block_rows));
        for (const std::int64_t run : ladder(split.blocks)) {
          if (split.k_tiles.size() > 1 &&
              run * psum_bytes(engine, channels, block_rows) > engine.psum_buffer) {
            break;
          }
          split.blocks_per_task = static_cast<int>(run);
          split.task_runs = static_cast<int>(ceil_div<std::int64_t>(split.blocks, run));
          split.predicted_cycles = predict(problem, counts, windows, chip, split).total;
          if (best.n_tiles == 0 || split.predicted_cycles < best.predicted_cycles) best = split;
        }
      }
    }
  }
  if (best.n_tiles == 0) {
    if (output_too_small) {
      throw base::UserError(fmt::format(
          "layer '{}' does not fit this chip: engine.output_buffer ({} bytes) must hold {} bytes, "
          "the outputs of one group of {} token(s) and {} channels",
          problem.layer, engine.output_buffer,
          engine.lanes * output_bytes(engine, std::min<std::int64_t>(engine.pes, problem.n)),
          engine.lanes, std::min<std::int64_t>(engine.pes, problem.n)));
    }
    throw base::UserError(fmt::format(
        "layer '{}' does not fit this chip: one window of {} positions needs more than "
        "engine.weight_buffer ({} bytes), engine.activation_buffer ({} bytes), engine.psum_buffer "
        "({} bytes) or engine.max_k ({}) allow",
        problem.layer, windows.positions({0, 1}), engine.weight_buffer, engine.activation_buffer,
        engine.psum_buffer, engine.max_k));
  }
  const auto broken = split_violations(problem, counts, windows, engine, best);
  LACUNA_CHECK(broken.empty(), "split of layer {} breaks a rule: {}", problem.layer,
               broken.front());
  return best;
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
  rule(split.block_rows * output_bytes(engine, split.tile_channels) <= engine.output_buffer,
       "a block's outputs fit the output buffer");
  rule(split.k_tiles.size() <= 1 ||
           split.blocks_per_task * psum_bytes(engine, split.tile_channels, split.block_rows) <=
               engine.psum_buffer,
       "a task's partial sums fit the psum buffer");
  return broken;
}

}  // namespace lacuna::mapper
