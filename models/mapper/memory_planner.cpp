// SPDX-License-Identifier: Apache-2.0
#include "mapper/memory_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/cycles.h"
#include "base/error.h"
#include "mapper/memory_split.h"

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

/// The workload says so.
bool lives_in_dram(const workload::Graph& graph, int value) {
  const int producer = graph.value(value).layer;
  return producer != workload::kNoValue &&
         graph.layers[static_cast<std::size_t>(producer)].mapping.output == params::Place::kDram;
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

/// Values by id, and behind them the partial sums of gemms.
std::size_t place_id(const workload::Graph& graph, const Lifetime& life) {
  return life.gemm != kNone ? graph.values.size() + static_cast<std::size_t>(life.gemm)
                            : static_cast<std::size_t>(life.value);
}

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

/// What the program wants of the memory, for predict_memory().
MemoryModel memory_model(const workload::Graph& graph, const params::ChipParams& chip,
                         const MapOptions& options, const Program& program) {
  MemoryModel model;
  model.bytes_per_cycle = options.dram_bytes_per_cycle;
  const auto whole = [&](int value) {
    const TensorPlan& plan = program.tensors[static_cast<std::size_t>(value)];
    return static_cast<double>(plan.sample_bytes * program.batch);
  };
  for (const workload::Layer& layer : graph.layers) {
    const int gemm = program.gemm_of_layer[static_cast<std::size_t>(layer.index)];
    const int vector = program.vector_of_layer[static_cast<std::size_t>(layer.index)];
    LayerDemand demand;
    const auto access = [&](int value, double bytes, double loads) {
      if (value == workload::kNoValue) return;
      const int storage = graph.value(value).storage;
      if (!program.tensors[static_cast<std::size_t>(storage)].stored) return;
      demand.accesses.push_back({storage, bytes < 0 ? whole(storage) : bytes, loads});
    };
    if (gemm != kNone) {
      const GemmPlan& plan = program.gemms[static_cast<std::size_t>(gemm)];
      demand.cycles = plan.split.expected.cycles;
      access(layer.input, plan.split.expected.left_bytes, plan.split.expected.left_loads);
      if (plan.run_time) access(layer.right, plan.split.expected.right_bytes, 0);
      if (plan.partial_sums.bytes > 0) {  // written once, read once
        demand.accesses.push_back({static_cast<int>(graph.values.size()) + gemm,
                                   2.0 * static_cast<double>(plan.partial_sums.bytes), 0});
      }
      const auto tiles = plan.split.n_tiles * static_cast<int>(plan.split.k_tiles.size());
      for (int i = 0; i < tiles && !plan.run_time; ++i) {
        const WeightTilePlan& tile =
            program.weight_tiles[static_cast<std::size_t>(plan.first_tile + i)];
        const std::int64_t bytes = aligned(tile.memory_bytes);
        (plan.select_rows ? demand.selected : demand.weights) += bytes;
        if (!plan.select_rows) demand.largest_image = std::max(demand.largest_image, bytes);
      }
      // Cores that work on a tile want it at different times: each fetches its image.
      demand.image_users = std::min(plan.split.task_runs, chip.cores);
      if (plan.split.order == params::Ordering::kRowMajor) demand.rounds = plan.split.task_runs;
    } else if (vector != kNone) {
      demand.cycles = program.vectors[static_cast<std::size_t>(vector)].expected_cycles;
      access(layer.input, -1, 0);
      access(layer.right, -1, 0);
      for (const int other : layer.others) access(other, -1, 0);
    }
    access(layer.output, -1, 0);
    model.layers.push_back(std::move(demand));
  }
  return model;
}

/// Values in SRAM, and how it is divided.
struct Division {
  std::vector<Allocation> placed;
  MemorySplit split;
};

/// Where the chip or the workload say more than there is.
[[noreturn]] void refuse_space(const std::string& what, std::int64_t wanted, std::int64_t there) {
  throw base::UserError(fmt::format("{} asks for {} bytes of SRAM, there are {}", what, wanted,
                                    std::max<std::int64_t>(0, there)));
}

/// The best division that is found, with all that were considered behind it (without places).
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
    if (is_result(graph, life.value)) {
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
  on_chip.insert(on_chip.end(), spilled.begin(), spilled.end());
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
    memory.spilled += life.bytes;
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
  if (!space.resident && memory.splits.front().pinned > 0) {
    pin_images(next, std::min(memory.splits.front().pinned, capacity - next), program, space);
    next += memory.sram_pinned;
  }
  space.begin = static_cast<std::uint64_t>(next);
  space.bytes = std::max<std::int64_t>(0, capacity - next);
  memory.sram_weights = space.resident ? weights : memory.sram_pinned + space.bytes;
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
      if (!gemm.run_time) {
        task.weight_fetch.assign(static_cast<std::size_t>(task.k_tiles()), kNone);
      }
      for (int turn = 0; turn < task.k_tiles() && !gemm.run_time; ++turn) {
        const int k = task.k_tile_at(turn);
        const int id = gemm.first_tile + task.n_tile * k_tiles + k;
        const WeightTilePlan& tile = program.weight_tiles[static_cast<std::size_t>(id)];
        const std::int64_t bytes = aligned(tile.memory_bytes);
        int& fetch = latest[static_cast<std::size_t>(id)];
        const bool pinned =
            !space.pinned.empty() && space.pinned[static_cast<std::size_t>(id)] >= 0;
        const bool stays = space.resident || pinned;
        if (!stays && (task.select_rows || bytes * 2 > space.bytes)) {
          // Straight from DRAM: too large for the ring, or rows that are not known yet.
          continue;
        }
        if (fetch == kNone || (!stays && !ring.alive(fetch))) {
          fetch = static_cast<int>(fetches.size());
          Fetch made;
          made.kind = Fetch::Kind::kWeights;
          made.index = id;
          made.bytes = tile.memory_bytes;
          made.from = tile.dram_address;
          made.resident = stays;
          made.to = pinned ? static_cast<std::uint64_t>(space.pinned[static_cast<std::size_t>(id)])
                           : ring.take(fetch, bytes, made.overwrites);
          LACUNA_CHECK(!space.resident || made.overwrites.empty(),
                       "resident weights overlap (fetch {})", fetch);
          fetches.push_back(std::move(made));
        }
        ++fetches[static_cast<std::size_t>(fetch)].uses;
        task.weight_fetch[static_cast<std::size_t>(k - task.k_begin)] = fetch;
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
