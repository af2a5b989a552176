// SPDX-License-Identifier: Apache-2.0
//
// Speed of a Verilated engine: clock cycles per second of processor time over a pass of a pruned
// layer, kept in the halves so that loads do not count. Prints the median and the extremes.
//
//   bench_rtl FILE.so [weight density] [activation density] [repetitions]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <vector>

#include "rtl/support/generator.h"
#include "rtl/support/plugin.h"

namespace {

/// Time of this process on the processor, so that a busy machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

int measure(int argc, char** argv) {
  using namespace lacuna::test::rtl;
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: bench_rtl FILE.so [weight density] [activation density] [repetitions]\n");
    return 2;
  }
  const double weight_density = argc > 2 ? std::atof(argv[2]) : 0.2;
  const double act_density = argc > 3 ? std::atof(argv[3]) : 0.4;
  const int repetitions = std::max(1, argc > 4 ? std::atoi(argv[4]) : 15);
  Plugin plugin(std::filesystem::absolute(argv[1]).string());
  const Shape shape = plugin.shape();
  Random random(1);
  // The deepest K of which the buffers hold a tile with all rows and a good number of tokens.
  for (int k = shape.max_k; k >= shape.k_ways; k /= 2) {
    Problem problem;
    problem.segment_channels = k;
    problem.channels = shape.pes * shape.rows_per_pe;
    problem.tokens = 64 * shape.lanes;
    fill(random, shape, problem, weight_density, act_density, false);
    while (!fits(shape, problem) && problem.tokens > shape.lanes) {
      problem.tokens /= 2;
      problem.acts.resize(static_cast<std::size_t>(problem.tokens) * static_cast<std::size_t>(k));
    }
    if (!fits(shape, problem) || problem.tokens < 8 * shape.lanes) continue;
    Images images(shape, problem, 1, 2);
    images.pass.want_trace = 0;
    lacuna_rtl_result result{};
    std::vector<double> rates;
    for (int i = 0; i <= repetitions; ++i) {
      const double begin = cpu_seconds();
      if (plugin.run(images, result) != 0) {
        std::fprintf(stderr, "%s\n", plugin.error().c_str());
        return 1;
      }
      const double seconds = cpu_seconds() - begin;
      if (i == 0) continue;  // loads
      rates.push_back(static_cast<double>(result.rtl_cycles) / seconds);
    }
    std::sort(rates.begin(), rates.end());
    const lacuna_rtl_counters& c = result.counters;
    std::printf(
        "K %d, N %d, %d tokens, weights %.2f, activations %.2f: %llu cycles, MAC slots %.0f %%\n",
        k, problem.channels, problem.tokens, weight_density, act_density,
        static_cast<unsigned long long>(result.rtl_cycles),
        100.0 * static_cast<double>(c.pe_mac) /
            static_cast<double>(result.length * static_cast<unsigned>(shape.pes * shape.k_ways)));
    std::printf("cycles/s: median %.0f, lowest %.0f, highest %.0f of %d\n", rates[rates.size() / 2],
                rates.front(), rates.back(), repetitions);
    return 0;
  }
  std::fprintf(stderr, "the buffers hold no pass of these densities\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return measure(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_rtl: %s\n", e.what());
    return 1;
  }
}
