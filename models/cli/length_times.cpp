// SPDX-License-Identifier: Apache-2.0
#include "cli/length_times.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"

namespace lacuna::cli {

namespace {

/// The smallest latency that at least `share` of all sequences do not exceed. `latencies` ascend:
/// seconds and how many.
double percentile(const std::vector<std::pair<double, double>>& latencies, double all,
                  double share) {
  double seen = 0;
  for (const auto& [seconds, count] : latencies) {
    seen += count;
    if (seen >= share * all) return seconds;
  }
  return latencies.back().first;  // sums of shares may miss the whole by a rounding
}

}  // namespace

std::int64_t padded_length(std::int64_t length, std::int64_t bucket, std::int64_t limit) {
  LACUNA_CHECK(length >= 1 && length <= limit && bucket >= 1, "{} {} {}", length, bucket, limit);
  return std::min(limit, (length + bucket - 1) / bucket * bucket);
}

std::vector<std::int64_t> sampled_lengths(const std::vector<params::LengthCount>& counts,
                                          std::int64_t bucket, std::int64_t limit,
                                          std::int64_t points) {
  std::set<std::int64_t> served;
  for (const params::LengthCount& entry : counts) {
    served.insert(padded_length(entry.length, bucket, limit));
  }
  LACUNA_CHECK(!served.empty(), "no lengths");
  if (static_cast<std::int64_t>(served.size()) > points) {
    std::set<std::int64_t> chosen;
    for (const std::int64_t length : evenly_spaced(*served.begin(), *served.rbegin(), points)) {
      chosen.insert(padded_length(length, bucket, limit));
    }
    served = std::move(chosen);
  }
  served.insert(limit);
  return {served.begin(), served.end()};
}

LengthTimes length_times(const std::vector<params::LengthCount>& counts,
                         const std::vector<SimulatedStep>& steps, std::int64_t bucket,
                         std::int64_t limit, std::int64_t batch) {
  double all = 0;
  double tokens = 0;
  double computed = 0;
  SimulatedStep sum;
  std::vector<std::pair<double, double>> latencies;
  for (const params::LengthCount& entry : counts) {
    const SimulatedStep step = between(steps, padded_length(entry.length, bucket, limit));
    all += entry.count;
    tokens += entry.count * static_cast<double>(entry.length);
    computed += entry.count * static_cast<double>(step.size);
    sum.seconds += entry.count * step.seconds;
    sum.energy_j += entry.count * step.energy_j;
    sum.dram_bytes += entry.count * step.dram_bytes;
    latencies.emplace_back(step.seconds, entry.count);
  }
  std::sort(latencies.begin(), latencies.end());
  const auto together = static_cast<double>(batch);
  LengthTimes times;
  times.mean_length = tokens / all;
  times.padding = 1 - tokens / computed;
  times.mean_s = sum.seconds / all;
  times.p50_s = percentile(latencies, all, 0.5);
  times.p90_s = percentile(latencies, all, 0.9);
  times.p99_s = percentile(latencies, all, 0.99);
  times.sequences_per_s = together / times.mean_s;
  times.tokens_per_s = times.sequences_per_s * times.mean_length;
  times.energy_per_sequence_j = sum.energy_j / all / together;
  times.energy_per_token_j = times.energy_per_sequence_j / times.mean_length;
  times.dram_bytes = sum.dram_bytes / all / together;
  return times;
}

}  // namespace lacuna::cli
