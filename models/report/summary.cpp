// SPDX-License-Identifier: Apache-2.0
#include "report/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace lacuna::report {

namespace {

using base::Cycle;

double real(std::int64_t value) { return static_cast<double>(value); }

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

LatencyStats latency_stats(std::vector<Cycle> latencies) {
  LatencyStats stats;
  stats.samples = static_cast<std::int64_t>(latencies.size());
  if (latencies.empty()) return stats;
  std::sort(latencies.begin(), latencies.end());
  stats.min_cycles = latencies.front();
  stats.max_cycles = latencies.back();
  const std::size_t rank = (latencies.size() * 99 + 99) / 100;  // ceil(0.99 n), from 1
  stats.p99_cycles = latencies[rank - 1];
  std::int64_t sum = 0;
  for (const Cycle latency : latencies) sum += latency;
  stats.mean_cycles = real(sum) / real(stats.samples);
  return stats;
}

void add_engine(const chip::EngineActivity& engine, energy::Activity& activity) {
  activity.macs = engine.macs;
  activity.macs_gated = engine.macs_gated;
  activity.acc_writes = engine.acc_writes;
  activity.acc_reads = engine.acc_reads;
  activity.broadcasts = engine.broadcasts;
  activity.fifo_pushes = engine.fifo_pushes;
  activity.activation_reads = engine.activation_reads;
  activity.windows_visited = engine.windows_visited;
  activity.metadata_reads = engine.metadata_reads;
  activity.weight_words = engine.weight_words;
  activity.psum_reads = engine.psum_reads;
  activity.psum_writes = engine.psum_writes;
  activity.drain_beats = engine.drain_beats;
  activity.outputs = engine.outputs;
}

/// Partial sums that leave a core: out of its psum buffer, into the buffer of a vector unit.
void add_sums(const chip::Traffic& traffic, energy::Activity& activity) {
  constexpr std::int64_t kSumBytes = 4;
  activity.psum_reads += traffic.sums_stored / kSumBytes;
  activity.activation_fill_bytes += traffic.sums_loaded;
}

Bandwidth bandwidth(std::int64_t read, std::int64_t write, double seconds, double peak) {
  Bandwidth figures{read, write, ratio(real(read + write), seconds), peak, 0};
  figures.utilization = ratio(figures.bytes_per_s, peak);
  return figures;
}

std::int64_t activates(const chip::MemoryResult& memory) {
  const auto found = memory.dram_commands.find("ACT");
  return found == memory.dram_commands.end() ? 0 : found->second;
}

/// The number a provenance text begins with, or -1.
double number_or_unknown(const std::map<std::string, std::string>& provenance,
                         const std::string& key) {
  const auto found = provenance.find(key);
  if (found == provenance.end()) return -1;
  char* end = nullptr;
  const double value = std::strtod(found->second.c_str(), &end);
  return end == found->second.c_str() || !std::isfinite(value) ? -1 : value;
}

void summarize_latency(const chip::RunResult& result, Summary& summary) {
  std::vector<Cycle> all;
  std::vector<Cycle> warm;
  for (std::size_t i = 0; i < result.programs.size(); ++i) {
    const chip::ProgramResult& program = result.programs[i];
    const Cycle latency = program.end - program.start;
    for (int s = 0; s < program.samples; ++s) {
      all.push_back(latency);
      if (i > 0) warm.push_back(latency);
    }
    if (i == 0) summary.cold_cycles = latency;
  }
  summary.all = latency_stats(all);
  summary.samples_per_s = ratio(real(result.samples), summary.seconds);
  if (!warm.empty()) {
    summary.warm = latency_stats(warm);
    const Cycle cycles = result.cycles - result.programs.front().end;
    summary.warm_samples_per_s = ratio(real(summary.warm->samples) * result.clock_hz, real(cycles));
  }
}

void summarize_operands(const workload::Graph& graph, Summary& summary) {
  std::int64_t weights = 0;
  std::int64_t non_zeros = 0;
  for (const workload::Layer& layer : graph.layers) {
    if (!layer.on_engine()) continue;
    if (!layer.run_time_weights()) {
      weights += layer.weights.n * layer.weights.k;
      non_zeros += layer.weights.non_zeros;
      ++summary.weight_origins[std::string(origin_name(layer.weights.provenance.origin))];
    }
    ++summary.input_origins[std::string(origin_name(graph.input_of(layer).provenance.origin))];
  }
  summary.weight_sparsity = weights > 0 ? 1 - real(non_zeros) / real(weights) : 0;
}

}  // namespace

