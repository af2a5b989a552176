// SPDX-License-Identifier: Apache-2.0
// Drain: decision, beats, release and end cycles, order, partial sums, outputs, with groups of
// different descriptions that finish at random times (engine.md, section 6).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "Vdrain.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

constexpr int kPes = 4, kWays = 2, kRows = 3, kLanes = 2, kWidth = 2, kChannels = kPes * kRows;

struct Group {
  int tables = 0, rows = 1, channels = 1, number = 0, tokens = 1, base = 0;
  bool read = false, write = false;
  int lo = -128, hi = 127, gate = 0;
  std::vector<std::int32_t> acc;  // [way][pe][row][lane]
  std::int64_t finished = -1, decided = -1, end = -1;
  [[nodiscard]] int beats() const { return rows * kPes / kWidth; }
  [[nodiscard]] std::int32_t at(int way, int pe, int row, int lane) const {
    return acc[static_cast<std::size_t>(((way * kPes + pe) * kRows + row) * kLanes + lane)];
  }
};

struct Tables {
  std::vector<int> order, shift;
  std::vector<std::int32_t> bias, multiplier;
};

class DrainTest : public testing::Test {
 protected:
  DrainTest() : random_(8) {
    top_->finished_i = 0;
    top_->hold_i = 0;
    top_->order_write_i = 0;
    top_->post_write_i = 0;
    top_->shift_write_i = 0;
    top_.reset();
    for (int set = 0; set < 4; ++set) tables_.push_back(load(set));
  }

  Tables load(int set) {
    Tables t;
    top_->load_tables_i = static_cast<CData>(set);
    for (int row = 0; row < kRows; ++row) {
      std::vector<int> order = {0, 1, 2, 3};
      for (std::size_t i = 3; i > 0; --i) {
        std::swap(order[i], order[static_cast<std::size_t>(random_.range(0, static_cast<int>(i)))]);
      }
      t.order.insert(t.order.end(), order.begin(), order.end());
    }
    for (int n = 0; n < kChannels; ++n) {
      t.bias.push_back(random_.range(-3000, 3000));
      t.multiplier.push_back(random_.range(-1 << 20, 1 << 20));
      t.shift.push_back(random_.range(18, 26));
    }
    for (int n = 0; n < kChannels; n += 8) {
      for (int i = 0; i < 8 && n + i < kChannels; ++i) {
        set_bits(top_->load_data_i, static_cast<std::size_t>(8 * i), 8,
                 static_cast<std::uint64_t>(t.order[static_cast<std::size_t>(n + i)]));
      }
      top_->order_write_i = 1;
      top_->load_channel_i = static_cast<CData>(n);
      top_.step();
      top_->order_write_i = 0;
      for (int i = 0; i < 8 && n + i < kChannels; ++i) {
        set_bits(top_->load_data_i, static_cast<std::size_t>(8 * i), 8,
                 static_cast<std::uint64_t>(t.shift[static_cast<std::size_t>(n + i)]));
      }
      top_->shift_write_i = 1;
      top_.step();
      top_->shift_write_i = 0;
    }
    for (int n = 0; n < kChannels; ++n) {
      const auto c = static_cast<std::size_t>(n);
      set_bits(top_->load_data_i, 0, 32, static_cast<std::uint32_t>(t.bias[c]));
      set_bits(top_->load_data_i, 32, 32, static_cast<std::uint32_t>(t.multiplier[c]));
      top_->post_write_i = 1;
      top_->load_channel_i = static_cast<CData>(n);
      top_.step();
    }
    top_->post_write_i = 0;
    return t;
  }

  Group random_group(int number, int last_base) {
    Group g;
    g.number = number;
    g.tables = random_.range(0, 3);
    g.rows = random_.range(1, kRows);
    g.channels = random_.range((g.rows - 1) * kPes + 1, g.rows * kPes);
    g.tokens = random_.range(1, 4);
    g.base = last_base;
    g.read = random_.chance(0.4);
    g.write = random_.chance(0.4);
    g.lo = random_.range(-128, 0);
    g.hi = random_.range(1, 255);
    g.gate = random_.chance(0.5) ? 0 : random_.range(1, 20);
    for (int i = 0; i < kWays * kChannels * kLanes; ++i)
      g.acc.push_back(random_.range(-30000, 30000));
    return g;
  }

