// SPDX-License-Identifier: Apache-2.0
#include "traffic/replay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"
#include "support/temp_dir.h"
#include "traffic/synthetic.h"

namespace lacuna::traffic {
namespace {

using timing::dram::MemoryCommand;
using timing::dram::MemorySystem;

params::MemoryPreset load(const std::string& name) {
  return config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) + "/configs/memories/" +
                                            name + ".yaml")
      .value;
}

class ListSource final : public RequestSource {
 public:
  explicit ListSource(std::vector<Request> requests) : requests_(std::move(requests)) {}
  bool next(Request& request) override {
    if (at_ == requests_.size()) return false;
    request = requests_[at_++];
    return true;
  }

 private:
  std::vector<Request> requests_;
  std::size_t at_ = 0;
};

ReplayResult run(RequestSource& source, const std::string& preset, ReplayOptions options,
                 int channels = 1) {
  MemorySystem memory(load(preset), channels);
  ChannelWatch watch(memory, nullptr, true);
  ReplayResult result = replay(source, memory, watch, options);
  for (const auto& checker : watch.checkers()) {
    EXPECT_EQ(checker.violations(), 0) << checker.summary();
  }
  return result;
}

// The formula of docs/reference/memory.md: 3 + 39 + 40 + 8 + 43 cycles for a closed bank.
TEST(Replay, IsolatedReadsTakeTheLatencyOfTheFormula) {
  ListSource source({{1'000'000, 0, 32, false}, {1'001'000, 64, 32, false}});
  const ReplayResult result = run(source, "lpddr4x-4266", {});
  EXPECT_EQ(result.reads, 2);
  EXPECT_EQ(result.read_latency.largest(), 133);  // closed
  EXPECT_EQ(result.read_latency.smallest(), 94);  // a row hit: 3 + 40 + 8 + 43
  // Time begins with the first request.
  EXPECT_EQ(result.cycles, 1000 + 94);
  EXPECT_EQ(result.busy_cycles, 133 + 94);
  EXPECT_EQ(result.held_back, 0);
}

TEST(Replay, LatencyCountsFromTheScheduledCycleEvenIfSentLater) {
  std::vector<Request> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back({0, static_cast<std::uint64_t>(i) * 32, 32, false});
  }
  ListSource wide(requests);
  ListSource narrow(requests);
  const ReplayResult at_once = run(wide, "lpddr4x-4266", {.outstanding = 1000});
  const ReplayResult one_by_one = run(narrow, "lpddr4x-4266", {.outstanding = 1});
  EXPECT_EQ(at_once.most_under_way, 100);
  EXPECT_EQ(at_once.held_back, 0);
  EXPECT_EQ(one_by_one.most_under_way, 1);
  EXPECT_EQ(one_by_one.held_back, 99);
  EXPECT_EQ(one_by_one.read_latency.largest(), one_by_one.cycles);
  EXPECT_EQ(one_by_one.busy_cycles, one_by_one.cycles);
  EXPECT_NEAR(one_by_one.mean_under_way, 1, 1e-9);
  EXPECT_GT(one_by_one.cycles, 5 * at_once.cycles);
}

