// SPDX-License-Identifier: Apache-2.0
#include "mapper/lifetimes.h"

#include <algorithm>
#include <set>
#include <utility>

namespace lacuna::mapper {

std::vector<Lifetime> lifetimes(const workload::Graph& graph, const Program& program) {
  std::vector<Lifetime> list;
  for (int id = 0; id < static_cast<int>(graph.values.size()); ++id) {
    const workload::Value& value = graph.value(id);
    const TensorPlan& plan = program.tensors[static_cast<std::size_t>(id)];
    if (!plan.stored || value.kind == workload::ValueKind::kConstant) continue;
    Lifetime life{id, kNone, -1, -1, aligned(plan.sample_bytes * program.batch)};
    const std::vector<int> readers = graph.readers(id);
    if (!readers.empty()) life.death = readers.back();
    if (value.kind == workload::ValueKind::kLayer) {
      life.birth = value.layer;
      life.death = std::max(life.death, value.layer);
    } else if (!readers.empty()) {  // an input, or drawn: both lie in DRAM until then
      life.birth = std::max(-1, readers.front() - 1);  // a layer ahead, to hide the fetch
    }
    list.push_back(life);
  }
  for (const GemmPlan& gemm : program.gemms) {  // while the layer is under way
    if (gemm.partial_sums.bytes == 0) continue;
    const auto index = static_cast<int>(&gemm - program.gemms.data());
    list.push_back({kNone, index, gemm.layer, gemm.layer, aligned(gemm.partial_sums.bytes)});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Lifetime& a, const Lifetime& b) { return a.birth < b.birth; });
  return list;
}

namespace {

/// First fit over time: the lowest address at which nothing that is alive at the same time lies.
/// Two layers may be under way at once, so that lives that only touch are kept apart.
bool place(std::vector<Allocation>& placed, const Lifetime& life, std::int64_t capacity) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (const Allocation& other : placed) {
    if (other.life.birth <= life.death && life.birth <= other.life.death) {
      taken.emplace_back(other.begin, other.begin + other.life.bytes);
    }
  }
  std::sort(taken.begin(), taken.end());
  std::int64_t begin = 0;
  for (const auto& [from, to] : taken) {
    if (begin + life.bytes <= from) break;
    begin = std::max(begin, to);
  }
  if (begin + life.bytes > capacity) return false;
  placed.push_back({life, begin});
  return true;
}

}  // namespace

std::int64_t peak(const std::vector<Allocation>& placed) {
  std::int64_t highest = 0;
  for (const Allocation& each : placed) highest = std::max(highest, each.begin + each.life.bytes);
  return highest;
}

std::vector<Allocation> place_all(const std::vector<Lifetime>& wanted, std::int64_t capacity) {
  std::vector<Allocation> placed;
  for (const Lifetime& life : wanted) (void)place(placed, life, capacity);
  return placed;
}

std::vector<int> earlier_users(const workload::Graph& graph, const Program& program,
                               const std::vector<Allocation>& placed, const Allocation& mine) {
  std::set<int> layers;
  for (const Allocation& other : placed) {
    const bool overlaps =
        other.begin < mine.begin + mine.life.bytes && mine.begin < other.begin + other.life.bytes;
    if (!overlaps || other.life.birth >= mine.life.birth) continue;
    if (other.life.gemm != kNone) {
      layers.insert(program.gemms[static_cast<std::size_t>(other.life.gemm)].layer);
      continue;
    }
    for (const int reader : graph.readers(other.life.value)) layers.insert(reader);
    const int producer = graph.value(other.life.value).layer;
    if (producer != workload::kNoValue) layers.insert(producer);
  }
  return {layers.begin(), layers.end()};
}

}  // namespace lacuna::mapper
