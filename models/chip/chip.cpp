// SPDX-License-Identifier: Apache-2.0
#include "chip/chip.h"

#include <systemc>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/interrupt.h"
#include "chip/controller.h"
#include "chip/ideal_memory.h"
#include "chip/program_run.h"
#include "chip/tlm_memory.h"
#include "mapper/map.h"
#include "tlm/chip_dma.h"
#include "tlm/clock.h"
#include "tlm/core.h"
#include "tlm/dispatcher.h"

namespace lacuna::chip {
namespace {

/// Simulated time between two looks at whether anything still goes on.
constexpr base::Cycle kWatchCycles = 20'000'000;

void prepare_systemc() {
  // Libraries do not print: no banner, no notes about stopping.
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);
  sc_core::sc_report_handler::set_actions(sc_core::SC_FATAL, sc_core::SC_THROW);
}

void describe_layers(const workload::Graph& graph, const mapper::Program& program,
                     RunResult& result) {
  for (const workload::Layer& layer : graph.layers) {
    LayerResult out;
    out.name = layer.name;
    out.op = std::string(params::enum_name(layer.op));
    out.on_engine = layer.on_engine();
    out.view = layer.is_view();
    const int gemm = program.gemm_of_layer[static_cast<std::size_t>(layer.index)];
    if (gemm != mapper::kNone) {
      const mapper::Split& split = program.gemms[static_cast<std::size_t>(gemm)].split;
      out.tile_m = split.block_rows;
      out.tile_n = split.tile_channels;
      out.splits_m = split.blocks;
      out.splits_k = static_cast<int>(split.k_tiles.size());
      out.splits_n = split.n_tiles;
      out.k_parts = split.k_parts;
      out.predicted_cycles = split.predicted_cycles * program.batch /
                             program.gemms[static_cast<std::size_t>(gemm)].samples;
      for (const mapper::KTile& k : split.k_tiles) {
        out.tile_k = std::max(out.tile_k, static_cast<int>(k.k));
      }
    }
    result.layers.push_back(std::move(out));
  }
}

void add_sums(const tlm::CoreContext& context, const params::ChipParams& chip, RunResult& result) {
  // Activations in another form than the engine's own pass a decoder, outputs an encoder.
  const bool converts = chip.compress.activations != params::ActivationFormat::kBitmask;
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    LayerResult& out = result.layers[i];
    const tlm::LayerSums& sums = context.layers[i];
    out.busy_cycles = sums.busy_cycles;
    out.tasks = sums.tasks;
    out.vector_cycles = sums.vector_cycles;
    out.vector_elements = sums.vector.element_ops;
    out.vector = sums.vector;
    out.transpose_cycles = sums.transpose_cycles;
    out.weight_loads = sums.weight_loads;
    out.weight_loads_saved = sums.weight_loads_saved;
    out.weight_rows = sums.weight_rows;
    out.weight_rows_skipped = sums.weight_rows_skipped;
    out.block_loads = sums.block_loads;
    out.block_loads_saved = sums.block_loads_saved;
    out.engine = sums.engine;
    // Where zero weights are multiplied too, the controller has counted.
    if (chip.engine.skip_weights) out.macs_effective = static_cast<std::int64_t>(sums.engine.macs);
    out.traffic = sums.traffic;
    if (converts) out.traffic.decoded += out.traffic.activations + out.traffic.outputs;
    out.stack = sums.stack;
    result.stack += sums.stack;
    result.engine += sums.engine;
    result.traffic += out.traffic;
  }
  result.stack += context.idle;
}

