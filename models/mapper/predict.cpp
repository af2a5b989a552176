// SPDX-License-Identifier: Apache-2.0
#include "mapper/predict.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/portable_math.h"
#include "encoding/expected_size.h"
#include "mapper/slot_layout.h"
#include "mapper/tile_size.h"
#include "timing/vector/vector_model.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;

// Latencies of a pass as engine.md names them; only their sums matter here.
constexpr double kPassOverhead = 1 + 2 + 1 + 2;  // L_start + L_issue + L_mask + L_mac
constexpr double kDrainLatency = 1;              // L_drain
// From a request at the SRAM port to data in a buffer, roughly: request, crossbar, response.
constexpr double kLoadLatency = 8;
constexpr double kStoreLatency = 12;
// A reduction of partial sums: into the vector unit, through it, and out.
constexpr double kReductionLatency = 40;
constexpr double kHidden = 0.5;  // of the last step's time, for reductions
// Of a layer's time, what the layer before has left of the load port.
constexpr double kHiding = 0.5;
// Of the spread between PEs, what dealing of channels leaves: of every group, for PEs are a group
// apart at most (two accumulator banks) and a full one has less to do in the next; and once in a
// pass, whose last group all wait for.
constexpr double kUneven = 0.56;
constexpr double kUnevenOnce = 0.24;
constexpr double kRounding = 1e-9;
constexpr double kOutputDensity = 0.5;  // assumed: what a layer stores is known when it runs

/// Of so many normal numbers with mean 0 and spread 1, about (Blom's formula).
double expected_maximum(double count) {
  thread_local std::map<double, double> known;  // a chip asks for two, once for every candidate
  const auto [at, fresh] = known.try_emplace(count, 0.0);
  if (fresh) at->second = base::normal_quantile((count - 0.375) / (count + 0.25));
  return at->second;
}

/// The largest of three; more where several are about as large, for then each is it at times.
double soft_maximum(double a, double b, double c) {
  const double most = std::max({a, b, c});
  const auto eighth = [most](double x) {
    const double square = x / most * x / most;
    return square * square * square * square;
  };
  return most * std::sqrt(std::sqrt(std::sqrt(eighth(a) + eighth(b) + eighth(c))));
}

/// Bytes of `k` activations of a row as a load takes them: in pieces, each encoded for itself.
double encoded_bytes(const params::ChipParams& chip, double k, double piece, double density) {
  if (chip.compress.activations == params::ActivationFormat::kBitmask) return k * density + k / 8;
  const double length = std::min<double>(piece, chip.engine.act_block);
  return k / length *
         encoding::expected_bytes({length, density}, chip.compress, chip.compress.activations).mean;
}

/// Bytes that move when a run-time operand's tile is loaded: it is stored as activations are.
double right_traffic(const SplitProblem& problem, const params::ChipParams& chip, double channels,
                     double k) {
  const double tokens = problem.transpose_right ? channels : k;
  const double width = problem.transpose_right ? k : channels;
  return tokens * token_traffic(chip, width, width, problem.activation_density);
}

/// Cycles of DRAM, link and near-memory units, whichever takes the longest, for a load of rows.
double dram_cycles(const SplitProblem& problem, const params::ChipParams& chip,
                   const TileSize& tile) {
  double cycles = std::max(tile.moved / problem.channels_bytes_per_cycle,
                           tile.crossing / problem.dram_bytes_per_cycle);
  if (chip.dram.has_near_memory()) {
    const double width = chip.dram.near_memory->width;
    cycles = std::max(cycles, tile.moved / (width * chip.dram.channels));
  }
  return cycles;
}

/// From the request of a tile's header in DRAM to the first of its rows: two ways, of which only
/// the second leads to the chip if near-memory units read the header.
double rows_latency(const params::ChipParams& chip) {
  const double link = chip.dram.link ? chip.dram.link->latency : 0;
  if (!chip.dram.has_near_memory()) return 2 * (kDramLatency + link);
  return 2 * (kDramLatency + chip.dram.near_memory->latency) + link;
}

/// A load of rows straight from DRAM while `loaders` cores load some.
double rows_load(const SplitProblem& problem, const params::ChipParams& chip, const TileSize& tile,
                 double loaders) {
  constexpr double kRequests = 12;  // of a core, under way at once
  const double own_rate = kRequests * tile.piece / kDramLatency;
  return rows_latency(chip) +
         std::max({tile.beats, tile.moved / own_rate, loaders * dram_cycles(problem, chip, tile)});
}

