// SPDX-License-Identifier: Apache-2.0
//
// From a few decode steps that were simulated to the figures of a whole answer. No simulation here.
#pragma once

#include <cstdint>
#include <vector>

namespace lacuna::cli {

/// What one step of the whole batch takes.
struct TokenStep {
  std::int64_t context = 0;  ///< tokens that attention sees, the new one included
  double seconds = 0;
  double energy_j = 0;
  double dram_bytes = 0;
};

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
};

/// Steps between two simulated ones lie on a straight line between them. `steps` ascend by context
/// and hold both ends (sampled_contexts).
[[nodiscard]] TokenTimes token_times(const TokenStep& prefill, const std::vector<TokenStep>& steps,
                                     std::int64_t batch);

}  // namespace lacuna::cli
