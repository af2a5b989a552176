// SPDX-License-Identifier: Apache-2.0
//
// Isolated requests: the latency of a hit, of a closed bank and of a conflict is the formula to the
// cycle; turnarounds are what the table says, not a cycle more.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/dram_driver.h"

namespace lacuna::timing::dram {
namespace {

using enum params::MemoryCommand;

class Latency : public testing::TestWithParam<std::string> {
 protected:
  Latency() { preset_.controller.refresh = params::MemoryRefresh::kNone; }

  [[nodiscard]] Cycle value(const std::string& text) const { return preset_.cycles(text); }
  [[nodiscard]] Cycle edges(MemoryCommand command) const { return formulas_.edges(command); }
  static BurstRequest at_row(std::int32_t row, bool is_write) {
    BurstRequest request;
    request.row = row;
    request.is_write = is_write;
    return request;
  }

  params::MemoryPreset preset_ = test::load_preset(GetParam());
  test::Formulas formulas_{preset_};
};

TEST_P(Latency, OfReadsIsTheFormula) {
  const TimingTable table(preset_);
  Channel channel(table, preset_.controller);
  const Cycle closed = formulas_.closed(false);
  EXPECT_EQ(test::serve_one(channel, at_row(1, false), 1000) - 1000, closed);
  const Cycle hit = formulas_.hit(false);
  EXPECT_EQ(test::serve_one(channel, at_row(1, false), 2000) - 2000, hit);
  const Cycle conflict = formulas_.conflict(false);
  EXPECT_EQ(test::serve_one(channel, at_row(2, false), 3000) - 3000, conflict);
  const ChannelStats& stats = channel.stats(4000);
  EXPECT_EQ(stats.row_misses, 1);
  EXPECT_EQ(stats.row_hits, 1);
  EXPECT_EQ(stats.row_conflicts, 1);
  EXPECT_EQ(stats.read_latency_sum, closed + hit + conflict);
}

TEST_P(Latency, OfWritesIsTheFormula) {
  const TimingTable table(preset_);
  Channel channel(table, preset_.controller);
  EXPECT_EQ(test::serve_one(channel, at_row(1, true), 1000) - 1000, formulas_.closed(true));
  EXPECT_EQ(test::serve_one(channel, at_row(1, true), 2000) - 2000, formulas_.hit(true));
  EXPECT_EQ(test::serve_one(channel, at_row(2, true), 3000) - 3000, formulas_.conflict(true));
}

// "Not ready at n - 1, ready at n", for each pair of commands to one bank.
TEST_P(Latency, CommandsOfOneBankKeepTheirDistance) {
  const TimingTable table(preset_);
  ReadyTimes ready(table);
  ready.issue(kACT, 0, 100);
  EXPECT_EQ(ready.earliest(kRD, 0),
            100 + formulas_.row_to_column(false) + edges(kACT) - edges(kRD));
  EXPECT_EQ(ready.earliest(kWR, 0), 100 + formulas_.row_to_column(true) + edges(kACT) - edges(kWR));
  EXPECT_EQ(ready.earliest(kPRE, 0), 100 + value("RAS") + edges(kACT) - edges(kPRE));
  EXPECT_EQ(ready.earliest(kACT, 0), 100 + value("RC"));
  ready.issue(kPRE, 0, 1000);
  EXPECT_EQ(ready.earliest(kACT, 0), 1000 + formulas_.precharge() + edges(kPRE) - edges(kACT));
}

TEST_P(Latency, OfAReadBehindAWriteToTheSameBurst) {
  const TimingTable table(preset_);
  Channel channel(table, preset_.controller);
  BurstRequest write = at_row(1, true);
  write.arrival = 10;
  channel.enqueue(write, 10);
  BurstRequest read = at_row(1, false);
  read.arrival = 10;
  read.id = 7;
  channel.enqueue(read, 10);
  ASSERT_EQ(channel.completions().size(), 1U);
  EXPECT_EQ(channel.completions()[0].id, 7U);
  EXPECT_EQ(channel.completions()[0].done, 11 + preset_.controller.pipeline_cycles);
  EXPECT_EQ(channel.stats(10).forwarded_reads, 1);
}

TEST_P(Latency, AWriteDoesNotPassAReadOfTheSameBurst) {
  const TimingTable table(preset_);
  Channel channel(table, preset_.controller);
  channel.enqueue(at_row(1, false), 0);
  EXPECT_FALSE(channel.can_accept(at_row(1, true)));
  EXPECT_TRUE(channel.can_accept(at_row(2, true)));
  while (channel.pending() > 0) channel.step(channel.next_command_time());
  EXPECT_TRUE(channel.can_accept(at_row(1, true)));
}

TEST_P(Latency, AFullQueueIsNotOverrun) {
  const TimingTable table(preset_);
  Channel channel(table, preset_.controller);
  for (int i = 0; i < preset_.controller.read_queue; ++i) {
    ASSERT_TRUE(channel.can_accept(at_row(i, false)));
    channel.enqueue(at_row(i, false), 0);
  }
  EXPECT_FALSE(channel.can_accept(at_row(0, false)));
  EXPECT_TRUE(channel.can_accept(at_row(1000, true)));
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Presets, Latency, testing::ValuesIn(test::preset_names()), test_name);

}  // namespace
}  // namespace lacuna::timing::dram
