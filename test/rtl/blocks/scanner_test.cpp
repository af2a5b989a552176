// SPDX-License-Identifier: Apache-2.0
// Scanner of one way: which windows it visits, what it issues and when, with FIFOs that are full in
// random cycles (engine.md, section 4).

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "Vscanner.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

constexpr int kWays = 3, kScan = 8, kPerWord = 16;

/// What stands in a cycle until it is done.
struct Step {
  bool issue = false, no_k = false, last = false, window_end = false;
  int position = 0, value = 0;
};

class ScannerTest : public testing::Test {
 protected:
  ScannerTest() : random_(5) {
    top_->start_i = 0;
    top_->load_clear_i = 0;
    top_->base_write_i = 0;
    top_->present_write_i = 0;
    top_->slot_write_i = 0;
    top_->room_i = 1;
    top_.reset();
  }

  unsigned mask(double density) {
    unsigned bits = 0;
    for (int i = 0; i < kScan; ++i) bits |= random_.chance(density) ? 1U << i : 0U;
    return bits;
  }

  /// Random tables in both kinds of half, and what the scanner must do with them.
  std::vector<Step> load(int way, unsigned weight_half, unsigned act_half) {
    windows_ = random_.range(1, 20);
    groups_ = random_.range(1, 64 / windows_);
    std::vector<int> base;
    std::vector<std::vector<unsigned>> present(kWays);
    std::vector<unsigned> acts;
    const double density[] = {0.0, 0.05, 0.2, 0.6};
    for (int w = 0; w < windows_; ++w)
      base.push_back(w == 0 ? 0 : base.back() + random_.range(1, 5));
    for (auto& list : present) {
      for (int w = 0; w < windows_; ++w) list.push_back(mask(density[random_.range(0, 3)]));
    }
    for (int s = 0; s < windows_ * groups_; ++s) acts.push_back(mask(density[random_.range(0, 3)]));

    top_->way_i = static_cast<CData>(way);
    top_->load_windows_i = static_cast<SData>(windows_);
    top_->load_half_i = static_cast<CData>(weight_half);
    for (int word = 0; word * 8 < windows_; ++word) {
      clear(top_->base_data_i);
      for (int i = 0; i < 8 && word * 8 + i < windows_; ++i) {
        set_bits(top_->base_data_i, static_cast<std::size_t>(16 * i), 16,
                 static_cast<std::uint64_t>(base[static_cast<std::size_t>(word * 8 + i)]));
      }
      top_->base_write_i = 1;
      top_->load_clear_i = 1;
      top_->base_addr_i = static_cast<CData>(word);
      top_.step();
    }
    top_->base_write_i = 0;
    top_->load_clear_i = 0;
    for (int word = 0; word * kPerWord < kWays * windows_; ++word) {
      clear(top_->mask_word_i);
      for (int i = 0; i < kPerWord && word * kPerWord + i < kWays * windows_; ++i) {
        const int at = word * kPerWord + i;
        set_bits(top_->mask_word_i, static_cast<std::size_t>(kScan * i), kScan,
                 present[static_cast<std::size_t>(at / windows_)]
                        [static_cast<std::size_t>(at % windows_)]);
      }
      top_->present_write_i = 1;
      top_->present_addr_i = static_cast<CData>(word);
      top_.step();
    }
    top_->present_write_i = 0;
    top_->load_half_i = static_cast<CData>(act_half);
    int values = 0;
    std::vector<int> first_value;
    for (int word = 0; word * kPerWord < windows_ * groups_; ++word) {
      clear(top_->mask_word_i);
      top_->slot_values_i = static_cast<SData>(values);
      for (int i = 0; i < kPerWord && word * kPerWord + i < windows_ * groups_; ++i) {
        const unsigned bits = acts[static_cast<std::size_t>(word * kPerWord + i)];
        set_bits(top_->mask_word_i, static_cast<std::size_t>(kScan * i), kScan, bits);
        first_value.push_back(values);
        values += std::popcount(bits);
      }
      top_->slot_write_i = 1;
      top_->slot_addr_i = static_cast<CData>(word);
      top_.step();
    }
    top_->slot_write_i = 0;

    std::vector<Step> steps;
    for (int group = 0; group < groups_; ++group) {
      std::vector<int> visited;
      for (int w = 0; w < windows_; ++w) {
        const auto slot = static_cast<std::size_t>(group * windows_ + w);
        if (acts[slot] != 0 &&
            present[static_cast<std::size_t>(way)][static_cast<std::size_t>(w)] != 0) {
          visited.push_back(w);
        }
      }
      if (visited.empty()) steps.push_back({true, true, true, false, 0, 0});
      for (int w : visited) {
        const auto slot = static_cast<std::size_t>(group * windows_ + w);
        const unsigned hits =
            acts[slot] & present[static_cast<std::size_t>(way)][static_cast<std::size_t>(w)];
        const bool last_window = w == visited.back();
        if (hits == 0) steps.push_back({last_window, true, last_window, true, 0, 0});
        for (unsigned rest = hits; rest != 0; rest &= rest - 1) {
          const int bit = std::countr_zero(rest);
          const bool end = (rest & (rest - 1)) == 0;
          steps.push_back({true, false, end && last_window, end,
                           base[static_cast<std::size_t>(w)] + bit,
                           first_value[slot] + std::popcount(acts[slot] & ((1U << bit) - 1))});
        }
      }
    }
    return steps;
  }

