// SPDX-License-Identifier: Apache-2.0
#include "mapper/lifetimes.h"

#include <algorithm>
#include <set>
#include <utility>

namespace lacuna::mapper {

namespace {

/// What lives longer than a layer of a chain lives while all of its groups go through it.
void stretch(const Program& program, Lifetime& life) {
  for (const SampleChain& chain : program.chains) {
    if (chain.has(life.birth)) life.birth = chain.layer_begin;
    if (chain.has(life.death)) life.death = chain.layer_end - 1;
  }
}

void enter(const Program& program, int chain, Lifetime& life) {
  const SampleChain& of = program.chains[static_cast<std::size_t>(chain)];
  if (of.samples == program.batch) return;
  life.chain = chain;
  life.wraps = life.birth == of.layer_begin || life.death == of.layer_end - 1;
}

int chain_of(const Program& program, int layer) {
  for (std::size_t i = 0; i < program.chains.size(); ++i) {
    if (program.chains[i].has(layer)) return static_cast<int>(i);
  }
  return kNone;
}

}  // namespace

bool leaves_chip(const workload::Graph& graph, int value) {
  if (graph.value(value).kind != workload::ValueKind::kLayer) return false;
  if (graph.readers(value).empty()) return true;
  return graph.result.has_value() &&
         graph.layers[static_cast<std::size_t>(graph.result->layer)].output == value;
}

int inner_chain(const workload::Graph& graph, const Program& program, int value) {
  const workload::Value& stored = graph.value(value);
  if (stored.kind != workload::ValueKind::kLayer || leaves_chip(graph, value)) return kNone;
  const int chain = chain_of(program, stored.layer);
  if (chain == kNone) return kNone;
  const SampleChain& of = program.chains[static_cast<std::size_t>(chain)];
  return of.has(graph.readers(value).back()) ? chain : kNone;
}

std::vector<Lifetime> lifetimes(const workload::Graph& graph, const Program& program) {
  std::vector<Lifetime> list;
  for (int id = 0; id < static_cast<int>(graph.values.size()); ++id) {
    const workload::Value& value = graph.value(id);
    const TensorPlan& plan = program.tensors[static_cast<std::size_t>(id)];
    if (!plan.stored || value.kind == workload::ValueKind::kConstant) continue;
    Lifetime life{id, kNone, -1, -1, aligned(plan.sample_bytes * plan.places)};
    const std::vector<int> readers = graph.readers(id);
    if (!readers.empty()) life.death = readers.back();
    if (value.kind == workload::ValueKind::kLayer) {
      life.birth = value.layer;
      life.death = std::max(life.death, value.layer);
    } else if (!readers.empty()) {  // an input, or drawn: both lie in DRAM until then
      life.birth = std::max(-1, readers.front() - 1);  // a layer ahead, to hide the fetch
    }
    const int chain = inner_chain(graph, program, id);
    if (chain != kNone) {
      enter(program, chain, life);
    } else {
      stretch(program, life);
    }
    list.push_back(life);
  }
  for (const GemmPlan& gemm : program.gemms) {  // while the layer is under way
    if (gemm.partial_sums.bytes == 0) continue;
    const auto index = static_cast<int>(&gemm - program.gemms.data());
    Lifetime life{kNone, index, gemm.layer, gemm.layer, aligned(gemm.partial_sums.bytes)};
    const int chain = chain_of(program, gemm.layer);
    if (chain != kNone) enter(program, chain, life);
    list.push_back(life);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Lifetime& a, const Lifetime& b) { return a.birth < b.birth; });
  return list;
}

namespace {

/// Two layers may be under way at once, so that lives that only touch count as together; and so may
/// the last layer of a group of samples and the first one of the next.
bool together(const Lifetime& a, const Lifetime& b) {
  return (a.birth <= b.death && b.birth <= a.death) ||
         (a.chain != kNone && a.chain == b.chain && a.wraps && b.wraps);
}

/// First fit over time: the lowest address at which nothing that is alive at the same time lies.
bool place(std::vector<Allocation>& placed, const Lifetime& life, std::int64_t capacity) {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (const Allocation& other : placed) {
    if (together(other.life, life)) {
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

std::vector<EarlierUser> earlier_users(const workload::Graph& graph, const Program& program,
                                       const std::vector<Allocation>& placed,
                                       const Allocation& mine) {
  using Samples = EarlierUser::Samples;
  std::set<EarlierUser> users;
  for (const Allocation& other : placed) {
    const bool overlaps =
        other.begin < mine.begin + mine.life.bytes && mine.begin < other.begin + other.life.bytes;
    if (!overlaps) continue;
    Samples samples = Samples::kAll;
    const bool same = &other == &mine;
    if (mine.life.chain != kNone && other.life.chain == mine.life.chain) {
      // The group before was there, too.
      samples = same                                 ? Samples::kPlaceBefore
                : other.life.birth < mine.life.birth ? Samples::kGroup
                                                     : Samples::kGroupBefore;
      if (same && mine.life.gemm != kNone) samples = Samples::kGroupBefore;
    } else if (other.life.birth >= mine.life.birth) {
      continue;
    }
    if (other.life.gemm != kNone) {
      users.insert({program.gemms[static_cast<std::size_t>(other.life.gemm)].layer, samples});
      continue;
    }
    for (const int reader : graph.readers(other.life.value)) users.insert({reader, samples});
    const int producer = graph.value(other.life.value).layer;
    if (producer != workload::kNoValue) users.insert({producer, samples});
  }
  return {users.begin(), users.end()};
}

}  // namespace lacuna::mapper
