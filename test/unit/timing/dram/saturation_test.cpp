// SPDX-License-Identifier: Apache-2.0
//
// What a loaded channel must reach (closed forms, docs/reference/memory.md): a stream is bound by
// the data bus, conflicts in one bank by tRC, random rows by activates and the row command bus;
// refresh takes its share of each.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "support/dram_driver.h"
#include "timing/dram/address_map.h"

namespace lacuna::timing::dram {
namespace {

constexpr std::int64_t kBursts = 200'000;

class Saturation : public testing::TestWithParam<std::string> {
 protected:
  params::MemoryPreset preset_ = test::load_preset(GetParam());
  test::Formulas formulas_{preset_};
  TimingTable table_{preset_};
  AddressMap map_{preset_.controller.mapping, preset_.organization, 1};
  Channel channel_{table_, preset_.controller};

  [[nodiscard]] BurstRequest request(std::uint64_t address, bool is_write = false) const {
    const DramAddress at = map_.decode(address);
    BurstRequest made;
    made.bank = at.bank;
    made.row = at.row;
    made.column = at.column;
    made.is_write = is_write;
    return made;
  }
  [[nodiscard]] std::uint64_t burst_bytes() const {
    return static_cast<std::uint64_t>(preset_.organization.burst_bytes());
  }
};

TEST_P(Saturation, StreamOfReadsFillsTheDataBus) {
  const auto result = test::saturate(channel_, table_, kBursts, [&](std::int64_t i) {
    return request(static_cast<std::uint64_t>(i) * burst_bytes());
  });
  EXPECT_NEAR(result.cycles_per_burst / formulas_.stream(), 1, 0.005);
  // Each row is opened once, and those of all bank groups once more after each batch of refreshes.
  const ChannelStats& stats = channel_.stats(result.last_done);
  EXPECT_EQ(stats.reads(), kBursts);
  EXPECT_EQ(stats.read_bytes, kBursts * preset_.organization.burst_bytes());
  const double rows = static_cast<double>(kBursts) / preset_.organization.bursts_per_row();
  const double batches =
      static_cast<double>(stats.count(MemoryCommand::kREFab)) / preset_.controller.refresh_postpone;
  const double activates = rows + batches * preset_.organization.bank_groups;
  EXPECT_NEAR(static_cast<double>(stats.count(MemoryCommand::kACT)), activates, activates * 0.015);
}

TEST_P(Saturation, StreamOfWritesFillsTheDataBus) {
  const auto result = test::saturate(channel_, table_, kBursts, [&](std::int64_t i) {
    return request(static_cast<std::uint64_t>(i) * burst_bytes(), true);
  });
  // After the last write of a batch tWR passes before the rows close for refresh.
  EXPECT_NEAR(result.cycles_per_burst / formulas_.stream(), 1, 0.01);
}

TEST_P(Saturation, ConflictsInOneBankTakeTrc) {
  const auto result = test::saturate(channel_, table_, kBursts / 4, [&](std::int64_t i) {
    BurstRequest made;
    made.row = static_cast<std::int32_t>(i % 1000);
    return made;
  });
  EXPECT_NEAR(result.cycles_per_burst / formulas_.same_bank(), 1, 0.005);
  const ChannelStats& stats = channel_.stats(result.last_done);
  EXPECT_EQ(stats.row_hits, 0);
  EXPECT_EQ(stats.row_conflicts + stats.row_misses, kBursts / 4);
}

TEST_P(Saturation, RandomReadsAreBoundByActivates) {
  base::Rng rng(7);
  const auto result = test::saturate(channel_, table_, kBursts, [&](std::int64_t) {
    return request(rng.below(map_.capacity_bytes()));
  });
  EXPECT_NEAR(result.cycles_per_burst / formulas_.random(), 1, 0.035);
}

TEST_P(Saturation, RefreshesAreAsManyAsAreDue) {
  const auto result = test::saturate(channel_, table_, kBursts, [&](std::int64_t i) {
    return request(static_cast<std::uint64_t>(i) * burst_bytes());
  });
  const ChannelStats& stats = channel_.stats(result.last_done);
  const double due = static_cast<double>(result.last_done) /
                     static_cast<double>(formulas_.timing("REFI", "REFI")) * table_.ranks();
  EXPECT_NEAR(static_cast<double>(stats.count(MemoryCommand::kREFab)), due, 9.0 * table_.ranks());
  EXPECT_EQ(stats.active_cycles + stats.precharged_cycles + stats.refreshing_cycles,
            result.last_done * table_.ranks());
}

// 1 % of requests go to other rows of one bank while a stream of hits keeps that bank busy.
TEST_P(Saturation, HitsDoNotStarveOlderMisses) {
  base::Rng rng(3);
  const auto result = test::saturate(channel_, table_, kBursts, [&](std::int64_t i) {
    BurstRequest made;
    made.column = static_cast<std::int32_t>(i % preset_.organization.bursts_per_row());
    if (rng.bernoulli(0.01)) made.row = static_cast<std::int32_t>(1 + rng.below(100));
    return made;
  });
  const ChannelStats& stats = channel_.stats(result.last_done);
  // A queue of 32 hits and a few conflicts, plus eight refreshes in a row.
  const Cycle bound = 10 * table_.refresh_interval();
  EXPECT_LT(stats.read_latency_largest, bound);
  EXPECT_GT(stats.row_conflicts, kBursts / 200);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Presets, Saturation, testing::ValuesIn(test::preset_names()), test_name);

}  // namespace
}  // namespace lacuna::timing::dram
