// SPDX-License-Identifier: Apache-2.0
#include "mapper/task_planner.h"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "base/cycles.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

class TaskPlanner {
 public:
  TaskPlanner(const workload::Graph& graph, const params::ChipParams& chip,
              const MapOptions& options, Program& program)
      : graph_(graph), chip_(chip), options_(options), program_(program) {}

  void plan() {
    for (int layer = 0; layer < static_cast<int>(graph_.layers.size());) {
      const auto chain =
          std::find_if(program_.chains.begin(), program_.chains.end(),
                       [&](const SampleChain& each) { return each.layer_begin == layer; });
      const int end = chain == program_.chains.end() ? layer + 1 : chain->layer_end;
      const int samples = chain == program_.chains.end() ? program_.batch : chain->samples;
      for (int group = 0; group * samples < program_.batch; ++group) {
        for (int i = layer; i < end; ++i)
          add_tasks(graph_.layers[static_cast<std::size_t>(i)], group);
      }
      layer = end;
    }
  }

 private:
  /// The stored tensor behind an operand; kNone for a constant.
  [[nodiscard]] int stored(int value) const {
    const int storage = graph_.value(value).storage;
    return program_.tensors[static_cast<std::size_t>(storage)].stored ? storage : kNone;
  }

  /// A dependency on whole samples.
  [[nodiscard]] Dependency whole(int value, int sample_begin, int sample_end) const {
    return {value, sample_begin, sample_end, 0,
            program_.tensors[static_cast<std::size_t>(value)].tokens};
  }

  /// What rows [row_begin, row_end) of a layer with weights read; of one sample only the tokens
  /// that they touch.
  [[nodiscard]] Dependency left_operand(const workload::Layer& layer, int first_sample,
                                        std::int64_t row_begin, std::int64_t row_end) const {
    const auto first = static_cast<int>(row_begin / layer.gemm.m);
    const auto last = static_cast<int>((row_end - 1) / layer.gemm.m);
    Dependency need = whole(stored(layer.input), first_sample + first, first_sample + last + 1);
    const workload::Value& input = graph_.value(layer.input);
    const bool view = input.storage != layer.input;
    if (first != last || view) return need;
    const std::int64_t begin = row_begin - first * layer.gemm.m;
    const std::int64_t end = row_end - first * layer.gemm.m;
    if (layer.op == params::Op::kConv2d) {
      const std::int64_t out_width = graph_.output_of(layer).shape[1];
      const workload::Window2d& window = layer.window;
      const std::int64_t top = begin / out_width * window.stride_y - window.padding_y;
      const std::int64_t bottom =
          (end - 1) / out_width * window.stride_y - window.padding_y + window.kernel_y;
      need.token_begin = std::clamp<std::int64_t>(top, 0, input.shape[0] - 1) * input.shape[1];
      need.token_end = std::clamp<std::int64_t>(bottom, 1, input.shape[0]) * input.shape[1];
    } else {
      need.token_begin = begin;
      need.token_end = end;
    }
    return need;
  }

  void add_tasks(const workload::Layer& layer, int group) {
    milestones_.clear();
    if (layer.on_engine()) {
      add_gemm_tasks(layer, group);
    } else if (!layer.is_view()) {
      add_vector_tasks(layer, group);
    }
  }