TEST(Replay, ClosedLoopIgnoresScheduledCycles) {
  std::vector<Request> requests;
  for (int i = 0; i < 1000; ++i) {
    requests.push_back({i * 1000, static_cast<std::uint64_t>(i) * 32, 32, i % 4 == 0});
  }
  ListSource source(requests);
  const ReplayResult result = run(source, "ddr4-3200", {.outstanding = 8, .closed_loop = true});
  EXPECT_LT(result.cycles, 50'000);
  EXPECT_EQ(result.reads, 750);
  EXPECT_EQ(result.writes, 250);
  EXPECT_NEAR(result.mean_under_way, 8, 0.2);
}

// The closed forms of docs/reference/memory.md through the whole replay, for streams over several
// channels; and the counters agree with each other.
TEST(Replay, SaturatedStreamsReachTheClosedForm) {
  for (const char* name : {"lpddr4x-4266", "ddr4-3200", "hbm2-2000"}) {
    const params::MemoryPreset preset = load(name);
    MemorySystem memory(preset, 4);
    ChannelWatch watch(memory, nullptr, false);
    SyntheticSpec spec;
    spec.requests = 200'000;
    SyntheticSource source(spec, preset.organization.burst_bytes(), memory.address_map(),
                           preset.organization, 4);
    const ReplayResult result =
        replay(source, memory, watch, {.outstanding = 1024, .closed_loop = true});
    const auto timing = [&](const char* first, const char* second) {
      const auto found = preset.timing.find(first);
      return static_cast<double>(found != preset.timing.end() ? found->second
                                                              : preset.timing.at(second));
    };
    const double share = 1 - timing("RFC", "RFCab") / timing("REFI", "REFI");
    const double bytes_per_s = static_cast<double>(result.bytes()) /
                               (static_cast<double>(result.cycles) * preset.clock_period);
    // 50,000 bursts a channel: few batches of refreshes.
    EXPECT_NEAR(bytes_per_s / (4 * preset.peak_bytes_per_second() * share), 1, 0.015) << name;
    EXPECT_EQ(result.memory.channels.reads(), 200'000);
    EXPECT_EQ(watch.busiest_window() * preset.organization.burst_cycles(),
              watch.window_cycles() * 4 * preset.organization.pseudo_channels)
        << name;
    std::int64_t reads = 0;
    for (const auto& channel : result.channels) reads += channel.reads();
    EXPECT_EQ(reads, 200'000);
  }
}

TEST(Replay, QueuesObeyLittlesLaw) {
  const params::MemoryPreset preset = load("lpddr4x-4266");
  MemorySystem memory(preset, 1);
  ChannelWatch watch(memory, nullptr, false);
  SyntheticSpec spec;
  spec.pattern = Pattern::kMixed;
  spec.requests = 20'000;
  spec.writes = 1.0 / 3;
  SyntheticSource source(spec, 32, memory.address_map(), preset.organization, 1);
  const ReplayResult result =
      replay(source, memory, watch, {.outstanding = 40, .closed_loop = true});
  const double latency = result.read_latency.mean() * static_cast<double>(result.reads) +
                         result.write_latency.mean() * static_cast<double>(result.writes);
  EXPECT_NEAR(result.mean_under_way, latency / static_cast<double>(result.cycles), 1e-6);
  // From its column command on a burst is no longer in a queue but still under way.
  const auto& stats = result.memory.channels;
  const double queued = static_cast<double>(stats.read_queue_cycles + stats.write_queue_cycles) /
                        static_cast<double>(result.cycles);
  EXPECT_LT(queued, result.mean_under_way);
  EXPECT_GT(queued, result.mean_under_way * 0.6);
  EXPECT_LE(stats.read_queue_largest, preset.controller.read_queue);
  EXPECT_GT(stats.write_queue_largest, preset.controller.write_low);
}

TEST(Replay, AtARateTheBandwidthIsTheRate) {
  const params::MemoryPreset preset = load("ddr4-3200");
  MemorySystem memory(preset, 2);
  ChannelWatch watch(memory, nullptr, false);
  SyntheticSpec spec;
  spec.requests = 50'000;
  SyntheticSource source(spec, 64, memory.address_map(), preset.organization, 2);
  RatedSource rated(source, 20);  // of 32
  const ReplayResult result = replay(rated, memory, watch, {.outstanding = 1000});
  EXPECT_NEAR(static_cast<double>(result.bytes()) / static_cast<double>(result.cycles), 20, 0.1);
}

TEST(Replay, EveryConflictRequestIsAConflict) {
  const params::MemoryPreset preset = load("ddr4-3200");
  MemorySystem memory(preset, 2);
  ChannelWatch watch(memory, nullptr, false);
  SyntheticSpec spec;
  spec.pattern = Pattern::kConflict;
  spec.requests = 10'000;
  SyntheticSource source(spec, 64, memory.address_map(), preset.organization, 2);
  const ReplayResult result =
      replay(source, memory, watch, {.outstanding = 64, .closed_loop = true});
  EXPECT_EQ(result.memory.channels.row_hits, 0);
  EXPECT_EQ(result.memory.channels.row_misses + result.memory.channels.row_conflicts, 10'000);
  EXPECT_GE(result.memory.channels.count(MemoryCommand::kACT), 10'000);
}

TEST(Synthetic, SpecificationsAreRead) {
  const SyntheticSpec spec =
      parse_synthetic("random,requests=2k,seed=9,writes=0.25,span=1MiB", "--traffic");
  EXPECT_EQ(spec.pattern, Pattern::kRandom);
  EXPECT_EQ(spec.requests, 2000);
  EXPECT_EQ(spec.seed, 9);
  EXPECT_EQ(spec.writes, 0.25);
  EXPECT_EQ(spec.span, 1 << 20);
  for (const char* bad : {"", "fast", "random,", "random,seed=1,seed=2", "random,writes=1.1",
                          "random,requests=0", "random,span=0 B", "random,seed=-1"}) {
    EXPECT_THROW((void)parse_synthetic(bad, "--traffic"), base::UserError) << bad;
  }
}

}  // namespace
}  // namespace lacuna::traffic
