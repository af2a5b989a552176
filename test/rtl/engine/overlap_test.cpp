// SPDX-License-Identifier: Apache-2.0
//
// Passes back to back on one live engine, with loads and the drains of earlier passes under way,
// against each pass replayed alone with hold1 and hold2: the same cycles, outputs and counters.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "rtl/support/generator.h"
#include "rtl/support/plugin.h"

namespace lacuna::test::rtl {
namespace {

class Overlap : public testing::TestWithParam<const char*> {};

TEST_P(Overlap, BackToBackEqualsReplayWithHolds) {
  const std::string file = engine_file(GetParam());
  Plugin live(file), replay(file);
  const Shape shape = live.shape();
  std::uint64_t first = 1, last = 60;
  if (const char* seed = std::getenv("LACUNA_RTL_SEED"))
    first = last = std::strtoull(seed, nullptr, 10);
  int held = 0, held_twice = 0, at_once = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(std::string(GetParam()) + ": replay with LACUNA_RTL_SEED=" + std::to_string(seed));
    Random random(seed * 1000);
    const int count = random.range(2, 6);
    std::vector<std::unique_ptr<Problem>> problems;
    std::vector<std::unique_ptr<Images>> images;
    std::vector<lacuna_rtl_job> jobs;
    for (int i = 0; i < count; ++i) {
      auto problem = std::make_unique<Problem>(random_problem(random, shape));
      problem->hold1 = problem->hold2 = 0;
      std::uint64_t tile_key = seed * 100 + static_cast<std::uint64_t>(i) + 1;
      std::uint64_t block_key = tile_key;
      if (i > 0 && random.chance(0.3)) {
        // The same tile and block again: nothing to load, so the next pass starts in F.
        *problem = *problems.back();
        tile_key = images.back()->tile_load.key;
        block_key = images.back()->block_load.key;
      }
      problems.push_back(std::move(problem));
      images.push_back(std::make_unique<Images>(shape, *problems.back(), tile_key, block_key));
      lacuna_rtl_job job{};
      job.weights = &images.back()->tile_load;
      job.block = &images.back()->block_load;
      job.pass = &images.back()->pass;
      // Apart, because a pass's sums are put there when it starts, while drains of others still
      // run.
      job.psum_base = static_cast<std::uint32_t>(i) * 10000;
      jobs.push_back(job);
    }
    std::vector<lacuna_rtl_result> results;
    std::vector<std::uint64_t> starts;
    ASSERT_EQ(live.run(jobs, results, starts), 0) << live.error();

    std::int64_t end1 = 0, end2 = 0;  // E of the last two groups, absolute
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      SCOPED_TRACE("pass " + std::to_string(i));
      const auto start = static_cast<std::int64_t>(starts[i]);
      Problem alone = *problems[i];
      alone.hold1 = static_cast<std::uint32_t>(std::max<std::int64_t>(0, end1 - start));
      alone.hold2 = static_cast<std::uint32_t>(std::max<std::int64_t>(0, end2 - start));
      held += alone.hold1 > 0;
      held_twice += alone.hold2 > 0;
      if (i > 0) {
        const std::uint64_t earliest = starts[i - 1] + results[i - 1].length;
        EXPECT_GE(starts[i], earliest);
        at_once += starts[i] == earliest;
        if (i == 1) {
          EXPECT_EQ(starts[i], earliest);  // loaded beforehand
        }
      }
      const Expected expected = Oracle(shape, alone).run();
      expect_same(results[i], expected);
      const Images again(shape, alone);
      lacuna_rtl_result replayed{};
      ASSERT_EQ(replay.run(again, replayed), 0) << replay.error();
      expect_same(replayed, expected);
      for (std::uint64_t end : expected.drain_end) {
        end2 = end1;
        end1 = start + static_cast<std::int64_t>(end);
      }
    }
    if (HasFailure()) return;
  }
  if (first != last) {
    EXPECT_GT(held, 20);
    EXPECT_GT(held_twice, 2);
    EXPECT_GT(at_once, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, Overlap, testing::Values("example", "lanes", "odd", "single"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Chain, PartialSumsGoThroughTheMemoryFromPassToPass) {
  // One product with K in three parts: write, read and write, read.
  Plugin plugin(engine_file("odd"));
  const Shape shape = plugin.shape();
  Random random(99);
  Problem whole;
  whole.segment_channels = 30;
  whole.channels = 2 * shape.pes - 1;
  whole.tokens = 1;  // a single short group: its drain is close to the next pass
  fill(random, shape, whole, 0.7, 0.9, false);
  ASSERT_TRUE(fits(shape, whole));
  std::vector<std::unique_ptr<Problem>> parts;
  std::vector<std::unique_ptr<Images>> images;
  std::vector<lacuna_rtl_job> jobs;
  for (int part = 0; part < 3; ++part) {
    auto p = std::make_unique<Problem>(whole);
    p->segment_channels = 10;
    p->weights.clear();
    p->acts.clear();
    for (int n = 0; n < whole.channels; ++n) {
      for (int k = 0; k < 10; ++k) p->weights.push_back(whole.weight(n, part * 10 + k));
    }
    for (int k = 0; k < 10; ++k) p->acts.push_back(whole.act(0, part * 10 + k));
    p->psum_read = part > 0;
    p->psum_write = part < 2;
    p->post = part == 2;
    images.push_back(std::make_unique<Images>(shape, *p));
    lacuna_rtl_job job{};
    job.weights = &images.back()->tile_load;
    job.block = &images.back()->block_load;
    job.pass = &images.back()->pass;
    job.psum_base = 17;
    job.chain = 1;
    jobs.push_back(job);
    parts.push_back(std::move(p));
  }
  std::vector<lacuna_rtl_result> results;
  std::vector<std::uint64_t> starts;
  ASSERT_EQ(plugin.run(jobs, results, starts), 0) << plugin.error();
  const Expected expected = Oracle(shape, whole).run();
  ASSERT_NE(results[2].outputs, nullptr);
  EXPECT_EQ(
      std::vector<std::uint8_t>(results[2].outputs, results[2].outputs + expected.outputs.size()),
      expected.outputs);
}

}  // namespace
}  // namespace lacuna::test::rtl
