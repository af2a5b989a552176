// SPDX-License-Identifier: Apache-2.0
#include "base/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lacuna::base {
namespace {

TEST(PortableMath, AgreesWithTheLibrary) {
  for (double x = -40; x <= 40; x += 0.37) {
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-13) << x;
    EXPECT_NEAR(normal_below(x), 0.5 * std::erfc(-x / std::sqrt(2.0)), 1e-12) << x;
  }
  for (double x = 1e-9; x < 1e9; x *= 3.7) {
    EXPECT_NEAR(portable_log(x), std::log(x), 1e-13 * std::max(1.0, std::fabs(std::log(x)))) << x;
  }
  for (double x = 0; x < 1'000'000; x = x * 1.07 + 0.13) {
    for (const double angle : {x, -x}) {
      EXPECT_NEAR(portable_sine_cosine(angle).sine, std::sin(angle), 1e-11) << angle;
      EXPECT_NEAR(portable_sine_cosine(angle).cosine, std::cos(angle), 1e-11) << angle;
    }
  }
}

TEST(PortableMath, QuantilesInvertTheDistribution) {
  for (double p = 0.001; p < 1; p += 0.013) {
    EXPECT_NEAR(normal_below(normal_quantile(p)), p, 1e-12) << p;
  }
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-9);  // the textbook's figure
}

TEST(PortableMath, BytesAreTheSameEverywhere) {
  // Bit patterns: a machine that rounds differently would draw different masks.
  EXPECT_EQ(portable_exp(1.0), 0x1.5bf0a8b14576ap+1);
  EXPECT_EQ(portable_log(10.0), 0x1.26bb1bbb55516p+1);
  EXPECT_EQ(portable_sine_cosine(1000.0).sine, 0x1.a75cc150a206cp-1);
  EXPECT_EQ(portable_exp(-800.0), 0.0);
}

}  // namespace
}  // namespace lacuna::base
