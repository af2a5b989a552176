// SPDX-License-Identifier: Apache-2.0
//
// From a few decode steps that were simulated to the figures of a whole answer. No simulation here.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/simulated_step.h"

namespace lacuna::cli {

/// Contexts to simulate for an answer of `output` tokens to a prompt: the first token comes from
/// prefill, so that steps have contexts prompt + 1 .. prompt + output - 1. `points` of them, evenly
/// spaced, both ends included; all of them if there are no more. Empty for one token.
[[nodiscard]] std::vector<std::int64_t> sampled_contexts(std::int64_t prompt, std::int64_t output,
                                                         std::int64_t points);

struct TokenTimes {
  double first_token_s = 0;       ///< prefill
  double per_output_token_s = 0;  ///< mean of the steps after it; 0 if there is none
  double total_s = 0;
  double tokens_per_s = 0;         ///< output tokens of the whole batch over the total
  double decode_tokens_per_s = 0;  ///< the same without prefill
  double energy_per_token_j = 0;   ///< prefill included
  double decode_dram_bytes = 0;    ///< mean of a step
  std::int64_t steps = 0;          ///< of decode
  std::int64_t simulated = 0;      ///< of them
  double left_out_error = 0;       ///< of the simulated steps (simulated_step.h)
};

/// Steps between two simulated ones lie on a straight line between them. What a step takes is that
/// of the whole batch, its size the context: the tokens that attention sees, the new one included.
/// `steps` ascend and hold both ends (sampled_contexts).
[[nodiscard]] TokenTimes token_times(const SimulatedStep& prefill,
                                     const std::vector<SimulatedStep>& steps, std::int64_t batch);

}  // namespace lacuna::cli
