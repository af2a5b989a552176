// SPDX-License-Identifier: Apache-2.0
//
// Speed of the engine model on one thread, for a core of the reference chip (64 MACs, or as named):
// nanoseconds per issued entry and dense-equivalent multiply-accumulates per second (tokens x K x N
// of the pass, zeros included, per second of our time). Timing with all counters; function apart.
// Then the Verilated RTL of the same core on the same passes: clock cycles per second, and how many
// times faster the model is. All times are processor time; what is compared is measured
// alternately, because machines are noisy, and the best of each is taken.
//
//   bench_engine [--no-rtl] [--rtl-cache DIR] [--rounds N] [--case PART]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cosim/plugin.h"
#include "cosim/plugin_cache.h"
#include "timing/engine/balance.h"
#include "timing/engine/block.h"
#include "timing/engine/capacity.h"
#include "timing/engine/kernel.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"

namespace {

using namespace lacuna;
using namespace lacuna::timing::engine;

struct Case {
  const char* name;
  int pes, k, channels, tokens;
  double weights, acts;
  bool skewed = false;  ///< densities of single channels and k vary, as in captured traces
};

// All fit the buffers of the core, so that the RTL can run them. The last ones show what many short
// groups, few PEs' worth of channels or more PEs per way do.
constexpr Case kCases[] = {
    {"w30_a50", 16, 384, 512, 64, 0.3, 0.5},
    {"w10_a50", 16, 512, 512, 56, 0.1, 0.5},
    {"w20_a40_skewed", 16, 448, 512, 64, 0.2, 0.4, true},
    {"w10_a50_skewed", 16, 512, 512, 48, 0.1, 0.5, true},
    {"w30_a10", 16, 384, 512, 64, 0.3, 0.1},
    {"w02_a50", 16, 512, 512, 56, 0.02, 0.5},
    {"dense", 16, 128, 512, 64, 1.0, 1.0},
    {"w30_a50_short_groups", 16, 64, 512, 128, 0.3, 0.5},
    {"w30_a50_12_tokens", 16, 256, 256, 12, 0.3, 0.5},
    {"pes32_w20_a50", 32, 512, 1024, 56, 0.2, 0.5},
    {"pes64_w20_a50", 64, 512, 2048, 56, 0.2, 0.5},
};

struct Work {
  std::string name;
  bool reference = false;  ///< of the reference core
  params::EngineParams params;
  Tile tile;
  Block block;
  PassCommand command;
  double dense_macs = 0;
  double entries = 0;
  double cycles = 0;
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

PassResult timed(const Work& work, Kernel kernel) {
  EvaluateOptions options;
  options.functional = false;
  options.kernel = kernel;
  return evaluate(work.params, work.tile, work.block, work.command, {}, options);
}

/// A density around `mean`, or that.
double drawn_density(base::Rng& rng, double mean, bool skewed) {
  return skewed ? std::min(1.0, mean * 2 * rng.uniform()) : mean;
}

Work make_work(const Case& c) {
  Work work;
  work.name = c.name;
  work.reference = c.pes == work.params.pes;
  work.params.pes = c.pes;
  work.params.drain_width = c.pes;
  work.params.weight_buffer *= c.pes / 16;
  base::Rng rng(42);
  const auto k = static_cast<std::size_t>(c.k);
  std::vector<std::int8_t> weights(k * static_cast<std::size_t>(c.channels));
  for (std::size_t n = 0; n < static_cast<std::size_t>(c.channels); ++n) {
    const double density = drawn_density(rng, c.weights, c.skewed);
    for (std::size_t i = 0; i < k; ++i) {
      if (rng.bernoulli(density)) weights[n * k + i] = static_cast<std::int8_t>(rng.range(1, 127));
    }
  }
  std::vector<std::uint8_t> acts(k * static_cast<std::size_t>(c.tokens));
  for (std::size_t i = 0; i < k; ++i) {
    const double density = drawn_density(rng, c.acts, c.skewed);
    for (std::size_t t = 0; t < static_cast<std::size_t>(c.tokens); ++t) {
      if (rng.bernoulli(density)) acts[t * k + i] = static_cast<std::uint8_t>(rng.range(1, 255));
    }
  }
  const std::vector<std::int32_t> bias(static_cast<std::size_t>(c.channels), 5);
  const std::vector<std::int32_t> multiplier(static_cast<std::size_t>(c.channels), 77);
  const std::vector<std::uint8_t> shift(static_cast<std::size_t>(c.channels), 12);

  TileSource source;
  source.weights = {weights.data(), c.k, 1};
  source.segments = {1, c.k};
  const WindowTable table(work.params, source.segments);
  source.windows = table.all();
  source.channels = c.channels;
  source.bias = bias;
  source.multiplier = multiplier;
  source.shift = shift;
  source.order = balance_order(work.params, source, params::Balance::kGreedy);
  work.tile = make_tile(work.params, source);

  std::vector<const std::uint8_t*> rows;
  for (int t = 0; t < c.tokens; ++t) rows.push_back(acts.data() + std::ptrdiff_t{t} * c.k);
  BlockSource block;
  block.tokens = c.tokens;
  block.segments = source.segments;
  block.windows = source.windows;
  block.rows = rows;
  work.block = make_block(work.params, block);

  const PassResult result = timed(work, Kernel::kAuto);
  work.entries = static_cast<double>(result.counters.broadcasts);
  work.cycles = static_cast<double>(result.length);
  work.dense_macs = static_cast<double>(c.tokens) * c.k * c.channels;
  return work;
}

/// Processor time of one pass, the best of the rounds so far.
class Best {
 public:
  template <class Run>
  void measure(double at_least, const Run& run) {
    int passes = 0;
    const double begin = processor_seconds();
    double spent = 0;
    do {
      run();
      ++passes;
      spent = processor_seconds() - begin;
    } while (spent < at_least);
    best_ = std::min(best_, spent / passes);
  }
  [[nodiscard]] double seconds() const { return best_; }

