// SPDX-License-Identifier: Apache-2.0
#include "traffic/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace lacuna::traffic {

// Values below 2^kExactBits are their own step; each further octave has half as many steps.
std::size_t LatencyHistogram::step_of(Cycle latency) {
  const auto value = static_cast<std::uint64_t>(latency);
  const int bits = static_cast<int>(std::bit_width(value));
  if (bits <= kExactBits) return value;
  const int shift = bits - kExactBits;
  return (static_cast<std::size_t>(shift) << (kExactBits - 1)) + (value >> shift);
}

Cycle LatencyHistogram::last_of_step(std::size_t step) {
  if (step < (std::size_t{1} << kExactBits)) return static_cast<Cycle>(step);
  const std::size_t half = std::size_t{1} << (kExactBits - 1);
  const int shift = static_cast<int>(step / half) - 1;
  const std::size_t value = step - (static_cast<std::size_t>(shift) * half);
  return static_cast<Cycle>(((value + 1) << shift) - 1);
}

void LatencyHistogram::add(Cycle latency) {
  LACUNA_CHECK(latency >= 0, "latency {}", latency);
  const std::size_t step = step_of(latency);
  if (step >= counts_.size()) counts_.resize(step + 1);
  ++counts_[step];
  smallest_ = count_ == 0 ? latency : std::min(smallest_, latency);
  largest_ = std::max(largest_, latency);
  ++count_;
  sum_ += static_cast<double>(latency);
}

double LatencyHistogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

Cycle LatencyHistogram::percentile(double share) const {
  if (count_ == 0) return 0;
  const auto rank = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(share * static_cast<double>(count_) - 1e-9)));
  std::int64_t seen = 0;
  for (std::size_t step = 0; step < counts_.size(); ++step) {
    seen += counts_[step];
    if (seen >= rank) return std::min(last_of_step(step), largest_);
  }
  return largest_;
}

}  // namespace lacuna::traffic
