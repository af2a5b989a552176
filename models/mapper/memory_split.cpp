// SPDX-License-Identifier: Apache-2.0
#include "mapper/memory_split.h"

#include <algorithm>

namespace lacuna::mapper {
namespace {

/// From a place in the ring that is given back to the image that has come there and is read.
constexpr double kFetchLatency = 400;

/// One program; adds what it moves.
double program_cycles(const MemoryModel& model, const std::vector<bool>& in_sram,
                      const MemorySplit& split, bool first, double& moved) {
  double cycles = 0;
  double fetched = 0;   // bytes of streamed and pinned images so far
  double wanted = 0;    // ... that layers up to this one need
  double consumed = 0;  // of the ring
  double pins = static_cast<double>(split.pinned);
  double pinned = 0;  // fetched once, into no ring
  double total = 0;
  // Which part of a layer's images comes how.
  struct Part {
    double pinned = 0, ring = 0, direct = 0;
  };
  std::vector<Part> parts;
  parts.reserve(model.layers.size());
  for (const LayerDemand& layer : model.layers) {
    Part part;
    const auto bytes = static_cast<double>(layer.weights);
    part.pinned = std::min(bytes, pins);
    pins -= part.pinned;
    const double rest = bytes - part.pinned;
    const auto ring = static_cast<double>(split.ring);
    if (2 * layer.largest_image > split.ring) {
      part.direct = rest * layer.groups;
    } else {
      // What a ring does not hold until the tasks come round to it is fetched again.
      const bool held = rest + static_cast<double>(layer.largest_image) <= ring;
      part.ring = held ? rest : rest * layer.rounds;
      if (static_cast<double>(layer.together + layer.largest_image) > ring) {
        part.ring *= layer.groups;
      }
    }
    pinned += first ? part.pinned : 0.0;
    total += part.ring + (first ? part.pinned : 0.0);
    parts.push_back(part);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const LayerDemand& layer = model.layers[i];
    const Part& part = parts[i];
    const double fetches = part.ring + (first ? part.pinned : 0.0);
    wanted += fetches;
    consumed += part.ring;
    double other = part.direct * layer.image_users;
    double loads = 0;
    for (const LayerDemand::Access& access : layer.accesses) {
      if (in_sram[static_cast<std::size_t>(access.value)]) continue;
      other += access.bytes;
      loads += access.loads;
    }
    const double late = std::max(0.0, wanted - fetched);
    // An image is not split over the end of the ring: about one of them finds no room. The rest is
    // on its way, or waits to be read: no more than that comes in the time of a fetch.
    const double room =
        std::max(0.0, static_cast<double>(split.ring) - static_cast<double>(layer.largest_image));
    const double rate = part.ring > 0 ? std::min(model.bytes_per_cycle, room / kFetchLatency)
                                      : model.bytes_per_cycle;
    const double busy = layer.selected_cycles + other / model.bytes_per_cycle;
    const double time = std::max(layer.cycles + loads * model.latency, late / rate + busy);
    const double limit = std::min(total, pinned + consumed + room);
    const double meanwhile = (time - busy) * rate;
    fetched = std::clamp(fetched + meanwhile, wanted, std::max(wanted, limit));
    moved += fetches + other + layer.selected_bytes;
    cycles += time;
  }
  return cycles;
}

}  // namespace

void predict_memory(const MemoryModel& model, const std::vector<bool>& in_sram,
                    MemorySplit& split) {
  split.dram_bytes = 0;
  split.first_cycles = program_cycles(model, in_sram, split, true, split.dram_bytes);
  split.next_cycles = program_cycles(model, in_sram, split, false, split.dram_bytes);
}

bool better(params::Objective objective, const MappingCosts& costs, const MemorySplit& a,
            const MemorySplit& b) {
  const auto cycles = [](const MemorySplit& split) {
    return split.first_cycles + split.next_cycles;
  };
  if (objective == params::Objective::kEnergy) {
    const auto energy = [&](const MemorySplit& split) {
      return split.dram_bytes * costs.dram_byte + cycles(split) * costs.chip_cycle;
    };
    if (energy(a) != energy(b)) return energy(a) < energy(b);
  }
  if (cycles(a) != cycles(b)) return cycles(a) < cycles(b);
  return a.dram_bytes < b.dram_bytes;
}

}  // namespace lacuna::mapper
