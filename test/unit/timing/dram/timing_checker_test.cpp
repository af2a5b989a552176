// SPDX-License-Identifier: Apache-2.0
//
// Random traffic against the independent checker, and the checker against broken logs.
#include "timing/dram/timing_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "channel_driver.h"
#include "timing/dram/address_map.h"

namespace lacuna::timing::dram {
namespace {

using params::MemoryRefresh;
using enum params::MemoryCommand;

class Recorder : public CommandObserver {
 public:
  explicit Recorder(std::vector<CommandRecord>& log) : log_(log) {}
  void on_command(const CommandRecord& record) override { log_.push_back(record); }

 private:
  std::vector<CommandRecord>& log_;
};

// Random requests with pauses, hot rows and both directions: every command and turnaround occurs.
Cycle random_traffic(Channel& channel, const params::MemoryPreset& preset, std::int64_t count,
                     std::uint64_t seed) {
  const AddressMap map(preset.controller.mapping, preset.organization, 1);
  base::Rng rng(seed);
  Cycle now = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    DramAddress at = map.decode(rng.below(map.capacity_bytes()));
    if (rng.bernoulli(0.5)) at.row = static_cast<std::int32_t>(rng.below(2));
    BurstRequest request;
    request.bank = at.bank;
    request.row = at.row;
    request.column = at.column;
    request.is_write = (i / 200) % 3 == 0 ? rng.bernoulli(0.8) : rng.bernoulli(0.2);
    request.id = static_cast<std::uint64_t>(i);
    if (rng.bernoulli(0.001)) {
      now += rng.range(1, 100000);  // idle: refreshes are caught up
    } else if (rng.bernoulli(0.3)) {
      now += rng.range(1, 60);
    }
    channel.advance(now);
    while (!channel.can_accept(request)) {
      now = std::max(now, channel.next_command_time());
      channel.advance(now);
    }
    request.arrival = now;
    channel.enqueue(request, now);
    channel.completions().clear();
  }
  while (channel.pending() > 0) channel.step(channel.next_command_time());
  return channel.now();
}

class RandomTraffic : public testing::TestWithParam<std::string> {};

TEST_P(RandomTraffic, HasNoViolationsWithAllBankRefresh) {
  const params::MemoryPreset preset = test::load_preset(GetParam());
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  TimingChecker checker(preset);
  channel.set_observer(&checker);
  checker.finish(random_traffic(channel, preset, 100'000, 1));
  EXPECT_GT(checker.commands(), 150'000);
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
  checker.finish(random_traffic(channel, preset, 50'000, 2));
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
  checker.finish(random_traffic(channel, preset, 50'000, 3));
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
  checker.finish(random_traffic(channel, preset, 20'000, 4));
  EXPECT_EQ(checker.violations(), 0) << checker.summary();
}

// Every constraint of the table is tight somewhere: with any one latency raised by a cycle the same
// log must show violations. A rule that never decides would make the runs above prove nothing about
// it; rules for commands that the controller does not issue are left out.
TEST_P(RandomTraffic, MeetsItsConstraintsExactly) {
  const params::MemoryPreset preset = test::load_preset(GetParam());
  const TimingTable table(preset);
  Channel channel(table, preset.controller);
  std::vector<CommandRecord> log;
  Recorder recorder(log);
  channel.set_observer(&recorder);
  random_traffic(channel, preset, 60'000, 5);
  int tight = 0;
  int used = 0;
  for (std::size_t i = 0; i < preset.constraints.size(); ++i) {
    params::MemoryPreset stricter = preset;
    stricter.constraints[i].latency += " + 1";
    TimingChecker checker(stricter);
    for (const CommandRecord& record : log) checker.on_command(record);
    const params::MemoryConstraint& rule = preset.constraints[i];
    const auto issued = [](const std::vector<MemoryCommand>& list) {
      return std::any_of(list.begin(), list.end(), [](MemoryCommand c) {
        return c == kACT || c == kRD || c == kWR || c == kPRE || c == kREFab || c == kPREA;
      });
    };
    if (rule.sibling || !issued(rule.from) || !issued(rule.to)) continue;
    ++used;
    if (checker.violations() > 0) ++tight;
  }
  // What another rule of the same pair of commands always covers stays slack (ACT to ACT of one
  // bank behind ACT to PRE to ACT, REFab behind PRE, ...).
  EXPECT_GE(tight, used * 2 / 3) << tight << " of " << used;
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

}  // namespace
}  // namespace lacuna::timing::dram
