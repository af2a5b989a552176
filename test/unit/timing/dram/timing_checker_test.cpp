// SPDX-License-Identifier: Apache-2.0
//
// Random traffic against the independent checker, and the checker against broken logs.
#include "timing/dram/timing_checker.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "support/dram_driver.h"
#include "timing/dram/address_map.h"

namespace lacuna::timing::dram {
namespace {

using params::MemoryRefresh;
using enum params::MemoryCommand;

class RandomTraffic : public testing::TestWithParam<std::string> {};

TEST_P(RandomTraffic, HasNoViolationsWithAllBankRefresh) {
  const params::MemoryPreset preset = test::load_preset(GetParam());
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 40'000, 1));
  EXPECT_GT(checker.commands(), 60'000);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

TEST_P(RandomTraffic, HasNoViolationsWithTwoRanks) {
  params::MemoryPreset preset = test::load_preset(GetParam());
  preset.organization.ranks = 2;
  preset.controller.refresh_postpone = 0;
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 30'000, 2));
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

TEST_P(RandomTraffic, HasNoViolationsWithPerBankRefresh) {
  params::MemoryPreset preset = test::load_preset(GetParam());
  if (!preset.has(kREFpb)) GTEST_SKIP() << "the device has no per-bank refresh";
  preset.controller.refresh = MemoryRefresh::kPerBank;
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 30'000, 3));
  EXPECT_GT(channel.stats(channel.now()).count(kREFpb), 100);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

TEST_P(RandomTraffic, HasNoViolationsInOrder) {
  params::MemoryPreset preset = test::load_preset(GetParam());
  preset.controller.scheduler = params::MemoryScheduler::kFcfs;
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 15'000, 4));
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

TEST_P(RandomTraffic, HasNoViolationsWhenRanksSleep) {
  params::MemoryPreset preset = test::load_preset(GetParam());
  preset.organization.ranks = 2;
  preset.controller.page_policy = params::MemoryPagePolicy::kTimeout;
  preset.controller.power_down = 30;
  preset.controller.self_refresh = 3000;
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 30'000, 6));
  const ChannelStats& stats = channel.stats(channel.now());
  EXPECT_GT(stats.count(kPDE), 40);
  EXPECT_GT(stats.count(kSRE), 10);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

TEST_P(RandomTraffic, HasNoViolationsWithClosedPages) {
  params::MemoryPreset preset = test::load_preset(GetParam());
  preset.controller.page_policy = params::MemoryPagePolicy::kClosed;
  preset.controller.power_down = 20;
  if (preset.has(kREFpb)) preset.controller.refresh = MemoryRefresh::kPerBank;
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(test::random_traffic(channel, preset, 30'000, 7));
  const ChannelStats& stats = channel.stats(channel.now());
  EXPECT_GT(stats.count(kRDA), 1000);
  EXPECT_GT(stats.count(kWRA), 500);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

// Every constraint of the table is tight somewhere: with any one latency raised by a cycle the logs
// of the unchanged controller must show violations. A rule that never decides would make the runs
// above prove nothing about it.
TEST_P(RandomTraffic, MeetsItsConstraintsExactly) {
  const params::MemoryPreset original = test::load_preset(GetParam());
  const auto modes = {
      +[](params::MemoryPreset&) {},
      +[](params::MemoryPreset& preset) {
        preset.organization.ranks = 2;
        preset.controller.page_policy = params::MemoryPagePolicy::kClosed;
        preset.controller.refresh_postpone = 0;
      },
      +[](params::MemoryPreset& preset) {
        preset.controller.power_down = 1;
        preset.controller.self_refresh = 1500;
        if (preset.has(kREFpb)) preset.controller.refresh = MemoryRefresh::kPerBank;
      },
  };
  std::vector<bool> is_tight(original.constraints.size(), false);
  std::uint64_t seed = 5;
  for (const auto& change : modes) {
    params::MemoryPreset preset = original;
    change(preset);
    const TimingTable table(preset);
    Channel channel(table, preset.controller);
    test::Recorder log;
    channel.set_observer(&log);
    // Ranks that sleep need many short pauses.
    const bool sleeps = preset.controller.power_down > 0;
    test::random_traffic(channel, preset, 12'000, ++seed, sleeps ? 2500 : 5000,
                         sleeps ? 0.3 : 0.001);
    // All rules that are not proven yet at once: each is its own finding.
    for (std::size_t i = 0; i < is_tight.size(); ++i) {
      if (is_tight[i]) continue;
      params::MemoryPreset stricter = preset;
      stricter.constraints = {preset.constraints[i]};
      stricter.constraints[0].latency += " + 1";
      TimingChecker checker(stricter);
      for (const CommandRecord& record : log.records) {
        checker.on_command(record);
        if (checker.violations() > 0) break;
      }
      is_tight[i] = checker.violations() > 0;
    }
  }
  // What another rule of the same pair of commands always covers stays slack (ACT to ACT of one
  // bank behind ACT to PRE to ACT, REFab behind PRE, ...).
  const auto tight = std::count(is_tight.begin(), is_tight.end(), true);
  std::string slack;
  for (std::size_t i = 0; i < is_tight.size(); ++i) {
    if (!is_tight[i]) slack += fmt::format(" [{}] {}", i, original.constraints[i].latency);
  }
  EXPECT_GE(tight, static_cast<std::ptrdiff_t>(is_tight.size() * 4 / 5)) << "slack:" << slack;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}
INSTANTIATE_TEST_SUITE_P(Presets, RandomTraffic, testing::ValuesIn(test::preset_names()),
                         test_name);

// ---- the checker finds what is broken ----

class BrokenLog : public testing::Test {
 protected:
  BrokenLog() {
    preset_.controller.refresh = MemoryRefresh::kNone;
    // Two banks of different groups, a read and a write in each: legal as it stands.
    add(0, kACT, 0, 5);
    add(4, kACT, 4, 6);
    add(24, kRD, 0, 5);
    add(28, kRD, 4, 6);
    add(40, kWR, 0, 5);
    add(44, kWR, 4, 6);
    add(84, kPRE, 0);
    add(88, kPRE, 4);
    add(106, kACT, 0, 7);
  }
  void add(Cycle time, MemoryCommand command, int bank, int row = -1) {
    log_.push_back({time, command, bank, row, row >= 0 && command != kACT ? 0 : -1});
  }
  std::int64_t violations() const {
    TimingChecker checker(preset_);
    for (const CommandRecord& record : log_) checker.on_command(record);
    return checker.violations();
  }
  std::string first_finding() const {
    TimingChecker checker(preset_);
    for (const CommandRecord& record : log_) checker.on_command(record);
    return checker.findings().empty() ? "" : checker.findings().front().what;
  }

  params::MemoryPreset preset_ = test::load_preset("ddr4-3200");
  std::vector<CommandRecord> log_;
};

TEST_F(BrokenLog, TheUnbrokenOneIsFine) { EXPECT_EQ(violations(), 0) << first_finding(); }

struct Shift {
  std::size_t command;
  Cycle by;
  const char* finding;
};
class BrokenByTime : public BrokenLog, public testing::WithParamInterface<Shift> {};

TEST_P(BrokenByTime, IsFound) {
  log_[GetParam().command].time += GetParam().by;
  std::stable_sort(log_.begin(), log_.end(),
                   [](const CommandRecord& a, const CommandRecord& b) { return a.time < b.time; });
  EXPECT_THAT(first_finding(), testing::HasSubstr(GetParam().finding));
}
INSTANTIATE_TEST_SUITE_P(
    Ddr4, BrokenByTime,
    testing::Values(Shift{1, -1, "'RRD_S' at level rank asks for 4"},
                    Shift{2, -3, "'RCD' at level bank asks for 22"},
                    Shift{3, -1, "'CCD_S' at level rank asks for 4"},
                    Shift{4, -1, "'CL + BURST + 2 - CWL' at level rank asks for 12"},
                    Shift{6, -1, "'CWL + BURST + WR' at level bank asks for 44"},
                    Shift{8, -1, "'RP' at level bank asks for 22"}));

TEST_F(BrokenLog, ActivateOfAnOpenBank) {
  log_[6] = {84, kACT, 0, 9, -1};
  EXPECT_THAT(first_finding(), testing::HasSubstr("the bank has row 5 open"));
}
TEST_F(BrokenLog, ReadOfAClosedBank) {
  log_[2].bank = 8;
  EXPECT_THAT(first_finding(), testing::HasSubstr("the bank is closed"));
}
TEST_F(BrokenLog, ReadOfAnotherRow) {
  log_[2].row = 6;
  EXPECT_THAT(first_finding(), testing::HasSubstr("row 5 is open, not row 6"));
}
TEST_F(BrokenLog, TwoCommandsInOneCycle) {
  add(106, kPRE, 8);
  EXPECT_THAT(first_finding(), testing::HasSubstr("the command bus 'ca' is taken until cycle 107"));
}
TEST_F(BrokenLog, RefreshOfAnOpenBank) {
  add(200, kREFab, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("bank 0 is open"));
}
TEST_F(BrokenLog, TimeRunsBackwards) {
  add(90, kPRE, 8);
  EXPECT_GT(violations(), 0);
}
TEST_F(BrokenLog, UnknownBankAndCommand) {
  add(200, kPRE, 99);
  add(201, kREFpb, 1);
  EXPECT_EQ(violations(), 2);
}
TEST_F(BrokenLog, DataBusIsCheckedWithoutTheTable) {
  preset_.constraints.clear();
  log_[3].time = 27;
  EXPECT_THAT(first_finding(), testing::HasSubstr("the data bus is taken until 50"));
}
TEST_F(BrokenLog, FiveActivatesInTheWindow) {
  log_.clear();
  const int banks[] = {0, 4, 8, 12, 1};
  const Cycle times[] = {0, 4, 8, 12, 33};
  for (int i = 0; i < 5; ++i) add(times[i], kACT, banks[i], 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'FAW' at level rank asks for 34"));
  log_.back().time = 34;
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenLog, RefreshesTooRare) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  log_.clear();
  add(9 * 12480, kREFab, 0);
  EXPECT_EQ(violations(), 0) << first_finding();
  add(18 * 12480 + 1, kREFab, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("9 intervals are 112320"));
}
TEST_F(BrokenLog, RefreshesMissing) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  TimingChecker checker(preset_);
  checker.finish(9 * 12480);
  EXPECT_EQ(checker.violations(), 0);
  checker.finish(20 * 12480);
  EXPECT_EQ(checker.violations(), 1);
}

// ---- commands that close and sleep ----

class BrokenSleep : public BrokenLog {
 protected:
  BrokenSleep() { log_.clear(); }
};

TEST_F(BrokenSleep, AutoPrechargeClosesTheBank) {
  add(0, kACT, 0, 5);
  add(22, kRDA, 0, 5);
  add(74, kACT, 0, 6);
  EXPECT_EQ(violations(), 0) << first_finding();
  log_.back().time = 73;
  EXPECT_THAT(first_finding(), testing::HasSubstr("'RC' at level bank asks for 74"));
  log_.back() = {200, kRD, 0, 5, 0};
  EXPECT_THAT(first_finding(), testing::HasSubstr("the bank is closed"));
}
TEST_F(BrokenSleep, AfterAutoPrechargeTheBankPrecharges) {
  add(0, kACT, 0, 5);
  add(60, kRDA, 0, 5);
  add(94, kACT, 0, 6);
  EXPECT_EQ(violations(), 0) << first_finding();
  log_.back().time = 93;
  EXPECT_THAT(first_finding(), testing::HasSubstr("'RTP + RP' at level bank asks for 34"));
  log_[1] = {60, kWRA, 0, 5, 0};
  log_.back().time = 125;
  EXPECT_THAT(first_finding(),
              testing::HasSubstr("'CWL + BURST + WR + RP' at level bank asks for 66"));
  log_.back().time = 126;
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenSleep, PowerDownTooEarly) {
  add(0, kACT, 0, 5);
  add(22, kRD, 0, 5);
  add(48, kPDE, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'CL + BURST + 1' at level rank asks for 27"));
  log_.back().time = 49;
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenSleep, NothingReachesARankInPowerDown) {
  add(0, kPDE, 0);
  add(20, kACT, 5, 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("the rank is in power-down"));
  log_.back() = {20, kPDE, 0, -1, -1};
  EXPECT_THAT(first_finding(), testing::HasSubstr("the rank is in power-down"));
}
TEST_F(BrokenSleep, PowerDownIsLeftTooEarly) {
  add(0, kPDE, 0);
  add(7, kPDX, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'CKE' at level rank asks for 8"));
}
TEST_F(BrokenSleep, ExitTimeOfPowerDown) {
  add(0, kPDE, 0);
  add(8, kPDX, 0);
  add(17, kACT, 0, 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'XP' at level rank asks for 10"));
  log_.back().time = 18;
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenSleep, ExitWithoutEntry) {
  add(0, kPDX, 0);
  add(20, kSRX, 0);
  EXPECT_EQ(violations(), 2);
  log_ = {{0, kPDE, 0, -1, -1}, {100, kSRX, 0, -1, -1}};
  EXPECT_THAT(first_finding(), testing::HasSubstr("the rank is not in self-refresh"));
}
TEST_F(BrokenSleep, SelfRefreshWithAnOpenBank) {
  add(0, kACT, 3, 1);
  add(200, kSRE, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("bank 3 is open"));
}
TEST_F(BrokenSleep, SelfRefreshTooShortAndItsExitTimes) {
  add(0, kSRE, 0);
  add(8, kSRX, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'CKESR' at level rank asks for 9"));
  log_.back().time = 9;
  add(584, kACT, 0, 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'XS' at level rank asks for 576"));
  log_.back().time = 585;
  add(1032, kRD, 0, 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("'XSDLL' at level rank asks for 1024"));
  log_.back().time = 1033;
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenSleep, NothingReachesARankInSelfRefresh) {
  add(0, kSRE, 0);
  add(2000, kREFab, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("the rank is in self-refresh"));
}
TEST_F(BrokenSleep, ARefreshLiesBetweenTwoSelfRefreshes) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  add(0, kSRE, 0);
  add(50'000, kSRX, 0);
  add(60'000, kSRE, 0);
  EXPECT_THAT(first_finding(), testing::HasSubstr("no refresh since the last self-refresh"));
  log_.back() = {51'000, kREFab, 0, -1, -1};
  add(60'000, kSRE, 0);
  EXPECT_EQ(violations(), 0) << first_finding();
}
TEST_F(BrokenSleep, SelfRefreshStopsTheClockOfRefreshes) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  TimingChecker checker(preset_);
  checker.on_command({0, kSRE, 0, -1, -1});
  checker.finish(100 * 12480);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
  checker.on_command({100 * 12480, kSRX, 0, -1, -1});
  checker.finish(109 * 12480);
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
  checker.finish(111 * 12480);
  EXPECT_EQ(checker.violations(), 1);
}
TEST_F(BrokenSleep, PowerDownDoesNotStopTheClockOfRefreshes) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  TimingChecker checker(preset_);
  checker.on_command({0, kPDE, 0, -1, -1});
  checker.finish(11 * 12480);
  EXPECT_EQ(checker.violations(), 1);
}

// LPDDR5: REFpb refreshes banks b and b + 8.
TEST_F(BrokenSleep, RefreshOfAPair) {
  preset_ = test::load_preset("lpddr5-6400");
  preset_.controller.refresh = MemoryRefresh::kPerBank;
  add(0, kACT, 9, 1);
  add(100, kREFpb, 1);
  EXPECT_THAT(first_finding(), testing::HasSubstr("bank 9 is open"));
  log_[0] = {0, kREFpb, 1, -1, -1};
  log_[1] = {95, kACT, 9, 1, -1};
  EXPECT_THAT(first_finding(), testing::HasSubstr("'RFCpb' at level bank asks for 96"));
  log_[1].bank = 2;
  EXPECT_EQ(violations(), 0) << first_finding();
  log_[1] = {95, kREFpb, 5, -1, -1};
  EXPECT_THAT(first_finding(), testing::HasSubstr("'RFCpb' at level rank asks for 96"));
}

}  // namespace
}  // namespace lacuna::timing::dram