  /// What tasks of the layer that is added wait for before they store samples [begin, end): those
  /// that wait for the same share it.
  std::shared_ptr<const std::vector<Milestone>> milestones(const Task& task, int begin, int end) {
    const std::vector<EarlierUser>& users =
        task.partial ? program_.gemms[static_cast<std::size_t>(task.plan)].partial_sums.after
                     : program_
                           .tensors[static_cast<std::size_t>(
                               graph_.layers[static_cast<std::size_t>(task.layer)].output)]
                           .after;
    const int samples = program_.group_samples(task.layer);
    const bool by_sample = std::any_of(users.begin(), users.end(), [](const EarlierUser& user) {
      return user.samples == EarlierUser::Samples::kPlaceBefore;
    });
    auto& made = milestones_[{task.partial, by_sample ? begin : 0, by_sample ? end : samples}];
    if (made != nullptr || users.empty()) return made;
    auto list = std::make_shared<std::vector<Milestone>>();
    const auto add = [&](int layer, int first, int last) {
      if (last > 0) list->push_back({layer, std::max(0, first), last});
    };
    const int group_begin = task.group * samples;
    for (const EarlierUser& user : users) {
      switch (user.samples) {
        case EarlierUser::Samples::kAll:
          add(user.layer, 0, program_.batch);
          break;
        case EarlierUser::Samples::kGroup:
          add(user.layer, group_begin, group_begin + samples);
          break;
        case EarlierUser::Samples::kGroupBefore:
          add(user.layer, group_begin - samples, group_begin);
          break;
        case EarlierUser::Samples::kPlaceBefore:
          add(user.layer, begin - samples, end - samples);
          break;
      }
    }
    return made = std::move(list);
  }

  /// `begin`, `end`: of the samples that it makes rows of.
  void finish(Task task, int number, int begin, int end) {
    task.group = begin / program_.group_samples(task.layer);
    task.after = milestones(task, begin, end);
    if (options_.dispatch == Dispatch::kStatic) task.core = number % chip_.cores;
    program_.tasks.push_back(std::move(task));
  }

  void add_gemm_tasks(const workload::Layer& layer, int group) {
    const int index = program_.gemm_of_layer[static_cast<std::size_t>(layer.index)];
    const GemmPlan& plan = program_.gemms[static_cast<std::size_t>(index)];
    const Split& split = plan.split;
    int number = 0;
    const auto add = [&](int product, int part, int n_tile, int run) {
      Task task;
      task.kind = TaskKind::kGemm;
      task.plan = index;
      task.layer = layer.index;
      task.product = product;
      task.n_tile = n_tile;
      task.part = part;
      task.k_begin = split.first_k_tile(part);
      task.k_end = split.first_k_tile(part + 1);
      task.partial = split.k_parts > 1;
      task.block_begin = run * split.blocks_per_task;
      task.block_end = std::min(task.block_begin + split.blocks_per_task, split.blocks);
      task.row_begin = std::int64_t{task.block_begin} * split.block_rows;
      task.row_end = std::min(std::int64_t{task.block_end} * split.block_rows, plan.rows);
      if (plan.run_time) {
        task.sample = product / layer.gemm.heads;
        task.needs.push_back(whole(stored(layer.input), task.sample, task.sample + 1));
        task.weight_needs.push_back(whole(stored(layer.right), task.sample, task.sample + 1));
        for (const int part : layer.wait_for) {
          task.weight_needs.push_back(whole(stored(part), task.sample, task.sample + 1));
        }
      } else {
        task.needs.push_back(
            left_operand(layer, product * plan.samples, task.row_begin, task.row_end));
        task.select_rows = plan.select_rows;
      }
      if (options_.waits_for_batch == layer.index) {
        for (auto* needs : {&task.needs, &task.weight_needs}) {
          for (Dependency& need : *needs) need = whole(need.value, 0, program_.batch);
        }
      }
      // Tasks of a layer go round the cores.
      task.backwards = split.alternate && number / chip_.cores % 2 == 1;
      finish(layer, plan, std::move(task), number++);
    };
    int reductions = 0;
    // Of runs [first, last): first rows of all of them first, as their blocks are stored.
    const auto reduce = [&](int product, int first, int last) {
      if (split.k_parts == 1) return;
      const VectorPlan& reduction = program_.vectors[static_cast<std::size_t>(plan.reduction)];
      for (std::int64_t row = 0; row < reduction.rows_per_sample; row += reduction.task_rows) {
        for (int n = 0; n < split.n_tiles; ++n) {
          for (int run = first; run < last; ++run) {
            add_reduction(layer, plan, product, n, run, row, reductions);
          }
        }
      }
    };
    // Tasks of one part stand together: neighbours read the same blocks. Reductions come after all
    // parts that they wait for.
    const bool tile_major = split.order == Ordering::kTileMajor;
    const int groups = options_.batch / plan.samples;
    const int first = plan.products / groups * group;
    for (int product = first; product < first + plan.products / groups; ++product) {
      if (tile_major) {
        for (int part = 0; part < split.k_parts; ++part) {
          for (int n = 0; n < split.n_tiles; ++n) {
            for (int run = 0; run < split.task_runs; ++run) add(product, part, n, run);
          }
        }
        reduce(product, 0, split.task_runs);
      } else {
        for (int run = 0; run < split.task_runs; ++run) {
          for (int part = 0; part < split.k_parts; ++part) {
            for (int n = 0; n < split.n_tiles; ++n) add(product, part, n, run);
          }
          reduce(product, run, run + 1);
        }
      }
    }
  }

