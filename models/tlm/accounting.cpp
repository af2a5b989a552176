// SPDX-License-Identifier: Apache-2.0
#include "tlm/accounting.h"

#include <numeric>

namespace lacuna::tlm {

std::string_view stack_part_name(StackPart part) {
  switch (part) {
    case StackPart::kCompute:
      return "compute";
    case StackPart::kScheduler:
      return "scheduler";
    case StackPart::kSlot:
      return "slot";
    case StackPart::kImbalance:
      return "imbalance";
    case StackPart::kBank:
      return "bank";
    case StackPart::kEdge:
      return "edge";
    case StackPart::kLoading:
      return "loading";
    case StackPart::kDram:
      return "dram";
    case StackPart::kDependency:
      return "dependency";
    case StackPart::kOutputSpace:
      return "output_space";
    case StackPart::kVector:
      return "vector";
    case StackPart::kIdle:
      return "idle";
  }
  return "?";
}

std::int64_t CycleStack::total() const {
  return std::accumulate(pe_cycles.begin(), pe_cycles.end(), std::int64_t{0});
}

CycleStack& CycleStack::operator+=(const CycleStack& other) {
  for (std::size_t i = 0; i < pe_cycles.size(); ++i) pe_cycles[i] += other.pe_cycles[i];
  return *this;
}

EngineActivity& EngineActivity::operator+=(const EngineActivity& other) {
  passes += other.passes;
  pass_cycles += other.pass_cycles;
  windows_visited += other.windows_visited;
  windows_empty += other.windows_empty;
  broadcasts += other.broadcasts;
  entries_without_k += other.entries_without_k;
  activation_reads += other.activation_reads;
  fifo_pushes += other.fifo_pushes;
  metadata_reads += other.metadata_reads;
  weight_words += other.weight_words;
  macs += other.macs;
  macs_gated += other.macs_gated;
  acc_writes += other.acc_writes;
  acc_reads += other.acc_reads;
  psum_reads += other.psum_reads;
  psum_writes += other.psum_writes;
  drain_beats += other.drain_beats;
  outputs += other.outputs;
  outputs_nonzero += other.outputs_nonzero;
  blocked_cycles += other.blocked_cycles;
  pe_mac += other.pe_mac;
  pe_slot += other.pe_slot;
  pe_bank += other.pe_bank;
  pe_edge += other.pe_edge;
  pe_imbalance += other.pe_imbalance;
  pe_window += other.pe_window;
  pe_issue += other.pe_issue;
  return *this;
}

void EngineActivity::add(const timing::engine::Counters& counters, Cycle length) {
  const auto sum = [](std::int64_t& total, std::uint64_t value) {
    total += static_cast<std::int64_t>(value);
  };
  ++passes;
  pass_cycles += length;
  sum(windows_visited, counters.windows_visited);
  sum(windows_empty, counters.windows_empty);
  sum(broadcasts, counters.broadcasts);
  sum(entries_without_k, counters.entries_without_k);
  sum(activation_reads, counters.activation_reads);
  sum(fifo_pushes, counters.fifo_pushes);
  sum(metadata_reads, counters.metadata_reads);
  sum(weight_words, counters.weight_words);
  sum(macs, counters.macs);
  sum(macs_gated, counters.macs_gated);
  sum(acc_writes, counters.acc_writes);
  sum(acc_reads, counters.acc_reads);
  sum(psum_reads, counters.psum_reads);
  sum(psum_writes, counters.psum_writes);
  sum(drain_beats, counters.drain_beats);
  sum(outputs, counters.outputs);
  sum(outputs_nonzero, counters.outputs_nonzero);
  sum(blocked_cycles, counters.blocked_cycles);
  sum(pe_mac, counters.pe_mac);
  sum(pe_slot, counters.pe_slot);
  sum(pe_bank, counters.pe_bank);
  sum(pe_edge, counters.pe_edge);
  sum(pe_imbalance, counters.pe_imbalance);
  sum(pe_window, counters.pe_window);
  sum(pe_issue, counters.pe_issue);
}

Traffic& Traffic::operator+=(const Traffic& other) {
  weights += other.weights;
  activations += other.activations;
  outputs += other.outputs;
  sram_read += other.sram_read;
  sram_write += other.sram_write;
  dram_read += other.dram_read;
  dram_write += other.dram_write;
  decoded += other.decoded;
  near_memory += other.near_memory;
  sums_stored += other.sums_stored;
  sums_loaded += other.sums_loaded;
  link += other.link;
  return *this;
}

}  // namespace lacuna::tlm
