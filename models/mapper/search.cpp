// SPDX-License-Identifier: Apache-2.0
#include "mapper/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "mapper/fixed_mapping.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

KTile make_tile(const WindowTable& windows, int begin, int end) {
  return {begin, end, windows.positions({begin, end}), windows.k_range({begin, end}).count()};
}

/// The sizes of one layer's K tiles: what fits with given channels and block rows.
class KCutter {
 public:
  KCutter(const SplitProblem& problem, const WeightCounts& counts, const WindowTable& windows,
          const params::EngineParams& engine, std::int64_t tile_channels, std::int64_t block_rows)
      : problem_(problem),
        counts_(counts),
        windows_(windows),
        engine_(engine),
        tile_channels_(tile_channels),
        block_rows_(block_rows) {}

  /// Ways of cutting K: as few tiles as fit, evenly where that is possible, and up to four times as
  /// many: the load of the next tile hides behind the passes of this one. For several parts the
  /// same number in each. None if a window does not fit.
  [[nodiscard]] std::vector<std::vector<KTile>> candidates(int parts) const {
    std::vector<std::vector<KTile>> found;
    std::vector<KTile> greedy = fewest();
    if (greedy.empty()) return found;
    const auto least = static_cast<int>(greedy.size());
    if (parts > 1) {
      const int each = ceil_div(least, parts);
      for (const int tiles : std::set{each, each + 1, 2 * each, 4 * each}) {
        if (parts * tiles > windows_.windows()) continue;
        std::vector<KTile> cut = even(parts * tiles);
        if (!cut.empty()) found.push_back(std::move(cut));
      }
      return found;
    }
    found.push_back(std::move(greedy));
    if (problem_.fixed.tile_k) return found;
    for (const int tiles : {least, least + 1, 2 * least, 4 * least}) {
      if (tiles == 1 || tiles > windows_.windows()) continue;
      std::vector<KTile> cut = even(tiles);
      if (!cut.empty()) found.push_back(std::move(cut));
    }
    return found;
  }

 private:
  [[nodiscard]] bool fits(int begin, int end) const {
    if (problem_.fixed.tile_k && windows_.k_range({begin, end}).count() > *problem_.fixed.tile_k) {
      return false;
    }
    return block_fits(windows_, engine_, block_rows_, begin, end) &&
           tiles_fit(counts_, windows_, engine_, tile_channels_, begin, end);
  }

  /// Largest end such that windows [begin, end) make a tile for all channel ranges and a block;
  /// `begin` if not even one window fits.
  [[nodiscard]] int furthest(int begin) const {
    int low = begin;  // fits (the empty range)
    int high = windows_.windows();
    if (fits(begin, high)) return high;
    while (high - low > 1) {
      const int middle = low + (high - low) / 2;
      (fits(begin, middle) ? low : high) = middle;
    }
    return low;
  }

  /// The longest tiles first. Empty when a window does not fit.
  [[nodiscard]] std::vector<KTile> fewest() const {
    std::vector<KTile> greedy;
    for (int begin = 0; begin < windows_.windows();) {
      const int end = furthest(begin);
      if (end == begin) return {};
      greedy.push_back(make_tile(windows_, begin, end));
      begin = end;
    }
    return greedy;
  }

  /// That many tiles of about the same number of windows. Empty when they do not fit.
  [[nodiscard]] std::vector<KTile> even(int tiles) const {
    std::vector<KTile> cut;
    for (int i = 0; i < tiles; ++i) {
      const int begin = static_cast<int>(std::int64_t{windows_.windows()} * i / tiles);
      const int end = static_cast<int>(std::int64_t{windows_.windows()} * (i + 1) / tiles);
      if (begin == end || !fits(begin, end)) return {};
      cut.push_back(make_tile(windows_, begin, end));
    }
    return cut;
  }

  const SplitProblem& problem_;
  const WeightCounts& counts_;
  const WindowTable& windows_;
  const params::EngineParams& engine_;
  std::int64_t tile_channels_;
  std::int64_t block_rows_;
};

/// 1, 2, 3, 4, 6, 8, 12, ... (or powers of two) and the limit itself.
std::vector<std::int64_t> ladder(std::int64_t limit, Grid grid) {
  std::vector<std::int64_t> steps;
  for (std::int64_t power = 1; power <= limit; power *= 2) {
    steps.push_back(power);
    if (grid == Grid::kFine && power > 1 && power + power / 2 <= limit) {
      steps.push_back(power + power / 2);
    }
  }
  if (steps.empty() || steps.back() != limit) steps.push_back(limit);
  return steps;
}

std::vector<std::int64_t> steps_of(const std::optional<std::int64_t>& fixed, std::int64_t limit,
                                   Grid grid) {
  return fixed ? std::vector<std::int64_t>{*fixed} : ladder(limit, grid);
}

/// Partial sums of a layer in memory may take this part of the SRAM, unless the workload fixes
/// them.
constexpr int kSumShare = 8;

