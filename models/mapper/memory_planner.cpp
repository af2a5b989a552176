// SPDX-License-Identifier: Apache-2.0
#include "mapper/memory_planner.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/cycles.h"
#include "mapper/lifetimes.h"
#include "mapper/sram_division.h"

namespace lacuna::mapper {
namespace {

/// The workload says so.
bool lives_in_dram(const workload::Graph& graph, int value) {
  const int producer = graph.value(value).layer;
  return producer != workload::kNoValue &&
         graph.layers[static_cast<std::size_t>(producer)].mapping.output == params::Place::kDram;
}

/// Images of the program's first layers stay, as far as there is room: those whose fetch nothing
/// hides. Not rows that are selected: they are fetched only as far as they are wanted.
void pin_images(std::int64_t begin, std::int64_t room, Program& program, WeightSpace& space) {
  space.pinned.assign(program.weight_tiles.size(), -1);
  for (std::size_t id = 0; id < program.weight_tiles.size(); ++id) {
    const WeightTilePlan& tile = program.weight_tiles[id];
    if (program.gemms[static_cast<std::size_t>(tile.gemm)].select_rows) continue;
    const std::int64_t bytes = aligned(tile.memory_bytes);
    if (program.memory.sram_pinned + bytes > room) break;
    space.pinned[id] = begin + program.memory.sram_pinned;
    program.memory.sram_pinned += bytes;
  }
}

}  // namespace

WeightSpace plan_places(const workload::Graph& graph, const params::ChipParams& chip,
                        const MapOptions& options, Program& program) {
  MemoryPlan& memory = program.memory;
  std::uint64_t dram = kDramBase;
  const auto in_dram = [&dram](std::int64_t bytes) {
    const std::uint64_t address = dram;
    dram += static_cast<std::uint64_t>(aligned(bytes));
    return address;
  };

  std::int64_t weights = 0;
  for (WeightTilePlan& tile : program.weight_tiles) {
    dram = base::round_up(dram, static_cast<std::uint64_t>(program.burst_bytes));
    tile.dram_address = in_dram(tile.memory_bytes);
    weights += aligned(tile.memory_bytes);
  }
  memory.dram_weights = weights;
  std::int64_t constants = 0;
  for (VectorPlan& plan : program.vectors) {
    if (plan.table_bytes > 0) {
      plan.table_address = in_dram(plan.table_bytes);
      memory.dram_weights += aligned(plan.table_bytes);
    }
    if (plan.constant_bytes == 0) continue;
    plan.constant_address = in_dram(plan.constant_bytes);
    constants += aligned(plan.constant_bytes);
  }

  std::vector<Lifetime> on_chip;
  std::vector<Lifetime> spilled;  // as the workload says
  for (const Lifetime& life : lifetimes(graph, program)) {
    if (life.gemm != kNone) {
      on_chip.push_back(life);
      continue;
    }
    TensorPlan& tensor = program.tensors[static_cast<std::size_t>(life.value)];
    if (graph.value(life.value).kind != workload::ValueKind::kLayer) {
      tensor.home = in_dram(life.bytes);
      tensor.address = tensor.home;
    }
    if (leaves_chip(graph, life.value)) {
      tensor.address = in_dram(life.bytes);
      memory.dram_activations += life.bytes;
    } else if (lives_in_dram(graph, life.value)) {
      spilled.push_back(life);
    } else {
      on_chip.push_back(life);
    }
  }

  const std::int64_t capacity = chip.sram.capacity;
  WeightSpace space;
  std::vector<Allocation> placed = place_all(on_chip, std::numeric_limits<std::int64_t>::max() / 2);
  space.resident = peak(placed) + constants + weights <= capacity;
  if (!space.resident) {
    if (constants > capacity / 8) constants = 0;
    Division division = divide(graph, chip, options, program, on_chip,
                               std::max<std::int64_t>(0, capacity - constants), memory.splits);
    placed = std::move(division.placed);
  } else {
    memory.weights_resident = true;
  }
  memory.sram_activations = peak(placed);
  memory.sram_constants = constants;

  const auto settle = [&](const std::vector<Allocation>& all, std::uint64_t base, bool in_sram) {
    for (const Allocation& each : all) {
      const std::uint64_t address = base + static_cast<std::uint64_t>(each.begin);
      std::vector<EarlierUser> after = earlier_users(graph, program, all, each);
      if (each.life.gemm != kNone) {
        PartialSums& sums = program.gemms[static_cast<std::size_t>(each.life.gemm)].partial_sums;
        sums.in_sram = in_sram;
        sums.address = address;
        sums.after = std::move(after);
        continue;
      }
      TensorPlan& tensor = program.tensors[static_cast<std::size_t>(each.life.value)];
      tensor.fetched = in_sram && graph.value(each.life.value).kind != workload::ValueKind::kLayer;
      tensor.in_sram = in_sram;
      tensor.address = address;
      tensor.after = std::move(after);
    }
  };
  settle(placed, 0, true);

  // What found no room, or was not to look for any, shares space in DRAM in the same way. Inputs
  // are read from where they came.
  std::vector<bool> has_place(graph.values.size() + program.gemms.size(), false);
  for (const Allocation& each : placed) has_place[place_id(graph, each.life)] = true;
  for (const Lifetime& life : on_chip) {
    if (has_place[place_id(graph, life)]) continue;
    if (life.gemm == kNone && graph.value(life.value).kind != workload::ValueKind::kLayer) {
      memory.spilled += life.bytes;
      continue;
    }
    spilled.push_back(life);
  }
  std::stable_sort(spilled.begin(), spilled.end(),
                   [](const Lifetime& a, const Lifetime& b) { return a.birth < b.birth; });
  const std::vector<Allocation> in_memory =
      place_all(spilled, std::numeric_limits<std::int64_t>::max() / 2);
  memory.spilled += peak(in_memory);
  memory.dram_activations += memory.spilled;
  settle(in_memory, in_dram(peak(in_memory)), false);

  memory.dram_bytes = static_cast<std::int64_t>(dram - kDramBase);
  std::int64_t next = aligned(memory.sram_activations);
  if (constants > 0) {
    for (VectorPlan& plan : program.vectors) {
      if (plan.constant_bytes == 0) continue;
      Fetch fetch;
      fetch.kind = Fetch::Kind::kConstants;
      fetch.index = static_cast<int>(&plan - program.vectors.data());
      fetch.bytes = plan.constant_bytes;
      fetch.from = plan.constant_address;
      fetch.to = static_cast<std::uint64_t>(next);
      fetch.resident = true;
      plan.constant_address = fetch.to;
      plan.constant_fetch = static_cast<int>(program.fetches.size());
      program.fetches.push_back(std::move(fetch));
      next += aligned(plan.constant_bytes);
    }
  }
  if (!space.resident && memory.splits.front().pinned > 0) {
    pin_images(next, std::min(memory.splits.front().pinned, capacity - next), program, space);
    next += memory.sram_pinned;
  }
  space.begin = static_cast<std::uint64_t>(next);
  space.bytes = std::max<std::int64_t>(0, capacity - next);
  memory.sram_weights = space.resident ? weights : memory.sram_pinned + space.bytes;
  return space;
}

}  // namespace lacuna::mapper
