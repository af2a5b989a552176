// SPDX-License-Identifier: Apache-2.0
//
// The figures of a report, derived once from a run's result so that text, JSON and CSV cannot
// disagree. Cycles are those of the chip's clock. Nothing here depends on the host: the same run
// gives the same bytes on any machine and number of threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chip/result.h"
#include "cosim/counting_backend.h"
#include "energy/energy_model.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::report {

/// What was asked for, to be repeated in the report.
struct RunSettings {
  std::string chip_file;
  std::string workload_file;
  std::vector<std::string> sets;   ///< --set
  std::vector<std::string> files;  ///< everything that was read
  std::string engine;              ///< --engine: model, rtl, lockstep
  double shadow = 0;
  std::int64_t samples = 0;
  std::int64_t batch = 1;
  std::string skip;  ///< what the engine skips: dense, weights, activations, dual
};

/// Everything a report is made from; only referred to.
struct ReportInput {
  const RunSettings& settings;
  const chip::RunResult& result;
  const params::ChipParams& chip;
  const workload::Graph& graph;
  const energy::EnergyModel& energy;
  /// Dense MACs with a non-zero activation, by layer.
  const cosim::MacCounts& activation_macs;
};

/// Over samples; every sample has the latency of its batch. p99 is the nearest rank.
struct LatencyStats {
  std::int64_t samples = 0;
  base::Cycle min_cycles = 0;
  double mean_cycles = 0;
  base::Cycle p99_cycles = 0;
  base::Cycle max_cycles = 0;
};

struct Bandwidth {
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;
  double bytes_per_s = 0;
  double peak_bytes_per_s = 0;
  double utilization = 0;  ///< 0..1
};

struct LayerFigures {
  double active_energy_j = 0;     ///< without DRAM activations and static power
  double engine_utilization = 0;  ///< effective MACs per MAC slot of its passes
};

/// Compared with the reference that was captured with the network.
struct OutputsFigures {
  std::int64_t tensors = 0;
  std::int64_t values = 0;
  std::int64_t mismatches = 0;
};

struct Summary {
  double seconds = 0;
  base::Cycle cold_cycles = 0;
  std::optional<LatencyStats> warm;  ///< all batches but the first; none if there is only one
  LatencyStats all;
  double samples_per_s = 0;       ///< of the whole run
  double warm_samples_per_s = 0;  ///< from the end of the first batch on; 0 if there is only one

  std::int64_t macs_dense = 0;
  std::int64_t macs_effective = 0;
  std::int64_t macs_activation_nonzero = 0;
  std::int64_t peak_macs_per_cycle = 0;
  double mac_utilization = 0;       ///< effective MACs per MAC and cycle of the run
  double dense_macs_per_cycle = 0;  ///< zeros counted: may exceed the peak
  double engine_utilization = 0;    ///< effective MACs per MAC slot of all passes

  double weight_sparsity = 0;      ///< zeros among all stored weights of engine layers
  double activation_sparsity = 0;  ///< dense MACs of engine layers whose activation is zero

  Bandwidth dram;
  Bandwidth sram;

  energy::EnergyReport energy;
  double energy_per_sample_j = 0;
  double power_w = 0;

  OutputsFigures outputs;
  std::vector<LayerFigures> layers;  ///< as RunResult::layers
  /// Operands of engine layers by origin: "captured", "statistic", "computed" -> how many.
  std::map<std::string, int> weight_origins;
  std::map<std::string, int> input_origins;
  /// Accuracy of the captured network on its whole test set, as its provenance states; -1: unknown.
  double reference_accuracy = -1;
};

/// InternalError when the result contradicts itself: a cycle stack that does not add up.
[[nodiscard]] Summary summarize(const ReportInput& input);

/// The counts that energy depends on, of the whole run and of one layer.
[[nodiscard]] energy::Activity run_activity(const chip::RunResult& result);
[[nodiscard]] energy::Activity layer_activity(const chip::LayerResult& layer);

}  // namespace lacuna::report