/// K of the longest part against that of a mean one.
double longest_part(const Split& split, const WindowTable& windows) {
  std::int64_t longest = 0;
  for (int part = 0; part < split.k_parts; ++part) {
    std::int64_t k = 0;
    for (int i = split.first_k_tile(part); i < split.first_k_tile(part + 1); ++i) {
      k += split.k_tiles[static_cast<std::size_t>(i)].k;
    }
    longest = std::max(longest, k);
  }
  return static_cast<double>(longest * split.k_parts) / static_cast<double>(windows.segments().k());
}

/// What the order of a layer's tasks saves, if they go round the cores: what a core finds in its
/// halves when it begins the next task, and what cores of a port load together.
struct Reuse {
  double tiles = 0;          ///< share of the loads that are not needed
  double blocks = 0;         ///< of loads of a block's part for a K tile
  double tile_loads = 0;     ///< of the busiest core
  double block_loads = 0;    ///< of the busiest core
  double tile_readers = 1;   ///< cores of a port that load the same tile at the same time
  double block_readers = 1;  ///< ... the same block
};

Reuse reuse_of(const SplitProblem& problem, const params::ChipParams& chip, const Split& split) {
  const double cores = chip.cores;
  const double runs = split.task_runs;
  const double tiles = split.n_tiles;
  const double products = problem.heads * split.k_parts;  // parts of K stand one after the other
  const double tasks = runs * tiles * products;
  const double tiles_k = static_cast<double>(split.k_tiles.size()) / split.k_parts;
  const bool tile_major = split.order == params::Ordering::kTileMajor;
  // The task after task i on a core is task i + cores. How often is its tile the same, or its rows?
  // Tile major the runs of a tile follow each other, row major the tiles of a run.
  const double inner = tile_major ? runs : tiles;
  const double outer = tile_major ? tiles : runs;
  const double stays = products * outer * std::max(0.0, inner - cores);
  // (In step the cores would come back to the same ones if inner divides them; they do not stay in
  // step.)
  const double returns = inner == 1 ? products * std::max(0.0, outer - cores) : 0.0;
  const double same_tile = (tile_major ? stays : returns) / tasks;
  const double same_rows = (tile_major ? returns : stays) / tasks;
  // Two halves: the last two that were loaded are there, and come first if the order alternates.
  const double kept_tiles = tiles_k <= 2 || split.alternate ? std::min(tiles_k, 2.0) : 0.0;
  const double slices = tiles_k * std::min(split.blocks_per_task, split.blocks);
  const double kept_blocks = slices <= 2 || split.alternate ? std::min(slices, 2.0) : 0.0;
  Reuse reuse;
  reuse.tiles = same_tile * kept_tiles / tiles_k;
  reuse.blocks = same_rows * kept_blocks / slices;
  // The busiest core's share of the tasks that find nothing; the others of its round find some.
  const double rounds = std::ceil(tasks / cores);
  const auto loads_of = [&](double same, double loads, double kept) {
    const double fresh = std::ceil(tasks * (1.0 - same) / cores - kRounding);
    return rounds * loads - (rounds - fresh) * kept;
  };
  reuse.tile_loads = loads_of(same_tile, tiles_k, kept_tiles);
  reuse.block_loads = loads_of(same_rows, slices, kept_blocks);
  const double ports = std::ceil(cores / chip.cores_per_port);
  const double readers = std::min<double>(chip.cores_per_port, std::ceil(tasks / ports));
  const double inner_readers = std::min(readers, inner);
  reuse.tile_readers = tile_major ? inner_readers : readers / inner_readers;
  reuse.block_readers = tile_major ? readers / inner_readers : inner_readers;
  return reuse;
}

/// What a load and a pass depend on.
struct KSize {
  double positions = 0, k = 0, windows = 0;
};

/// A pass of a full block, and its loads.
struct TileTimes {
  double issue = 0, pe = 0, drain = 0, pass = 0;
  double block_load = 0, tile_load = 0;
  double row_traffic = 0, tile_bytes = 0;  ///< bytes of a row of the block, of the tile
  TileSize size;
};

/// Whether K tiles differ by more than a window.
bool uneven(const std::vector<KTile>& tiles) {
  const auto windows = [](const KTile& tile) { return tile.window_end - tile.window_begin; };
  const auto [least, most] =
      std::minmax_element(tiles.begin(), tiles.end(),
                          [&](const KTile& a, const KTile& b) { return windows(a) < windows(b); });
  return windows(*most) > windows(*least) + 1;
}

}  // namespace