  Bench<Vscanner> top_;
  Random random_;
  int windows_ = 0, groups_ = 0;
};

TEST_F(ScannerTest, VisitsAndIssues) {
  int empties = 0, blocked = 0, without_k = 0;
  for (int run = 0; run < 600; ++run) {
    SCOPED_TRACE(run);
    const auto weight_half = static_cast<unsigned>(random_.range(0, 1));
    const auto act_half = static_cast<unsigned>(random_.range(0, 1));
    const std::vector<Step> steps = load(random_.range(0, kWays - 1), weight_half, act_half);
    const double room = random_.chance(0.3) ? 1.0 : 0.6;
    top_->start_i = 1;
    top_->start_weight_half_i = static_cast<CData>(weight_half);
    top_->start_act_half_i = static_cast<CData>(act_half);
    top_->start_windows_i = static_cast<SData>(windows_);
    top_->start_groups_i = static_cast<SData>(groups_);
    top_.step();
    top_->start_i = 0;
    for (std::size_t i = 0; i < steps.size();) {
      const Step& step = steps[i];
      top_->room_i = random_.chance(room);
      top_.settle();
      const bool issued = step.issue && top_->room_i != 0;
      const bool done = issued || !step.issue;
      ASSERT_EQ(top_->issue_o, issued) << "step " << i;
      ASSERT_EQ(top_->obs_empty_o, !step.issue) << "step " << i;
      ASSERT_EQ(top_->obs_blocked_o, step.issue && !issued) << "step " << i;
      ASSERT_EQ(top_->obs_visited_o, done && step.window_end) << "step " << i;
      if (issued) {
        ASSERT_EQ(top_->no_k_o, step.no_k);
        ASSERT_EQ(top_->last_o, step.last);
        ASSERT_EQ(top_->act_half_o, act_half);
        if (!step.no_k) {
          ASSERT_EQ(top_->position_o, step.position);
          ASSERT_EQ(top_->value_addr_o, step.value);
        }
      }
      empties += !step.issue;
      blocked += step.issue && !issued;
      without_k += issued && step.no_k;
      i += done;
      top_.edge();
    }
    for (int after = 0; after < 3; ++after) {
      top_->room_i = 1;
      top_.settle();
      ASSERT_EQ(top_->issue_o, 0);
      ASSERT_EQ(top_->obs_empty_o, 0);
      ASSERT_EQ(top_->obs_blocked_o, 0);
      top_.edge();
    }
  }
  EXPECT_GT(empties, 500);
  EXPECT_GT(blocked, 500);
  EXPECT_GT(without_k, 500);
}

}  // namespace
}  // namespace lacuna::test::rtl