/// Into how many parts K may be cut where a whole K gives `tasks` tasks: until every core has one.
std::vector<std::int64_t> part_counts(const SplitProblem& problem, const WindowTable& windows,
                                      const params::ChipParams& chip, std::int64_t tasks,
                                      Grid grid) {
  if (problem.fixed.k_parts) return {*problem.fixed.k_parts};
  const std::int64_t limit =
      std::min<std::int64_t>(ceil_div<std::int64_t>(chip.cores, tasks), windows.windows());
  std::vector<std::int64_t> counts = ladder(limit, grid);
  const std::int64_t bytes = kSumBytes * problem.rows * problem.n * problem.heads;
  std::erase_if(counts, [&](std::int64_t parts) {
    return parts > 1 && bytes * parts > chip.sram.capacity / kSumShare;
  });
  return counts;
}

[[noreturn]] void refuse(const SplitProblem& problem, const WindowTable& windows,
                         const params::EngineParams& engine) {
  const std::int64_t channels = std::min<std::int64_t>(engine.pes, problem.n);
  const std::int64_t output = engine.lanes * token_output_bytes(engine, channels);
  if (output > engine.output_buffer) {
    throw base::UserError(fmt::format(
        "layer '{}' does not fit this chip: engine.output_buffer ({} bytes) must hold {} bytes, "
        "the outputs of one group of {} token(s) and {} channels",
        problem.layer, engine.output_buffer, output, engine.lanes, channels));
  }
  throw base::UserError(fmt::format(
      "layer '{}' does not fit this chip: one window of {} positions needs more than "
      "engine.weight_buffer ({} bytes), engine.activation_buffer ({} bytes), engine.psum_buffer "
      "({} bytes) or engine.max_k ({}) allow",
      problem.layer, windows.positions({0, 1}), engine.weight_buffer, engine.activation_buffer,
      engine.psum_buffer, engine.max_k));
}

/// The better order of a candidate's tasks and K tiles, with its prediction.
void choose_orders(const SplitProblem& problem, const WeightCounts& counts,
                   const WindowTable& windows, const params::ChipParams& chip,
                   const MappingCosts& costs, Candidate& candidate) {
  using params::KOrder;
  using params::Ordering;
  const bool several = static_cast<int>(candidate.split.k_tiles.size()) > candidate.split.k_parts;
  const bool may_alternate = several && candidate.split.k_parts == 1;
  // The first one is taken where nothing is to be gained.
  std::array<Ordering, 2> orders{Ordering::kTileMajor, Ordering::kRowMajor};
  if (several && problem.stream_bytes_per_cycle == 0) std::swap(orders[0], orders[1]);
  Split& split = candidate.split;
  std::optional<std::pair<Ordering, bool>> best;
  for (const Ordering order : orders) {
    if (problem.order != Ordering::kAuto && problem.order != order) continue;
    for (const bool alternate : {false, true}) {
      if (alternate && !may_alternate) continue;
      if (may_alternate && problem.k_order != KOrder::kAuto &&
          (problem.k_order == KOrder::kAlternate) != alternate) {
        continue;
      }
      split.order = order;
      split.alternate = alternate;
      const Prediction expected = predict(problem, counts, windows, chip, costs, split);
      if (!best || better(chip.mapper.objective, expected, candidate.prediction)) {
        best = {order, alternate};
        candidate.prediction = expected;
      }
    }
  }
  std::tie(split.order, split.alternate) = *best;
  split.predicted_cycles = candidate.prediction.total;
  split.expected = candidate.prediction.expected;
}

/// A first program counts, too, but most are not first.
double time_of(const Prediction& prediction) {
  constexpr double kFirst = 1.0 / 8;
  return prediction.total + kFirst * prediction.first;
}

/// The best candidate so far. Of those whose times are closer to each other than a prediction is to
/// the truth, the one with the least energy.
class Choice {
 public:
  explicit Choice(params::Objective objective) : objective_(objective) {}

  void consider(const Candidate& candidate) {
    if (objective_ == params::Objective::kEnergy) {
      if (as_good_.empty() || better(objective_, candidate.prediction, as_good_[0].prediction)) {
        as_good_.assign(1, candidate);
      }
      return;
    }
    const double time = time_of(candidate.prediction);
    if (time > kAsGood * least_time_) return;
    if (time < least_time_) {
      least_time_ = time;
      std::erase_if(as_good_, [this](const Candidate& other) {
        return time_of(other.prediction) > kAsGood * least_time_;
      });
    }
    as_good_.push_back(candidate);
  }

  /// None if none was considered.
  [[nodiscard]] std::optional<Candidate> best() const {
    const auto fastest = std::min_element(as_good_.begin(), as_good_.end(),
                                          [this](const Candidate& a, const Candidate& b) {
                                            return better(objective_, a.prediction, b.prediction);
                                          });
    if (fastest == as_good_.end()) return {};
    // Where all wait for DRAM, what the chip takes still tells which of them keep the DRAM busy.
    const double on_chip = kAsGood * fastest->prediction.expected.cycles;
    const Candidate* least = &*fastest;
    for (const Candidate& candidate : as_good_) {
      const Prediction& prediction = candidate.prediction;
      if (prediction.expected.cycles <= on_chip && prediction.energy < least->prediction.energy) {
        least = &candidate;
      }
    }
    return *least;
  }

