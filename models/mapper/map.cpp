// SPDX-License-Identifier: Apache-2.0
#include "mapper/map.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/cycles.h"
#include "base/error.h"
#include "mapper/fetch_planner.h"
#include "mapper/layer_problem.h"
#include "mapper/lifetimes.h"
#include "mapper/memory_model.h"
#include "mapper/memory_planner.h"
#include "mapper/row_layout.h"
#include "mapper/sample_chains.h"
#include "mapper/task_planner.h"
#include "mapper/tile_compiler.h"
#include "timing/vector/vector_model.h"
#include "workload/lowering.h"
#include "workload/observation.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

/// Compiled tiles beyond this much memory are dropped again, where they can be made anew from a
/// mask when they are loaded; their sizes are known then.
constexpr std::size_t kTileMemory = std::size_t{768} << 20U;

/// Ways to group a batch within so much of the least predicted cycles are as good as the best.
constexpr double kAsGood = 1.01;

/// Predicted cycles of a vector task's way in and out of memory.
constexpr base::Cycle kVectorWayInAndOut = 24;

template <class Element>
std::size_t bytes_of(const std::vector<Element>& values) {
  return values.capacity() * sizeof(Element);
}

std::size_t bytes_of(const timing::engine::Tile& tile) {
  return sizeof(tile) + bytes_of(tile.masks) + bytes_of(tile.codes) + bytes_of(tile.counts8) +
         bytes_of(tile.counts16) + bytes_of(tile.count_sum) + bytes_of(tile.word_sum) +
         bytes_of(tile.zero_pes) + bytes_of(tile.order) + bytes_of(tile.present) +
         bytes_of(tile.bias) + bytes_of(tile.multiplier);
}

class Builder {
 public:
  Builder(const workload::Graph& graph, const params::ChipParams& chip, const MapOptions& options)
      : graph_(graph), chip_(chip), options_(options), observation_(workload::observe(graph)) {
    LACUNA_CHECK(options.batch >= 1, "batch of {}", options.batch);
  }

  Program build() {
    WeightSpace space = plan(options_.chains.value_or(std::vector<SampleChain>{}), nullptr);
    if (groups_may_pay()) choose_chains(space);
    plan_tasks(graph_, chip_, options_, program_);
    plan_fetches(space, program_);
    return std::move(program_);
  }

 private:
  /// Plans of all layers and places in memory, for these chains. With `like`, a program of other
  /// chains, only a sketch whose prediction counts: its tiles are taken to be as large as that
  /// one's.
  WeightSpace plan(const std::vector<SampleChain>& chains, const Program* like) {
    program_ = {};
    program_.batch = options_.batch;
    program_.burst_bytes = options_.burst_bytes;
    program_.tensors.resize(graph_.values.size());
    program_.gemm_of_layer.assign(graph_.layers.size(), kNone);
    program_.vector_of_layer.assign(graph_.layers.size(), kNone);
    program_.chains = chains;
    planned_.clear();
    tile_bytes_ = 0;
    like_ = like;
    if (like != nullptr) program_.weight_tiles = like->weight_tiles;
    for (const workload::Layer& layer : graph_.layers) {
      if (layer.on_engine()) {
        plan_gemm(layer);
      } else if (!layer.is_view()) {
        plan_vector(layer);
      }
    }
    plan_tensors();
    return plan_places(graph_, chip_, options_, program_);
  }

  /// A batch layer by layer leaves activations to DRAM, and nothing says how it is to be cut.
  [[nodiscard]] bool groups_may_pay() const {
    if (options_.batch == 1 || options_.chains || !options_.splits.empty() ||
        options_.waits_for_batch != kNone || options_.dram_bytes_per_cycle <= 0 ||
        program_.memory.weights_resident) {
      return false;
    }
    for (std::size_t id = 0; id < program_.tensors.size(); ++id) {
      const TensorPlan& tensor = program_.tensors[id];
      const auto value = static_cast<int>(id);
      if (tensor.stored && !tensor.in_sram && !leaves_chip(graph_, value) &&
          graph_.value(value).kind == workload::ValueKind::kLayer) {
        return true;
      }
    }
    return false;
  }

