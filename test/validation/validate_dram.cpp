// SPDX-License-Identifier: Apache-2.0
//
// The DRAM model against closed forms and against the independent checker, at full length, for
// every preset (or those named). Prints a line for each figure; exit status 1 if one is out of
// bounds.
//
//   validate_dram formulas [--requests 1000000] [PRESET...]   latencies, saturated channels,
//   streams validate_dram commands [--commands 10000000] [PRESET...]  random traffic in every mode
//   of the
//                                                             controller, every command checked
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/dram_driver.h"
#include "timing/dram/timing_checker.h"

namespace lacuna::timing::dram {
namespace {

using params::MemoryPagePolicy;
using params::MemoryRefresh;
using enum params::MemoryCommand;

bool all_well = true;

void line(const std::string& preset, const std::string& what, double found, double formula,
          double bound) {
  const double off = formula == 0 ? 0 : found / formula - 1;
  const bool is_well = std::abs(off) <= bound;
  all_well = all_well && is_well;
  fmt::print("{:<14} {:<28} {:>14.4f} {:>14.4f} {:>+9.3f} %  {}\n", preset, what, found, formula,
             100 * off, is_well ? "" : fmt::format("OUT OF {} %", 100 * bound));
  std::fflush(stdout);
}

BurstRequest request(const AddressMap& map, std::uint64_t address) {
  const DramAddress at = map.decode(address);
  BurstRequest made;
  made.bank = at.bank;
  made.row = at.row;
  made.column = at.column;
  return made;
}

void latencies(const params::MemoryPreset& preset, const test::Formulas& formulas) {
  params::MemoryControllerParams policy = preset.controller;
  policy.refresh = MemoryRefresh::kNone;
  const TimingTable table(preset);
  for (const bool is_write : {false, true}) {
    Channel channel(table, policy);
    const auto serve = [&](std::int32_t row, Cycle at) {
      BurstRequest one;
      one.row = row;
      one.is_write = is_write;
      return static_cast<double>(test::serve_one(channel, one, at) - at);
    };
    const std::string kind = is_write ? "write" : "read";
    const auto real = [](Cycle cycles) { return static_cast<double>(cycles); };
    line(preset.name, kind + " of a closed bank", serve(1, 10'000), real(formulas.closed(is_write)),
         0);
    line(preset.name, kind + " hit", serve(1, 20'000), real(formulas.hit(is_write)), 0);
    line(preset.name, kind + " conflict", serve(2, 30'000), real(formulas.conflict(is_write)), 0);
  }
}

void saturated(const params::MemoryPreset& preset, const test::Formulas& formulas,
               std::int64_t requests) {
  const TimingTable table(preset);
  const AddressMap map(preset.controller.mapping, preset.organization, 1);
  const auto burst = static_cast<std::uint64_t>(preset.organization.burst_bytes());
  const auto bursts_per_row = static_cast<double>(preset.organization.bursts_per_row());
  const auto count = static_cast<double>(requests);
  {
    Channel channel(table, preset.controller);
    const auto result = test::saturate(channel, table, requests, [&](std::int64_t i) {
      return request(map, static_cast<std::uint64_t>(i) * burst);
    });
    line(preset.name, "stream, cycles a burst", result.cycles_per_burst, formulas.stream(), 0.005);
    const ChannelStats& stats = channel.stats(result.last_done);
    const double refreshes = static_cast<double>(stats.count(kREFab));
    line(preset.name, "stream, refreshes", refreshes,
         std::floor(static_cast<double>(result.last_done) /
                    static_cast<double>(table.refresh_interval())) *
             table.ranks(),
         8.0 * table.ranks() / refreshes);
    line(preset.name, "stream, refresh share",
         static_cast<double>(stats.refreshing_cycles) /
             static_cast<double>(result.last_done * table.ranks()),
         1 - formulas.without_refresh(), 0.05);
    const double activates = count / bursts_per_row + refreshes /
                                                          preset.controller.refresh_postpone *
                                                          preset.organization.bank_groups;
    line(preset.name, "stream, activations", static_cast<double>(stats.count(kACT)), activates,
         0.02);
    line(preset.name, "stream, row-hit rate", static_cast<double>(stats.row_hits) / count,
         1 - activates / count, 0.002);
  }
  {
    Channel channel(table, preset.controller);
    const auto result = test::saturate(channel, table, requests, [&](std::int64_t i) {
      BurstRequest made;
      made.row = static_cast<std::int32_t>(i % preset.organization.rows);
      return made;
    });
    line(preset.name, "conflict, cycles a burst", result.cycles_per_burst, formulas.same_bank(),
         0.005);
  }
  {
    Channel channel(table, preset.controller);
    base::Rng rng(7);
    const auto result = test::saturate(channel, table, requests, [&](std::int64_t) {
      return request(map, rng.below(map.capacity_bytes()));
    });
    line(preset.name, "random, cycles a burst", result.cycles_per_burst, formulas.random(), 0.035);
  }
}

// One mode of the controller.
struct Mode {
  const char* name;
  void (*change)(params::MemoryPreset&);
};

const Mode kModes[] = {
    {"as it is", [](params::MemoryPreset&) {}},
    {"closed pages, power-down",
     [](params::MemoryPreset& preset) {
       preset.controller.page_policy = MemoryPagePolicy::kClosed;
       preset.controller.power_down = 20;
     }},
    {"timeout, self-refresh, two ranks",
     [](params::MemoryPreset& preset) {
       preset.organization.ranks = 2;
       preset.controller.page_policy = MemoryPagePolicy::kTimeout;
       preset.controller.power_down = 30;
       preset.controller.self_refresh = 3000;
     }},
    {"per-bank refresh, power-down",
     [](params::MemoryPreset& preset) {
       if (preset.has(kREFpb)) preset.controller.refresh = MemoryRefresh::kPerBank;
       preset.controller.power_down = 50;
     }},
    {"in order, no postponing, two ranks",
     [](params::MemoryPreset& preset) {
       preset.organization.ranks = 2;
       preset.controller.scheduler = params::MemoryScheduler::kFcfs;
       preset.controller.refresh_postpone = 0;
     }},
};

void commands(const params::MemoryPreset& original, std::int64_t wanted) {
  std::int64_t checked = 0;
  std::int64_t violations = 0;
  for (std::size_t mode = 0; mode < std::size(kModes); ++mode) {
    params::MemoryPreset preset = original;
    kModes[mode].change(preset);
    const std::int64_t share =
        wanted / static_cast<std::int64_t>(std::size(kModes)) + (mode == 0 ? wanted % 5 : 0);
    const TimingTable table(preset);
    Channel channel(table, preset.controller);
    TimingChecker checker(preset);
    channel.set_observer(&checker);
    // More than two commands a request: enough requests, and the rest of the run is not cut off.
    std::uint64_t seed = 1;
    Cycle end = 0;
    end = test::random_traffic(channel, preset, share / 2, ++seed);
    checker.finish(end);
    checked += checker.commands();
    violations += checker.violations();
    fmt::print("{:<14} {:<36} {:>10} commands, {} violations\n", preset.name, kModes[mode].name,
               checker.commands(), checker.violations());
    if (checker.violations() > 0) fmt::print("{}\n", checker.summary());
    std::fflush(stdout);
  }
  all_well = all_well && violations == 0 && checked >= wanted;
  fmt::print("{:<14} {:<36} {:>10} commands, {} violations\n", original.name, "all", checked,
             violations);
}

int run(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  std::int64_t count = mode == "commands" ? 10'000'000 : 1'000'000;
  std::vector<std::string> presets;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if ((word == "--requests" || word == "--commands") && i + 1 < argc) {
      count = std::strtoll(argv[++i], nullptr, 10);
    } else {
      presets.push_back(word);
    }
  }
  if ((mode != "formulas" && mode != "commands") || count < 1000) {
    fmt::print(stderr,
               "usage: validate_dram formulas|commands [--requests N|--commands N] [PRESET...], "
               "N at least 1000\n");
    return 2;
  }
  if (presets.empty()) presets = test::preset_names();
  for (const std::string& name : presets) {
    const params::MemoryPreset preset = test::load_preset(name);
    if (mode == "commands") {
      commands(preset, count);
    } else {
      const test::Formulas formulas(preset);
      latencies(preset, formulas);
      saturated(preset, formulas, count);
    }
  }
  return all_well ? 0 : 1;
}

}  // namespace
}  // namespace lacuna::timing::dram

int main(int argc, char** argv) {
  try {
    return lacuna::timing::dram::run(argc, argv);
  } catch (const lacuna::base::UserError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
