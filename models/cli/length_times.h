// SPDX-License-Identifier: Apache-2.0
//
// From a few simulated lengths to the figures of a task whose sequences differ in length. No
// simulation here.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/simulated_step.h"
#include "params/length_params.h"

namespace lacuna::cli {

/// How a sequence of `length` tokens is served: filled up to the next multiple of `bucket`, but not
/// beyond `limit`. bucket 1: as it is; bucket = limit: all are padded to the limit.
[[nodiscard]] std::int64_t padded_length(std::int64_t length, std::int64_t bucket,
                                         std::int64_t limit);

/// Lengths to simulate: those that are served if there are no more than `points`, else `points` of
/// them from the shortest to the longest that is served, evenly spaced and rounded up to whole
/// buckets. The limit, to which padding fills up, is always among them. Ascending.
[[nodiscard]] std::vector<std::int64_t> sampled_lengths(
    const std::vector<params::LengthCount>& counts, std::int64_t bucket, std::int64_t limit,
    std::int64_t points);

struct LengthTimes {
  double mean_length = 0;  ///< tokens of a sequence, without padding
  double padding = 0;      ///< share of the tokens computed that are padding
  double mean_s = 0;       ///< latency of a sequence: that of its batch
  double p50_s = 0;        ///< half of the sequences take at most this
  double p90_s = 0;
  double p99_s = 0;
  double sequences_per_s = 0;  ///< batches one after the other
  double tokens_per_s = 0;     ///< padding does not count
  double energy_per_sequence_j = 0;
  double energy_per_token_j = 0;
  double dram_bytes = 0;  ///< per sequence
};

/// Batches have `batch` sequences of the same padded length; each of `steps` is a whole batch.
/// Lengths between two simulated ones lie on a straight line.
[[nodiscard]] LengthTimes length_times(const std::vector<params::LengthCount>& counts,
                                       const std::vector<SimulatedStep>& steps, std::int64_t bucket,
                                       std::int64_t limit, std::int64_t batch);

}  // namespace lacuna::cli
