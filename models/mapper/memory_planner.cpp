// SPDX-License-Identifier: Apache-2.0
#include "mapper/memory_planner.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::mapper {
namespace {

constexpr std::int64_t kAlignment = 64;
/// Inputs are fetched in pieces of about this size, so that work can begin before all is there.
constexpr std::int64_t kPieceBytes = 16 * 1024;

std::int64_t aligned(std::int64_t bytes) { return base::round_up(bytes, kAlignment); }

/// A value or a layer's partial sums that need a place: from layer `birth` on, until layer `death`
/// has read it.
struct Lifetime {
  int value = kNone;
  int gemm = kNone;  ///< of partial sums
  int birth = -1;
  int death = -1;
  std::int64_t bytes = 0;
};

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

/// Leaves the chip: nobody reads it, or it is the result.
bool is_result(const workload::Graph& graph, int value) {
  if (graph.value(value).kind != workload::ValueKind::kLayer) return false;
  if (graph.readers(value).empty()) return true;
  return graph.result.has_value() &&
         graph.layers[static_cast<std::size_t>(graph.result->layer)].output == value;
}

struct Allocation {
  Lifetime life;
  std::int64_t begin = 0;
};

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

/// Layers that read or made what lay in this space before.
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

}  // namespace

WeightSpace plan_places(const workload::Graph& graph, const params::ChipParams& chip,
                        Program& program) {
  MemoryPlan& memory = program.memory;
  std::uint64_t dram = kDramBase;
  const auto in_dram = [&dram](std::int64_t bytes) {
    const std::uint64_t address = dram;
    dram += static_cast<std::uint64_t>(aligned(bytes));
    return address;
  };

  std::int64_t weights = 0;
  std::int64_t largest = 0;
  for (WeightTilePlan& tile : program.weight_tiles) {
    dram = base::round_up(dram, static_cast<std::uint64_t>(program.burst_bytes));
    tile.dram_address = in_dram(tile.memory_bytes);
    weights += aligned(tile.memory_bytes);
    largest = std::max(largest, aligned(tile.memory_bytes));
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
    if (is_result(graph, life.value)) {
      tensor.address = in_dram(life.bytes);
      memory.dram_activations += life.bytes;
    } else {
      on_chip.push_back(life);
    }
  }

  const std::int64_t capacity = chip.sram.capacity;
  WeightSpace space;
  std::vector<Allocation> placed = place_all(on_chip, std::numeric_limits<std::int64_t>::max() / 2);
  space.resident = peak(placed) + constants + weights <= capacity;
  if (!space.resident) {
    // The ring keeps at least two of the largest tiles, or a quarter of the SRAM.
    const std::int64_t ring =
        std::min({weights, std::max(2 * largest, capacity / 4), capacity / 2});
    if (constants > capacity / 8) constants = 0;
    placed = place_all(on_chip, std::max<std::int64_t>(0, capacity - constants - ring));
  } else {
    memory.weights_resident = true;
  }
  memory.sram_activations = peak(placed);
  memory.sram_constants = constants;

  for (const Allocation& each : placed) {
    if (each.life.gemm != kNone) {
      PartialSums& sums = program.gemms[static_cast<std::size_t>(each.life.gemm)].partial_sums;
      sums.in_sram = true;
      sums.address = static_cast<std::uint64_t>(each.begin);
      sums.after = earlier_users(graph, program, placed, each);
      continue;
    }
    TensorPlan& tensor = program.tensors[static_cast<std::size_t>(each.life.value)];
    tensor.fetched = graph.value(each.life.value).kind != workload::ValueKind::kLayer;
    tensor.in_sram = true;
    tensor.address = static_cast<std::uint64_t>(each.begin);
    tensor.after = earlier_users(graph, program, placed, each);
  }
  for (const Lifetime& life : on_chip) {
    if (life.gemm != kNone) {
      PartialSums& sums = program.gemms[static_cast<std::size_t>(life.gemm)].partial_sums;
      if (sums.in_sram) continue;
      memory.dram_activations += life.bytes;
      sums.address = in_dram(life.bytes);
      continue;
    }
    TensorPlan& tensor = program.tensors[static_cast<std::size_t>(life.value)];
    if (tensor.in_sram) continue;
    memory.dram_activations += life.bytes;
    if (graph.value(life.value).kind == workload::ValueKind::kLayer) {
      tensor.address = in_dram(life.bytes);
    }
  }

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
  space.begin = static_cast<std::uint64_t>(next);
  space.bytes = std::max<std::int64_t>(0, capacity - next);
  memory.sram_weights = space.resident ? weights : space.bytes;
  return space;
}

namespace {

/// The ring as the planner sees it: what is alive after the fetches made so far.
class Ring {
 public:
  explicit Ring(const WeightSpace& space) : space_(space) {}

