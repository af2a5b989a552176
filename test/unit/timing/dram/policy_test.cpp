// SPDX-License-Identifier: Apache-2.0
//
// Each policy of the controller does what its key says, to the cycle: not before, and not later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/dram_driver.h"

namespace lacuna::timing::dram {
namespace {

using params::MemoryPagePolicy;
using params::MemoryRefresh;
using enum params::MemoryCommand;
using testing::ElementsAre;

class Policy : public testing::TestWithParam<std::string> {
 protected:
  Policy() { preset_.controller.refresh = MemoryRefresh::kNone; }

  // The channel takes the policy that preset_ has by then.
  Channel& channel() {
    if (!channel_) {
      table_.emplace(preset_);
      channel_.emplace(*table_, preset_.controller);
      channel_->set_observer(&log_);
    }
    return *channel_;
  }
  static BurstRequest at(std::int32_t row, std::int32_t column = 0, std::int32_t bank = 0) {
    BurstRequest request;
    request.row = row;
    request.column = column;
    request.bank = bank;
    return request;
  }
  static BurstRequest write(BurstRequest request) {
    request.is_write = true;
    return request;
  }
  void send(BurstRequest request, Cycle now) {
    request.arrival = now;
    request.id = ++id_;
    ASSERT_TRUE(channel().can_accept(request));
    channel().enqueue(request, now);
  }
  void drain() {
    while (channel().pending() > 0) channel().step(channel().next_command_time());
  }
  [[nodiscard]] std::vector<MemoryCommand> commands() const {
    std::vector<MemoryCommand> list;
    for (const CommandRecord& record : log_.records) list.push_back(record.command);
    return list;
  }
  [[nodiscard]] std::vector<std::uint64_t> order_of_completion() {
    std::vector<BurstDone> done = channel().completions();
    std::stable_sort(done.begin(), done.end(),
                     [](const BurstDone& a, const BurstDone& b) { return a.done < b.done; });
    std::vector<std::uint64_t> ids;
    for (const BurstDone& one : done) ids.push_back(one.id);
    return ids;
  }
  // Start to start, as the table says for last edges.
  [[nodiscard]] Cycle distance(MemoryCommand from, MemoryCommand to, Cycle latency) const {
    return latency + formulas_.edges(from) - formulas_.edges(to);
  }

