// SPDX-License-Identifier: Apache-2.0
//
// One workload file simulated at several values of its parameters, each in a process of its own:
// what `lacuna tokens` and `lacuna lengths` are made of.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/run_options.h"
#include "cli/simulated_step.h"

namespace lacuna::cli {

/// A workload and the parameters that all its steps share.
struct StepSource {
  const RunOptions& options;
  const config::ChipFiles& files;
  std::string workload;
  std::vector<std::string> parameters;  ///< "name=value"
  std::int64_t batch = 1;               ///< samples that run together
};

/// A step to simulate: parameters beside the shared ones, and its size.
struct StepRequest {
  std::vector<std::string> parameters;
  std::int64_t size = 0;
};

struct StepReport {
  SimulatedStep figures;
  std::string source;             ///< lines that say where zeros come from, of `lacuna run`
  nlohmann::ordered_json report;  ///< of `lacuna run --format json`
};

struct StepRuns {
  std::vector<StepReport> steps;  ///< in the order of the requests; fewer if the RTL failed
  int status = kExitDone;         ///< kExitCheckFailed after a mismatch, which is logged
};

/// UserError: --out, which goes with `lacuna run`; a parameter among `own`, which the command sets
/// itself from `from`.
void refuse_own_parameters(const RunOptions& options, const std::vector<std::string>& parameters,
                           const std::vector<std::string>& own, const std::string& command,
                           const std::string& from);

/// Simulates all of them, as many at a time as there are threads. Shows progress.
[[nodiscard]] StepRuns simulate_steps(const StepSource& source,
                                      const std::vector<StepRequest>& requests);

/// Cycles, seconds, energy, DRAM bytes and products of a step, for JSON output.
[[nodiscard]] nlohmann::ordered_json step_json(const StepReport& step);

/// The same as a line of a table (without products), and its heading.
[[nodiscard]] std::string step_heading(const std::string& first_columns);
[[nodiscard]] std::string step_line(const StepReport& step);

/// ", the others interpolated; each simulated one left out would be at most 0.4 % off its
/// neighbours' line", or nothing if all were simulated.
[[nodiscard]] std::string interpolation_text(std::int64_t simulated, std::int64_t all,
                                             double left_out_error);

}  // namespace lacuna::cli
