// SPDX-License-Identifier: Apache-2.0
#include "timing/sram/banked_sram.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "base/rng.h"

namespace lacuna::timing::sram {
namespace {

params::SramParams small(int banks) {
  params::SramParams params;
  params.capacity = 1 << 20;
  params.banks = banks;
  params.width = 64;
  params.latency = 4;
  return params;
}

TEST(BankedSram, CountsWordsThatAreTouched) {
  const BankedSram sram(small(8));
  EXPECT_EQ(sram.words(0, 64), 1);
  EXPECT_EQ(sram.words(0, 65), 2);
  EXPECT_EQ(sram.words(63, 1), 1);
  EXPECT_EQ(sram.words(63, 2), 2);
  EXPECT_EQ(sram.words(32, 128), 3);
}

TEST(BankedSram, BurstsInDifferentLanesDoNotMeet) {
  BankedSram sram(small(8));
  EXPECT_EQ(sram.reserve(0, 100, false, 10), 10);      // bank 0 in cycle 10
  EXPECT_EQ(sram.reserve(64, 100, false, 10), 10);     // bank 1
  EXPECT_EQ(sram.reserve(64 * 7, 100, true, 10), 10);  // bank 7
  EXPECT_EQ(sram.stats().conflicts, 0);
}

TEST(BankedSram, TheSameBankWaitsOneCycle) {
  BankedSram sram(small(8));
  EXPECT_EQ(sram.reserve(0, 100, false, 10), 10);
  EXPECT_EQ(sram.reserve(64 * 8, 100, false, 10), 11);  // bank 0 again: the next lane
  EXPECT_EQ(sram.stats().conflicts, 1);
  EXPECT_EQ(sram.stats().conflict_cycles, 1);
}

TEST(BankedSram, AFullSramWaitsForTheFirstLaneToEnd) {
  BankedSram sram(small(2));
  EXPECT_EQ(sram.reserve(0, 10, false, 0), 0);  // lane 0, until 10
  EXPECT_EQ(sram.reserve(64, 7, false, 0), 0);  // lane 1, until 7
  // From bank 0: lane 1 in odd cycles, from 7 on; lane 0 in even ones, from 10 on.
  EXPECT_EQ(sram.reserve(0, 1, false, 0), 7);
}

TEST(BankedSram, AFreeBankIsTakenAtOnceAfterABurst) {
  BankedSram sram(small(4));
  EXPECT_EQ(sram.reserve(0, 4, false, 0), 0);
  EXPECT_EQ(sram.reserve(0, 4, false, 4), 4);  // gapless
}

// Against the plain meaning: no bank is used twice in a cycle, and no burst could have started
// earlier without using a bank that an earlier burst had reserved.
TEST(BankedSram, RandomBurstsNeverShareABankAndStartAsEarlyAsTheyCan) {
  for (const int banks : {1, 2, 8, 32}) {
    base::Rng rng(static_cast<std::uint64_t>(banks));
    BankedSram sram(small(banks));
    std::set<std::pair<Cycle, std::uint64_t>> used;
    std::vector<Cycle> lane_free(static_cast<std::size_t>(banks), 0);
    Cycle now = 0;
    for (int i = 0; i < 2000; ++i) {
      now += rng.range(0, 12);
      const std::uint64_t word = rng.below(1024);
      const auto words = rng.range(1, 40);
      const Cycle start = sram.reserve(word * 64, words, false, now);
      ASSERT_GE(start, now);
      for (Cycle k = 0; k < words; ++k) {
        const auto bank =
            (word + static_cast<std::uint64_t>(k)) % static_cast<std::uint64_t>(banks);
        ASSERT_TRUE(used.emplace(start + k, bank).second) << "bank " << bank << " at " << start + k;
      }
      for (Cycle earlier = now; earlier < start; ++earlier) {
        bool clash = false;
        for (Cycle k = 0; k < words && !clash; ++k) {
          const auto bank =
              (word + static_cast<std::uint64_t>(k)) % static_cast<std::uint64_t>(banks);
          // A lane is taken until its burst ends, also before that burst's start.
          const auto lane =
              static_cast<std::size_t>((bank + static_cast<std::uint64_t>(banks) * 1000000 -
                                        static_cast<std::uint64_t>(earlier + k)) %
                                       static_cast<std::uint64_t>(banks));
          clash = used.count({earlier + k, bank}) > 0 || lane_free[lane] > earlier;
        }
        ASSERT_TRUE(clash) << "burst " << i << " could start at " << earlier;
      }
      const auto lane = static_cast<std::size_t>(
          (word + static_cast<std::uint64_t>(banks) * 1000000 - static_cast<std::uint64_t>(start)) %
          static_cast<std::uint64_t>(banks));
      lane_free[lane] = start + words;
    }
  }
}

// Two ports: twice the bursts in a lane, never more than two words of a bank in a cycle.
TEST(BankedSram, ABankWithTwoPortsTakesTwoBurstsAtOnce) {
  params::SramParams params = small(4);
  params.bank_ports = 2;
  BankedSram sram(params);
  EXPECT_EQ(sram.banks(), 4);
  EXPECT_EQ(sram.reserve(0, 10, false, 100), 100);
  EXPECT_EQ(sram.reserve(0, 10, true, 100), 100);
  EXPECT_EQ(sram.stats().conflicts, 0);
  // Bank 0 is taken twice: the next lane passes bank 0 a cycle later.
  EXPECT_EQ(sram.reserve(0, 10, false, 100), 101);
  EXPECT_EQ(sram.stats().conflicts, 1);

  base::Rng rng(8);
  BankedSram random(params);
  std::map<std::pair<Cycle, std::uint64_t>, int> used;
  Cycle now = 0;
  for (int i = 0; i < 2000; ++i) {
    now += rng.range(0, 6);
    const std::uint64_t word = rng.below(1024);
    const auto words = rng.range(1, 40);
    const Cycle start = random.reserve(word * 64, words, false, now);
    for (Cycle k = 0; k < words; ++k) {
      const auto bank = (word + static_cast<std::uint64_t>(k)) % 4;
      ASSERT_LE((++used[{start + k, bank}]), 2);
    }
  }
}

}  // namespace
}  // namespace lacuna::timing::sram
