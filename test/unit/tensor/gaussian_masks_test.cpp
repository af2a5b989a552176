// SPDX-License-Identifier: Apache-2.0
//
// Masks cut out of Gaussians, against what was measured on pruned networks and against the plain
// statistics that they are said to have.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "tensor/gaussian_masks.h"
#include "tensor/mask_generator.h"

namespace lacuna::tensor {
namespace {

struct BankFigures {
  double mean = 0;
  double deviation = 0;
  int p99 = 0;
  int p999 = 0;
};

/// Non-zeros per bank of 32 columns, banks that the end of a row cuts off left out.
BankFigures bank_figures(const std::vector<MaskMatrix>& masks) {
  std::vector<int> counts;
  for (const MaskMatrix& mask : masks) {
    for (std::int64_t row = 0; row < mask.rows; ++row) {
      for (std::int64_t c = 0; c + 32 <= mask.columns; c += 32) {
        counts.push_back(static_cast<int>(count_row_bits(mask.row(row), c, c + 32)));
      }
    }
  }
  std::sort(counts.begin(), counts.end());
  BankFigures figures;
  double squares = 0;
  for (const int count : counts) {
    figures.mean += count;
    squares += static_cast<double>(count) * count;
  }
  const auto total = static_cast<double>(counts.size());
  figures.mean /= total;
  figures.deviation = std::sqrt(squares / total - figures.mean * figures.mean);
  figures.p99 = counts[static_cast<std::size_t>(0.99 * total)];
  figures.p999 = counts[static_cast<std::size_t>(0.999 * total)];
  return figures;
}

MaskSpec magnitude(double density, double rows, double columns, std::uint64_t seed) {
  MaskSpec spec;
  spec.kind = PatternKind::kMagnitude;
  spec.density = density;
  spec.row_spread = rows;
  spec.column_spread = columns;
  spec.seed = seed;
  return spec;
}

// Non-zeros per bank of 32 columns of the Deep Learning Matrix Collection (Gale et al. 2020), all
// layers of a model together. ResNet-50, magnitude 0.9: mean 3.20, deviation 1.99 (a Bernoulli
// mask: 1.70), 99 % 9, 99.9 % 12. Magnitude 0.95: 1.60, 1.40 (1.23), 6, 8.
TEST(GaussianMasks, MagnitudeIsAsOverDispersedAsResNet50Of90Percent) {
  std::vector<MaskMatrix> masks;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    masks.push_back(
        draw_mask(512, 2304, magnitude(0.1, kUsualRowSpread, kUsualColumnSpread, seed), "test"));
  }
  const BankFigures figures = bank_figures(masks);
  EXPECT_NEAR(figures.mean, 3.20, 0.05);
  EXPECT_NEAR(figures.deviation, 1.99, 0.08);
  EXPECT_NEAR(figures.p99, 9, 1);
  EXPECT_NEAR(figures.p999, 12, 1);
}

TEST(GaussianMasks, MagnitudeIsAsOverDispersedAsResNet50Of95Percent) {
  std::vector<MaskMatrix> masks;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    masks.push_back(
        draw_mask(512, 2304, magnitude(0.05, kUsualRowSpread, kUsualColumnSpread, seed), "test"));
  }
  const BankFigures figures = bank_figures(masks);
  EXPECT_NEAR(figures.mean, 1.60, 0.05);
  EXPECT_NEAR(figures.deviation, 1.40, 0.08);
  EXPECT_NEAR(figures.p99, 6, 1);
  EXPECT_NEAR(figures.p999, 8, 1);
}

TEST(GaussianMasks, WithoutSpreadItIsBernoulli) {
  const BankFigures figures = bank_figures({draw_mask(512, 2304, magnitude(0.1, 0, 0, 3), "test")});
  EXPECT_NEAR(figures.mean, 3.20, 0.05);
  EXPECT_NEAR(figures.deviation, std::sqrt(32 * 0.1 * 0.9), 0.03);
}

TEST(GaussianMasks, DensityIsReachedForAllSpreads) {
  for (const double density : {0.0, 0.02, 0.3, 0.7, 1.0}) {
    for (const double spread : {0.0, 0.5, 1.5}) {
      const MaskMatrix mask = draw_mask(256, 512, magnitude(density, spread, spread, 11), "test");
      EXPECT_NEAR(static_cast<double>(mask.non_zeros()) / (256 * 512), density, 0.01)
          << density << " " << spread;
    }
  }
}