void add_met(const tlm::CoreContext& context, RunResult& result) {
  Met& met = result.met;
  for (const LayerResult& layer : result.layers) {
    if (!layer.on_engine) continue;
    met["k_split"] += layer.splits_k > 1 ? 1 : 0;
    met["k_parts"] += layer.k_parts > 1 ? 1 : 0;
    met["n_split"] += layer.splits_n > 1 ? 1 : 0;
    met["m_split"] += layer.splits_m > 1 ? 1 : 0;
    met["weight_loads_saved"] += layer.weight_loads_saved;
    met["block_loads_saved"] += layer.block_loads_saved;
  }
  const EngineActivity& engine = result.engine;
  met["partial_sums"] = context.met.psum_passes;
  met["stored_partial_sums"] = context.met.partial_stores;
  met["run_time_operands"] = context.met.run_time_operands;
  met["transposed_operands"] = context.met.transposed_operands;
  met["entries_without_k"] = engine.entries_without_k;
  met["empty_windows"] = engine.windows_empty;
  met["blocked_cycles"] = engine.blocked_cycles;
  met["imbalance"] = engine.pe_imbalance;
  met["bank_busy"] = engine.pe_bank;
  met["gated_macs"] = engine.macs_gated;
  met["carry_ins"] = context.met.carry_ins;
  met["output_space_waits"] = context.met.output_space_waits;
  met["psum_space_waits"] = context.met.psum_space_waits;
  met["loading_waits"] = context.met.loading_waits;
  met["dram_waits"] = context.met.dram_waits;
  met["dependency_waits"] = context.met.dependency_waits;
  met["vector_waits"] = context.met.vector_waits;
  met["ring_waits"] = context.met.ring_waits;
  met["direct_weight_loads"] = context.met.direct_loads;
  met["dram_activations"] = context.met.dram_activations;
}

/// Programs for the samples: whole batches, and a smaller one for the rest.
struct Schedule {
  std::vector<std::unique_ptr<mapper::Program>> programs;
  std::vector<Launch> launches;
};

Schedule make_schedule(const params::ChipParams& chip, const params::MemoryPreset& memory,
                       const workload::Graph& graph, const RunOptions& options) {
  const std::int64_t samples = options.samples > 0 ? options.samples : graph.samples;
  Schedule schedule;
  std::int64_t next = options.first_sample;
  const std::int64_t end = next + samples;
  while (next < end) {
    mapper::MapOptions mapping = options.mapping;
    mapping.burst_bytes = memory.organization.burst_bytes();
    mapping.all_codes = options.all_codes;
    mapping.dram_bytes_per_cycle = dram_bytes_per_cycle(chip, memory);
    mapping.batch = static_cast<int>(std::min<std::int64_t>(mapping.batch, end - next));
    if (schedule.programs.empty() || schedule.programs.back()->batch != mapping.batch) {
      schedule.programs.push_back(
          std::make_unique<mapper::Program>(mapper::map_program(graph, chip, mapping)));
    }
    schedule.launches.push_back(
        {schedule.programs.back().get(), static_cast<int>(schedule.programs.size()) - 1, next});
    next += mapping.batch;
  }
  return schedule;
}

void check_dram_capacity(const workload::Graph& graph, const Schedule& schedule,
                         std::int64_t capacity) {
  for (const auto& program : schedule.programs) {
    if (program->memory.dram_bytes <= capacity) continue;
    throw base::UserError(
        fmt::format("workload '{}' with {} samples at once needs {} bytes of DRAM, the chip has "
                    "{}; give it more "
                    "channels (dram.channels) or run fewer samples at a time",
                    graph.name, program->batch, program->memory.dram_bytes, capacity));
  }
}

}  // namespace

double dram_bytes_per_cycle(const params::ChipParams& chip, const params::MemoryPreset& memory) {
  constexpr double kReached = 0.85;
  return kReached * chip.dram.channels * memory.peak_bytes_per_second() / chip.clock_hz;
}

