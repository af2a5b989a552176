// SPDX-License-Identifier: Apache-2.0
#include "mapper/sram_division.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "mapper/memory_model.h"
#include "mapper/memory_split.h"

namespace lacuna::mapper {
namespace {

/// The layer whose output this is, as the workload has it; null for anything else.
const workload::Layer* producer_of(const workload::Graph& graph, const Lifetime& life) {
  if (life.gemm != kNone) return nullptr;
  const int producer = graph.value(life.value).layer;
  return producer == workload::kNoValue ? nullptr
                                        : &graph.layers[static_cast<std::size_t>(producer)];
}

bool must_stay(const workload::Graph& graph, const Lifetime& life) {
  const workload::Layer* producer = producer_of(graph, life);
  return producer != nullptr && producer->mapping.output == params::Place::kSram;
}

/// Where the chip or the workload say more than there is.
[[noreturn]] void refuse_space(const std::string& what, std::int64_t wanted, std::int64_t there) {
  throw base::UserError(fmt::format("{} asks for {} bytes of SRAM, there are {}", what, wanted,
                                    std::max<std::int64_t>(0, there)));
}

}  // namespace

Division divide(const workload::Graph& graph, const params::ChipParams& chip,
                const MapOptions& options, const Program& program, std::vector<Lifetime> wanted,
                std::int64_t space, std::vector<MemorySplit>& considered) {
  const params::MapperParams& mapper = chip.mapper;
  const std::int64_t weights = [&] {
    std::int64_t sum = 0;
    for (const WeightTilePlan& tile : program.weight_tiles) sum += aligned(tile.memory_bytes);
    return sum;
  }();
  std::int64_t largest = 0;
  for (const WeightTilePlan& tile : program.weight_tiles) {
    largest = std::max(largest, aligned(tile.memory_bytes));
  }
  if (mapper.ring && *mapper.ring > space) refuse_space("mapper.ring", *mapper.ring, space);
  if (mapper.pinned && *mapper.pinned > space - mapper.ring.value_or(0)) {
    refuse_space("mapper.pinned", *mapper.pinned, space - mapper.ring.value_or(0));
  }
  // What must be in SRAM comes first.
  std::stable_partition(wanted.begin(), wanted.end(),
                        [&](const Lifetime& life) { return must_stay(graph, life); });
  // Or else what brings the most traffic for its bytes and the layers for which it stays.
  const MemoryModel model = memory_model(graph, chip, options, program);
  std::vector<double> traffic(graph.values.size() + program.gemms.size(), 0.0);
  for (const LayerDemand& layer : model.layers) {
    for (const LayerDemand::Access& each : layer.accesses) {
      traffic[static_cast<std::size_t>(each.value)] += each.bytes;
    }
  }
  std::vector<Lifetime> by_traffic = wanted;
  std::stable_sort(by_traffic.begin(), by_traffic.end(), [&](const Lifetime& a, const Lifetime& b) {
    const auto worth = [&](const Lifetime& life) {
      const double area = static_cast<double>(life.bytes) * (life.death - life.birth + 1);
      return traffic[place_id(graph, life)] / std::max(1.0, area);
    };
    if (must_stay(graph, a) != must_stay(graph, b)) return must_stay(graph, a);
    return worth(a) > worth(b);
  });

  // A ring of two of the largest images or a quarter of the SRAM comes first.
  const std::int64_t usual =
      std::min({weights, std::max(2 * largest, least_ring(chip)), chip.sram.capacity / 2});
  const std::int64_t all = peak(place_all(wanted, std::numeric_limits<std::int64_t>::max() / 2));
  constexpr int kSteps = 8;
  std::vector<std::int64_t> limits{
      std::max<std::int64_t>(0, space - mapper.ring.value_or(usual) - mapper.pinned.value_or(0))};
  const bool open = options.dram_bytes_per_cycle > 0;
  if (open && !mapper.ring) {
    const std::int64_t most = std::min(all, space - mapper.pinned.value_or(0));
    for (int i = kSteps; i >= 0; --i) limits.push_back(most / kSteps * i);
  }
  std::optional<Division> best;
  std::set<std::tuple<std::int64_t, std::int64_t, std::size_t>> known;
  for (const std::int64_t limit : limits) {
    for (const auto* order : {&wanted, &by_traffic}) {
      if (order == &by_traffic && !open) continue;
      std::vector<Allocation> placed = place_all(*order, limit);
      std::vector<bool> in_sram(traffic.size(), false);
      for (const Allocation& each : placed) in_sram[place_id(graph, each.life)] = true;
      const bool complete = std::all_of(wanted.begin(), wanted.end(), [&](const Lifetime& life) {
        return in_sram[place_id(graph, life)] || !must_stay(graph, life);
      });
      if (!complete) continue;
      const std::int64_t taken = aligned(peak(placed));
      const std::int64_t rest = space - taken;
      for (int i = 0; i < kSteps; ++i) {
        MemorySplit split;
        split.activations = taken;
        split.pinned = mapper.pinned.value_or(
            open ? (rest - mapper.ring.value_or(0)) / kSteps * i / kAlignment * kAlignment : 0);
        // Splits were predicted with a ring of the usual size.
        if (!mapper.pinned && !mapper.ring) {
          split.pinned = std::min(split.pinned, std::max<std::int64_t>(0, rest - usual));
        }
        split.pinned = std::min(split.pinned, rest);
        split.ring = rest - split.pinned;
        // Groups come round to their images again and again: a small ring keeps cores waiting.
        const bool grouped = !program.chains.empty();
        if (grouped && !mapper.ring && split.ring < usual && best.has_value()) continue;
        if (!known.emplace(split.activations, split.pinned, placed.size()).second) continue;
        if (open) predict_memory(model, in_sram, split);
        considered.push_back(split);
        if (!best || better(mapper.objective, options.costs, split, best->split)) {
          best = Division{placed, split};
        }
      }
    }
  }
  if (considered.empty()) {
    for (const Lifetime& life : wanted) {
      if (!must_stay(graph, life)) continue;
      const workload::Layer& layer = *producer_of(graph, life);
      const auto at = layer.mapping_at.find("output");
      if (at == layer.mapping_at.end()) continue;
      throw base::UserError(
          at->second,
          fmt::format("mapping.output of layer '{}': what must stay in SRAM at the same time finds "
                      "no room there ({} bytes for activations)",
                      layer.name, space - mapper.ring.value_or(0) - mapper.pinned.value_or(0)));
    }
  }
  LACUNA_CHECK(best.has_value(), "no way to divide the SRAM");
  std::stable_sort(considered.begin(), considered.end(),
                   [&](const MemorySplit& a, const MemorySplit& b) {
                     return better(mapper.objective, options.costs, a, b);
                   });
  return std::move(*best);
}

}  // namespace lacuna::mapper