  /// A place for `bytes`; fetches that lay there are appended to `overwritten`.
  std::uint64_t take(int fetch, std::int64_t bytes, std::vector<int>& overwritten) {
    if (head_ + bytes > space_.bytes) head_ = 0;  // an image is not split over the end
    const std::int64_t begin = head_;
    const std::int64_t end = head_ + bytes;
    std::erase_if(live_, [&](const Live& live) {
      const bool hit = live.begin < end && begin < live.end;
      if (hit) overwritten.push_back(live.fetch);
      return hit;
    });
    live_.push_back({fetch, begin, end});
    head_ = end;
    return space_.begin + static_cast<std::uint64_t>(begin);
  }
  [[nodiscard]] bool alive(int fetch) const {
    return std::any_of(live_.begin(), live_.end(),
                       [&](const Live& live) { return live.fetch == fetch; });
  }

 private:
  struct Live {
    int fetch;
    std::int64_t begin, end;
  };
  WeightSpace space_;
  std::int64_t head_ = 0;
  std::deque<Live> live_;
};

}  // namespace

void plan_fetches(const WeightSpace& space, Program& program) {
  Ring ring(space);
  std::vector<Fetch>& fetches = program.fetches;
  // Constants were given places already; they are fetched before the task that needs them.
  std::vector<Fetch> constants;
  constants.swap(fetches);
  std::vector<int> latest(program.weight_tiles.size(), kNone);
  std::map<std::pair<int, int>, std::vector<bool>> fetched_pieces;  // of (value, sample)

  for (Task& task : program.tasks) {
    const auto want = [&](const std::vector<Dependency>& needs) {
      for (const Dependency& need : needs) {
        TensorPlan& tensor = program.tensors[static_cast<std::size_t>(need.value)];
        if (!tensor.fetched) continue;
        for (int sample = need.sample_begin; sample < need.sample_end; ++sample) {
          // In pieces of whole tokens, each when the first task needs it.
          const std::int64_t token_bytes = tensor.layout.token_bytes();
          const std::int64_t piece = std::max<std::int64_t>(1, kPieceBytes / token_bytes);
          std::vector<bool>& fetched = fetched_pieces[{need.value, sample}];
          fetched.resize(static_cast<std::size_t>(base::ceil_div(tensor.tokens, piece)), false);
          for (std::int64_t i = need.token_begin / piece; i * piece < need.token_end; ++i) {
            if (fetched[static_cast<std::size_t>(i)]) continue;
            fetched[static_cast<std::size_t>(i)] = true;
            Fetch fetch;
            fetch.kind = Fetch::Kind::kTensor;
            fetch.index = need.value;
            fetch.sample = sample;
            fetch.token_begin = i * piece;
            fetch.token_end = std::min((i + 1) * piece, tensor.tokens);
            fetch.bytes = (fetch.token_end - fetch.token_begin) * token_bytes;
            const auto offset = static_cast<std::uint64_t>(tensor.sample_bytes * sample +
                                                           fetch.token_begin * token_bytes);
            fetch.from = tensor.home + offset;
            fetch.to = tensor.address + offset;
            fetch.after = tensor.after;
            fetches.push_back(std::move(fetch));
          }
        }
      }
    };
    want(task.needs);
    want(task.weight_needs);
    if (task.kind != TaskKind::kGemm) {
      VectorPlan& plan = program.vectors[static_cast<std::size_t>(task.plan)];
      if (plan.constant_fetch != kNone) {
        Fetch& constant = constants[static_cast<std::size_t>(plan.constant_fetch)];
        if (constant.bytes > 0) {
          fetches.push_back(constant);
          constant.bytes = 0;  // moved
        }
      }
    }
    if (task.kind == TaskKind::kGemm) {
      const GemmPlan& gemm = program.gemms[static_cast<std::size_t>(task.plan)];
      const auto k_tiles = static_cast<int>(gemm.split.k_tiles.size());
      for (int k = task.k_begin; k < task.k_end && !gemm.run_time; ++k) {
        const int id = gemm.first_tile + task.n_tile * k_tiles + k;
        const WeightTilePlan& tile = program.weight_tiles[static_cast<std::size_t>(id)];
        const std::int64_t bytes = aligned(tile.memory_bytes);
        int& fetch = latest[static_cast<std::size_t>(id)];
        if (!space.resident && (task.select_rows || bytes * 2 > space.bytes)) {
          // Straight from DRAM: too large for the ring, or rows that are not known yet.
          task.weight_fetch.push_back(kNone);
          continue;
        }
        if (fetch == kNone || (!space.resident && !ring.alive(fetch))) {
          fetch = static_cast<int>(fetches.size());
          Fetch made;
          made.kind = Fetch::Kind::kWeights;
          made.index = id;
          made.bytes = tile.memory_bytes;
          made.from = tile.dram_address;
          made.resident = space.resident;
          made.to = ring.take(fetch, bytes, made.overwrites);
          LACUNA_CHECK(!space.resident || made.overwrites.empty(),
                       "resident weights overlap (fetch {})", fetch);
          fetches.push_back(std::move(made));
        }
        ++fetches[static_cast<std::size_t>(fetch)].uses;
        task.weight_fetch.push_back(fetch);
      }
    }
  }
  // Where the constants ended up.
  for (int i = 0; i < static_cast<int>(fetches.size()); ++i) {
    const Fetch& fetch = fetches[static_cast<std::size_t>(i)];
    if (fetch.kind == Fetch::Kind::kConstants) {
      program.vectors[static_cast<std::size_t>(fetch.index)].constant_fetch = i;
    }
  }
}

}  // namespace lacuna::mapper