  params::MemoryPreset preset_ = test::load_preset(GetParam());
  test::Formulas formulas_{preset_};
  test::Recorder log_;
  std::optional<TimingTable> table_;
  std::optional<Channel> channel_;
  std::uint64_t id_ = 0;
};

// ---- pages ----

TEST_P(Policy, ClosedPagesCloseThemselves) {
  preset_.controller.page_policy = MemoryPagePolicy::kClosed;
  send(at(1), 1000);
  send(at(2), 1000);
  drain();
  EXPECT_THAT(commands(), ElementsAre(kACT, kRDA, kACT, kRDA));
  // The second ACT comes as early as the precharge inside allows, and not a cycle later.
  const Cycle first = log_.records[0].time;
  const Cycle read = log_.records[1].time;
  const Cycle precharge = read + table_->precharge_after(kRDA);
  EXPECT_EQ(log_.records[2].time, std::max(precharge + distance(kPRE, kACT, formulas_.precharge()),
                                           first + formulas_.timing("RC", "RC")));
  EXPECT_EQ(channel().stats(5000).row_misses, 2);
}

TEST_P(Policy, ClosedPagesWaitForAccessesOfTheirRow) {
  preset_.controller.page_policy = MemoryPagePolicy::kClosed;
  preset_.controller.min_batch = 1;
  send(at(1, 0), 1000);
  send(at(1, 1), 1000);
  send(write(at(1, 2)), 1000);
  drain();
  EXPECT_THAT(commands(), ElementsAre(kACT, kRD, kRD, kWRA));
}

TEST_P(Policy, TimeoutClosesAnUnwantedRowAtItsTime) {
  preset_.controller.page_policy = MemoryPagePolicy::kTimeout;
  preset_.controller.page_timeout = 500;
  send(at(1), 1000);
  drain();
  const Cycle read = log_.records.back().time;
  channel().advance(read + 499);
  EXPECT_THAT(commands(), ElementsAre(kACT, kRD));
  channel().advance(read + 500);
  ASSERT_THAT(commands(), ElementsAre(kACT, kRD, kPRE));
  EXPECT_EQ(log_.records.back().time, read + 500);
}

TEST_P(Policy, TimeoutStartsAgainWithEachAccess) {
  preset_.controller.page_policy = MemoryPagePolicy::kTimeout;
  preset_.controller.page_timeout = 500;
  send(at(1, 0), 1000);
  drain();
  const Cycle read = log_.records.back().time;
  send(at(1, 1), read + 499);
  drain();
  channel().advance(read + 900);
  EXPECT_THAT(commands(), ElementsAre(kACT, kRD, kRD));
  send(at(1, 2), read + 2000);  // too late
  drain();
  EXPECT_THAT(commands(), ElementsAre(kACT, kRD, kRD, kPRE, kACT, kRD));
}

TEST_P(Policy, OpenPagesStayOpen) {
  send(at(1, 0), 1000);
  drain();
  send(at(1, 1), 1'000'000);
  drain();
  EXPECT_THAT(commands(), ElementsAre(kACT, kRD, kRD));
}

// ---- order ----

TEST_P(Policy, FcfsServesInOrder) {
  preset_.controller.scheduler = params::MemoryScheduler::kFcfs;
  for (int i = 0; i < 8; ++i) send(at(i % 3, i, i % 2), 1000);
  drain();
  EXPECT_THAT(order_of_completion(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_P(Policy, RowHitsPassOlderMissesOnlySoOften) {
  preset_.controller.row_hit_cap = 3;
  send(at(1, 0), 1000);
  drain();
  send(at(2, 0), 2000);                              // the older one: id 2
  for (int i = 1; i < 7; ++i) send(at(1, i), 2000);  // hits: ids 3 to 8
  drain();
  EXPECT_THAT(order_of_completion(), ElementsAre(1, 3, 4, 5, 2, 6, 7, 8));
}

TEST_P(Policy, WritesWaitForTheHighMarkAndStopAtTheLowOne) {
  preset_.controller.write_high = 6;
  preset_.controller.write_low = 2;
  preset_.controller.min_batch = 1;
  const int groups = preset_.organization.bank_groups;
  // Enough reads that some always wait; five writes stay below the mark.
  std::int32_t column = 0;
  const auto reads = [&](int count, Cycle now) {
    for (int i = 0; i < count; ++i) send(at(1, column++ % 16, 0), now);
  };
  reads(8, 1000);
  for (int i = 0; i < 5; ++i)
    send(write(at(1, 20 + i, groups > 1 ? preset_.organization.banks : 1)), 1000);
  const auto written = [&] { return channel().stats(channel().now()).writes(); };
  while (channel().stats(channel().now()).reads() < 4) {
    channel().step(channel().next_command_time());
  }
  EXPECT_EQ(written(), 0);
  // The sixth starts the drain, which leaves two.
  send(write(at(1, 25, groups > 1 ? preset_.organization.banks : 1)), channel().now());
  const std::int64_t reads_before = channel().stats(channel().now()).reads();
  while (written() < 4) channel().step(channel().next_command_time());
  EXPECT_LE(channel().stats(channel().now()).reads(), reads_before + 1);
  while (channel().stats(channel().now()).reads() < 8) {
    channel().step(channel().next_command_time());
    if (channel().stats(channel().now()).reads() < 8) {
      EXPECT_EQ(written(), 4);
    }
  }
  drain();
  EXPECT_EQ(written(), 6);
}

TEST_P(Policy, AnOldWriteStartsADrain) {
  preset_.controller.write_age = 300;
  preset_.controller.min_batch = 1;
  send(write(at(1, 0, 1)), 1000);
  std::int32_t column = 0;
  // Reads keep coming: the write has to wait until it is old.
  while (channel().stats(channel().now()).writes() == 0) {
    while (channel().can_accept(at(1, column % 16)))
      send(at(1, column++ % 16), channel().now() < 1000 ? 1000 : channel().now());
    channel().step(channel().next_command_time());
    ASSERT_LT(channel().now(), 5000);
  }
  const Cycle at_write = log_.records.back().time;
  EXPECT_GT(at_write, 1300);
  EXPECT_LT(at_write, 1300 + 2 * formulas_.conflict(true));
}

// ---- merging and back-pressure ----

TEST_P(Policy, RequestsForTheSameBurstShareACommand) {
  send(at(1, 5), 1000);
  send(at(1, 5), 1003);
  send(at(1, 5), 1004);
  send(write(at(2, 5)), 1004);
  send(write(at(2, 5)), 1005);
  drain();
  const ChannelStats& stats = channel().stats(5000);
  EXPECT_EQ(stats.reads(), 1);
  EXPECT_EQ(stats.writes(), 1);
  EXPECT_EQ(stats.merged_reads, 2);
  EXPECT_EQ(stats.merged_writes, 1);
  EXPECT_EQ(stats.reads_done(), 3);
  ASSERT_EQ(channel().completions().size(), 5U);
  const Cycle done = 1000 + formulas_.closed(false);
  EXPECT_EQ(stats.read_latency_sum, (done - 1000) + (done - 1003) + (done - 1004));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(channel().completions()[i].done, done);
}

TEST_P(Policy, RoomComesWithTheColumnCommandAndNotBefore) {
  const int size = preset_.controller.read_queue;
  for (int i = 0; i < size; ++i) send(at(i), 1000);
  const BurstRequest next = at(size);
  while (log_.records.empty() || log_.records.back().command != kRD) {
    EXPECT_FALSE(channel().can_accept(next));
    channel().step(channel().next_command_time());
  }
  EXPECT_TRUE(channel().can_accept(next));
  EXPECT_EQ(channel().now(), 1000 + distance(kACT, kRD, formulas_.row_to_column(false)));
}

// ---- per-bank refresh ----

TEST_P(Policy, RefreshOfASetClosesAndBlocksItsBanks) {
  if (!preset_.has(kREFpb)) GTEST_SKIP() << "the device has no per-bank refresh";
  preset_.controller.refresh = MemoryRefresh::kPerBank;
  preset_.controller.refresh_postpone = 0;
  const int sets = preset_.organization.refresh_sets();
  const Cycle due = preset_.cycles(preset_.latency.refresh_bank_interval);
  // Open all banks of the first set and the next bank just before the first refresh is due.
  std::vector<int> banks;
  for (int bank = 0; bank < preset_.organization.banks_per_rank(); bank += sets) {
    banks.push_back(bank);
    send(at(1, 0, bank), 1);
  }
  send(at(1, 0, 1), 1);
  drain();
  ASSERT_LT(channel().now(), due);
  log_.records.clear();
  channel().advance(due + 3 * formulas_.conflict(false));
  std::size_t closed = 0;
  for (const CommandRecord& record : log_.records) {
    if (record.bank >= preset_.organization.banks_per_rank()) continue;  // another pseudo-channel
    if (record.command == kPRE) {
      ++closed;
      EXPECT_EQ(record.bank % sets, 0);
    } else {
      EXPECT_EQ(record.command, kREFpb);
      EXPECT_EQ(record.bank, 0);
      // All banks of the set are blocked for the whole refresh, the next one is open as before.
      const Cycle length = formulas_.timing("RFCpb", "RFCsb");
      ReadyTimes ready(*table_);
      ready.issue(kREFpb, 0, record.time);
      for (const int bank : banks) {
        EXPECT_EQ(ready.of_banks(kACT)[bank], record.time + distance(kREFpb, kACT, length));
      }
      EXPECT_EQ(ready.of_banks(kACT)[1], 0);
      break;
    }
  }
  EXPECT_EQ(closed, banks.size());
}

TEST_P(Policy, PerBankRefreshIsPostponedUnderLoadAndForcedInTime) {
  if (!preset_.has(kREFpb)) GTEST_SKIP() << "the device has no per-bank refresh";
  preset_.controller.refresh = MemoryRefresh::kPerBank;
  preset_.controller.refresh_postpone = 2;
  const int sets = preset_.organization.refresh_sets();
  const Cycle interval = preset_.cycles(preset_.latency.refresh_bank_interval);
  // Hits of bank 0 without end: its set cannot be refreshed in passing.
  std::int32_t column = 0;
  Cycle first = 0;
  channel();
  while (first == 0) {
    while (channel().can_accept(at(1, column % 16))) send(at(1, column++ % 16), channel().now());
    channel().step(channel().next_command_time());
    channel().completions().clear();
    if (log_.records.back().command == kREFpb && log_.records.back().bank == 0) {
      first = log_.records.back().time;
    }
    ASSERT_LT(channel().now(), (2 * sets + 3) * interval);
  }
  EXPECT_GE(first, 2 * sets * interval);
  EXPECT_LT(first, 2 * sets * interval + formulas_.conflict(false));
}

// ---- ranks ----

TEST_P(Policy, RanksHandOverTheDataBusAsTheTableSays) {
  preset_.organization.ranks = 2;
  const int other = preset_.organization.banks_per_rank();
  send(at(1, 0, 0), 1000);
  send(at(1, 0, other), 1000);
  drain();
  log_.records.clear();
  send(at(1, 1, 0), 5000);
  send(at(1, 1, other), 5000);
  send(at(1, 2, other), 5000);
  drain();
  ASSERT_THAT(commands(), ElementsAre(kRD, kRD, kRD));
  ReadyTimes ready(*table_);
  ready.issue(kRD, 0, 5000);
  EXPECT_EQ(log_.records[1].time, ready.earliest(kRD, other));
  EXPECT_GE(log_.records[1].time - 5000, preset_.organization.burst_cycles());
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Presets, Policy, testing::ValuesIn(test::preset_names()), test_name);

}  // namespace
}  // namespace lacuna::timing::dram