energy::Activity run_activity(const chip::RunResult& result) {
  energy::Activity activity;
  add_engine(result.engine, activity);
  activity.weight_fill_bytes = result.traffic.weights;
  activity.activation_fill_bytes = result.traffic.activations;
  activity.output_bytes = result.traffic.outputs;
  add_sums(result.traffic, activity);
  activity.sram_read_bytes = result.memory.sram_read_bytes;
  activity.sram_write_bytes = result.memory.sram_write_bytes;
  activity.crossbar_bytes = result.memory.noc_bytes;
  activity.dram_bytes = result.memory.dram_read_bytes + result.memory.dram_write_bytes;
  activity.dram_activates = activates(result.memory);
  activity.decoded_bytes = result.traffic.decoded;
  activity.link_bytes = result.memory.link.read_bytes + result.memory.link.write_bytes;
  activity.near_memory_bytes = result.memory.link.near_read_bytes;
  for (const chip::LayerResult& layer : result.layers) {
    activity.vector_elements += layer.vector_elements;
  }
  return activity;
}

energy::Activity layer_activity(const chip::LayerResult& layer) {
  energy::Activity activity;
  add_engine(layer.engine, activity);
  activity.weight_fill_bytes = layer.traffic.weights;
  activity.activation_fill_bytes = layer.traffic.activations;
  activity.output_bytes = layer.traffic.outputs;
  add_sums(layer.traffic, activity);
  activity.sram_read_bytes = layer.traffic.sram_read;
  activity.sram_write_bytes = layer.traffic.sram_write;
  activity.crossbar_bytes = layer.traffic.sram_read + layer.traffic.sram_write;
  activity.dram_bytes = layer.traffic.dram_read + layer.traffic.dram_write;
  activity.vector_elements = layer.vector_elements;
  activity.decoded_bytes = layer.traffic.decoded;
  activity.link_bytes = layer.traffic.link;
  activity.near_memory_bytes = layer.traffic.near_memory;
  return activity;
}

Summary summarize(const ReportInput& input) {
  const chip::RunResult& result = input.result;
  const std::int64_t pe_cycles = result.cores * result.pes_per_core * result.cycles;
  LACUNA_CHECK(result.stack.total() == pe_cycles, "the cycle stack has {} PE-cycles, the run {}",
               result.stack.total(), pe_cycles);
  Summary summary;
  summary.seconds = real(result.cycles) / result.clock_hz;
  summarize_latency(result, summary);

  const double lanes = input.chip.engine.lanes;
  summary.peak_macs_per_cycle = input.chip.cores * input.chip.engine.macs_per_cycle();
  for (const chip::LayerResult& layer : result.layers) {
    summary.macs_dense += layer.macs_dense;
    summary.macs_effective += layer.macs_effective;
    LayerFigures figures;
    figures.active_energy_j = input.energy.evaluate(layer_activity(layer), 0).total_joules();
    figures.engine_utilization =
        ratio(real(layer.macs_effective),
              lanes * real(result.pes_per_core) * real(layer.engine.pass_cycles));
    summary.layers.push_back(figures);
    if (layer.has_expect) {
      ++summary.outputs.tensors;
      summary.outputs.values += layer.expect_values;
      summary.outputs.mismatches += layer.expect_mismatches;
    }
  }
  summary.mac_utilization =
      ratio(real(summary.macs_effective), real(summary.peak_macs_per_cycle) * real(result.cycles));
  summary.dense_macs_per_cycle = ratio(real(summary.macs_dense), real(result.cycles));
  summary.engine_utilization =
      ratio(real(summary.macs_effective),
            lanes * real(result.pes_per_core) * real(result.engine.pass_cycles));
  summarize_operands(input.graph, summary);
  for (const auto& [layer, macs] : input.activation_macs) summary.macs_activation_nonzero += macs;
  if (summary.macs_dense > 0) {
    summary.activation_sparsity =
        1 - ratio(real(summary.macs_activation_nonzero), real(summary.macs_dense));
  }

  const chip::MemoryResult& memory = result.memory;
  summary.dram = bandwidth(memory.dram_read_bytes, memory.dram_write_bytes, summary.seconds,
                           memory.dram_peak_bytes_per_s);
  summary.sram = bandwidth(memory.sram_read_bytes, memory.sram_write_bytes, summary.seconds,
                           memory.sram_peak_bytes_per_s);

  summary.energy = input.energy.evaluate(run_activity(result), summary.seconds);
  const double total = summary.energy.total_joules();
  summary.energy_per_sample_j = ratio(total, real(result.samples));
  summary.power_w = ratio(total, summary.seconds);
  summary.reference_accuracy = number_or_unknown(input.graph.provenance, "accuracy_int8");
  return summary;
}

}  // namespace lacuna::report
