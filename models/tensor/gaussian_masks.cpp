// SPDX-License-Identifier: Apache-2.0
#include "tensor/gaussian_masks.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/portable_math.h"
#include "base/rng.h"

namespace lacuna::tensor {

namespace {

/// Streams of one seed that must not meet those of the rows.
constexpr std::uint64_t kRowScales = 0x726F7773;
constexpr std::uint64_t kColumnScales = 0x636F6C73;
constexpr std::uint64_t kField = 0x6669656C;

/// A standard normal number: the quantile of a uniform one, read from a table of 4096 steps with
/// straight lines between them (error below 1e-3 but in the last 1e-4 of the tails).
class NormalDraw {
 public:
  NormalDraw() : quantiles_(kSteps + 1) {
    for (int i = 0; i <= kSteps; ++i) {
      const double p = std::clamp(static_cast<double>(i) / kSteps, 1e-5, 1 - 1e-5);
      quantiles_[static_cast<std::size_t>(i)] = base::normal_quantile(p);
    }
  }
  double operator()(base::Rng& rng) const {
    const double at = rng.uniform() * kSteps;
    const auto index = static_cast<std::size_t>(at);
    const double part = at - static_cast<double>(index);
    return quantiles_[index] + part * (quantiles_[index + 1] - quantiles_[index]);
  }

 private:
  static constexpr int kSteps = 4096;
  std::vector<double> quantiles_;
};

/// Quantities that decide a probability, cut into steps: position -> threshold on a 64-bit draw.
class ThresholdTable {
 public:
  /// `probability(x)` for x in [low, high].
  template <class Probability>
  ThresholdTable(double low, double high, const Probability& probability)
      : low_(low), scale_((kSteps - 1) / std::max(high - low, 1e-9)), limits_(kSteps) {
    for (int i = 0; i < kSteps; ++i) {
      const double p = std::clamp(probability(low + i / scale_), 0.0, 1.0);
      limits_[static_cast<std::size_t>(i)] =
          p >= 1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(p * 0x1.0p63) << 1U;
    }
  }
  [[nodiscard]] std::uint64_t limit(double x) const {
    const double at = std::clamp((x - low_) * scale_ + 0.5, 0.0, kSteps - 1.0);
    return limits_[static_cast<std::size_t>(at)];
  }

 private:
  static constexpr int kSteps = 4096;
  double low_;
  double scale_;
  std::vector<std::uint64_t> limits_;
};

std::vector<double> draw_normals(std::int64_t count, double spread, std::uint64_t seed,
                                 const NormalDraw& normal) {
  base::Rng rng(seed);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) value = spread * normal(rng);
  return values;
}

/// Shares of the values in 256 steps between the smallest and the largest.
struct Histogram {
  double low = 0;
  double step = 0;
  std::vector<double> share;

  explicit Histogram(const std::vector<double>& values) : share(kSteps, 0.0) {
    const auto [smallest, largest] = std::minmax_element(values.begin(), values.end());
    low = *smallest;
    step = (*largest - low) / (kSteps - 1);
    for (const double value : values) {
      const double at = step > 0 ? (value - low) / step + 0.5 : 0;
      share[std::min<std::size_t>(kSteps - 1, static_cast<std::size_t>(at))] +=
          1.0 / static_cast<double>(values.size());
    }
  }
  static constexpr std::size_t kSteps = 256;
};

/// Probability that a Gaussian weight of scale e^s is beyond the threshold.
double kept(double threshold, double log_scale) {
  return 2 * base::normal_below(-threshold * base::portable_exp(-log_scale));
}

/// The threshold that keeps `density` of weights with these scales, on average.
double solve_threshold(const std::vector<double>& rows, const std::vector<double>& columns,
                       double density) {
  const Histogram row_scales(rows);
  const Histogram column_scales(columns);
  // Sums of both, on a grid of the same fineness.
  const double low = row_scales.low + column_scales.low;
  const double span = 255 * (row_scales.step + column_scales.step);
  std::vector<double> share(512, 0.0);
  for (std::size_t i = 0; i < row_scales.share.size(); ++i) {
    if (row_scales.share[i] == 0) continue;
    for (std::size_t j = 0; j < column_scales.share.size(); ++j) {
      const double at =
          static_cast<double>(i) * row_scales.step + static_cast<double>(j) * column_scales.step;
      const auto bin = span > 0 ? static_cast<std::size_t>(std::lround(at / span * 511)) : 0;
      share[bin] += row_scales.share[i] * column_scales.share[j];
    }
  }
  double least = 0;
  double most = 200;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (least + most);
    double mean = 0;
    for (std::size_t bin = 0; bin < share.size(); ++bin) {
      if (share[bin] == 0) continue;
      mean += share[bin] * kept(middle, low + span * static_cast<double>(bin) / 511);
    }
    (mean > density ? least : most) = middle;
  }
  return 0.5 * (least + most);
}