std::string_view bound_name(Bound bound) {
  switch (bound) {
    case Bound::kIssue:
      return "issue";
    case Bound::kPe:
      return "pe";
    case Bound::kDrain:
      return "drain";
    case Bound::kLoad:
      return "load";
    case Bound::kMemory:
      return "sram";
    case Bound::kDram:
      return "dram";
  }
  return "?";
}

double token_traffic(const params::ChipParams& chip, double channels, double unit_channels,
                     double density) {
  const double slot = std::min<double>({channels, unit_channels, double(chip.engine.act_block)});
  const double slots = std::ceil(channels / slot);
  const double mask = std::ceil(slot / 8);
  const auto rounded = [](double bytes) {
    return std::ceil(bytes / kAccessBytes) * static_cast<double>(kAccessBytes);
  };
  const params::CompressParams& compress = chip.compress;
  if (compress.activations == params::ActivationFormat::kBitmask) {
    return std::min(slots * rounded(mask + slot * density), rounded(slots * (mask + slot)));
  }
  const encoding::ExpectedBytes bytes =
      encoding::expected_bytes({slot, density}, compress, compress.activations);
  const auto room = static_cast<double>(encoding::worst_bytes(
      static_cast<std::int64_t>(std::ceil(slot)), compress, compress.activations));
  return std::min(slots * encoding::expected_rounded(bytes, kAccessBytes), rounded(slots * room));
}

std::int64_t reduction_rows(const params::ChipParams& chip, const Split& split, std::int64_t rows,
                            std::int64_t products) {
  constexpr double kWayInAndOut = 24;
  const std::int64_t row_bytes = kSumBytes * split.tile_channels * split.k_parts;
  const std::int64_t run_rows =
      std::min(rows, std::int64_t{split.blocks_per_task} * split.block_rows);
  const std::int64_t most =
      std::clamp<std::int64_t>(chip.engine.activation_buffer / row_bytes, 1, run_rows);
  const std::int64_t runs = products * split.n_tiles * split.task_runs;
  // Of all runs, those under way end a block each at about the same time.
  const std::int64_t wave = std::min<std::int64_t>(runs, std::max(1, chip.cores / split.k_parts));
  const double cycles_per_byte = static_cast<double>(chip.cores_per_port) / chip.sram.width;
  std::int64_t best = 1;
  double best_cycles = 0;
  for (std::int64_t task_rows = 1; task_rows <= most;
       task_rows = std::max(task_rows + 1, task_rows + task_rows / 4)) {
    const double bytes =
        static_cast<double>(task_rows * row_bytes + kRequantizeBytes * split.tile_channels);
    const auto compute = static_cast<double>(
        timing::vector::partial_sum_time(task_rows, split.tile_channels, split.k_parts, chip.vector)
            .cycles);
    const double one = bytes * cycles_per_byte + compute + kWayInAndOut;
    const auto rounds = [&](std::int64_t of_rows, std::int64_t times) {
      return static_cast<double>(
          ceil_div<std::int64_t>(ceil_div<std::int64_t>(of_rows, task_rows) * times, chip.cores));
    };
    const double cycles = one * (rounds(std::min<std::int64_t>(split.block_rows, run_rows), wave) +
                                 kHidden * rounds(run_rows, runs));
    if (best_cycles == 0 || cycles < best_cycles) {
      best_cycles = cycles;
      best = task_rows;
    }
  }
  return best;
}

