// SPDX-License-Identifier: Apache-2.0
// Processing element: cycles of mask and MAC stage, banks, sums, with random gaps between entries,
// holds and drains (engine.md, section 5).

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "Vpe.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

constexpr int kRows = 5, kLanes = 2, kDepth = 3, kPositions = 32, kElementBits = 12, kPtrBits = 7;

struct Entry {
  int position = 0, group = 0;
  bool has_k = false, last = false;
  int value[kLanes] = {};
  std::int64_t pushed = 0;
};

class PeTest : public testing::Test {
 protected:
  PeTest() : random_(6) {
    top_->push_i = 0;
    top_->hold_i = 0;
    top_->release_i = 0;
    top_->drain_read_i = 0;
    top_->meta_write_i = 0;
    top_->value_write_i = 0;
    top_.reset();
  }

  void load(bool in_place) {
    const int half = random_.range(0, 1);
    top_->load_half_i = static_cast<CData>(half);
    top_->weight_half_i = static_cast<CData>(half);
    top_->in_place_i = in_place;
    int pointer = 0;
    std::vector<int> values;
    masks_.assign(kPositions, 0);
    weights_.assign(kPositions, std::vector<int>(kRows, 0));
    std::vector<int> pointers;
    for (int x = 0; x < kPositions; ++x) {
      pointers.push_back(pointer);
      for (int row = 0; row < (in_place ? 3 : kRows); ++row) {
        const bool set = random_.chance(x % 3 == 0 ? 0.0 : 0.5) && (in_place || values.size() < 96);
        const int weight = set ? random_.range(-128, 127) : 0;
        if (set) masks_[static_cast<std::size_t>(x)] |= 1U << row;
        weights_[static_cast<std::size_t>(x)][static_cast<std::size_t>(row)] = weight;
        if (set || in_place) values.push_back(weight);
        pointer += set && !in_place;
      }
      if (in_place) pointer += 3;
    }
    for (int word = 0; word < kPositions / 8; ++word) {
      clear(top_->meta_data_i);
      for (int e = 0; e < 8; ++e) {
        const auto x = static_cast<std::size_t>(word * 8 + e);
        set_bits(top_->meta_data_i, static_cast<std::size_t>(e * kElementBits), kRows, masks_[x]);
        set_bits(top_->meta_data_i, static_cast<std::size_t>(e * kElementBits + kRows), kPtrBits,
                 static_cast<std::uint64_t>(pointers[x]));
      }
      top_->meta_write_i = 1;
      top_->meta_addr_i = static_cast<CData>(word);
      top_.step();
    }
    top_->meta_write_i = 0;
    values.resize((values.size() + 7) / 8 * 8, 0);
    for (std::size_t i = 0; i < values.size(); i += 8) {
      clear(top_->value_data_i);
      for (std::size_t b = 0; b < 8; ++b) {
        set_bits(top_->value_data_i, 8 * b, 8, static_cast<std::uint64_t>(values[i + b]));
      }
      top_->value_write_i = 1;
      top_->value_addr_i = static_cast<CData>(i / 8);
      top_.step();
    }
    top_->value_write_i = 0;
  }

  Bench<Vpe> top_;
  Random random_;
  std::vector<unsigned> masks_;
  std::vector<std::vector<int>> weights_;
  int bank_ = 0;  // of the first group of a run
};

