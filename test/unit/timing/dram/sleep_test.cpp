// SPDX-License-Identifier: Apache-2.0
//
// Power-down and self-refresh: entered after the idle time and not before, left when a request or a
// refresh comes, with the exit times of the table; the time asleep is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/dram_driver.h"

namespace lacuna::timing::dram {
namespace {

using params::MemoryRefresh;
using enum params::MemoryCommand;
using testing::ElementsAre;

constexpr Cycle kIdle = 2000;

class Sleep : public testing::TestWithParam<std::string> {
 protected:
  Sleep() {
    preset_.controller.refresh = MemoryRefresh::kNone;
    preset_.controller.power_down = kIdle;
  }
  Channel& channel() {
    if (!channel_) {
      table_.emplace(preset_);
      channel_.emplace(*table_, preset_.controller);
      channel_->set_observer(&log_);
    }
    return *channel_;
  }
  // Reads row 1 of bank 0; returns the latency.
  Cycle read(Cycle now) {
    BurstRequest request;
    request.row = 1;
    request.column = column_++ % 8;
    return test::serve_one(channel(), request, now) - now;
  }
  // Commands to the first rank.
  [[nodiscard]] std::vector<MemoryCommand> commands() const {
    std::vector<MemoryCommand> list;
    for (const CommandRecord& record : log_.records) {
      if (record.bank < preset_.organization.banks_per_rank()) list.push_back(record.command);
    }
    return list;
  }
  [[nodiscard]] Cycle time_of(MemoryCommand command) const {
    for (const CommandRecord& record : log_.records) {
      if (record.command == command && record.bank < preset_.organization.banks_per_rank()) {
        return record.time;
      }
    }
    return -1;
  }
  // The longest wait that the table asks for between two commands to the rank, start to start.
  [[nodiscard]] Cycle rule(MemoryCommand from, MemoryCommand to) const {
    ReadyTimes ready(*table_);
    ready.issue(from, 0, 1'000'000);
    return ready.earliest(to, 0) - 1'000'000;
  }
  [[nodiscard]] Cycle all_states(const ChannelStats& stats) const {
    return stats.active_cycles + stats.precharged_cycles + stats.refreshing_cycles +
           stats.active_power_down_cycles + stats.precharge_power_down_cycles +
           stats.self_refresh_cycles;
  }

