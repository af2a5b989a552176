// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/memory_system.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"
#include "support/dram_driver.h"
#include "timing/dram/dram_energy.h"
#include "timing/dram/timing_checker.h"

namespace lacuna::timing::dram {
namespace {

std::map<std::uint64_t, Cycle> drain(MemorySystem& memory) {
  std::vector<TransactionDone> done;
  while (memory.next_event_time() != kNever) {
    const Cycle next = memory.next_event_time();
    const std::size_t before = done.size();
    memory.advance(next, done);
    for (std::size_t i = before; i < done.size(); ++i) EXPECT_GE(done[i].done, next);
  }
  EXPECT_TRUE(memory.idle());
  std::map<std::uint64_t, Cycle> result;
  for (const TransactionDone& one : done) result[one.id] = one.done;
  return result;
}

TEST(MemorySystem, ALongTransactionUsesAllChannels) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  MemorySystem memory(preset, 8);
  constexpr std::int64_t kBytes = 1 << 20;
  memory.submit({1, 0, kBytes, false}, 0);
  const Cycle end = drain(memory)[1];
  const double seconds = static_cast<double>(end) * preset.clock_period;
  const double share = kBytes / seconds / (8 * preset.peak_bytes_per_second());
  EXPECT_GT(share, 0.85);
  EXPECT_LT(share, 1.0);
  const MemoryStats stats = memory.stats(end);
  EXPECT_EQ(stats.channels.reads(), kBytes / 32);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(memory.channel(i).stats(end).reads(), kBytes / 32 / 8) << "channel " << i;
  }
}

TEST(MemorySystem, PartialBurstsMoveWholeOnes) {
  MemorySystem memory(test::load_preset("lpddr4x-4266"), 1);
  memory.submit({1, 31, 2, false}, 0);  // two bursts
  memory.submit({2, 100, 1, true}, 0);  // one
  const auto done = drain(memory);
  const MemoryStats stats = memory.stats(10000);
  EXPECT_EQ(stats.channels.read_bytes, 64);
  EXPECT_EQ(stats.channels.write_bytes, 32);
  EXPECT_EQ(stats.requested_read_bytes, 2);
  EXPECT_EQ(stats.requested_write_bytes, 1);
  EXPECT_EQ(done.size(), 2U);
}

TEST(MemorySystem, KnowsItsSize) {
  MemorySystem memory(test::load_preset("lpddr4x-4266"), 8);
  EXPECT_EQ(memory.capacity_bytes(), 16ULL << 30);  // 8 channels of 16 Gb
  EXPECT_TRUE(memory.contains((16ULL << 30) - 1, 1));
  EXPECT_FALSE(memory.contains((16ULL << 30) - 1, 2));
  EXPECT_FALSE(memory.contains(~0ULL, 1));
  EXPECT_FALSE(memory.contains(0, 0));
}

// Calling more often than necessary changes nothing: the controllers only depend on arrivals.
TEST(MemorySystem, TheResultDoesNotDependOnWhoAsksWhen) {
  for (const std::string& name : test::preset_names()) {
    const params::MemoryPreset preset = test::load_preset(name);
    const auto run = [&](bool often) {
      MemorySystem memory(preset, 4);
      TimingChecker checker(preset);
      memory.channel(2).set_observer(&checker);
      base::Rng rng(5);
      std::vector<TransactionDone> done;
      Cycle now = 0;
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const Cycle next = now + (rng.bernoulli(0.01) ? rng.range(0, 200000) : rng.range(0, 300));
        if (often) {
          while (memory.next_event_time() < next || now + 50 < next) {
            now = std::min(next, now + 50);
            memory.advance(now, done);
          }
        } else {
          while (memory.next_event_time() <= next) memory.advance(memory.next_event_time(), done);
        }
        now = next;
        memory.submit({i, rng.below(1 << 22), rng.range(1, 3000), rng.bernoulli(0.3)}, now);
      }
      while (memory.next_event_time() != kNever) memory.advance(memory.next_event_time(), done);
      EXPECT_EQ(checker.violations(), 0) << checker.summary();
      std::map<std::uint64_t, Cycle> result;
      for (const TransactionDone& one : done) result[one.id] = one.done;
      return result;
    };
    const auto lazy = run(false);
    EXPECT_EQ(lazy.size(), 2000U);
    EXPECT_EQ(lazy, run(true)) << name;
  }
}

// A saturated read stream of LPDDR4X costs about what the figure per bit says: the two sources
// agree.
TEST(DramEnergy, CurrentsAndFigurePerBitAgreeOnAStream) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  MemorySystem memory(preset, 1);
  memory.submit({1, 0, 1 << 22, false}, 0);
  const Cycle end = drain(memory)[1];
  const ChannelStats stats = memory.stats(end).channels;
  const double ratio =
      energy_from_currents(preset, stats).total() / energy_from_bits(preset, stats);
  EXPECT_GT(ratio, 0.7);
  EXPECT_LT(ratio, 1.4);
}

}  // namespace
}  // namespace lacuna::timing::dram