  /// The vector task that makes outputs of the partial sums of an n tile and of rows of a run of
  /// blocks, from its row `row` on; none if the run ends before.
  void add_reduction(const workload::Layer& layer, const GemmPlan& plan, int product, int n_tile,
                     int run, std::int64_t row, int& number) {
    const Split& split = plan.split;
    const std::int64_t run_rows = std::int64_t{split.blocks_per_task} * split.block_rows;
    const std::int64_t run_end = std::min((run + 1) * run_rows, plan.rows);
    Task task;
    task.kind = TaskKind::kReduce;
    task.plan = plan.reduction;
    task.layer = layer.index;
    task.product = product;
    task.n_tile = n_tile;
    task.row_begin = run * run_rows + row;
    if (task.row_begin >= run_end) return;
    task.row_end = std::min(
        task.row_begin + program_.vectors[static_cast<std::size_t>(plan.reduction)].task_rows,
        run_end);
    task.block_begin = static_cast<int>(task.row_begin / split.block_rows);
    task.block_end = static_cast<int>(ceil_div<std::int64_t>(task.row_end, split.block_rows));
    if (plan.run_time) task.sample = product / layer.gemm.heads;
    finish(layer, plan, std::move(task), number++);
  }

  /// Of an engine layer.
  void finish(const workload::Layer& layer, const GemmPlan& plan, Task task, int number) {
    int begin = task.sample;
    int end = task.sample + 1;
    if (!plan.run_time) {
      const int first = task.product * plan.samples;
      begin = first + static_cast<int>(task.row_begin / layer.gemm.m);
      end = first + static_cast<int>(ceil_div(task.row_end, layer.gemm.m));
    }
    finish(std::move(task), number, begin, end);
  }

  void add_vector_tasks(const workload::Layer& layer, int group) {
    const int index = program_.vector_of_layer[static_cast<std::size_t>(layer.index)];
    const VectorPlan& plan = program_.vectors[static_cast<std::size_t>(index)];
    int number = 0;
    const int samples = program_.group_samples(layer.index);
    for (int sample = group * samples; sample < (group + 1) * samples; ++sample) {
      for (std::int64_t row = 0; row < plan.rows_per_sample; row += plan.task_rows) {
        Task task;
        task.kind = TaskKind::kVector;
        task.plan = index;
        task.layer = layer.index;
        task.sample = sample;
        task.row_begin = row;
        task.row_end = std::min(row + plan.task_rows, plan.rows_per_sample);
        std::vector<int> operands{layer.input, layer.right};
        operands.insert(operands.end(), layer.others.begin(), layer.others.end());
        for (const int operand : operands) {
          if (operand == workload::kNoValue || stored(operand) == kNone) continue;
          task.needs.push_back(whole(stored(operand), sample, sample + 1));
        }
        finish(std::move(task), number++, sample, sample + 1);
      }
    }
  }

  const workload::Graph& graph_;
  const params::ChipParams& chip_;
  const MapOptions& options_;
  Program& program_;
  /// Of the layer and group that tasks are added of: by whether they leave partial sums, and
  /// samples.
  std::map<std::tuple<bool, int, int>, std::shared_ptr<const std::vector<Milestone>>> milestones_;
};

}  // namespace

void plan_tasks(const workload::Graph& graph, const params::ChipParams& chip,
                const MapOptions& options, Program& program) {
  TaskPlanner(graph, chip, options, program).plan();
}

}  // namespace lacuna::mapper
