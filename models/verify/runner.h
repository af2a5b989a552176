// SPDX-License-Identifier: Apache-2.0
//
// The regression: random cases on several parameter sets, each on the RTL and on the model, until a
// number of passes or a time is reached. Cases are numbered; 32 of them in a row share an engine,
// so what a case finds there depends on its number only, never on how many threads work. Hence the
// same seed gives the same result everywhere (with a time limit: up to the case reached).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cosim/plugin_cache.h"
#include "verify/coverage.h"
#include "verify/execute.h"
#include "verify/parameter_set.h"

namespace lacuna::verify {

struct RunOptions {
  std::uint64_t seed = 1;
  std::int64_t passes = 0;  ///< per set; 0: no bound
  double seconds = 0;       ///< for all sets together, builds not counted; 0: no bound
  int jobs = 1;             ///< threads, each with RTL of its own
  int max_mismatches = 20;  ///< cases of a set, after which the set is left; at least 1
  /// Folder (there) that gets a database per set; empty: coverage is not counted. Then 256 cases in
  /// a row share an engine, since a database is written for each.
  std::string coverage_folder;
  cosim::PluginCacheOptions cache;
};

/// A case that differs, ready for people.
struct MismatchReport {
  std::int64_t index = 0;  ///< of the case in its set
  std::uint64_t seed = 0;  ///< of the case
  /// Seeds to run one after the other on a fresh engine; one unless the mismatch needs the passes
  /// before it.
  std::vector<std::uint64_t> replay;
  std::string first;  ///< the first difference, one line
  std::vector<std::string> kinds;
  std::string text;  ///< several lines (divergence.h); empty for all but the first mismatches
};

struct SetResult {
  NamedSet set;
  Work work;
  double cpu_seconds = 0;                  ///< of all threads, both sides together
  std::vector<MismatchReport> mismatches;  ///< at most max_mismatches
  bool left_early = false;                 ///< max_mismatches were reached
};

struct RunResult {
  std::uint64_t seed = 0;
  std::vector<SetResult> sets;
  double seconds = 0;  ///< without building
  int jobs = 1;
  std::optional<CoverageResult> coverage;

  [[nodiscard]] Work total() const;
  [[nodiscard]] double cpu_seconds() const;
};

/// Builds what is missing, runs, and looks into the first mismatches of each set. UserError: no
/// RTL. Interrupted: after a signal.
[[nodiscard]] RunResult run(const std::vector<NamedSet>& sets, const RunOptions& options);

/// "lacuna verify --set small --replay 0x12,0x34".
[[nodiscard]] std::string replay_command(const NamedSet& set,
                                         const std::vector<std::uint64_t>& seeds);

}  // namespace lacuna::verify