 private:
  static constexpr double kAsGood = 1.03;

  params::Objective objective_;
  double least_time_ = std::numeric_limits<double>::infinity();
  std::vector<Candidate> as_good_;
};

}  // namespace

bool better(params::Objective objective, const Prediction& a, const Prediction& b) {
  if (objective == params::Objective::kEnergy && a.energy != b.energy) return a.energy < b.energy;
  if (time_of(a) != time_of(b)) return time_of(a) < time_of(b);
  return a.memory < b.memory;
}

bool same_cut(const Split& a, const Split& b) {
  const auto same_tile = [](const KTile& one, const KTile& other) {
    return one.window_begin == other.window_begin && one.window_end == other.window_end;
  };
  return a.tile_channels == b.tile_channels && a.block_rows == b.block_rows &&
         a.blocks_per_task == b.blocks_per_task && a.k_parts == b.k_parts &&
         std::equal(a.k_tiles.begin(), a.k_tiles.end(), b.k_tiles.begin(), b.k_tiles.end(),
                    same_tile);
}

void for_each_candidate(const SplitProblem& problem, const WeightCounts& counts,
                        const WindowTable& windows, const params::ChipParams& chip,
                        const MappingCosts& costs, Grid grid,
                        const std::function<void(const Candidate&)>& f) {
  const params::EngineParams& engine = chip.engine;
  const std::int64_t row_limit =
      std::min<std::int64_t>(engine.rows_per_pe, rows_used(engine, problem.n));
  const std::int64_t group_limit = ceil_div<std::int64_t>(problem.rows, engine.lanes);
  std::optional<std::int64_t> fixed_rows;
  std::optional<std::int64_t> fixed_groups;
  if (problem.fixed.tile_n) fixed_rows = rows_used(engine, *problem.fixed.tile_n);
  if (problem.fixed.tile_m) {
    fixed_groups = ceil_div<std::int64_t>(*problem.fixed.tile_m, engine.lanes);
  }
  for (const std::int64_t rows : steps_of(fixed_rows, row_limit, grid)) {
    const std::int64_t channels = std::min<std::int64_t>(rows * engine.pes, problem.n);
    for (const std::int64_t groups : steps_of(fixed_groups, group_limit, grid)) {
      const std::int64_t block_rows = std::min(groups * engine.lanes, problem.rows);
      if (block_rows * token_output_bytes(engine, channels) > engine.output_buffer) break;
      const KCutter cutter(problem, counts, windows, engine, channels, block_rows);
      const std::int64_t n_tiles = ceil_div(problem.n, channels);
      std::vector<std::pair<int, std::vector<KTile>>> cuts;
      for (const std::int64_t parts :
           part_counts(problem, windows, chip, n_tiles * problem.heads, grid)) {
        for (std::vector<KTile>& cut : cutter.candidates(static_cast<int>(parts))) {
          cuts.emplace_back(static_cast<int>(parts), std::move(cut));
        }
      }
      if (cuts.empty()) break;  // larger blocks fit even less
      for (auto& [parts, cut] : cuts) {
        Candidate candidate;
        Split& split = candidate.split;
        split.k_parts = parts;
        split.k_tiles = std::move(cut);
        split.tile_channels = static_cast<int>(channels);
        split.n_tiles = static_cast<int>(n_tiles);
        split.block_rows = static_cast<int>(block_rows);
        split.blocks = static_cast<int>(ceil_div(problem.rows, block_rows));
        for (const std::int64_t run : steps_of(problem.fixed.task_blocks, split.blocks, grid)) {
          if (run > split.blocks) break;
          split.blocks_per_task = static_cast<int>(run);
          split.task_runs = static_cast<int>(ceil_div<std::int64_t>(split.blocks, run));
          if (psum_bytes(engine, split) > engine.psum_buffer) break;
          // A part less gave every core a task already.
          if (!problem.fixed.k_parts &&
              split.task_runs * n_tiles * problem.heads * (parts - 1) >= chip.cores) {
            continue;
          }
          choose_orders(problem, counts, windows, chip, costs, candidate);
          f(candidate);
        }
      }
    }
  }
}

Split choose_split(const SplitProblem& problem, const WeightCounts& counts,
                   const WindowTable& windows, const params::ChipParams& chip,
                   const MappingCosts& costs) {
  check_fixed(problem, windows, chip.engine);
  Choice choice(chip.mapper.objective);
  for_each_candidate(problem, counts, windows, chip, costs, Grid::kFine,
                     [&](const Candidate& candidate) { choice.consider(candidate); });
  std::optional<Candidate> best = choice.best();
  if (!best) {
    refuse_fixed(problem, counts, windows, chip.engine);  // if it is what the workload fixes
    refuse(problem, windows, chip.engine);
  }
  const auto broken = split_violations(problem, counts, windows, chip.engine, best->split);
  LACUNA_CHECK(broken.empty(), "split of layer {} breaks a rule: {}", problem.layer,
               broken.front());
  return std::move(best->split);
}

}  // namespace lacuna::mapper
