// SPDX-License-Identifier: Apache-2.0
//
// The activity counters of a pass, exactly those of docs/reference/engine.md, section 8.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace lacuna::timing::engine {

struct Counters {
  std::uint64_t windows_visited = 0;
  std::uint64_t windows_empty = 0;
  std::uint64_t broadcasts = 0;
  std::uint64_t entries_without_k = 0;
  std::uint64_t activation_reads = 0;
  std::uint64_t fifo_pushes = 0;
  std::uint64_t metadata_reads = 0;
  std::uint64_t weight_words = 0;
  std::uint64_t macs = 0;
  std::uint64_t macs_gated = 0;
  std::uint64_t acc_writes = 0;
  std::uint64_t acc_reads = 0;
  std::uint64_t psum_reads = 0;
  std::uint64_t psum_writes = 0;
  std::uint64_t drain_beats = 0;
  std::uint64_t outputs = 0;
  std::uint64_t outputs_nonzero = 0;
  std::uint64_t blocked_cycles = 0;
  std::uint64_t pe_mac = 0;
  std::uint64_t pe_slot = 0;
  std::uint64_t pe_bank = 0;
  std::uint64_t pe_edge = 0;
  std::uint64_t pe_imbalance = 0;
  std::uint64_t pe_window = 0;
  std::uint64_t pe_issue = 0;

  friend bool operator==(const Counters&, const Counters&) = default;

  /// Calls f(name, value) for every counter, in the order of section 8. `Self` is Counters or
  /// const.
  template <class Self, class Function>
  static void visit(Self& self, Function&& f) {
    f("windows_visited", self.windows_visited);
    f("windows_empty", self.windows_empty);
    f("broadcasts", self.broadcasts);
    f("entries_without_k", self.entries_without_k);
    f("activation_reads", self.activation_reads);
    f("fifo_pushes", self.fifo_pushes);
    f("metadata_reads", self.metadata_reads);
    f("weight_words", self.weight_words);
    f("macs", self.macs);
    f("macs_gated", self.macs_gated);
    f("acc_writes", self.acc_writes);
    f("acc_reads", self.acc_reads);
    f("psum_reads", self.psum_reads);
    f("psum_writes", self.psum_writes);
    f("drain_beats", self.drain_beats);
    f("outputs", self.outputs);
    f("outputs_nonzero", self.outputs_nonzero);
    f("blocked_cycles", self.blocked_cycles);
    f("pe_mac", self.pe_mac);
    f("pe_slot", self.pe_slot);
    f("pe_bank", self.pe_bank);
    f("pe_edge", self.pe_edge);
    f("pe_imbalance", self.pe_imbalance);
    f("pe_window", self.pe_window);
    f("pe_issue", self.pe_issue);
  }

  Counters& operator+=(const Counters& other);
};

}  // namespace lacuna::timing::engine