/// Sets bit c of a row where `chosen(c)`.
template <class Chosen>
void fill_row(std::uint64_t* row, std::int64_t columns, const Chosen& chosen) {
  for (std::int64_t first = 0; first < columns; first += 64) {
    std::uint64_t bits = 0;
    const std::int64_t end = std::min<std::int64_t>(64, columns - first);
    for (std::int64_t i = 0; i < end; ++i) {
      bits |= std::uint64_t{chosen(first + i)} << static_cast<unsigned>(i);
    }
    row[first / 64] = bits;
  }
}

void fill_all(MaskMatrix& mask) {
  for (std::int64_t row = 0; row < mask.rows; ++row) {
    fill_row(mask.row(row), mask.columns, [](std::int64_t) { return true; });
  }
}

}  // namespace

void draw_magnitude_mask(MaskMatrix& mask, const MaskSpec& spec) {
  if (spec.density <= 0) return;
  if (spec.density >= 1) return fill_all(mask);
  const NormalDraw normal;
  const std::vector<double> row_scale =
      draw_normals(mask.rows, spec.row_spread, base::hash_combine(spec.seed, kRowScales), normal);
  const std::vector<double> column_scale = draw_normals(
      mask.columns, spec.column_spread, base::hash_combine(spec.seed, kColumnScales), normal);
  const double threshold = solve_threshold(row_scale, column_scale, spec.density);
  const auto [row_low, row_high] = std::minmax_element(row_scale.begin(), row_scale.end());
  const auto [column_low, column_high] =
      std::minmax_element(column_scale.begin(), column_scale.end());
  const ThresholdTable table(*row_low + *column_low, *row_high + *column_high,
                             [&](double scale) { return kept(threshold, scale); });
  for (std::int64_t row = 0; row < mask.rows; ++row) {
    base::Rng rng(base::hash_combine(spec.seed, static_cast<std::uint64_t>(row)));
    const double scale = row_scale[static_cast<std::size_t>(row)];
    fill_row(mask.row(row), mask.columns, [&](std::int64_t column) {
      return rng.next() < table.limit(scale + column_scale[static_cast<std::size_t>(column)]);
    });
  }
}

void draw_field_mask(MaskMatrix& mask, const MaskSpec& spec) {
  if (spec.density <= 0) return;
  if (spec.density >= 1) return fill_all(mask);
  constexpr std::int64_t kStep = 4;  // positions between two knots of the field
  const NormalDraw normal;
  const std::vector<double> thresholds = draw_normals(
      mask.columns, spec.channel, base::hash_combine(spec.seed, kColumnScales), normal);
  const double common =
      base::normal_quantile(1 - spec.density) * std::sqrt(1 + spec.channel * spec.channel);

  const std::int64_t width = std::max<std::int64_t>(1, spec.width);
  const std::int64_t height = (mask.rows + width - 1) / width;
  const std::int64_t knots_x = width / kStep + 2;
  const std::vector<double> knots = draw_normals((height / kStep + 2) * knots_x, 1.0,
                                                 base::hash_combine(spec.seed, kField), normal);
  const double own = std::sqrt(1 - spec.spatial);
  const double shared = std::sqrt(spec.spatial);
  const ThresholdTable table(-9, 9, [](double x) { return base::normal_below(-x); });
  for (std::int64_t row = 0; row < mask.rows; ++row) {
    const std::int64_t y = row / width;
    const std::int64_t x = row % width;
    const double v = static_cast<double>(y % kStep) / kStep;
    const double u = static_cast<double>(x % kStep) / kStep;
    const double* knot = knots.data() + y / kStep * knots_x + x / kStep;
    const double weights[4] = {(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u};
    const double sum = weights[0] * knot[0] + weights[1] * knot[1] + weights[2] * knot[knots_x] +
                       weights[3] * knot[knots_x + 1];
    const double norm = weights[0] * weights[0] + weights[1] * weights[1] +
                        weights[2] * weights[2] + weights[3] * weights[3];
    const double field = shared * sum / std::sqrt(norm);  // the same variance everywhere
    base::Rng rng(base::hash_combine(spec.seed, static_cast<std::uint64_t>(row)));
    fill_row(mask.row(row), mask.columns, [&](std::int64_t column) {
      const double above = common + thresholds[static_cast<std::size_t>(column)] - field;
      return rng.next() < table.limit(above / own);
    });
  }
}

}  // namespace lacuna::tensor
