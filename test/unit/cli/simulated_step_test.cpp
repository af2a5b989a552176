// SPDX-License-Identifier: Apache-2.0
#include "cli/simulated_step.h"

#include <gtest/gtest.h>

namespace lacuna::cli {
namespace {

using Sizes = std::vector<std::int64_t>;

/// Seconds 1 + 2 s + 3 s^2, energy s, DRAM bytes constant.
SimulatedStep parabola(std::int64_t size) {
  const auto s = static_cast<double>(size);
  return {size, 1 + 2 * s + 3 * s * s, s, 5};
}

std::vector<SimulatedStep> parabola(const Sizes& sizes) {
  std::vector<SimulatedStep> steps;
  for (const std::int64_t size : sizes) steps.push_back(parabola(size));
  return steps;
}

TEST(EvenlySpaced, BothEndsAndAllIfFew) {
  EXPECT_EQ(evenly_spaced(10, 50, 5), (Sizes{10, 20, 30, 40, 50}));
  EXPECT_EQ(evenly_spaced(1, 100, 2), (Sizes{1, 100}));
  EXPECT_EQ(evenly_spaced(3, 6, 4), (Sizes{3, 4, 5, 6}));
  EXPECT_EQ(evenly_spaced(3, 3, 2), Sizes{3});
  EXPECT_EQ(evenly_spaced(3, 2, 2), Sizes{});
}

TEST(Between, HitsWhatWasSimulatedAndLinesOtherwise) {
  const auto steps = parabola({10, 20, 40});
  EXPECT_DOUBLE_EQ(between(steps, 10).seconds, parabola(10).seconds);
  EXPECT_DOUBLE_EQ(between(steps, 40).seconds, parabola(40).seconds);
  // On a parabola a straight line is c (x - a)(b - x) too high.
  for (std::int64_t size = 20; size <= 40; ++size) {
    const auto s = static_cast<double>(size);
    const SimulatedStep found = between(steps, size);
    EXPECT_NEAR(found.seconds - parabola(size).seconds, 3 * (s - 20) * (40 - s), 1e-9);
    EXPECT_NEAR(found.energy_j, s, 1e-12);
    EXPECT_EQ(found.dram_bytes, 5);
    EXPECT_EQ(found.size, size);
  }
}

TEST(LeftOutError, IsThatOfTheWorstInnerPoint) {
  const auto steps = parabola({10, 20, 40});
  // Without 20 the line from 10 to 40 is 3 * 10 * 20 too high there.
  EXPECT_NEAR(left_out_error(steps), 600 / parabola(20).seconds, 1e-12);
  EXPECT_EQ(left_out_error(parabola({10, 40})), 0);
  EXPECT_EQ(left_out_error({}), 0);
  EXPECT_NEAR(left_out_error({{1, 1, 0, 0}, {2, 2, 0, 0}, {3, 3, 0, 0}}), 0, 1e-15);
}

TEST(LeftOutError, IsFourTimesTheErrorOfASmoothCurve) {
  const auto steps = parabola(evenly_spaced(400, 480, 5));
  double worst = 0;
  for (std::int64_t size = 400; size <= 480; ++size) {
    worst = std::max(worst, between(steps, size).seconds / parabola(size).seconds - 1);
  }
  EXPECT_NEAR(left_out_error(steps) / worst, 4, 0.2);
}

}  // namespace
}  // namespace lacuna::cli
