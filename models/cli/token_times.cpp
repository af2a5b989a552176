// SPDX-License-Identifier: Apache-2.0
#include "cli/token_times.h"

#include "base/error.h"

namespace lacuna::cli {

std::vector<std::int64_t> sampled_contexts(std::int64_t prompt, std::int64_t output,
                                           std::int64_t points) {
  LACUNA_CHECK(prompt >= 1 && output >= 1, "{} {}", prompt, output);
  return evenly_spaced(prompt + 1, prompt + output - 1, points);
}

TokenTimes token_times(const SimulatedStep& prefill, const std::vector<SimulatedStep>& steps,
                       std::int64_t batch) {
  TokenTimes times;
  times.first_token_s = prefill.seconds;
  times.simulated = static_cast<std::int64_t>(steps.size());
  times.left_out_error = left_out_error(steps);
  double seconds = 0;
  double energy = 0;
  double bytes = 0;
  const auto add = [&](double weight, const SimulatedStep& step) {
    seconds += weight * step.seconds;
    energy += weight * step.energy_j;
    bytes += weight * step.dram_bytes;
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    add(1, steps[i]);
    if (i == 0) continue;
    const std::int64_t apart = steps[i].size - steps[i - 1].size;
    LACUNA_CHECK(apart >= 1, "contexts {} and {}", steps[i - 1].size, steps[i].size);
    // Strictly between: apart - 1 points of a straight line, whose mean is that of its ends.
    add(static_cast<double>(apart - 1) / 2, steps[i - 1]);
    add(static_cast<double>(apart - 1) / 2, steps[i]);
  }
  if (!steps.empty()) times.steps = steps.back().size - steps.front().size + 1;
  const auto count = static_cast<double>(times.steps);
  const auto samples = static_cast<double>(batch);
  times.total_s = prefill.seconds + seconds;
  times.tokens_per_s = samples * (count + 1) / times.total_s;
  times.energy_per_token_j = (prefill.energy_j + energy) / (samples * (count + 1));
  if (times.steps > 0) {
    times.per_output_token_s = seconds / count;
    times.decode_tokens_per_s = samples * count / seconds;
    times.decode_dram_bytes = bytes / count;
  }
  return times;
}

}  // namespace lacuna::cli
