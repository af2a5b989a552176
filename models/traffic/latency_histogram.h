// SPDX-License-Identifier: Apache-2.0
//
// Latencies of any number of requests in fixed memory: exact below 2048 cycles, above that in steps
// of less than a thousandth of the value. Count, sum, smallest and largest are always exact.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cycles.h"

namespace lacuna::traffic {

using base::Cycle;

class LatencyHistogram {
 public:
  /// `latency` >= 0.
  void add(Cycle latency);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] Cycle smallest() const { return smallest_; }
  [[nodiscard]] Cycle largest() const { return largest_; }
  /// 0 for none.
  [[nodiscard]] double mean() const;
  /// The least latency that at least this share of the requests did not exceed (nearest rank), 0 <
  /// share <= 1; rounded up to the end of its step. 0 for no requests.
  [[nodiscard]] Cycle percentile(double share) const;

 private:
  static constexpr int kExactBits = 11;
  static std::size_t step_of(Cycle latency);
  static Cycle last_of_step(std::size_t step);

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  double sum_ = 0;
  Cycle smallest_ = 0;
  Cycle largest_ = 0;
};

}  // namespace lacuna::traffic
