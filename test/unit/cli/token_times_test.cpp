// SPDX-License-Identifier: Apache-2.0
#include "cli/token_times.h"

#include <gtest/gtest.h>

namespace lacuna::cli {
namespace {

using Contexts = std::vector<std::int64_t>;

TEST(TokenTimes, ContextsCoverBothEnds) {
  EXPECT_EQ(sampled_contexts(128, 1, 3), Contexts{});
  EXPECT_EQ(sampled_contexts(128, 2, 3), Contexts{129});
  EXPECT_EQ(sampled_contexts(128, 4, 3), (Contexts{129, 130, 131}));
  EXPECT_EQ(sampled_contexts(128, 128, 3), (Contexts{129, 192, 255}));
  EXPECT_EQ(sampled_contexts(1, 100, 2), (Contexts{2, 100}));
}

TEST(TokenTimes, ALineIsSummedExactly) {
  // Step of context c takes 2 + 3c seconds; whatever is sampled, the sum is that of all steps.
  double expected = 0;
  for (int c = 11; c <= 50; ++c) expected += 2 + 3.0 * c;
  for (const std::int64_t points : {2, 3, 7, 40}) {
    std::vector<SimulatedStep> steps;
    for (const std::int64_t c : sampled_contexts(10, 41, points)) {
      const auto x = static_cast<double>(c);
      steps.push_back({c, 2 + 3 * x, 1.0, 8.0 * x});
    }
    const TokenTimes times = token_times({10, 5, 7, 0}, steps, 4);
    EXPECT_EQ(times.steps, 40);
    EXPECT_EQ(times.simulated, points);
    EXPECT_NEAR(times.total_s, 5 + expected, 1e-9);
    EXPECT_NEAR(times.per_output_token_s, expected / 40, 1e-9);
    EXPECT_NEAR(times.tokens_per_s, 4 * 41 / (5 + expected), 1e-12);
    EXPECT_NEAR(times.decode_tokens_per_s, 4 * 40 / expected, 1e-12);
    EXPECT_NEAR(times.energy_per_token_j, (7 + 40) / (4.0 * 41), 1e-12);
    EXPECT_NEAR(times.decode_dram_bytes, 8 * 30.5, 1e-9);
  }
}

/// Steps between two that are h apart lie below the straight line by c k (h - k): together
/// c (h^3 - h) / 6 for each gap.
TEST(TokenTimes, AParabolaIsOffByWhatALineMustBe) {
  const double c = 1e-3;
  double exact = 0;
  for (int x = 129; x <= 249; ++x) exact += 1 + c * x * x;
  for (const std::int64_t points : {2, 3, 5, 11, 121}) {
    std::vector<SimulatedStep> steps;
    for (const std::int64_t context : sampled_contexts(128, 122, points)) {
      const auto x = static_cast<double>(context);
      steps.push_back({context, 1 + c * x * x, 1, 1});
    }
    const TokenTimes times = token_times({128, 0, 0, 0}, steps, 1);
    const auto gaps = static_cast<double>(points - 1);
    const double h = 120 / gaps;
    EXPECT_NEAR(times.total_s - exact, gaps * c * (h * h * h - h) / 6, 1e-9) << points;
    EXPECT_EQ(times.left_out_error > 0, points > 2);
  }
}

TEST(TokenTimes, OneTokenIsPrefillOnly) {
  const TokenTimes times = token_times({128, 0.5, 2, 0}, {}, 8);
  EXPECT_EQ(times.steps, 0);
  EXPECT_EQ(times.per_output_token_s, 0);
  EXPECT_EQ(times.decode_tokens_per_s, 0);
  EXPECT_DOUBLE_EQ(times.tokens_per_s, 16);
}

}  // namespace
}  // namespace lacuna::cli
