// SPDX-License-Identifier: Apache-2.0
//
// Does the recurrence say what the clocked engine does? Every I, M, S, F, E, every counter, every
// output, on random settings.
#include <cstdlib>

#include "compare.h"
#include "support/clocked_engine.h"
#include "support/random_pass.h"

namespace lacuna::timing::engine {
namespace {

void expect_model_equals_clocked(std::uint64_t seed, const test::RandomLimits& limits) {
  const test::RawPass pass = test::random_pass(seed, limits);
  SCOPED_TRACE("seed " + std::to_string(seed) + " (LACUNA_SEED replays it): " + pass.describe());
  const test::ClockedResult expected = test::run_clocked(pass);
  const Tile tile = pass.tile();
  const Block block = pass.block();
  EvaluateOptions options;
  options.trace = true;
  const PassResult actual = evaluate(pass.params, tile, block, pass.command, pass.psum_in, options);
  EXPECT_EQ(actual.trace.position, expected.position);
  EXPECT_EQ(actual.trace.group, expected.group);
  EXPECT_EQ(actual.trace.issue, expected.issue);
  EXPECT_EQ(actual.trace.mask_stage, expected.mask_stage);
  EXPECT_EQ(actual.trace.mac_stage, expected.mac_stage);
  EXPECT_EQ(actual.group_end, expected.group_end);
  EXPECT_EQ(actual.drain_end, expected.drain_end);
  EXPECT_EQ(actual.length, expected.length);
  EXPECT_EQ(actual.outputs, expected.outputs);
  EXPECT_EQ(actual.psum_out, expected.psum_out);
  test::expect_same_counters(actual.counters, expected.counters);
  EXPECT_EQ(test::pe_cycles(actual.counters),
            static_cast<std::uint64_t>(actual.length * pass.params.pes * pass.params.k_ways));
}

void run_seeds(std::uint64_t first, int count, const test::RandomLimits& limits) {
  if (const char* replay = std::getenv("LACUNA_SEED")) {
    first = std::strtoull(replay, nullptr, 10);
    count = 1;
  }
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    expect_model_equals_clocked(first + static_cast<std::uint64_t>(i), limits);
  }
}

TEST(ClockedEngine, ManySmallPasses) {
  test::RandomLimits limits;
  limits.max_pes = 6;
  limits.max_ways = 3;
  limits.max_rows = 5;
  limits.max_depth = 6;
  limits.max_segment_channels = 40;
  limits.max_segments = 4;
  limits.max_tokens = 9;
  run_seeds(1, 4000, limits);
}

TEST(ClockedEngine, SomeLargerPasses) { run_seeds(1'000'000, 200, {}); }

}  // namespace
}  // namespace lacuna::timing::engine
