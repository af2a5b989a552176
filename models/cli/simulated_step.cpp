// SPDX-License-Identifier: Apache-2.0
#include "cli/simulated_step.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lacuna::cli {

namespace {

SimulatedStep on_line(const SimulatedStep& low, const SimulatedStep& high, std::int64_t size) {
  LACUNA_CHECK(low.size < high.size, "sizes {} and {}", low.size, high.size);
  const double part =
      static_cast<double>(size - low.size) / static_cast<double>(high.size - low.size);
  const auto mix = [&](double a, double b) { return a + part * (b - a); };
  return {size, mix(low.seconds, high.seconds), mix(low.energy_j, high.energy_j),
          mix(low.dram_bytes, high.dram_bytes)};
}

}  // namespace

std::vector<std::int64_t> evenly_spaced(std::int64_t first, std::int64_t last, std::int64_t count) {
  LACUNA_CHECK(count >= 2, "{} points", count);
  std::vector<std::int64_t> sizes;
  if (last - first < count) {
    for (std::int64_t size = first; size <= last; ++size) sizes.push_back(size);
    return sizes;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    sizes.push_back(first + (last - first) * i / (count - 1));
  }
  return sizes;
}

SimulatedStep between(const std::vector<SimulatedStep>& steps, std::int64_t size) {
  const auto high =
      std::lower_bound(steps.begin(), steps.end(), size,
                       [](const SimulatedStep& step, std::int64_t at) { return step.size < at; });
  LACUNA_CHECK(high != steps.end(), "size {} is beyond all steps", size);
  if (high->size == size) return *high;
  LACUNA_CHECK(high != steps.begin(), "size {} is below all steps", size);
  return on_line(*(high - 1), *high, size);
}

double left_out_error(const std::vector<SimulatedStep>& steps) {
  double worst = 0;
  for (std::size_t i = 1; i + 1 < steps.size(); ++i) {
    const double guessed = on_line(steps[i - 1], steps[i + 1], steps[i].size).seconds;
    worst = std::max(worst, std::abs(guessed / steps[i].seconds - 1));
  }
  return worst;
}

}  // namespace lacuna::cli