MaskSpec field(double density, double spatial, double channel, std::int64_t width) {
  MaskSpec spec;
  spec.kind = PatternKind::kField;
  spec.density = density;
  spec.spatial = spatial;
  spec.channel = channel;
  spec.width = width;
  spec.seed = 5;
  return spec;
}

/// Correlation of the bits of neighbouring rows (positions), same column.
double neighbour_correlation(const MaskMatrix& mask) {
  const double p =
      static_cast<double>(mask.non_zeros()) / static_cast<double>(mask.rows * mask.columns);
  double both = 0;
  for (std::int64_t row = 0; row + 1 < mask.rows; ++row) {
    for (std::int64_t c = 0; c < mask.columns; ++c) {
      both += mask.test(row, c) && mask.test(row + 1, c) ? 1 : 0;
    }
  }
  both /= static_cast<double>((mask.rows - 1) * mask.columns);
  return (both - p * p) / (p * (1 - p));
}

/// Standard deviation of the density of columns.
double column_deviation(const MaskMatrix& mask) {
  double sum = 0;
  double squares = 0;
  for (const std::int32_t count : mask.column_counts()) {
    const double density = static_cast<double>(count) / static_cast<double>(mask.rows);
    sum += density;
    squares += density * density;
  }
  const auto n = static_cast<double>(mask.columns);
  return std::sqrt(squares / n - (sum / n) * (sum / n));
}

TEST(GaussianMasks, FieldsHaveTheirDensityAndCorrelation) {
  const MaskMatrix plain = draw_mask(56 * 56, 64, field(0.4, 0, 0, 56), "test");
  const MaskMatrix smooth = draw_mask(56 * 56, 64, field(0.4, 0.6, 0, 56), "test");
  const MaskMatrix uneven = draw_mask(56 * 56, 64, field(0.4, 0, 1.0, 56), "test");
  for (const MaskMatrix* mask : {&plain, &smooth, &uneven}) {
    const double density = static_cast<double>(mask->non_zeros()) / (56 * 56 * 64);
    EXPECT_NEAR(density, 0.4, mask == &plain ? 0.01 : 0.06);
  }
  EXPECT_NEAR(neighbour_correlation(plain), 0, 0.01);
  EXPECT_GT(neighbour_correlation(smooth), 0.2);
  // Thresholds of deviation 1 and noise of deviation 1: densities of channels are those of a normal
  // number behind a normal threshold, far from the 0.0088 of 3136 independent draws.
  EXPECT_NEAR(column_deviation(plain), std::sqrt(0.24 / (56 * 56)), 0.003);
  EXPECT_GT(column_deviation(uneven), 0.2);
}

TEST(GaussianMasks, BytesAreTheSameOnEveryMachine) {
  const auto hash = [](const MaskMatrix& mask) {
    return base::hash_bytes(mask.words.data(), mask.words.size() * sizeof(mask.words[0]));
  };
  const MaskMatrix weights = draw_mask(64, 300, magnitude(0.1, 0.2, 0.3, 7), "test");
  const MaskMatrix activations = draw_mask(196, 100, field(0.5, 0.4, 0.5, 14), "test");
  EXPECT_EQ(weights, draw_mask(64, 300, magnitude(0.1, 0.2, 0.3, 7), "test"));
  EXPECT_NE(weights, draw_mask(64, 300, magnitude(0.1, 0.2, 0.3, 8), "test"));
  EXPECT_EQ(hash(weights), 353311807043335042ULL);
  EXPECT_EQ(hash(activations), 5412734304747927778ULL);
}

// The compression ratios that bank-balanced chips offer.
TEST(GaussianMasks, BankBalancedFrom1To32Times) {
  for (const int ratio : {1, 2, 4, 8, 16, 32}) {
    MaskSpec spec;
    spec.kind = PatternKind::kBank;
    spec.bank = 32;
    spec.density = 1.0 / ratio;
    const MaskMatrix mask = draw_mask(64, 1024, spec, "test");
    for (std::int64_t row = 0; row < mask.rows; ++row) {
      for (std::int64_t c = 0; c < mask.columns; c += 32) {
        ASSERT_EQ(count_row_bits(mask.row(row), c, c + 32), 32 / ratio) << ratio;
      }
    }
  }
}

}  // namespace
}  // namespace lacuna::tensor