 private:
  double best_ = std::numeric_limits<double>::max();
};

void measure_model(const std::vector<Work>& works, int rounds) {
  struct Times {
    Best plain, portable, fast, function;
  };
  std::vector<Times> times(works.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const Work& work = works[i];
      constexpr double kShort = 2e-3;
      times[i].fast.measure(kShort, [&] { (void)timed(work, Kernel::kAuto); });
      times[i].portable.measure(kShort, [&] { (void)timed(work, Kernel::kPortable); });
      if (round % 4 == 0) times[i].plain.measure(0, [&] { (void)timed(work, Kernel::kPlain); });
      EvaluateOptions function;
      function.timing = false;
      times[i].function.measure(kShort, [&] {
        (void)evaluate(work.params, work.tile, work.block, work.command, {}, function);
      });
    }
  }
  std::printf("model, one thread, %s: processor ns per issued entry\n", have_avx512() ? "AVX-512"
                                                                        : have_avx2()
                                                                            ? "AVX2"
                                                                            : "portable vectors");
  std::printf("  %-22s %9s %9s %9s %11s %12s %12s\n", "case", "plain", "portable", "fast",
              "plain:fast", "dense MAC/s", "and function");
  for (std::size_t i = 0; i < works.size(); ++i) {
    const Work& work = works[i];
    const double ns = 1e9 / work.entries;
    const double fast = times[i].fast.seconds();
    std::printf("  %-22s %9.1f %9.2f %9.2f %11.1f %12.3g %12.3g\n", work.name.c_str(),
                times[i].plain.seconds() * ns, times[i].portable.seconds() * ns, fast * ns,
                times[i].plain.seconds() / fast, work.dense_macs / fast,
                work.dense_macs / (fast + times[i].function.seconds()));
  }
}

void measure_rtl(const std::vector<Work>& works, int rounds,
                 const cosim::PluginCacheOptions& cache) {
  const params::EngineParams reference;
  const auto plugin = cosim::load_rtl(reference, cache);
  struct Times {
    const Work* work;
    std::unique_ptr<cosim::RtlInstance> engine;
    Best model, rtl;
    double clocks = 0;
  };
  std::vector<Times> times;
  for (const Work& work : works) {
    if (!work.reference || !capacity_violations(work.params, work.tile).empty() ||
        !capacity_violations(work.params, work.block).empty()) {
      continue;
    }
    times.push_back({&work, plugin->create(), {}, {}, 0});
  }
  for (int round = 0; round < rounds; ++round) {
    for (Times& each : times) {
      const Work& work = *each.work;
      const auto run_rtl = [&] {
        const auto result = each.engine->run(work.tile, work.block, work.command, {}, false);
        if (!result.error.empty()) throw std::runtime_error(result.error);
        if (static_cast<double>(result.result.length) != work.cycles) {
          throw std::runtime_error("model and RTL differ in " + work.name);
        }
        each.clocks = static_cast<double>(result.rtl_cycles);
      };
      if (round == 0) run_rtl();  // loads the tile
      each.rtl.measure(0, run_rtl);
      each.model.measure(2e-3, [&] { (void)timed(work, Kernel::kAuto); });
    }
  }
  std::printf("\nVerilated RTL of the reference core (tile kept, block loaded each time)\n");
  std::printf("  %-22s %14s %16s %12s\n", "case", "RTL cycles/s", "model cycles/s", "model:RTL");
  for (const Times& each : times) {
    const double model = each.work->cycles / each.model.seconds();
    // A pass on the RTL is its clocks with the load; the model's work is the pass.
    std::printf("  %-22s %14.0f %16.3g %12.0f\n", each.work->name.c_str(),
                each.clocks / each.rtl.seconds(), model, each.rtl.seconds() / each.model.seconds());
  }
}

int run(int argc, char** argv) {
  int rounds = 12;
  bool rtl = true;
  std::string part;
  cosim::PluginCacheOptions cache;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--no-rtl") {
      rtl = false;
    } else if (argument == "--rtl-cache" && more) {
      cache.folder = argv[++i];
    } else if (argument == "--rounds" && more) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--case" && more) {
      part = argv[++i];
    } else {
      std::fprintf(stderr,
                   "usage: bench_engine [--no-rtl] [--rtl-cache DIR] [--rounds N] [--case PART]\n");
      return 2;
    }
  }
  std::vector<Work> works;
  for (const Case& c : kCases) {
    if (std::strstr(c.name, part.c_str()) != nullptr) works.push_back(make_work(c));
  }
  measure_model(works, rounds);
  std::fflush(stdout);
  if (rtl) measure_rtl(works, std::max(1, rounds / 4), cache);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_engine: %s\n", error.what());
    return 1;
  }
}