TEST_F(PeTest, StagesBanksAndSums) {
  int waited_for_bank = 0, dropped = 0, held = 0, gated = 0, full = 0;
  for (int run = 0; run < 150; ++run) {
    SCOPED_TRACE(run);
    load(run % 4 == 3);
    const bool act_signed = random_.chance(0.5);
    top_->act_signed_i = act_signed;
    const int groups = random_.range(1, 8);
    std::vector<Entry> entries;
    for (int g = 0; g < groups; ++g) {
      const int count = random_.range(1, 12);
      for (int i = 0; i < count; ++i) {
        Entry entry;
        entry.group = g;
        entry.last = i == count - 1;
        entry.has_k = !entry.last || random_.chance(0.7);
        entry.position = random_.range(0, kPositions - 1);
        for (int& value : entry.value) {
          value = random_.chance(0.3) ? 0
                  : act_signed        ? random_.range(-128, 127)
                                      : random_.range(0, 255);
        }
        entries.push_back(entry);
      }
    }
    const double rate = random_.chance(0.5) ? 1.0 : 0.4;
    const double slow_drain = random_.chance(0.5) ? 0.02 : 0.3;
    std::vector<std::int64_t> pops, takes, releases;
    std::vector<unsigned> holds;
    const std::int64_t begin = top_.cycle();
    std::size_t next = 0;
    bool pushed_before = false;
    int drained = 0, reading = -1;  // row pair being read of the group that drains
    std::int64_t finished_since = -1;
    std::uint64_t words = 0, slots = 0;
    while (drained < groups) {
      const std::int64_t t = top_.cycle() - begin;
      ASSERT_LT(t, 4000);
      const int bank = (bank_ + drained) % 2;
      top_->hold_i = random_.chance(0.15) ? static_cast<CData>(random_.range(1, 3)) : 0;
      holds.push_back(top_->hold_i);
      top_->release_i = 0;
      top_->drain_read_i = 0;
      top_->push_i = 0;
      top_.settle();
      // Credits as the way keeps them: entries in the FIFO and the one that was pushed last.
      const bool room = top_->full_o == 0 && !(pushed_before && top_->almost_full_o != 0);
      full += top_->full_o;
      pushed_before = false;
      // Drain of the oldest group: from the second cycle after it is finished.
      if (finished_since < 0 && ((top_->finished_o >> bank) & 1) != 0) finished_since = t;
      if (reading >= 0) {
        for (int i = 0; i < 2 && reading + i < kRows; ++i) {
          for (int lane = 0; lane < kLanes; ++lane) {
            std::int64_t sum = 0;
            for (const Entry& e : entries) {
              if (e.group == drained && e.has_k) {
                sum += weights_[static_cast<std::size_t>(e.position)]
                               [static_cast<std::size_t>(reading + i)] *
                       e.value[lane];
              }
            }
            ASSERT_EQ(signed_bits(bits(top_->drain_data_o,
                                       static_cast<std::size_t>((i * kLanes + lane) * 32), 32),
                                  32),
                      sum)
                << "group " << drained << " row " << reading + i;
          }
        }
      }
      int read_now = -1;
      if (finished_since >= 0 && t >= finished_since + 2) {
        if (reading < 0 && random_.chance(slow_drain)) read_now = 0;
        if (reading >= 0) read_now = reading + 2;
      }
      if (read_now >= 0 && read_now < kRows) {
        top_->drain_read_i = 1;
        top_->drain_bank_i = static_cast<CData>(bank);
        top_->drain_row_i = static_cast<SData>(read_now);
        reading = read_now;
      } else if (read_now >= kRows) {
        top_->release_i = static_cast<CData>(1 << bank);
        releases.push_back(t);
        ++drained;
        reading = -1;
        finished_since = -1;
      }
      if (next < entries.size() && room && random_.chance(rate)) {
        Entry& e = entries[next++];
        e.pushed = t;
        std::uint64_t entry = (e.has_k ? 2U : 0U) | (e.last ? 1U : 0U);
        entry = (entry << 5) | static_cast<unsigned>(e.position);
        for (int lane = kLanes - 1; lane >= 0; --lane) {
          entry = (entry << 8) | static_cast<std::uint8_t>(e.value[lane]);
        }
        top_->entry_i = static_cast<IData>(entry);
        top_->push_i = 1;
        pushed_before = true;
      }
      top_.settle();
      const unsigned obs = top_->obs_o;
      if ((obs & 1) != 0) pops.push_back(t);
      if ((obs & 2) != 0) takes.push_back(t);
      slots += (obs >> 2) & 1;
      words += (obs >> 4) & 1;
      gated += static_cast<int>(((obs >> 7) & 1) + ((obs >> 8) & 1));
      top_.edge();
    }
    bank_ = (bank_ + groups) % 2;
    top_->release_i = 0;
    top_->push_i = 0;
    top_.step();

    // Cycles: the recurrence, with what really happened outside.
    ASSERT_EQ(pops.size(), entries.size());
    std::int64_t last_pop = -1, stage_left = -1, free = -1;
    std::size_t taken = 0;
    std::uint64_t weights = 0;
    const int first_bank = (bank_ + groups) % 2;
    for (std::size_t j = 0; j < entries.size(); ++j) {
      const Entry& e = entries[j];
      const std::int64_t pop = std::max({e.pushed + 1, last_pop + 1, stage_left});
      ASSERT_EQ(pops[j], pop) << "entry " << j;
      last_pop = pop;
      const int count = e.has_k ? std::popcount(masks_[static_cast<std::size_t>(e.position)]) : 0;
      weights += static_cast<std::uint64_t>(count);
      if (count == 0 && !e.last) {
        ++dropped;
        continue;
      }
      std::int64_t take = std::max(pop + 1, free);
      if (e.group >= 2) {
        waited_for_bank += releases[static_cast<std::size_t>(e.group - 2)] + 1 > take;
        take = std::max(take, releases[static_cast<std::size_t>(e.group - 2)] + 1);
      }
      while (((holds[static_cast<std::size_t>(take)] >> ((first_bank + e.group) % 2)) & 1) != 0) {
        ++take;
        ++held;
      }
      ASSERT_LT(taken, takes.size());
      ASSERT_EQ(takes[taken++], take) << "entry " << j;
      stage_left = take;
      free = take + std::max(count, 1);
    }
    ASSERT_EQ(taken, takes.size());
    ASSERT_EQ(slots, weights);
    ASSERT_LE(words, weights);
  }
  EXPECT_GT(waited_for_bank, 20);
  EXPECT_GT(dropped, 100);
  EXPECT_GT(held, 20);
  EXPECT_GT(gated, 100);
  EXPECT_GT(full, 100);
}

}  // namespace
}  // namespace lacuna::test::rtl