RunResult run_network(const params::ChipParams& chip, const params::MemoryPreset& memory,
                      const workload::Graph& graph, cosim::EngineBackend& backend,
                      const RunOptions& options) {
  LACUNA_CHECK(options.mapping.batch >= 1 && options.samples >= 0 && options.first_sample >= 0,
               "batch {}, samples {}", options.mapping.batch, options.samples);
  const Schedule schedule = make_schedule(chip, memory, graph, options);

  prepare_systemc();
  RunResult result;
  result.chip = chip.name;
  result.workload = graph.name;
  result.clock_hz = chip.clock_hz;
  result.cores = chip.cores;
  result.pes_per_core = std::int64_t{chip.engine.pes} * chip.engine.k_ways;
  describe_layers(graph, *schedule.programs.front(), result);
  result.memory_plan = schedule.programs.front()->memory;

  const tlm::Clock clock(chip.clock_hz);
  const bool looks_back = options.check_reference || !chip.engine.skip_weights;
  ProgramRun run(chip, graph, clock, options.all_codes,
                 looks_back ? workload::Keep::kComputed : workload::Keep::kCompared);
  tlm::CoreContext context;
  context.chip = &chip;
  context.clock = &clock;
  context.backend = &backend;
  context.source = &run;
  context.sink = options.events;
  context.layers.resize(graph.layers.size());
  context.check_interrupt = [] { base::throw_if_interrupted(); };

  std::unique_ptr<MemorySystem> memories;
  if (options.memory == MemoryKind::kIdeal) {
    memories = std::make_unique<IdealMemory>(chip, clock);
  } else {
    auto real = std::make_unique<TlmMemory>(chip, memory, clock);
    check_dram_capacity(graph, schedule, real->capacity());
    memories = std::move(real);
  }

  std::vector<std::unique_ptr<tlm::Core>> cores;
  std::vector<tlm::Core*> core_list;
  for (int i = 0; i < chip.cores; ++i) {
    using Unit = MemorySystem::CoreUnit;
    tlm::CorePorts ports{&memories->core_port(i, Unit::kLoad),
                         &memories->core_port(i, Unit::kStore),
                         &memories->core_port(i, Unit::kVectorLoad),
                         &memories->core_port(i, Unit::kVectorStore), memories->first_data()};
    cores.push_back(
        std::make_unique<tlm::Core>(("core_" + std::to_string(i)).c_str(), i, context, ports));
    core_list.push_back(cores.back().get());
  }
  tlm::Dispatcher dispatcher(core_list, static_cast<int>(chip.mapper.tasks_ahead));
  context.core_has_room = [&dispatcher](int) { dispatcher.poke(); };
  std::vector<tlm::MemoryPort*> dma_ports;
  for (int i = 0; i < memories->dma_engines(); ++i) dma_ports.push_back(&memories->dma_port(i));
  tlm::ChipDma dma("dma", context, dma_ports);
  run.set_dma(&dma);
  Controller controller("controller",
                        {&context, &run, &dma, &dispatcher, core_list, memories.get()}, graph,
                        schedule.launches, result, options.progress, options.check_reference,
                        !chip.engine.skip_weights);

  std::int64_t heartbeat = -1;
  while (!controller.finished()) {
    sc_core::sc_start(clock.at(kWatchCycles), sc_core::SC_RUN_TO_TIME);
    if (context.error) std::rethrow_exception(context.error);
    base::throw_if_interrupted();
    const std::int64_t now = controller.heartbeat();
    LACUNA_CHECK(controller.finished() || now != heartbeat,
                 "nothing has moved for {} cycles up to cycle {}", kWatchCycles, clock.now());
    heartbeat = now;
  }

  result.cycles = result.programs.back().end;
  add_sums(context, chip, result);
  add_met(context, result);
  result.memory = memories->result();
  result.verification = backend.finish();
  LACUNA_CHECK(result.stack.total() == result.cycles * result.cores * result.pes_per_core,
               "the cycle stack has {} PE-cycles, the run {} x {} x {}", result.stack.total(),
               result.cycles, result.cores, result.pes_per_core);
  return result;
}

}  // namespace lacuna::chip
