// SPDX-License-Identifier: Apache-2.0
#include "mapper/fixed_mapping.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

class Refusal {
 public:
  explicit Refusal(const SplitProblem& problem) : problem_(problem) {}

  [[noreturn]] void operator()(const std::string& key, const std::string& why) const {
    const std::string message =
        fmt::format("mapping.{} of layer '{}': {}", key, problem_.layer, why);
    if (problem_.fixed_at != nullptr) {
      const auto place = problem_.fixed_at->find(key);
      if (place != problem_.fixed_at->end()) throw base::UserError(place->second, message);
    }
    throw base::UserError(message);
  }

 private:
  const SplitProblem& problem_;
};

}  // namespace

void check_fixed(const SplitProblem& problem, const WindowTable& windows,
                 const params::EngineParams& engine) {
  const params::LayerMapping& fixed = problem.fixed;
  const Refusal refuse(problem);
  if (fixed.tile_n) {
    const std::int64_t n = *fixed.tile_n;
    if (n > problem.n) {
      refuse("tile_n", fmt::format("the layer has {} output channels, not {}", problem.n, n));
    }
    if (n % engine.pes != 0 && n != problem.n) {
      refuse("tile_n", fmt::format("{} is no multiple of engine.pes ({}); only a tile of all {} "
                                   "output channels may be",
                                   n, engine.pes, problem.n));
    }
    if (n > engine.max_channels()) {
      refuse("tile_n",
             fmt::format("a tile holds at most engine.pes * engine.rows_per_pe = {} output "
                         "channels, not {}",
                         engine.max_channels(), n));
    }
    if (engine.lanes * token_output_bytes(engine, n) > engine.output_buffer) {
      refuse("tile_n", fmt::format("the outputs of one group of {} token(s) take {} bytes, "
                                   "engine.output_buffer has {}",
                                   engine.lanes, engine.lanes * token_output_bytes(engine, n),
                                   engine.output_buffer));
    }
  }
  if (fixed.tile_m) {
    const std::int64_t m = *fixed.tile_m;
    if (m > problem.rows) {
      refuse("tile_m", fmt::format("the layer has {} rows (all samples of the batch), not {}",
                                   problem.rows, m));
    }
    if (m % engine.lanes != 0 && m != problem.rows) {
      refuse("tile_m", fmt::format("{} is no multiple of engine.lanes ({}); only a block of all "
                                   "{} rows may be",
                                   m, engine.lanes, problem.rows));
    }
    if (!block_fits(windows, engine, m, 0, 1)) {
      refuse("tile_m",
             fmt::format(
                 "{} rows of a single window ({} k) need more than half of "
                 "engine.activation_buffer: {} values and {} windows per way, at most {} "
                 "and {} fit",
                 m, windows.k_range({0, 1}).count(),
                 ceil_div<std::int64_t>(m, engine.lanes) * engine.lanes * windows.positions({0, 1}),
                 ceil_div<std::int64_t>(m, engine.lanes), engine.activation_buffer / engine.k_ways,
                 engine.act_slots()));
    }
    const std::int64_t channels =
        fixed.tile_n.value_or(std::min<std::int64_t>(engine.pes, problem.n));
    if (m * token_output_bytes(engine, channels) > engine.output_buffer) {
      refuse("tile_m", fmt::format("the outputs of {} rows and {} channels take {} bytes, "
                                   "engine.output_buffer has {}",
                                   m, channels, m * token_output_bytes(engine, channels),
                                   engine.output_buffer));
    }
    const std::int64_t blocks = ceil_div(problem.rows, m);
    if (fixed.task_blocks && *fixed.task_blocks > blocks) {
      refuse("task_blocks", fmt::format("the layer has {} blocks of {} rows, not {}", blocks, m,
                                        *fixed.task_blocks));
    }
  }
  if (fixed.task_blocks && *fixed.task_blocks > problem.rows) {
    refuse("task_blocks",
           fmt::format("the layer has {} rows, not {} blocks", problem.rows, *fixed.task_blocks));
  }
  if (fixed.tile_k) {
    for (int window = 0; window < windows.segment_windows(); ++window) {
      const std::int64_t k = windows.k_range({window, window + 1}).count();
      if (*fixed.tile_k < k) {
        refuse("tile_k", fmt::format("a weight tile holds whole scanner windows (scan_width * "
                                     "k_ways k), here of {} k; {} is less",
                                     k, *fixed.tile_k));
      }
    }
  }
  if (fixed.k_parts && *fixed.k_parts > windows.windows()) {
    refuse("k_parts",
           fmt::format("a part has at least one scanner window (scan_width * k_ways k), K = {} has "
                       "{}, not {}",
                       windows.segments().k(), windows.windows(), *fixed.k_parts));
  }
  if (fixed.layout && *fixed.layout == params::WeightLayout::kRow && problem.run_time) {
    refuse("layout", "the right operand is made at run time; only weights can lie k by k");
  }
}

