// SPDX-License-Identifier: Apache-2.0
//
// Do all implementations of the recurrence agree? The plain one is checked against the clocked
// engine elsewhere.
#include "base/rng.h"
#include "compare.h"
#include "support/random_pass.h"
#include "timing/engine/kernel.h"

namespace lacuna::timing::engine {
namespace {

void expect_same(const PassResult& actual, const PassResult& expected) {
  EXPECT_EQ(actual.length, expected.length);
  EXPECT_EQ(actual.group_end, expected.group_end);
  EXPECT_EQ(actual.drain_end, expected.drain_end);
  EXPECT_EQ(actual.outputs, expected.outputs);
  EXPECT_EQ(actual.psum_out, expected.psum_out);
  test::expect_same_counters(actual.counters, expected.counters);
}

PassResult run(const test::RawPass& pass, const Tile& tile, const Block& block, Kernel kernel) {
  EvaluateOptions options;
  options.kernel = kernel;
  return evaluate(pass.params, tile, block, pass.command, pass.psum_in, options);
}

void expect_versions_agree(const test::RawPass& pass, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + pass.describe());
  const Tile tile = pass.tile();
  const Block block = pass.block();
  const PassResult plain = run(pass, tile, block, Kernel::kPlain);
  {
    SCOPED_TRACE("portable vectors");
    expect_same(run(pass, tile, block, Kernel::kPortable), plain);
  }
  if (have_avx2()) {
    SCOPED_TRACE("AVX2");
    expect_same(run(pass, tile, block, Kernel::kAvx2), plain);
  }
  if (have_avx512()) {
    SCOPED_TRACE("AVX-512");
    expect_same(run(pass, tile, block, Kernel::kAuto), plain);
  }
}

TEST(Versions, AgreeOnRandomPasses) {
  for (std::uint64_t seed = 1; seed <= 3000 && !HasFailure(); ++seed) {
    expect_versions_agree(test::random_pass(seed), seed);
  }
}

TEST(Versions, AgreeOnManyPesAndDeepFifos) {
  test::RandomLimits limits;
  limits.max_pes = 256;
  limits.max_ways = 3;
  limits.max_rows = 6;
  limits.max_depth = 256;
  limits.max_lanes_log = 0;
  limits.max_segment_channels = 400;
  limits.max_tokens = 40;
  for (std::uint64_t seed = 5000; seed < 5060 && !HasFailure(); ++seed) {
    expect_versions_agree(test::random_pass(seed, limits), seed);
  }
}

// More than 255 rows: counts no longer fit a byte, lags no longer fit 16 bits.
TEST(Versions, AgreeOnVeryManyRows) {
  test::RandomLimits limits;
  limits.max_pes = 3;
  limits.max_rows = 1024;
  limits.max_segment_channels = 60;
  limits.max_segments = 2;
  for (std::uint64_t seed = 7000; seed < 7150 && !HasFailure(); ++seed) {
    expect_versions_agree(test::random_pass(seed, limits), seed);
  }
}

// Long waits for a bank: lags beyond 16 bits, beyond 32 bits the plain version has to step in.
TEST(Versions, AgreeOnLongWaits) {
  for (std::uint64_t seed = 9000; seed < 9300 && !HasFailure(); ++seed) {
    test::RawPass pass = test::random_pass(seed);
    base::Rng rng(seed);
    constexpr std::array<base::Cycle, 6> kHolds{3'000,  13'990,    14'010,
                                                40'000, 1'000'000, 3'000'000'000};
    pass.command.hold2 = kHolds[rng.below(kHolds.size())];
    pass.command.hold1 = pass.command.hold2 + kHolds[rng.below(kHolds.size())];
    expect_versions_agree(pass, seed);
  }
}

// PEs that idle for thousands of cycles between two weights.
TEST(Versions, AgreeOnLongIdleTimes) {
  test::RandomLimits limits;
  limits.max_pes = 4;
  limits.max_ways = 2;
  limits.max_rows = 200;
  limits.max_segments = 1;
  limits.max_segment_channels = 30'000;
  limits.max_tokens = 3;
  limits.max_lanes_log = 0;
  for (std::uint64_t seed = 11'000; seed < 11'012 && !HasFailure(); ++seed) {
    test::RawPass pass = test::random_pass(seed, limits);
    // One PE works all the time, the others hardly ever.
    const auto k = static_cast<std::size_t>(pass.segments.k());
    base::Rng rng(seed);
    for (std::size_t n = 0; n < static_cast<std::size_t>(pass.channels); ++n) {
      for (std::size_t i = 0; i < k; ++i) {
        const bool busy = n % static_cast<std::size_t>(pass.params.pes) == 0 && rng.bernoulli(0.5);
        pass.weights[n * k + i] = busy ? std::int8_t{1} : std::int8_t{0};
      }
    }
    pass.order.clear();
    expect_versions_agree(pass, seed);
  }
}

TEST(Versions, TimingAndFunctionCanBeHadApart) {
  const test::RawPass pass = test::random_pass(77);
  const Tile tile = pass.tile();
  const Block block = pass.block();
  const PassResult both = run(pass, tile, block, Kernel::kAuto);
  EvaluateOptions options;
  options.functional = false;
  const PassResult timing = evaluate(pass.params, tile, block, pass.command, {}, options);
  options.functional = true;
  options.timing = false;
  const PassResult function =
      evaluate(pass.params, tile, block, pass.command, pass.psum_in, options);
  EXPECT_EQ(timing.group_end, both.group_end);
  EXPECT_TRUE(timing.outputs.empty());
  EXPECT_TRUE(function.group_end.empty());
  EXPECT_EQ(function.outputs, both.outputs);
  EXPECT_EQ(function.counters.outputs_nonzero, both.counters.outputs_nonzero);
}

}  // namespace
}  // namespace lacuna::timing::engine
