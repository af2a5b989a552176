// SPDX-License-Identifier: Apache-2.0
//
// Judges a command log against a memory description, independently of the controller: it shares no
// code with TimingTable or ReadyTimes, looks back at past commands instead of pushing times
// forward, and works with last clock edges as the standard does. Beyond the constraint table it
// checks what the table cannot say: rows that are open, command buses, the data buses (from RL, WL
// and the burst length alone), and that refreshes are neither too rare nor in open banks.
//
// Not checked: initialisation, power-down and self-refresh (the controller does not use them).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "params/memory_params.h"
#include "timing/dram/command_log.h"

namespace lacuna::timing::dram {

class TimingChecker : public CommandObserver {
 public:
  struct Finding {
    std::int64_t number = 0;  ///< of the command, from 0; -1: of the log as a whole
    CommandRecord command;
    std::string what;
  };
  /// Findings beyond this many are counted only.
  static constexpr std::size_t kKept = 100;

  /// Refreshes are expected if preset.controller.refresh says so.
  explicit TimingChecker(const params::MemoryPreset& preset);

  void on_command(const CommandRecord& record) override;
  /// The log ends; checks that no refresh is overdue at `end`.
  void finish(Cycle end);

  [[nodiscard]] std::int64_t commands() const { return count_; }
  [[nodiscard]] std::int64_t violations() const { return violations_; }
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  /// The kept findings, which are forgotten then: a caller that takes them often sees every one.
  [[nodiscard]] std::vector<Finding> take_findings() { return std::exchange(findings_, {}); }
  /// The first findings, a line each, for messages.
  [[nodiscard]] std::string summary(std::size_t lines = 5) const;

 private:
  static constexpr std::size_t kLevels = 5;
  struct Row {
    params::MemoryConstraint rule;
    Cycle latency = 0;
    std::map<int, std::deque<Cycle>> windows;  ///< node -> last edges, oldest first
  };

  void report(const CommandRecord& record, std::string what);
  [[nodiscard]] int node(params::MemoryLevel level, int bank) const {
    return nodes_[static_cast<std::size_t>(level)][static_cast<std::size_t>(bank)];
  }
  [[nodiscard]] bool related(const Row& row, int earlier_bank, const CommandRecord& later) const;
  [[nodiscard]] Cycle last_edge(MemoryCommand command, Cycle start) const;
  void check_rows(const CommandRecord& record, Cycle edge);
  void check_buses(const CommandRecord& record, Cycle edge);
  void check_state(const CommandRecord& record);
  void check_refresh(const CommandRecord& record);
  void remember(const CommandRecord& record, Cycle edge);
  /// First and one past the last bank that the command touches.
  [[nodiscard]] std::pair<int, int> banks_of(const CommandRecord& record) const;

  params::MemoryPreset preset_;
  int banks_ = 0;
  int banks_per_rank_ = 0;
  std::array<std::vector<int>, kLevels> nodes_;  ///< by level: bank -> node
  std::array<std::vector<int>, kLevels>
      parents_;  ///< by level: bank -> node of the next higher level
  std::array<std::vector<std::size_t>, params::kMemoryCommands> rows_of_;  ///< by later command
  std::vector<Row> rows_;
  std::array<std::vector<Cycle>, params::kMemoryCommands> last_;  ///< command, bank -> last edge
  std::vector<int> open_row_;
  std::map<std::string, Cycle> bus_free_;
  std::vector<Cycle> data_free_;     ///< per pseudo-channel
  std::vector<Cycle> last_refresh_;  ///< per rank (all-bank) or bank (per-bank)
  std::vector<std::int64_t> refreshes_;
  Cycle refresh_interval_ = 0;  ///< 0: no refreshes expected
  Cycle last_time_ = 0;
  std::int64_t count_ = 0;
  std::int64_t violations_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace lacuna::timing::dram