  /// Ways to cut the network into chains and the batch into groups, each predicted with the best
  /// division of the SRAM for it; the best one is planned.
  void choose_chains(WeightSpace& space) {
    struct Way {
      std::vector<SampleChain> chains;
      MemorySplit expected;
      double energy = 0;  ///< of a first program and one after it
    };
    // Of what is planned now.
    const auto way = [this](std::vector<SampleChain> chains) {
      const MemorySplit& split = program_.memory.splits.front();
      const double cycles = split.first_cycles + split.next_cycles;
      double energy =
          split.dram_bytes * options_.costs.dram_byte + cycles * options_.costs.chip_cycle;
      for (std::size_t i = 0; i < planned_.size(); ++i) {
        energy += 2 * planned_[i].energy * options_.batch / program_.gemms[i].samples;
      }
      return Way{std::move(chains), split, energy};
    };
    std::vector<Way> ways{way({})};
    const Program whole = std::move(program_);
    const std::vector<LayerDemand> demands = layer_demands(graph_, chip_, whole);
    for (const int samples : group_sizes(options_.batch)) {
      std::vector<std::vector<SampleChain>> known;
      for (const int eighths : {0, 1, 2, 3, 4}) {
        std::vector<SampleChain> chains =
            cut_chains(graph_, whole, demands, chip_.sram.capacity / 8 * eighths, samples);
        if (chains.empty() || std::find(known.begin(), known.end(), chains) != known.end()) {
          continue;
        }
        known.push_back(chains);
        (void)plan(chains, &whole);
        if (program_.memory.splits.empty()) continue;
        ways.push_back(way(std::move(chains)));
      }
    }
    // Of those that are as good as the best, the one with the least energy.
    const auto cycles = [](const Way& of) {
      return of.expected.first_cycles + of.expected.next_cycles;
    };
    double least = cycles(ways.front());
    for (const Way& each : ways) least = std::min(least, cycles(each));
    const bool by_energy = chip_.mapper.objective == params::Objective::kEnergy;
    const Way* best = nullptr;
    for (const Way& each : ways) {
      if (!by_energy && cycles(each) > kAsGood * least) continue;
      const auto rank = [&](const Way& of) {
        return std::tuple(of.energy, of.expected.dram_bytes, cycles(of));
      };
      if (best == nullptr || rank(each) < rank(*best)) best = &each;
    }
    if (best->chains.empty()) {
      program_ = whole;
    } else {
      space = plan(best->chains, nullptr);
    }
    for (const Way& each : ways) {
      int layers = 0;
      for (const SampleChain& chain : each.chains) layers += chain.layer_end - chain.layer_begin;
      const int samples = each.chains.empty() ? options_.batch : each.chains.front().samples;
      program_.memory.groupings.push_back(
          {samples, static_cast<int>(each.chains.size()), layers, each.expected, &each == best});
    }
  }

  /// An engine layer whose plan others may share.
  struct Planned {
    const workload::Layer* layer = nullptr;
    LayerQuestion question;
    bool codes = false;  ///< its tiles have them
    double energy = 0;   ///< predicted, of a group: what moves on the chip
  };