  void describe(const Group& g) {
    auto& port = top_->cfg_i;
    clear(port);
    std::size_t at = 0;
    const auto field = [&](std::size_t width, std::int64_t value) {
      set_bits(port, at, width, static_cast<std::uint64_t>(value));
      at += width;
    };
    field(16, g.tokens);
    field(16, g.number);
    field(8, g.gate);
    field(9, g.hi);
    field(9, g.lo);
    field(16, g.base);
    field(1, g.write);
    field(1, g.read);
    field(16, g.channels);
    field(16, g.rows);
    field(2, g.tables);
  }

  Bench<Vdrain> top_;
  Random random_;
  std::vector<Tables> tables_;
};

TEST_F(DrainTest, CyclesSumsAndOutputs) {
  std::vector<Group> groups;
  std::map<std::int64_t, std::pair<std::size_t, int>> beat_at;  // cycle -> (group, beat)
  std::map<int, std::vector<std::int32_t>> memory;              // psum word -> values
  std::vector<std::vector<std::int32_t>> totals;                // per group, of the running beat
  int waited = 0, held = 0, codes = 0;
  std::int64_t hold_until = 0;
  std::size_t decided = 0;
  std::size_t read_group = 0;
  int read_row = -1;
  std::vector<std::int32_t> answer;
  constexpr int kGroups = 400;
  std::map<std::int64_t, std::vector<std::int32_t>> written_at;  // expected psum write by cycle
  std::map<std::int64_t, int> written_addr;
  std::map<std::int64_t, std::vector<int>> output_at;
  std::int64_t last_end = 0;
  for (std::int64_t t = 0; groups.size() < kGroups || t < last_end + 5; ++t) {
    ASSERT_LT(t, 40000);
    // Inputs of this cycle.
    if (random_.chance(0.01)) hold_until = t + random_.range(1, 30);
    const bool hold = t < hold_until;
    top_->hold_i = hold;
    const std::size_t g = groups.size();
    const bool bank_free = g < 2 || (groups[g - 2].end >= 0 && groups[g - 2].end < t);
    // One finished group waits at most: the next one's bank is held back as long as the drain is.
    const bool finish = g < kGroups && bank_free && decided == g && random_.chance(0.15);
    top_->finished_i = finish;
    if (finish) {
      // Now and then a new pass, with a description of its own; else the pass goes on.
      const bool new_pass = g == 0 || random_.chance(0.3);
      Group next = random_group(new_pass ? 0 : groups.back().number + 1, random_.range(0, 999));
      if (!new_pass) {
        std::vector<std::int32_t> acc = next.acc;
        next = groups.back();
        next.acc = acc;
        ++next.number;
        next.decided = next.end = -1;
        next.tokens = random_.range(1, 4);
      }
      next.finished = t;
      groups.push_back(next);
      describe(next);
    }
    clear(top_->rows_i);
    if (read_row >= 0) {
      for (int way = 0; way < kWays; ++way) {
        for (int pe = 0; pe < kPes; ++pe) {
          for (int lane = 0; lane < kLanes; ++lane) {
            set_bits(top_->rows_i,
                     static_cast<std::size_t>(((way * kPes + pe) * kLanes + lane) * 32), 32,
                     static_cast<std::uint32_t>(groups[read_group].at(way, pe, read_row, lane)));
          }
        }
      }
    }
    for (std::size_t i = 0; i < answer.size(); ++i) {
      set_bits(top_->psum_rd_data_i, 32 * i, 32, static_cast<std::uint32_t>(answer[i]));
    }
    top_.settle();

    const bool waiting = decided < groups.size() && groups[decided].finished < t;
    ASSERT_EQ(top_->waiting_o, waiting) << "cycle " << t;
    if (waiting) {
      ASSERT_EQ(top_->waiting_tables_o, groups[decided].tables);
    }
    // The decision: a finished group, the drain before over, no hold.
    const bool idle = decided == 0 || groups[decided - 1].end <= t;
    if (decided < groups.size() && groups[decided].decided < 0 && idle && !hold) {
      Group& group = groups[decided];
      group.decided = t;
      group.end = t + 1 + group.beats();
      last_end = group.end;
      waited += t > group.finished;
      for (int b = 0; b < group.beats(); ++b) beat_at[t + 1 + b] = {decided, b};
      ++decided;
      ASSERT_EQ(top_->read_o, 1) << "cycle " << t;
      ASSERT_EQ(top_->read_row_o, 0);
      ASSERT_EQ(top_->read_bank_o, (decided - 1) % 2);
    }
    held += hold;
    const bool draining = beat_at.count(t) != 0;
    ASSERT_EQ(top_->draining_o, draining) << "cycle " << t;
    const bool done =
        decided > 0 &&
        std::any_of(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(decided),
                    [t](const Group& group) { return group.end == t; });
    ASSERT_EQ(top_->drain_done_o, done) << "cycle " << t;
    answer.clear();
    if (draining) {
      const auto [index, beat] = beat_at[t];
      const Group& group = groups[index];
      ASSERT_EQ(top_->draining_tables_o, group.tables);
      const bool last = beat == group.beats() - 1;
      ASSERT_EQ(top_->release_o, last ? 1U << (index % 2) : 0U);
      const int address = group.base + group.number * group.beats() + beat;
      ASSERT_EQ(top_->psum_rd_en_o, group.read);
      if (group.read) {
        ASSERT_EQ(top_->psum_rd_addr_o, address);
        auto& words = memory[address];
        words.resize(kWidth * kLanes, 77);
        answer = words;
      }
      const Tables& table = tables_[static_cast<std::size_t>(group.tables)];
      std::vector<std::int32_t> sums;
      std::vector<int> expected;
      for (int c = 0; c < kWidth; ++c) {
        const int n = beat * kWidth + c;
        const int row = n / kPes, pe = table.order[static_cast<std::size_t>(n)];
        for (int lane = 0; lane < kLanes; ++lane) {
          std::int32_t sum = 0;
          for (int way = 0; way < kWays; ++way) sum += group.at(way, pe, row, lane);
          if (group.read) sum += answer[static_cast<std::size_t>(c * kLanes + lane)];
          sums.push_back(sum);
          const auto i = static_cast<std::size_t>(n);
          std::int64_t y = (std::int64_t{sum} + table.bias[i]) * table.multiplier[i];
          y = (y + (std::int64_t{1} << (table.shift[i] - 1))) >> table.shift[i];
          y = std::clamp<std::int64_t>(y, group.lo, group.hi);
          if (std::abs(y) <= group.gate || n >= group.channels || lane >= group.tokens) y = 0;
          expected.push_back(static_cast<int>(y) & 0xff);
        }
      }
      if (group.write) {
        written_at[t + 2] = sums;
        written_addr[t + 2] = address;
      } else {
        output_at[t + 3] = expected;
      }
    } else {
      ASSERT_EQ(top_->release_o, 0);
      ASSERT_EQ(top_->psum_rd_en_o, 0);
    }
    ASSERT_EQ(top_->psum_wr_en_o, written_at.count(t) != 0) << "cycle " << t;
    if (top_->psum_wr_en_o != 0) {
      ASSERT_EQ(top_->psum_wr_addr_o, written_addr[t]);
      for (std::size_t i = 0; i < kWidth * kLanes; ++i) {
        ASSERT_EQ(static_cast<std::int32_t>(bits(top_->psum_wr_data_o, 32 * i, 32)),
                  written_at[t][i]);
      }
      memory[written_addr[t]] = written_at[t];
    }
    ASSERT_EQ(top_->out_valid_o, output_at.count(t) != 0) << "cycle " << t;
    if (top_->out_valid_o != 0) {
      const auto [index, beat] = beat_at[t - 3];
      ASSERT_EQ(top_->out_group_o, groups[index].number);
      ASSERT_EQ(top_->out_beat_o, beat);
      ASSERT_EQ(top_->out_block_valid_o, beat % 4 == 3 || beat == groups[index].beats() - 1);
      for (int lane = 0; lane < kLanes; ++lane) {
        std::size_t place = static_cast<std::size_t>(lane * kWidth);
        for (int c = 0; c < kWidth; ++c) {
          const int code = output_at[t][static_cast<std::size_t>(c * kLanes + lane)];
          const auto bit = static_cast<std::size_t>(lane * kWidth + c);
          ASSERT_EQ(bits(top_->out_mask_o, bit, 1), code != 0);
          if (code != 0) {
            ASSERT_EQ(bits(top_->out_data_o, 8 * place++, 8), static_cast<std::uint64_t>(code));
            ++codes;
          }
        }
      }
    }
    // The row that the PEs will hold in the next cycle.
    if (top_->read_o != 0) {
      read_group = draining && beat_at[t].second != groups[beat_at[t].first].beats() - 1
                       ? beat_at[t].first
                       : decided - 1;
      ASSERT_EQ(top_->read_bank_o, read_group % 2);
      read_row = top_->read_row_o;
    }
    top_.edge();
  }
  EXPECT_EQ(decided, static_cast<std::size_t>(kGroups));
  EXPECT_GT(waited, 50);
  EXPECT_GT(held, 50);
  EXPECT_GT(codes, 1000);
}

}  // namespace
}  // namespace lacuna::test::rtl