Prediction predict(const SplitProblem& problem, const WeightCounts& counts,
                   const WindowTable& windows, const params::ChipParams& chip,
                   const MappingCosts& costs, const Split& split) {
  const params::EngineParams& engine = chip.engine;
  const double lanes = engine.lanes;
  const double ways = engine.k_ways;
  const double pes = static_cast<double>(engine.pes) * ways;
  const double tiles_k = static_cast<double>(split.k_tiles.size());
  const double density =
      engine.skip_activations ? problem.activation_density * problem.present : 1.0;
  const double united = 1.0 - std::pow(1.0 - density, lanes);
  const double parts = split.k_parts;
  const double tasks = static_cast<double>(split.task_runs) * split.n_tiles * problem.heads * parts;
  // Of the busiest core: mean tiles, but a whole one where it has just one.
  const double channels =
      tasks <= chip.cores ? std::min<double>(split.tile_channels, static_cast<double>(problem.n))
                          : static_cast<double>(problem.n) / static_cast<double>(split.n_tiles);
  // Of a mean K tile; where K has parts, of the longest part.
  const double stretch = longest_part(split, windows);
  const double positions =
      stretch * static_cast<double>(windows.positions({0, windows.windows()})) / tiles_k;
  const double k = stretch * static_cast<double>(windows.segments().k()) / tiles_k;
  const double groups = static_cast<double>(ceil_div<std::int64_t>(split.block_rows, engine.lanes));
  const double block_rows = split.block_rows;

  // Loads, of the core's port and of the SRAM port that several cores share.
  const double ports = std::ceil(static_cast<double>(chip.cores) / chip.cores_per_port);
  const double blocks = std::min(split.blocks_per_task, split.blocks);
  const double sharing =
      std::min<double>(chip.cores_per_port, std::ceil(tasks / ports)) / chip.sram.width;
  const Reuse reuse = reuse_of(problem, chip, split);
  const double gathers = std::max(1.0, problem.gathers / tiles_k);
  const double with_post = split.alternate ? 2.0 : 1.0;  // K tiles that end with outputs
  const auto rows = static_cast<int>(rows_used(engine, split.tile_channels));
  const double beats = static_cast<double>(drain_beats(engine, split.tile_channels));
  // A position is issued if an activation is there and any channel has a weight there.
  const double present = 1.0 - std::pow(1.0 - counts.density(), std::max(1.0, channels));
  const double chance = united * present;
  const double at_k = channels / engine.pes * counts.density();  // weights of a PE at a k

  const bool selects = selects_rows(problem, engine, split);
  const bool streams = problem.stream_bytes_per_cycle > 0 && !problem.run_time;
  const bool direct = selects && streams;  // rows that are wanted come straight from DRAM
  const double wanted = selects ? 1.0 - std::pow(1.0 - density, problem.rows) : 1.0;

  const auto times_of = [&](const KSize& size) {
    TileTimes times;
    // Ways work on the same group: the fullest of them counts, of the mean and its spread.
    const double issued =
        size.positions * chance +
        expected_maximum(ways) * std::sqrt(size.positions * chance * (1.0 - chance));
    times.issue = groups * std::max(issued, size.windows * united);
    // And the fullest PE. Channels are dealt so that PEs have about as many weights; but not in
    // every way, and which activations are there is left to chance.
    const double mean = size.k / ways * at_k * united;
    const double spread = std::sqrt(
        size.k / ways *
        (at_k * at_k * united * (1.0 - united) + at_k * (1.0 - counts.density()) * united));
    times.pe = groups * mean + (kUneven * groups + kUnevenOnce) * expected_maximum(pes) * spread;
    times.drain = groups * (kDrainLatency + beats);
    times.pass = soft_maximum(times.issue, times.pe, times.drain) + kPassOverhead;

    const double row_bytes = encoded_bytes(chip, size.k, size.k / gathers, density);
    times.row_traffic = gathers * token_traffic(chip, size.k / gathers, size.k / gathers, density);
    times.block_load = block_rows * std::max({row_bytes / engine.load_width, gathers,
                                              times.row_traffic * sharing / reuse.block_readers,
                                              lanes > 1 ? size.positions * united / lanes : 0.0}) +
                       kLoadLatency;
    const MeanTile mean_tile{rows,
                             channels,
                             size.k,
                             size.positions,
                             size.windows,
                             counts.density(),
                             with_post / tiles_k,
                             wanted};
    times.size = tile_size(chip, problem, mean_tile, counts.in_place());
    // Through the core's port.
    times.tile_bytes = direct ? times.size.crossing : times.size.moved;
    if (problem.run_time && chip.compress.activations != params::ActivationFormat::kBitmask) {
      times.tile_bytes = right_traffic(problem, chip, channels, size.k);
    }
    times.tile_load =
        std::max(times.size.beats, times.tile_bytes * sharing / reuse.tile_readers) + kLoadLatency;
    if (direct) {
      times.tile_load = std::max(times.tile_load, rows_load(problem, chip, times.size,
                                                            std::min<double>(chip.cores, tasks)));
    }
    if (problem.transpose_right) {
      times.tile_load += std::ceil(size.k * channels / engine.transpose_width);
    }
    return times;
  };
  const TileTimes mean = times_of({positions, k, stretch * windows.windows() / tiles_k});

  Prediction result;
  result.tasks = tasks;
  result.rounds = std::ceil(tasks / chip.cores);
  result.issue = mean.issue;
  result.pe = mean.pe;
  result.drain = mean.drain;
  result.pass = mean.pass;
  result.block_load = mean.block_load;
  result.tile_load = mean.tile_load;
  const TileSize& tile = mean.size;
  const double tile_bytes = mean.tile_bytes;

  // The busiest core: steps of one K tile each, whose loads overlap the passes of the step before.
  const double steps = result.rounds * tiles_k / parts;
  const double tile_loads = reuse.tile_loads;
  const double block_loads = reuse.block_loads;
  result.compute = steps * blocks * result.pass;
  result.load = block_loads * result.block_load + tile_loads * result.tile_load;
  const double waits = steps > 1 ? std::max(0.0, tile_loads - 1) / (steps - 1) : 0.0;
  // A load is not interrupted: while a tile streams, only the block under way and the next go on.
  const auto stall_of = [&](const TileTimes& now, const TileTimes& next) {
    return blocks > 1 ? std::max(0.0, next.tile_load - 1.5 * now.pass) : 0.0;
  };
  const auto in_order_of = [&](const TileTimes& now) {
    return blocks * std::max(now.pass, now.block_load);
  };
  const auto step_of = [&](const TileTimes& now, const TileTimes& next) {
    const double in_order = in_order_of(now);
    const double loads = (blocks - 1) * now.block_load + next.block_load;
    const double with_tile =
        std::max((1.0 - reuse.blocks) * loads + next.tile_load, in_order + stall_of(now, next));
    return waits * with_tile + (1.0 - waits) * in_order;
  };
  double stall = stall_of(mean, mean);
  double step = step_of(mean, mean);
  double in_order = in_order_of(mean);  // of the last step
  double before = (steps - 1) * step;   // all but the last step
  result.start = mean.block_load;
  if (uneven(split.k_tiles)) {
    // One after the other: a long tile is not loaded behind the passes of a short one.
    const std::vector<KTile>& tiles = split.k_tiles;
    std::vector<TileTimes> times;
    times.reserve(tiles.size());
    for (const KTile& one : tiles) {
      times.push_back(times_of({static_cast<double>(one.positions), static_cast<double>(one.k),
                                static_cast<double>(one.window_end - one.window_begin)}));
    }
    const TileTimes& last = times.back();
    double all = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      all += step_of(times[i], times[(i + 1) % times.size()]);
    }
    stall = stall_of(last, times.front());
    in_order = in_order_of(last);
    before = result.rounds / parts * all - step_of(last, times.front());
    step = all / static_cast<double>(times.size());
    result.start = times.front().block_load;
  }
  const double store_bytes = block_rows * token_traffic(chip, channels, channels, kOutputDensity);
  result.tail = beats + kStoreLatency + store_bytes / chip.sram.width;
  const double ports_bytes_per_cycle = ports * chip.sram.width;
  const double codes =
      static_cast<double>(problem.rows) * static_cast<double>(problem.n) * problem.heads;
  double sum_bytes = parts > 1 ? kSumBytes * codes * parts : 0.0;
  if (parts > 1) {
    // Partial sums leave block by block. The vector units add up those of the last round, partly
    // while its later blocks are computed.
    const double block_sums = block_rows * channels * kSumBytes * sharing + kStoreLatency;
    const double late = std::max(0.0, block_sums - in_order / blocks);
    const double last = std::min<double>(result.tasks, chip.cores) / result.tasks;
    const auto task_rows =
        static_cast<double>(reduction_rows(chip, split, problem.rows, problem.heads));
    sum_bytes += codes * kRequantizeBytes / task_rows;
    const double reduction = sum_bytes * last / ports_bytes_per_cycle +
                             codes * last * (parts + 1) / (chip.cores * chip.vector.lanes);
    const double hidden = kHidden * step * (1 - 1 / blocks);
    result.tail += block_sums + (blocks - 1) * late +
                   std::max(reduction / blocks, reduction - hidden) + kReductionLatency;
  }
  const double pipeline = result.start + before + in_order + result.tail;

  // Everything through the SRAM ports, and from DRAM.
  const double part_loads = result.tasks * tiles_k / parts;
  const double weight_bytes = part_loads * (1.0 - reuse.tiles) * tile_bytes;
  const double activation_bytes =
      part_loads * blocks * (1.0 - reuse.blocks) * block_rows * mean.row_traffic;
  // Neighbouring tasks use the same tile or the same rows: their cores' reads are joined.
  result.memory =
      (weight_bytes / reuse.tile_readers + activation_bytes / reuse.block_readers + sum_bytes) /
      ports_bytes_per_cycle;
  double dram_bytes = 0;
  double side_by_side = chip.cores;  // tasks
  double rows_from_dram = 0;         // cycles, nothing of which the layers before can hide
  Expected& expected = result.expected;
  if (selects && problem.channels_bytes_per_cycle > 0) {
    const double loads = part_loads * (1.0 - reuse.tiles);
    expected.selected_bytes = loads * tile.moved;
    expected.selected_cycles = loads * dram_cycles(problem, chip, tile);
  }
  if (direct) {
    dram_bytes = expected.selected_bytes;
    result.dram = expected.selected_cycles;
    rows_from_dram = rows_latency(chip) + result.dram + result.tail;
  } else if (streams) {
    // Row major every run of rows wants all tiles again, which a ring may not hold any more.
    const auto ring = static_cast<double>(least_ring(chip));
    const bool again =
        split.order == params::Ordering::kRowMajor && tile.stored * split.n_tiles * tiles_k > ring;
    const double times =
        again ? std::min<double>(split.task_runs, std::ceil(result.tasks / chip.cores)) : 1.0;
    dram_bytes = tile.stored * split.n_tiles * tiles_k * times;
    // Fetches go task by task: only tasks whose images the ring holds are under way side by side.
    const double images = 1.0 + ring / (tile.stored * tiles_k / parts);
    const double users = split.order == params::Ordering::kTileMajor ? split.task_runs : 1.0;
    side_by_side = std::min<double>(chip.cores, images * users);
    result.dram = dram_bytes / std::min(problem.stream_bytes_per_cycle,
                                        images * static_cast<double>(engine.load_width));
  }
  const double in_turn = result.tasks / side_by_side * (before + in_order) / result.rounds;
  result.total = std::max({pipeline, result.load + result.tail, result.memory, rows_from_dram,
                           side_by_side < chip.cores ? in_turn : 0.0});
  // The first tile's load hides behind the layer before: one as long as this, say, that leaves the
  // port free for half of its time. There it stops the blocks as others do here.
  double hiding = kHiding * result.total;
  double second = 0;
  if (problem.follows_engine) {
    // And whose last K tile fills the other half until it has been used.
    hiding += result.tail;
    if (steps > 1) hiding = std::min(hiding, in_order + result.tail);
    // This half is free some time before all cores have stored what this layer waits for: it is
    // loaded then, and the first block after it, not beside the first step.
    if (tile_loads > 1 && !problem.run_time) {
      second = std::max(0.0, result.tile_load - result.tail - std::max(0.0, step - in_order));
    }
  }
  // Rows are not known before the activations are: their load hides behind nothing.
  const double exposed =
      selects ? result.tile_load : std::max({0.0, result.tile_load - hiding, stall}) + second;
  result.start += exposed;
  result.total = std::max(pipeline + exposed, result.total);
  expected.cycles = result.total;
  expected.left_bytes = activation_bytes;
  expected.right_bytes = problem.run_time ? weight_bytes / reuse.tile_readers : 0.0;
  expected.left_loads = block_loads;
  if (result.dram > result.total) {
    // Weights stream while earlier layers run, too: DRAM alone counts from twice the layer on.
    const double excess = result.dram - result.total;
    result.total += excess * std::min(1.0, excess / result.total);
  }

  if (result.dram == 0 && problem.dram_bytes_per_cycle > 0 && !problem.run_time) {
    result.first = std::max(
        0.0, tile.stored * split.n_tiles * tiles_k / problem.dram_bytes_per_cycle - result.total);
  }
  // Of a part also the last tile's are written, and read when they are stored.
  const double psum_words = (parts > 1 ? tiles_k : tiles_k - 1) * codes;
  result.energy = weight_bytes * costs.weight_byte +
                  (activation_bytes + 2 * sum_bytes) * costs.activation_byte +
                  dram_bytes * costs.dram_byte + psum_words * costs.psum_word +
                  result.total * costs.chip_cycle;

  result.bound = Bound::kLoad;
  if (std::max(result.dram, rows_from_dram) >= result.total) {
    result.bound = Bound::kDram;
  } else if (result.memory >= result.total) {
    result.bound = Bound::kMemory;
  } else if (result.compute >= result.load) {
    const double most = result.pass - kPassOverhead;
    result.bound = most <= result.issue ? Bound::kIssue
                   : most <= result.pe  ? Bound::kPe
                                        : Bound::kDrain;
  }
  return result;
}

}  // namespace lacuna::mapper
