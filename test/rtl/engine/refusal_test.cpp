// SPDX-License-Identifier: Apache-2.0
//
// The harness refuses what does not fit or does not end, says why, and works again afterwards; it
// keeps halves by key; and the comparison that the other tests rely on notices a wrong number.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "rtl/support/generator.h"
#include "rtl/support/plugin.h"

namespace lacuna::test::rtl {
namespace {

class Refusal : public testing::Test {
 protected:
  Refusal() : plugin_(engine_file("odd")), shape_(plugin_.shape()) {
    Random random(5);
    problem_.segment_channels = 40;
    problem_.channels = 2 * shape_.pes;
    problem_.tokens = 6;
    fill(random, shape_, problem_, 0.5, 0.5, false);
  }

  /// What the harness says about a run with something changed; then a good run must succeed.
  std::string refused(const std::function<void(Images&)>& change) {
    Images images(shape_, problem_);
    change(images);
    lacuna_rtl_result result{};
    EXPECT_NE(plugin_.run(images, result), 0);
    const std::string why = plugin_.error();
    const Images good(shape_, problem_);
    EXPECT_EQ(plugin_.run(good, result), 0) << plugin_.error();
    expect_same(result, Oracle(shape_, problem_).run());
    return why;
  }

  Plugin plugin_;
  Shape shape_;
  Problem problem_;
};

TEST_F(Refusal, CycleLimit) {
  EXPECT_NE(refused([](Images& i) { i.pass.cycle_limit = 30; }).find("cycle limit of 30"),
            std::string::npos);
}

TEST_F(Refusal, CycleLimitZero) {
  EXPECT_EQ(refused([](Images& i) { i.pass.cycle_limit = 0; }), "the cycle limit is 0");
}

TEST_F(Refusal, ImageTooShort) {
  EXPECT_EQ(refused([&](Images& i) {
              i.tile_load.image_bytes -= static_cast<std::size_t>(shape_.load_width);
            }),
            "the image is shorter than its load command says");
}

TEST_F(Refusal, ImageTooLong) {
  EXPECT_EQ(refused([&](Images& i) {
              i.block.resize(i.block.size() + static_cast<std::size_t>(shape_.load_width));
              i.block_load.image = i.block.data();
              i.block_load.image_bytes = i.block.size();
            }),
            "the image is longer than its load command says");
}

TEST_F(Refusal, ImageNotWholeBeats) {
  EXPECT_EQ(refused([](Images& i) { i.tile_load.image_bytes -= 1; }),
            "the image is not a positive number of load beats");
}

TEST_F(Refusal, ImageEndsInTables) {
  EXPECT_EQ(refused([&](Images& i) {
              i.tile_load.image_bytes = static_cast<std::size_t>(shape_.load_width);
            }),
            "the image ends within its tables");
}

TEST_F(Refusal, OrderBeyondThePes) {
  EXPECT_EQ(
      refused([&](Images& i) {
        const Layout layout(shape_, problem_);
        const auto width = static_cast<std::size_t>(shape_.load_width);
        const std::size_t bases = (2 * layout.base.size() + width - 1) / width;
        const std::size_t present =
            (layout.base.size() * static_cast<std::size_t>(shape_.k_ways * shape_.scan_width / 8) +
             width - 1) /
            width;
        i.tile[(bases + present) * width] = static_cast<std::uint8_t>(shape_.pes);
      }),
      "the image's channel order names a PE that is not there");
}

TEST_F(Refusal, CommandsBeyondTheEngine) {
  EXPECT_EQ(refused([](Images& i) { i.tile_load.windows = 1000; }), "windows exceed MAX_WINDOWS");
  EXPECT_EQ(refused([](Images& i) { i.tile_load.positions = 60000; }),
            "positions exceed MAX_POSITIONS");
  EXPECT_EQ(refused([](Images& i) { i.tile_load.rows = 60; }), "rows exceed RowsPerPe");
  EXPECT_EQ(refused([](Images& i) { i.block_load.groups = 60000; }),
            "groups x windows exceed ACT_SLOTS");
  EXPECT_EQ(refused([](Images& i) { i.tile_load.kind = 1; }), "load of the wrong kind");
}

TEST_F(Refusal, PassThatDoesNotFitItsOperands) {
  EXPECT_EQ(refused([](Images& i) { i.pass.groups += 1; }),
            "the pass has another number of groups than its block");
  EXPECT_EQ(refused([](Images& i) { i.pass.tokens += 7; }), "tokens do not fit the groups");
  EXPECT_EQ(refused([](Images& i) { i.pass.channels += 100; }),
            "channels do not fit the rows of the tile");
  EXPECT_EQ(refused([](Images& i) { i.pass.clamp_hi = 256; }), "clamp or gate out of range");
  EXPECT_EQ(refused([](Images& i) { i.pass.psum_read = 1; }),
            "a pass that reads partial sums got none");
  EXPECT_EQ(refused([](Images& i) { i.pass.hold2 = 1; }), "hold2 exceeds hold1");
}

TEST_F(Refusal, HalvesAreKeptByKey) {
  lacuna_rtl_result result{};
  for (int round = 0; round < 4; ++round) {
    const Images images(shape_, problem_, 11, 22);
    ASSERT_EQ(plugin_.run(images, result), 0) << plugin_.error();
    EXPECT_EQ(result.load_cycles_weights == 0, round > 0);
    EXPECT_EQ(result.load_cycles_block == 0, round > 0);
    expect_same(result, Oracle(shape_, problem_).run());
    // Another block in the other half leaves the first one alone.
    Problem other = problem_;
    other.acts[0] ^= 1;
    const Images second(shape_, other, 11, 23);
    ASSERT_EQ(plugin_.run(second, result), 0) << plugin_.error();
    EXPECT_EQ(result.load_cycles_block == 0, round > 0);
    expect_same(result, Oracle(shape_, other).run());
  }
  // Without a key nothing is kept.
  const Images images(shape_, problem_);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(plugin_.run(images, result), 0) << plugin_.error();
    EXPECT_GT(result.load_cycles_weights, 0U);
  }
}

TEST_F(Refusal, ComparisonNoticesOneWrongNumber) {
  const Images images(shape_, problem_);
  static lacuna_rtl_result result;
  ASSERT_EQ(plugin_.run(images, result), 0) << plugin_.error();
  static Expected expected;
  const Expected right = Oracle(shape_, problem_).run();
  const std::vector<std::pair<const char*, std::function<void()>>> changes = {
      {"issues of way 1", [] { ++expected.issue[1].back(); }},
      {"pops of PE 3", [] { ++expected.mask[3].front(); }},
      {"takes of PE 4", [] { expected.mac[4].pop_back(); }},
      {"group_end", [] { ++expected.group_end[1]; }},
      {"drain_end", [] { ++expected.drain_end.back(); }},
      {"outputs", [] { expected.outputs[5] ^= 1; }},
      {"pe_window", [] { ++expected.counters.pe_window; }},
      {"weight_words", [] { --expected.counters.weight_words; }},
  };
  for (const auto& [text, change] : changes) {
    expected = right;
    change();
    EXPECT_NONFATAL_FAILURE(expect_same(result, expected), text);
  }
}

}  // namespace
}  // namespace lacuna::test::rtl
