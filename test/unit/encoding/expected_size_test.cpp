// SPDX-License-Identifier: Apache-2.0
//
// Do sizes that are reckoned from a density agree with what the encoders make of drawn codes?
#include "encoding/expected_size.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/cycles.h"
#include "base/rng.h"

namespace lacuna::encoding {
namespace {

using params::ActivationFormat;
using params::CompressParams;

std::vector<std::uint8_t> draw(base::Rng& rng, std::int64_t length, double density) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(length), 0);
  for (std::uint8_t& code : codes) {
    if (rng.bernoulli(density)) code = static_cast<std::uint8_t>(rng.range(1, 255));
  }
  return codes;
}

TEST(ExpectedSize, BitsOfALineAreThoseOfTheEncoderOnAverage) {
  base::Rng rng(41);
  constexpr int kLines = 400;
  for (const double density : {0.0, 0.03, 0.3, 0.8, 1.0}) {
    for (const std::int64_t length : {16, 300}) {
      CompressParams params;
      params.run_bits = 3;
      params.index_bits = 6;
      for (const Format format :
           {Format::kDense, Format::kBitmask, Format::kRunLength, Format::kCoordinate}) {
        double sum = 0;
        for (int i = 0; i < kLines; ++i) {
          const auto codes = draw(rng, length, density);
          sum += static_cast<double>(*encoded_bits(line_of(codes), format, params));
        }
        const double expected =
            expected_bits({static_cast<double>(length), density}, format, params);
        EXPECT_NEAR(expected, sum / kLines, 0.04 * sum / kLines + 1)
            << format_name(format) << ", " << length << " codes, density " << density;
      }
    }
  }
  // N:M has a size of its own, whatever the codes are.
  const std::vector<std::uint8_t> zeros(19, 0);
  EXPECT_EQ(expected_bits({19, 0.0}, Format::kNm, {}),
            static_cast<double>(*encoded_bits(line_of(zeros), Format::kNm, {})));
}

TEST(ExpectedSize, SlotsInWholeBurstsAreThoseOfTheEncoderOnAverage) {
  base::Rng rng(42);
  constexpr int kSlots = 1500;
  constexpr int kUnit = 32;
  for (const auto& [format, name] : enum_names(ActivationFormat{})) {
    for (const double density : {0.02, 0.2, 0.35, 0.5, 0.7, 1.0}) {
      double sum = 0;
      for (int i = 0; i < kSlots; ++i) {
        const auto codes = draw(rng, 64, density);
        sum += static_cast<double>(
            base::round_up<std::int64_t>(choose(line_of(codes), {}, format).bytes, kUnit));
      }
      const double expected = expected_rounded(expected_bytes({64, density}, {}, format), kUnit);
      EXPECT_NEAR(expected, sum / kSlots, 0.05 * sum / kSlots) << name << ", density " << density;
    }
  }
}

TEST(ExpectedSize, LinesThatNmHoldsByChanceAreCounted) {
  const ExpectedLine line{128, 0.5};
  base::Rng rng(43);
  for (const double density : {0.02, 0.1, 0.2, 0.6}) {
    double sum = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto codes = draw(rng, 48, density);
      sum += static_cast<double>(choose(line_of(codes), {}, params::WeightFormat::kNm).bytes);
    }
    EXPECT_NEAR(expected_bytes({48, density}, {}, params::WeightFormat::kNm).mean, sum / 1000,
                0.05 * sum / 1000)
        << density;
  }
  EXPECT_LE(expected_bytes(line, {}, params::WeightFormat::kAuto).mean,
            expected_bytes(line, {}, params::WeightFormat::kDense).mean + kTagBytes);
}

TEST(ExpectedSize, RoundingUpCountsWhatPassesALimit) {
  EXPECT_EQ(expected_rounded({40, 0}, 32), 64);
  EXPECT_EQ(expected_rounded({64, 0}, 32), 64);
  EXPECT_NEAR(expected_rounded({64.5, 4}, 32), 80, 1e-6);  // half of them need a third unit
  EXPECT_NEAR(expected_rounded({3, 1}, 32), 32, 1e-6);
}

}  // namespace
}  // namespace lacuna::encoding
