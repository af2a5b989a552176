// SPDX-License-Identifier: Apache-2.0
//
// The timing state of one channel: for every bank and rank, and every command, the earliest cycle
// at which that command may start. Issuing a command pushes its rules into the nodes they concern,
// rules of bank groups into their banks, rules of pseudo-channels and of the channel into their
// ranks, so that asking costs two loads; command buses are kept apart. Knows time and nodes only:
// whether a command makes sense (a row is open, ...) is the controller's business.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

class ReadyTimes {
 public:
  using Commands = std::array<bool, kCommands>;

  /// `used`: commands that will be asked for or issued; the rules of others are not followed, which
  /// saves half the work of a controller that, say, never powers down.
  ReadyTimes(const TimingTable& table, const Commands& used);
  explicit ReadyTimes(const TimingTable& table) : ReadyTimes(table, all_commands()) {}

  /// Earliest start of a command that addresses one bank: the rules of its bank and group ...
  [[nodiscard]] const Cycle* of_banks(MemoryCommand command) const {
    return &bank_[index_of(command) * banks_];
  }
  /// ... of its rank and above, ...
  [[nodiscard]] const Cycle* of_ranks(MemoryCommand command) const {
    return &rank_[index_of(command) * ranks_];
  }
  /// ... and of the command bus.
  [[nodiscard]] Cycle of_bus(MemoryCommand command) const {
    return bus_free_[bus_[index_of(command)]];
  }

  /// All three.
  [[nodiscard]] Cycle earliest(MemoryCommand command, int bank) const {
    return std::max(
        {of_banks(command)[bank], of_ranks(command)[table_.place(bank).rank], of_bus(command)});
  }
  /// Earliest start of a REFpb that addresses the set of this bank.
  [[nodiscard]] Cycle earliest_set(int bank) const;
  /// Earliest start of a command to a whole rank.
  [[nodiscard]] Cycle earliest_rank(MemoryCommand command, int rank) const;

  /// From a command for a bank to the same again, where other banks are not ready earlier and no
  /// rule looks further back; else 0. For channels of one rank.
  [[nodiscard]] Cycle repeat_after(MemoryCommand command) const;

  /// `bank` is any bank of the rank for commands to a whole rank, the first of its set for REFpb.
  void issue(MemoryCommand command, int bank, Cycle time) {
    const BankPlace& place = table_.place(bank);
    const Rules& rules = rules_[index_of(command)];
    bus_free_[bus_[index_of(command)]] = time + table_.cycles(command);
    for (const NodeRule& rule : rules.rank) {
      raise(&rank_[rule.at], place.rank, 1, time + rule.latency);
    }
    for (const NodeRule& rule : rules.bank) raise(&bank_[rule.at], bank, 1, time + rule.latency);
    const int per_group = table_.banks_per_group();
    for (const NodeRule& rule : rules.group) {
      raise(&bank_[rule.at], place.group * per_group, per_group, time + rule.latency);
    }
    if (!rules.others.empty()) issue_others(command, bank, time);
  }

 private:
  static Commands all_commands() {
    Commands all{};
    all.fill(true);
    return all;
  }
  Cycle oldest_in_window(const TimingRule& rule, const BankPlace& place, int bank, Cycle last_edge);
  static void raise(Cycle* nodes, int first, int count, Cycle value) {
    for (Cycle* node = nodes + first; node < nodes + first + count; ++node) {
      *node = std::max(*node, value);
    }
  }

  // A rule that concerns only one node, or the banks of one group: `at` is the next command's part
  // of bank_ or rank_.
  struct NodeRule {
    std::size_t at = 0;
    Cycle latency = 0;
  };
  // The rules of used commands, by earlier command. Most are of the three simple kinds.
  struct Rules {
    std::vector<NodeRule> bank;
    std::vector<NodeRule> group;
    std::vector<NodeRule> rank;
    std::vector<TimingRule> others;
  };
  void sort_in(MemoryCommand from, const TimingRule& rule);
  void issue_others(MemoryCommand command, int bank, Cycle time);

  const TimingTable& table_;
  std::array<Rules, kCommands> rules_;
  std::size_t banks_;
  std::size_t ranks_;
  std::vector<Cycle> bank_;  // command after command
  std::vector<Cycle> rank_;
  std::vector<Cycle> bus_free_;
  std::array<std::size_t, kCommands> bus_{};
  std::vector<Cycle> window_times_;          // rings, window after window, node after node
  std::vector<std::uint8_t> window_oldest_;  // per node: index of its oldest entry
  std::vector<std::size_t> window_base_;     // of a window in window_times_
  std::vector<std::size_t> window_nodes_;    // of a window in window_oldest_
};

}  // namespace lacuna::timing::dram
