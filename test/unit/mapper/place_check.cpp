// SPDX-License-Identifier: Apache-2.0
#include "place_check.h"

#include <algorithm>
#include <memory>
#include <tuple>

namespace lacuna::mapper {
namespace {

/// What has been stored when a task may store: what it waits for and what it has read.
std::vector<LayerSample> stored_before(const workload::Graph& graph, const Task& task) {
  std::vector<LayerSample> before;
  if (task.after != nullptr) {
    for (const Milestone& each : *task.after) {
      for (int s = each.sample_begin; s < each.sample_end; ++s) before.emplace_back(each.layer, s);
    }
  }
  for (const auto* needs : {&task.needs, &task.weight_needs}) {
    for (const Dependency& need : *needs) {
      if (graph.value(need.value).kind != workload::ValueKind::kLayer) continue;
      for (int s = need.sample_begin; s < need.sample_end; ++s) {
        before.emplace_back(graph.value(need.value).layer, s);
      }
    }
  }
  return before;
}

/// And what had been stored before that could be. By (layer, sample): what each of them waits for.
std::set<LayerSample> everything_before(
    std::vector<LayerSample> open, const std::map<LayerSample, std::vector<LayerSample>>& waits) {
  std::set<LayerSample> seen;
  while (!open.empty()) {
    const LayerSample next = open.back();
    open.pop_back();
    if (!seen.insert(next).second) continue;
    const auto found = waits.find(next);
    if (found == waits.end()) continue;
    open.insert(open.end(), found->second.begin(), found->second.end());
  }
  return seen;
}

}  // namespace

std::vector<Place> places_of(const workload::Graph& graph, const Program& program,
                             std::map<LayerSample, std::vector<LayerSample>>& waits) {
  std::map<std::pair<int, int>, Place> values;                          // of (value, sample)
  std::map<std::pair<int, int>, Place> sums;                            // of (gemm, group)
  std::map<std::tuple<int, int, int>, std::vector<LayerSample>> parts;  // gemm, product, n tile
  for (std::size_t id = 0; id < program.tensors.size(); ++id) {
    const TensorPlan& plan = program.tensors[id];
    if (!plan.stored) continue;
    for (int sample = 0; sample < program.batch; ++sample) {
      Place& place = values[{static_cast<int>(id), sample}];
      place.name = graph.values[id].name + " (" + std::to_string(sample) + ")";
      place.begin = plan.sample_address(sample);
      place.end = place.begin + static_cast<std::uint64_t>(plan.sample_bytes);
      place.in_sram = plan.in_sram;
      place.sample_begin = sample;
      place.sample_end = sample + 1;
      if (graph.values[id].kind == workload::ValueKind::kLayer) {
        place.users.insert(graph.values[id].layer);
      } else if (!plan.fetched) {
        place.first_task = -1;  // there from the beginning
      }
      for (const int reader : graph.readers(static_cast<int>(id))) place.users.insert(reader);
    }
  }
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind == Fetch::Kind::kTensor) {
      Task fetching;
      fetching.after = std::make_shared<const std::vector<Milestone>>(fetch.after);
      values[{fetch.index, fetch.sample}].after.push_back(stored_before(graph, fetching));
    }
  }
  for (int number = 0; number < static_cast<int>(program.tasks.size()); ++number) {
    const Task& task = program.tasks[static_cast<std::size_t>(number)];
    const auto use = [&](Place& place) {
      place.first_task = std::min(place.first_task, number);
      place.last_task = std::max(place.last_task, number);
    };
    for (const auto* needs : {&task.needs, &task.weight_needs}) {
      for (const Dependency& need : *needs) {
        for (int sample = need.sample_begin; sample < need.sample_end; ++sample) {
          use(values[{need.value, sample}]);
        }
      }
    }
    std::vector<LayerSample> after = stored_before(graph, task);
    int first = task.sample;
    int last = task.sample;
    if (task.kind != TaskKind::kVector) {
      const int plan = program.gemm_of_layer[static_cast<std::size_t>(task.layer)];
      const GemmPlan& gemm = program.gemms[static_cast<std::size_t>(plan)];
      if (!gemm.run_time) {
        const std::int64_t m = graph.layers[static_cast<std::size_t>(task.layer)].gemm.m;
        first = task.product * gemm.samples + static_cast<int>(task.row_begin / m);
        last = task.product * gemm.samples + static_cast<int>((task.row_end - 1) / m);
      }
      if (gemm.split.k_parts > 1) {
        Place& place = sums[{plan, task.group}];
        place.name = "sums of " + graph.layers[static_cast<std::size_t>(task.layer)].name;
        place.begin = gemm.partial_sums.address;
        place.end = place.begin + static_cast<std::uint64_t>(gemm.partial_sums.bytes);
        place.in_sram = gemm.partial_sums.in_sram;
        place.users = {task.layer};
        place.sample_begin = task.group * gemm.samples;
        place.sample_end = place.sample_begin + gemm.samples;
        use(place);
        if (task.partial) place.after.push_back(after);
        std::vector<LayerSample>& of_parts = parts[{plan, task.product, task.n_tile}];
        if (task.partial) {
          of_parts.insert(of_parts.end(), after.begin(), after.end());
        } else {
          after.insert(after.end(), of_parts.begin(), of_parts.end());
        }
      }
    }
    if (task.partial) continue;
    const int output = graph.layers[static_cast<std::size_t>(task.layer)].output;
    for (int sample = first; sample <= last; ++sample) {
      use(values[{output, sample}]);
      values[{output, sample}].after.push_back(after);
      std::vector<LayerSample>& all = waits[{task.layer, sample}];
      all.insert(all.end(), after.begin(), after.end());
    }
  }
  std::vector<Place> places;
  for (const auto* all : {&values, &sums}) {
    for (const auto& [key, place] : *all) places.push_back(place);
  }
  return places;
}

