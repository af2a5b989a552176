// SPDX-License-Identifier: Apache-2.0
#include "cli/length_times.h"

#include <gtest/gtest.h>

namespace lacuna::cli {
namespace {

using Lengths = std::vector<std::int64_t>;
using Counts = std::vector<params::LengthCount>;

/// Attention grows with the square of the length.
double seconds_of(std::int64_t length) {
  const auto l = static_cast<double>(length);
  return 1e-3 + 4e-5 * l + 5e-8 * l * l;
}

std::vector<SimulatedStep> simulated(const Lengths& lengths) {
  std::vector<SimulatedStep> steps;
  for (const std::int64_t l : lengths) {
    steps.push_back({l, seconds_of(l), 2 * seconds_of(l), 100});
  }
  return steps;
}

/// Shorter ones are more frequent.
Counts falling(std::int64_t first, std::int64_t last) {
  Counts counts;
  for (std::int64_t l = first; l <= last; ++l) {
    counts.push_back({l, static_cast<double>(last + 1 - l)});
  }
  return counts;
}

TEST(LengthTimes, Padding) {
  EXPECT_EQ(padded_length(1, 1, 384), 1);
  EXPECT_EQ(padded_length(33, 32, 384), 64);
  EXPECT_EQ(padded_length(64, 32, 384), 64);
  EXPECT_EQ(padded_length(383, 100, 384), 384);  // not beyond the limit
  EXPECT_EQ(padded_length(5, 384, 384), 384);
}

TEST(LengthTimes, WhatIsSimulated) {
  EXPECT_EQ(sampled_lengths({{20, 1}, {33, 1}, {96, 1}}, 1, 96, 24), (Lengths{20, 33, 96}));
  EXPECT_EQ(sampled_lengths({{20, 1}, {33, 1}}, 1, 96, 24), (Lengths{20, 33, 96}));
  EXPECT_EQ(sampled_lengths({{20, 1}, {33, 1}, {96, 1}}, 64, 96, 24), (Lengths{64, 96}));
  EXPECT_EQ(sampled_lengths(falling(36, 384), 1, 384, 5), (Lengths{36, 123, 210, 297, 384}));
  EXPECT_EQ(sampled_lengths(falling(36, 384), 16, 384, 4), (Lengths{48, 160, 272, 384}));
}

TEST(LengthTimes, AllSimulatedIsExact) {
  const Counts counts{{10, 6}, {20, 3}, {40, 1}};
  const LengthTimes times = length_times(counts, simulated({10, 20, 40}), 1, 40, 2);
  const double mean = (6 * seconds_of(10) + 3 * seconds_of(20) + seconds_of(40)) / 10;
  EXPECT_DOUBLE_EQ(times.mean_length, 16);
  EXPECT_DOUBLE_EQ(times.padding, 0);
  EXPECT_DOUBLE_EQ(times.mean_s, mean);
  EXPECT_DOUBLE_EQ(times.p50_s, seconds_of(10));
  EXPECT_DOUBLE_EQ(times.p90_s, seconds_of(20));  // nine of ten take at most this
  EXPECT_DOUBLE_EQ(times.p99_s, seconds_of(40));
  EXPECT_DOUBLE_EQ(times.sequences_per_s, 2 / mean);  // two in a batch
  EXPECT_DOUBLE_EQ(times.tokens_per_s, 32 / mean);
  EXPECT_DOUBLE_EQ(times.energy_per_sequence_j, mean);
  EXPECT_DOUBLE_EQ(times.energy_per_token_j, mean / 16);
  EXPECT_DOUBLE_EQ(times.dram_bytes, 50);
}

TEST(LengthTimes, PaddedToTheLimitIsOneLength) {
  const Counts counts{{10, 6}, {20, 3}, {40, 1}};
  const LengthTimes times = length_times(counts, simulated({10, 20, 40}), 40, 40, 1);
  EXPECT_DOUBLE_EQ(times.mean_s, seconds_of(40));
  EXPECT_DOUBLE_EQ(times.p50_s, seconds_of(40));
  EXPECT_DOUBLE_EQ(times.padding, 1 - 160.0 / 400);
  EXPECT_DOUBLE_EQ(times.tokens_per_s, 16 / seconds_of(40));
}

TEST(LengthTimes, SlowerShortLengthsAreSorted) {
  const std::vector<SimulatedStep> steps{{10, 3, 1, 0}, {20, 1, 1, 0}, {30, 2, 1, 0}};
  const LengthTimes times = length_times({{10, 1}, {20, 8}, {30, 1}}, steps, 1, 30, 1);
  EXPECT_EQ(times.p50_s, 1);
  EXPECT_EQ(times.p90_s, 2);
  EXPECT_EQ(times.p99_s, 3);
}

/// A straight line over h tokens of a curve with quadratic term c is at most c h^2 / 4 too high,
/// c h^2 / 6 on average over evenly frequent lengths.
TEST(LengthTimes, InterpolationOfAParabola) {
  Counts even;
  double exact = 0;
  for (std::int64_t l = 36; l < 384; ++l) {
    even.push_back({l, 1});
    exact += seconds_of(l) / 348;
  }
  for (const std::int64_t points : {2, 4, 13, 30}) {
    const Lengths lengths = sampled_lengths(even, 1, 384, points);
    const double h = 348.0 / (static_cast<double>(points) - 1);
    const LengthTimes times = length_times(even, simulated(lengths), 1, 384, 1);
    EXPECT_NEAR(times.mean_s - exact, 5e-8 * h * h / 6, 5e-8 * h * h / 6 * 0.03 + 1e-12) << points;
    EXPECT_LE(times.mean_s / exact - 1, points == 2 ? 0.1 : 0.012) << points;
  }
}

}  // namespace
}  // namespace lacuna::cli
