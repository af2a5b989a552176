// SPDX-License-Identifier: Apache-2.0
//
// What `lacuna run` and `lacuna gemm` have in common: options of the engine backend, of checking,
// and of output; and the way from a workload to a report.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "chip/chip.h"
#include "cli/command.h"
#include "config/chip_files.h"
#include "cosim/backends.h"
#include "cosim/counting_backend.h"
#include "energy/energy_model.h"
#include "report/summary.h"
#include "workload/graph.h"

namespace lacuna::cli {

struct RunOptions {
  std::string chip;
  std::vector<std::string> sets;
  Format format = Format::kText;
  std::string engine = "model";
  double shadow = 0;
  std::int64_t seed = 0;
  std::int64_t threads = 0;  ///< 0: as many as the machine has
  std::string rtl_cache;
  std::string skip;  ///< empty: what the chip says
  std::string memory = "real";
  std::string out;
  bool check_reference = false;
};

void add_run_options(CLI::App& app, RunOptions& options);

/// `--threads`, or the machine's number.
[[nodiscard]] int thread_count(const RunOptions& options);

/// Loads the chip with --set and --skip. UserError.
[[nodiscard]] config::ChipFiles load_chip_for_run(const RunOptions& options);

/// "dense", "weights", "activations" or "dual".
[[nodiscard]] std::string skip_name(const params::EngineParams& engine);

/// Builds and loads RTL where it is asked for.
[[nodiscard]] std::unique_ptr<cosim::EngineBackend> make_engine(const params::EngineParams& engine,
                                                                const RunOptions& options);

/// Energies of what a mapping can change.
[[nodiscard]] mapper::MappingCosts mapping_costs(const energy::EnergyModel& energy,
                                                 const params::ChipParams& chip);

/// What to simulate beside the options.
struct Job {
  const params::ChipParams& chip;
  const params::MemoryPreset& memory;
  const params::EnergyParams& energy;
  const workload::Graph& graph;
  std::string workload_file;  ///< as the user named it
  std::vector<std::string> files;
  std::int64_t samples = 0;
  std::int64_t batch = 1;
  std::string out;        ///< folder, empty: none
  bool progress = false;  ///< a line on stderr
};

/// The reports of one simulation, already rendered.
struct Rendered {
  std::string text;
  std::string json;
  std::string source;      ///< the lines of the text that say where zeros come from
  int status = kExitDone;  ///< kExitCheckFailed after a mismatch
  std::string complaint;   ///< what failed then, for stderr
};

/// Simulates and writes the output folder, if any. Once per process (SystemC). A failing RTL is a
/// failed check; other exceptions pass through.
[[nodiscard]] Rendered simulate(const RunOptions& options, const Job& job, bool colour);

/// Whether `out` is a terminal that shows colours.
[[nodiscard]] bool wants_colour(const std::ostream& out);

}  // namespace lacuna::cli