void refuse_fixed(const SplitProblem& problem, const WeightCounts& counts,
                  const WindowTable& windows, const params::EngineParams& engine) {
  const params::LayerMapping& fixed = problem.fixed;
  if (!fixed.tile_m && !fixed.tile_n && !fixed.tile_k && !fixed.task_blocks && !fixed.k_parts) {
    return;
  }
  const Refusal refuse(problem);
  const char* needed = fixed.k_parts.value_or(1) > 1 ? "mapping.k_parts leaves partial sums"
                                                     : "the weights do not fit in one K tile";
  const std::int64_t channels =
      fixed.tile_n.value_or(std::min<std::int64_t>(engine.pes, problem.n));
  const std::int64_t m = fixed.tile_m.value_or(std::min<std::int64_t>(engine.lanes, problem.rows));
  if (fixed.tile_n && !tiles_fit(counts, windows, engine, channels, 0, 1)) {
    std::int64_t fullest = 0;
    for (std::int64_t n = 0; n < problem.n; n += channels) {
      fullest = std::max(fullest, counts.worst_values(n, std::min(n + channels, problem.n), 0, 1));
    }
    const std::int64_t masks = mask_bytes(static_cast<int>(rows_used(engine, channels))) + 2;
    refuse("tile_n",
           fmt::format("a single window of {} channels needs up to {} bytes in a PE ({} of masks "
                       "and places, {} of values), engine.weight_buffer gives each {}",
                       channels, windows.positions({0, 1}) * masks + fullest,
                       windows.positions({0, 1}) * masks, fullest,
                       engine.weight_buffer / (std::int64_t{engine.pes} * engine.k_ways)));
  }
  if (fixed.task_blocks) {
    refuse("task_blocks",
           fmt::format("the partial sums of {} blocks of {} rows and {} channels take {} bytes, "
                       "engine.psum_buffer has {}, and {}",
                       *fixed.task_blocks, m, channels,
                       *fixed.task_blocks * block_psum_bytes(engine, channels, m),
                       engine.psum_buffer, needed));
  }
  if (fixed.tile_m) {
    refuse("tile_m",
           fmt::format("the partial sums of a block of {} rows and {} channels take {} bytes, "
                       "engine.psum_buffer has {}, and {}",
                       m, channels, block_psum_bytes(engine, channels, m), engine.psum_buffer,
                       needed));
  }
  if (fixed.tile_k) {
    refuse("tile_k", "no weight tile of the layer that is so short fits this chip");
  }
  if (fixed.k_parts) {
    refuse("k_parts",
           fmt::format("no block of {} rows and {} channels leaves partial sums that fit in "
                       "engine.psum_buffer ({} bytes), or no equal K tiles fit",
                       m, channels, engine.psum_buffer));
  }
}

}  // namespace lacuna::mapper