  params::MemoryPreset preset_ = test::load_preset(GetParam());
  test::Formulas formulas_{preset_};
  test::Recorder log_;
  std::optional<TimingTable> table_;
  std::optional<Channel> channel_;
  std::int32_t column_ = 0;
};

TEST_P(Sleep, PowerDownBeginsAfterTheIdleTime) {
  read(5000);
  const Cycle last = time_of(kRD);
  log_.records.clear();
  channel().advance(last + kIdle - 1);
  EXPECT_THAT(commands(), ElementsAre());
  channel().advance(last + kIdle);
  EXPECT_THAT(commands(), ElementsAre(kPDE));
  EXPECT_EQ(time_of(kPDE), last + kIdle);
}

TEST_P(Sleep, ARequestJustBeforeKeepsTheRankAwake) {
  read(5000);
  const Cycle last = time_of(kRD);
  log_.records.clear();
  EXPECT_EQ(read(last + kIdle), formulas_.hit(false));
  EXPECT_THAT(commands(), ElementsAre(kRD));
}

TEST_P(Sleep, ARequestWakesTheRankAndWaitsForTheExitTime) {
  read(5000);
  const Cycle last = time_of(kRD);
  log_.records.clear();
  const Cycle now = last + 3 * kIdle;
  const Cycle latency = read(now);
  EXPECT_THAT(commands(), ElementsAre(kPDE, kPDX, kRD));
  EXPECT_EQ(time_of(kPDX), now);
  EXPECT_EQ(time_of(kRD), now + rule(kPDX, kRD));
  EXPECT_EQ(latency, formulas_.hit(false) + rule(kPDX, kRD));
  EXPECT_EQ(rule(kPDX, kRD), preset_.timing.at("XP") + 1 - formulas_.edges(kRD));
}

TEST_P(Sleep, PowerDownLastsItsLeastTime) {
  read(5000);
  const Cycle entry = time_of(kRD) + kIdle;
  log_.records.clear();
  read(entry + 1);
  EXPECT_EQ(time_of(kPDE), entry);
  EXPECT_EQ(time_of(kPDX), entry + rule(kPDE, kPDX));
  EXPECT_EQ(rule(kPDE, kPDX), preset_.timing.at("CKE"));
}

TEST_P(Sleep, TimeAsleepIsCountedByState) {
  preset_.controller.page_policy = params::MemoryPagePolicy::kTimeout;
  preset_.controller.page_timeout = 100'000;  // beyond power-down: the row stays open
  const int ranks = preset_.organization.pseudo_channels;
  read(5000);
  const Cycle entry = time_of(kRD) + kIdle;
  const ChannelStats& stats = channel().stats(entry + 5000);
  EXPECT_EQ(stats.active_power_down_cycles, 5000);
  // Before its first request the rank was idle, too, with all banks closed.
  // A second pseudo-channel takes the command bus a cycle later.
  EXPECT_EQ(stats.precharge_power_down_cycles,
            5000 - kIdle + (ranks - 1) * (entry + 5000 - kIdle - 1));
  EXPECT_EQ(all_states(stats), (entry + 5000) * ranks);
}

TEST_P(Sleep, RefreshWakesTheRankAndItSleepsAgain) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  channel();
  const Cycle due = table_->refresh_interval();
  ASSERT_GT(due, kIdle);
  channel().advance(2 * due - 1);
  EXPECT_THAT(commands(), ElementsAre(kPDE, kPDX, kREFab, kPDE));
  EXPECT_EQ(time_of(kPDX), due);
  EXPECT_EQ(time_of(kREFab), due + rule(kPDX, kREFab));
}

TEST_P(Sleep, SelfRefreshClosesTheRowsAndNeedsNoRefreshes) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  preset_.controller.power_down = 0;
  preset_.controller.self_refresh = kIdle;
  read(100);
  const Cycle last = time_of(kRD);
  log_.records.clear();
  const Cycle now = last + 50 * table_->refresh_interval();
  channel().advance(now - 1);
  EXPECT_THAT(commands(), ElementsAre(kPRE, kSRE));
  EXPECT_EQ(time_of(kPRE), last + kIdle);
  EXPECT_EQ(time_of(kSRE), last + kIdle + rule(kPRE, kSRE));
  // The exit: the wait for ACT, then as a closed bank.
  const Cycle latency = read(now);
  EXPECT_EQ(time_of(kSRX), now);
  EXPECT_EQ(time_of(kACT), now + rule(kSRX, kACT));
  if (rule(kSRX, kRD) < rule(kSRX, kACT)) {
    EXPECT_EQ(latency, formulas_.closed(false) + rule(kSRX, kACT));
  } else {  // the DLL takes longer than the first row
    EXPECT_EQ(time_of(kRD), now + rule(kSRX, kRD));
  }
  const ChannelStats& stats = channel().stats(now + latency);
  EXPECT_GT(stats.self_refresh_cycles, 45 * table_->refresh_interval());
  EXPECT_EQ(all_states(stats), (now + latency) * preset_.organization.pseudo_channels);
}

TEST_P(Sleep, OneRefreshBetweenTwoSelfRefreshes) {
  preset_.controller.refresh = MemoryRefresh::kAllBank;
  preset_.controller.power_down = 0;
  preset_.controller.self_refresh = kIdle;
  read(100);
  const Cycle now = 20 * table_->refresh_interval();
  read(now);
  log_.records.clear();
  channel().advance(now + 2 * table_->refresh_interval());
  EXPECT_THAT(commands(), ElementsAre(kPRE, kREFab, kSRE));
}

TEST_P(Sleep, FromPowerDownToSelfRefresh) {
  preset_.controller.self_refresh = 2 * kIdle;
  read(5000);
  const Cycle last = time_of(kRD);
  log_.records.clear();
  channel().advance(last + 10 * kIdle);
  EXPECT_THAT(commands(), ElementsAre(kPDE, kPDX, kPRE, kSRE));
  EXPECT_EQ(time_of(kPDX), last + 2 * kIdle);
}

TEST_P(Sleep, OtherRanksGoOnWorking) {
  preset_.organization.ranks = 2;
  const int other = preset_.organization.banks_per_rank();
  channel();
  BurstRequest request;
  request.bank = other;
  request.row = 1;
  for (Cycle now = 100; now < 100 + 4 * kIdle; now += 500) {
    request.column = static_cast<std::int32_t>(now / 500 % 8);
    test::serve_one(channel(), request, now);
  }
  EXPECT_THAT(commands(), ElementsAre(kPDE));
  EXPECT_EQ(time_of(kPDE), kIdle);
  EXPECT_EQ(channel().stats(channel().now()).count(kRD), 4 * kIdle / 500);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Presets, Sleep, testing::ValuesIn(test::preset_names()), test_name);

}  // namespace
}  // namespace lacuna::timing::dram
