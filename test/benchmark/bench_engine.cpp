// SPDX-License-Identifier: Apache-2.0
//
// Speed of the engine model on one thread, for a core of the reference chip (64 MACs): nanoseconds
// per issued entry and dense-equivalent multiply-accumulates per second (tokens x K x N of the
// pass, zeros included, per second of our time). Timing with all counters; function apart.
//
// The last lines give the ratio of the plain version to the fast one, measured alternately, because
// machines are noisy.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/rng.h"
#include "timing/engine/balance.h"
#include "timing/engine/block.h"
#include "timing/engine/kernel.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"

namespace {

using namespace lacuna;
using namespace lacuna::timing::engine;

struct Work {
  params::EngineParams params;
  Tile tile;
  Block block;
  double dense_macs = 0;
  double entries = 0;
};

Work make_work(int pes, int k, int channels, int tokens, double weight_density,
               double act_density) {
  Work work;
  work.params.pes = pes;
  work.params.drain_width = pes;
  base::Rng rng(42);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(k) *
                                   static_cast<std::size_t>(channels));
  for (auto& w : weights) {
    w = rng.bernoulli(weight_density) ? static_cast<std::int8_t>(rng.range(1, 127)) : std::int8_t{};
  }
  std::vector<std::uint8_t> acts(static_cast<std::size_t>(k) * static_cast<std::size_t>(tokens));
  for (auto& a : acts) {
    a = rng.bernoulli(act_density) ? static_cast<std::uint8_t>(rng.range(1, 255)) : std::uint8_t{};
  }
  const std::vector<std::int32_t> bias(static_cast<std::size_t>(channels), 5);
  const std::vector<std::int32_t> multiplier(static_cast<std::size_t>(channels), 77);
  const std::vector<std::uint8_t> shift(static_cast<std::size_t>(channels), 12);

  TileSource source;
  source.weights = {weights.data(), k, 1};
  source.segments = {1, k};
  const WindowTable table(work.params, source.segments);
  source.windows = table.all();
  source.channels = channels;
  source.bias = bias;
  source.multiplier = multiplier;
  source.shift = shift;
  source.order = balance_order(work.params, source, params::Balance::kGreedy);
  work.tile = make_tile(work.params, source);

  std::vector<const std::uint8_t*> rows;
  for (int t = 0; t < tokens; ++t) rows.push_back(acts.data() + std::ptrdiff_t{t} * k);
  BlockSource block;
  block.tokens = tokens;
  block.segments = source.segments;
  block.windows = source.windows;
  block.rows = rows;
  work.block = make_block(work.params, block);

  EvaluateOptions options;
  options.functional = false;
  const PassResult result = evaluate(work.params, work.tile, work.block, {}, {}, options);
  work.entries = static_cast<double>(result.counters.broadcasts);
  work.dense_macs = static_cast<double>(tokens) * k * channels;
  return work;
}

void set_rates(benchmark::State& state, const Work& work) {
  const double passes = static_cast<double>(state.iterations());
  state.counters["ns_per_entry"] = benchmark::Counter(
      work.entries * passes / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["dense_MAC/s"] =
      benchmark::Counter(work.dense_macs * passes, benchmark::Counter::kIsRate);
}

void bench_pass(benchmark::State& state, const Work& work, EvaluateOptions options) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        evaluate(work.params, work.tile, work.block, {}, {}, options).counters.pe_mac);
  }
  set_rates(state, work);
}

double seconds_of(const Work& work, Kernel kernel) {
  EvaluateOptions options;
  options.functional = false;
  options.kernel = kernel;
  const auto begin = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(
      evaluate(work.params, work.tile, work.block, {}, {}, options).counters.pe_mac);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void print_ratios(const std::string& name, const Work& work) {
  std::vector<double> plain;
  std::vector<double> portable;
  std::vector<double> fast;
  for (int i = 0; i < 15; ++i) {
    plain.push_back(seconds_of(work, Kernel::kPlain));
    portable.push_back(seconds_of(work, Kernel::kPortable));
    fast.push_back(seconds_of(work, Kernel::kAuto));
  }
  std::printf(
      "ratio %-28s plain %6.2f ns/entry, portable vectors %5.2f, fast %5.2f; plain/fast %5.1f, "
      "fast %.3g dense MAC/s\n",
      name.c_str(), median(plain) / work.entries * 1e9, median(portable) / work.entries * 1e9,
      median(fast) / work.entries * 1e9, median(plain) / median(fast),
      work.dense_macs / median(fast));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  struct Case {
    std::string name;
    int pes, k, channels, tokens;
    double weights, acts;
  };
  const std::vector<Case> cases{
      {"reference/w10_a50", 16, 1024, 512, 64, 0.1, 0.5},
      {"reference/w20_a50", 16, 1024, 512, 64, 0.2, 0.5},
      {"reference/w30_a50", 16, 1024, 512, 64, 0.3, 0.5},
      {"reference/w30_a10", 16, 1024, 512, 64, 0.3, 0.1},
      {"reference/w02_a50", 16, 1024, 512, 64, 0.02, 0.5},
      {"reference/dense", 16, 512, 512, 32, 1.0, 1.0},
      {"reference/short_groups", 16, 64, 512, 256, 0.3, 0.5},
      {"pes32/w20_a50", 32, 1024, 1024, 64, 0.2, 0.5},
      {"pes64/w20_a50", 64, 1024, 2048, 64, 0.2, 0.5},
  };
  std::vector<Work> works;
  for (const Case& c : cases) {
    works.push_back(make_work(c.pes, c.k, c.channels, c.tokens, c.weights, c.acts));
  }
  EvaluateOptions timing;
  timing.functional = false;
  EvaluateOptions plain = timing;
  plain.kernel = Kernel::kPlain;
  EvaluateOptions function;
  function.timing = false;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Work& work = works[i];
    benchmark::RegisterBenchmark(("timing/" + cases[i].name).c_str(),
                                 [&work, timing](auto& state) { bench_pass(state, work, timing); });
    benchmark::RegisterBenchmark(
        ("function/" + cases[i].name).c_str(),
        [&work, function](auto& state) { bench_pass(state, work, function); });
  }
  benchmark::RegisterBenchmark("timing_plain/reference/w20_a50", [&works, plain](auto& state) {
    bench_pass(state, works[1], plain);
  });
  benchmark::RunSpecifiedBenchmarks();
  std::printf("\nmachine runs %s\n", have_avx2() ? "AVX2" : "portable vectors");
  for (std::size_t i = 0; i < cases.size(); ++i) print_ratios(cases[i].name, works[i]);
  return 0;
}