  /// The plan of an earlier layer with equal weights and an equal search (blocks of a transformer
  /// may share weights); kNone if there is none.
  [[nodiscard]] int plan_of_equal(const workload::Layer& layer,
                                  const LayerQuestion& question) const {
    if (options_.splits.contains(layer.index)) return kNone;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const Planned& other = planned_[i];
      if (!options_.splits.contains(other.layer->index) &&
          same_search(*other.layer, other.question, layer, question)) {
        return static_cast<int>(i);
      }
    }
    return kNone;
  }

  void plan_gemm(const workload::Layer& layer) {
    const int samples = program_.group_samples(layer.index);
    MapOptions of_group = options_;
    of_group.batch = samples;
    Planned planned{&layer, layer_question(graph_, chip_, of_group, layer), false};
    const LayerQuestion& question = planned.question;
    const int equal = plan_of_equal(layer, question);
    GemmPlan plan;
    plan.layer = layer.index;
    plan.run_time = question.problem.run_time;
    plan.products = question.problem.heads * (options_.batch / samples);
    plan.rows = question.problem.rows;
    plan.samples = samples;
    if (chip_.engine.balance == params::Balance::kActivation) {
      plan.k_density = question.statistics.k_density;
    }
    std::shared_ptr<const tensor::MaskMatrix> mask;
    const auto given = options_.splits.find(layer.index);
    if (given != options_.splits.end()) {
      plan.split = given->second;
      keep_fixed_orders(question.problem, plan.split);
    } else if (equal != kNone) {
      plan.split = program_.gemms[static_cast<std::size_t>(equal)].split;
      planned.energy = planned_[static_cast<std::size_t>(equal)].energy;
    } else if (const auto known = splits_.find({layer.index, samples}); known != splits_.end()) {
      plan.split = known->second.split;
      planned.energy = known->second.energy;
    } else {
      const LayerProblem made = layer_problem(chip_, layer, question);
      mask = made.mask;
      plan.split = choose_split(made.problem, made.counts, made.windows, chip_, options_.costs);
      planned.energy = energy_on_chip(made, plan.split);
      splits_.emplace(std::pair{layer.index, samples}, Found{plan.split, planned.energy});
    }
    plan.row_layout = question.problem.row_layout;
    plan.select_rows =
        plan.row_layout && chip_.engine.skip_activations && plan.split.task_runs == 1;

    if (!plan.run_time && like_ != nullptr) {
      plan.first_tile = like_->gemms[program_.gemms.size()].first_tile;
    } else if (!plan.run_time) {
      planned.codes =
          options_.all_codes || observation_.computed[static_cast<std::size_t>(layer.index)];
      plan.first_tile = static_cast<int>(program_.weight_tiles.size());
      if (equal != kNone && equal_tiles(planned, planned_[static_cast<std::size_t>(equal)])) {
        share_tiles(program_.gemms[static_cast<std::size_t>(equal)]);
      } else {
        if (mask == nullptr) mask = layer.weights.mask();
        compile_tiles(layer, plan, *mask, planned.codes);
      }
    }
    if (plan.split.k_parts > 1) plan_reduction(layer, plan);
    program_.gemm_of_layer[static_cast<std::size_t>(layer.index)] =
        static_cast<int>(program_.gemms.size());
    program_.gemms.push_back(std::move(plan));
    planned_.push_back(std::move(planned));
  }

  /// Of moving weights, activations and partial sums of a layer; DRAM and time are reckoned for
  /// the whole program.
  [[nodiscard]] double energy_on_chip(const LayerProblem& of, const Split& split) const {
    MappingCosts costs = options_.costs;
    costs.dram_byte = 0;
    costs.chip_cycle = 0;
    return predict(of.problem, of.counts, of.windows, chip_, costs, split).energy;
  }

  /// Where a given split and what is fixed say different things, the latter holds.
  static void keep_fixed_orders(const SplitProblem& problem, Split& split) {
    if (problem.order != Ordering::kAuto) split.order = problem.order;
    if (problem.k_order != params::KOrder::kAuto) {
      split.alternate = problem.k_order == params::KOrder::kAlternate && split.k_tiles.size() > 1 &&
                        split.k_parts == 1;
    }
  }

  /// Of layers with equal plans.
  [[nodiscard]] static bool equal_tiles(const Planned& a, const Planned& b) {
    const workload::Requantize& x = a.layer->requantize;
    const workload::Requantize& y = b.layer->requantize;
    return a.codes == b.codes && x.bias == y.bias && x.multiplier == y.multiplier &&
           x.shift == y.shift;
  }

  /// Tiles of the next plan: the same as those of `from`, at places of their own.
  void share_tiles(const GemmPlan& from) {
    const auto tiles = static_cast<std::size_t>(from.split.n_tiles) * from.split.k_tiles.size();
    for (std::size_t i = 0; i < tiles; ++i) {
      WeightTilePlan tile = program_.weight_tiles[static_cast<std::size_t>(from.first_tile) + i];
      tile.gemm = static_cast<int>(program_.gemms.size());
      program_.weight_tiles.push_back(std::move(tile));
    }
  }

  /// Tiles of the next plan.
  void compile_tiles(const workload::Layer& layer, const GemmPlan& plan,
                     const tensor::MaskMatrix& mask, bool codes) {
    const timing::engine::WindowTable windows(chip_.engine, segments_of(layer));
    std::optional<workload::WeightRows> rows;
    if (codes) rows.emplace(layer.weights);
    TileOperand operand{{}, &mask, codes};
    const auto k_tiles = static_cast<int>(plan.split.k_tiles.size());
    for (int n = 0; n < plan.split.n_tiles; ++n) {
      if (rows) {
        const std::int64_t first = std::int64_t{n} * plan.split.tile_channels;
        const std::int64_t channels =
            std::min<std::int64_t>(plan.split.tile_channels, layer.weights.n - first);
        operand.weights = {rows->next(channels).data(), layer.weights.k, 1, first};
      }
      for (int k = 0; k < k_tiles; ++k) {
        WeightTilePlan tile;
        tile.gemm = static_cast<int>(program_.gemms.size());
        tile.n_tile = n;
        tile.k_tile = k;
        tile.tile = compile_tile(chip_.engine, layer, plan, operand, n, k);
        const KTile& cut = plan.split.k_tiles[static_cast<std::size_t>(k)];
        const timing::engine::WindowRange range{cut.window_begin, cut.window_end};
        tile.memory_bytes =
            plan.row_layout
                ? row_image_bytes(chip_.engine, windows, range, *tile.tile, program_.burst_bytes,
                                  chip_.compress)
                : encoded_tile_bytes(chip_.compress, mask, windows.k_range(range),
                                     std::int64_t{n} * plan.split.tile_channels, *tile.tile);
        tile_bytes_ += bytes_of(*tile.tile);
        if (tile_bytes_ > kTileMemory && !codes && layer.weights.drawn_mask != nullptr) {
          tile_bytes_ -= bytes_of(*tile.tile);
          tile.tile.reset();
        }
        program_.weight_tiles.push_back(std::move(tile));
      }
    }
  }

  /// Room for the partial sums of all parts of K, and who adds them up.
  void plan_reduction(const workload::Layer& layer, GemmPlan& plan) {
    const Split& split = plan.split;
    PartialSums& sums = plan.partial_sums;
    sums.plane_bytes = kSumBytes * plan.rows * split.tile_channels;
    sums.products = plan.products / (options_.batch / plan.samples);
    sums.bytes = sums.plane_bytes * sums.products * split.k_parts * split.n_tiles;
    VectorPlan reduction;
    reduction.layer = layer.index;
    reduction.rows_per_sample =
        std::min(plan.rows, std::int64_t{split.blocks_per_task} * split.block_rows);
    reduction.constant_bytes = kRequantizeBytes * layer.gemm.n;
    reduction.task_rows = reduction_rows(chip_, split, plan.rows, sums.products);
    plan.reduction = static_cast<int>(program_.vectors.size());
    program_.vectors.push_back(reduction);
  }

  void plan_vector(const workload::Layer& layer) {
    VectorPlan plan;
    plan.layer = layer.index;
    plan.rows_per_sample = workload::vector_rows(graph_, layer);
    const params::VectorWork whole = workload::vector_work(graph_, layer);
    plan.constant_bytes = whole.parameter_bytes();
    if (layer.op == params::Op::kAdd &&
        graph_.value(layer.right).kind == workload::ValueKind::kConstant) {
      plan.constant_bytes += graph_.value(layer.right).elements();
    }
    if (layer.op == params::Op::kEmbedding) plan.table_bytes = layer.weights.n * layer.weights.k;
    std::tie(plan.task_rows, plan.expected_cycles) = vector_task_rows(layer, plan.rows_per_sample);
    program_.vector_of_layer[static_cast<std::size_t>(layer.index)] =
        static_cast<int>(program_.vectors.size());
    program_.vectors.push_back(plan);
  }

  /// Rows of a vector task, and predicted cycles of the layer: the fewest over all cores, each task
  /// with its way in and out of memory; operands fit the activation buffer as far as whole rows
  /// allow.
  [[nodiscard]] std::pair<std::int64_t, double> vector_task_rows(const workload::Layer& layer,
                                                                 std::int64_t rows) const {
    const std::int64_t codes_per_row = std::max<std::int64_t>(
        1, workload::vector_work(graph_, layer, rows - 1, rows).codes_read());
    const std::int64_t most =
        std::max<std::int64_t>(1, std::min(rows, chip_.engine.activation_buffer / codes_per_row));
    std::int64_t best = 1;
    base::Cycle best_cycles = 0;
    for (std::int64_t task_rows = 1; task_rows <= most;
         task_rows = std::max(task_rows + 1, task_rows + task_rows / 4)) {
      const std::int64_t tasks = ceil_div(rows, task_rows) * program_.group_samples(layer.index);
      const std::int64_t rounds = ceil_div<std::int64_t>(tasks, chip_.cores);
      const base::Cycle one = timing::vector::vector_time(
                                  workload::vector_work(graph_, layer, 0, task_rows), chip_.vector)
                                  .cycles;
      const base::Cycle cycles = rounds * (one + kVectorWayInAndOut);
      if (best_cycles == 0 || cycles < best_cycles) {
        best_cycles = cycles;
        best = task_rows;
      }
    }
    return {best, static_cast<double>(best_cycles)};
  }

  void plan_tensors() {
    for (std::size_t id = 0; id < program_.tensors.size(); ++id) {
      const workload::Value& value = graph_.values[id];
      TensorPlan& plan = program_.tensors[id];
      if (value.storage != static_cast<int>(id)) continue;         // a view
      if (value.kind == workload::ValueKind::kConstant) continue;  // with its vector layer
      if (value.kind != workload::ValueKind::kLayer &&
          graph_.readers(static_cast<int>(id)).empty()) {
        continue;
      }
      plan.stored = true;
      plan.tokens = value.tokens();
      plan.layout.channels = value.channels();
      plan.layout.head_channels = value.channels();
      plan.layout.unit_channels = value.channels();
      plan.layout.act_block = chip_.engine.act_block;
      plan.layout.compress = chip_.compress;
      if (value.kind == workload::ValueKind::kLayer) {
        const int gemm = program_.gemm_of_layer[static_cast<std::size_t>(value.layer)];
        if (gemm != kNone) {
          plan.layout.head_channels = graph_.layers[static_cast<std::size_t>(value.layer)].gemm.n;
          plan.layout.unit_channels =
              program_.gemms[static_cast<std::size_t>(gemm)].split.tile_channels;
        }
      }
      plan.sample_bytes = plan.tokens * plan.layout.token_bytes();
      plan.places = inner_chain(graph_, program_, static_cast<int>(id)) == kNone
                        ? program_.batch
                        : program_.group_samples(value.layer);
    }
  }

  const workload::Graph& graph_;
  const params::ChipParams& chip_;
  MapOptions options_;
  workload::Observation observation_;
  std::size_t tile_bytes_ = 0;    ///< of the tiles kept
  std::vector<Planned> planned_;  ///< by gemm plan
  const Program* like_ = nullptr;
  struct Found {
    Split split;
    double energy = 0;
  };
  std::map<std::pair<int, int>, Found> splits_;  ///< by layer and samples of a group
  Program program_;
};

}  // namespace

Program map_program(const workload::Graph& graph, const params::ChipParams& chip,
                    const MapOptions& options) {
  return Builder(graph, chip, options).build();
}

}  // namespace lacuna::mapper