std::vector<std::string> check_places(const workload::Graph& graph, const params::ChipParams& chip,
                                      const Program& program) {
  std::vector<std::string> broken;
  const auto rule = [&](bool holds, const std::string& text) {
    if (!holds) broken.push_back(text);
  };
  std::map<LayerSample, std::vector<LayerSample>> waits;
  const std::vector<Place> places = places_of(graph, program, waits);
  for (const Place& place : places) {
    rule(place.in_sram != is_dram_address(place.begin), "everything is where it says");
    if (!place.in_sram) continue;
    rule(place.end <= static_cast<std::uint64_t>(chip.sram.capacity), "places lie in the SRAM");
  }
  for (const GemmPlan& plan : program.gemms) {
    rule((plan.partial_sums.bytes > 0) == (plan.split.k_parts > 1), "partial sums have room");
  }
  for (const Place& early : places) {
    for (const Place& late : places) {
      if (&early == &late || early.end <= late.begin || late.end <= early.begin) continue;
      rule(early.first_task != late.first_task, late.name + " is made together with " + early.name);
      if (early.first_task >= late.first_task) continue;
      // They share space: the later one comes, and waits, after all that use the earlier one.
      rule(early.last_task < late.first_task, late.name + " overwrites " + early.name);
      for (const std::vector<LayerSample>& after : late.after) {
        const std::set<LayerSample> before = everything_before(after, waits);
        for (const int user : early.users) {
          for (int sample = early.sample_begin; sample < early.sample_end; ++sample) {
            rule(before.contains({user, sample}),
                 late.name + " does not wait for a user of " + early.name);
          }
        }
      }
    }
  }
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind == Fetch::Kind::kTensor) continue;
    for (const Place& place : places) {
      if (!place.in_sram) continue;
      rule(fetch.to >= place.end ||
               fetch.to + static_cast<std::uint64_t>(fetch.bytes) <= place.begin,
           "weights and activations keep apart");
    }
  }
  return broken;
}

}  // namespace lacuna::mapper
