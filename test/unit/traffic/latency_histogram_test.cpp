// SPDX-License-Identifier: Apache-2.0
#include "traffic/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"

namespace lacuna::traffic {
namespace {

TEST(LatencyHistogram, NothingIsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.count(), 0);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_EQ(empty.percentile(0.5), 0);
}

TEST(LatencyHistogram, IsExactForShortLatencies) {
  LatencyHistogram histogram;
  for (Cycle latency = 1; latency <= 100; ++latency) histogram.add(latency);
  EXPECT_EQ(histogram.percentile(0.5), 50);
  EXPECT_EQ(histogram.percentile(0.9), 90);
  EXPECT_EQ(histogram.percentile(0.99), 99);
  EXPECT_EQ(histogram.percentile(0.999), 100);
  EXPECT_EQ(histogram.percentile(1), 100);
  EXPECT_EQ(histogram.percentile(1e-9), 1);
  EXPECT_EQ(histogram.smallest(), 1);
  EXPECT_EQ(histogram.largest(), 100);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

// Against sorted values, over many octaves.
TEST(LatencyHistogram, IsWithinAThousandthForLongOnes) {
  base::Rng rng(7);
  LatencyHistogram histogram;
  std::vector<Cycle> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(rng.range(0, (Cycle{1} << rng.below(40)) + 5));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size()) - 1e-9));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.percentile(share));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.001) << share;
    if (exact < 2048) {
      EXPECT_EQ(found, exact) << share;
    }
  }
  EXPECT_EQ(histogram.largest(), values.back());
}

}  // namespace
}  // namespace lacuna::traffic
