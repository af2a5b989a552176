// SPDX-License-Identifier: Apache-2.0
//
// Judges a command log against a memory description, independently of the controller: it shares no
// code with TimingTable or ReadyTimes, looks back at past commands instead of pushing times
// forward, and works with last clock edges as the standard does. Beyond the constraint table it
// checks what the table cannot say: rows that are open, command buses, the data buses (from RL, WL
// and the burst length alone), that refreshes are neither too rare nor in open banks, that nothing
// is sent to a rank in power-down or self-refresh but its exit, that self-refresh begins with all
// banks closed, and that a refresh lies between two self-refreshes.
//
// Not checked: initialisation.
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

  // Banks first, first + stride, ... below end.
  struct Banks {
    int first = 0;
    int end = 0;
    int stride = 1;
  };
  enum class Sleep { kAwake, kPowerDown, kSelfRefresh };
  struct Rank {
    Sleep sleep = Sleep::kAwake;
    Cycle asleep_since = 0;     ///< self-refresh
    bool owes_refresh = false;  ///< left self-refresh, no refresh since
  };

  void report(const CommandRecord& record, std::string what);
  [[nodiscard]] int node(params::MemoryLevel level, int bank) const {
    return nodes_[static_cast<std::size_t>(level)][static_cast<std::size_t>(bank)];
  }
  // The latest last edge of an earlier command of the row that concerns this one.
  [[nodiscard]] Cycle latest_related(const Row& row, const CommandRecord& later) const;
  [[nodiscard]] Cycle latest_in(const Row& row, int first, int end) const;
  [[nodiscard]] Cycle last_edge(MemoryCommand command, Cycle start) const;
  void check_rows(const CommandRecord& record, Cycle edge);
  void check_buses(const CommandRecord& record, Cycle edge);
  void check_state(const CommandRecord& record);
  void check_sleep(const CommandRecord& record);
  void check_refresh(const CommandRecord& record);
  void wake_up(const CommandRecord& record);
  void remember(const CommandRecord& record, Cycle edge);
  [[nodiscard]] Banks banks_of(const CommandRecord& record) const;
  [[nodiscard]] Rank& rank_of(int bank) {
    return ranks_[static_cast<std::size_t>(bank / banks_per_rank_)];
  }

  params::MemoryPreset preset_;
  int banks_ = 0;
  int banks_per_rank_ = 0;
  int refresh_stride_ = 1;                       ///< between the banks that one REFpb refreshes
  std::array<int, kLevels> node_banks_{};        ///< by level: banks of a node
  std::array<std::vector<int>, kLevels> nodes_;  ///< by level: bank -> node
  std::array<std::vector<std::size_t>, params::kMemoryCommands> rows_of_;  ///< by later command
  std::vector<Row> rows_;
  std::array<std::vector<Cycle>, params::kMemoryCommands> last_;  ///< command, bank -> last edge
  std::vector<int> open_row_;
  std::vector<Rank> ranks_;
  std::map<std::string, Cycle> bus_free_;
  std::vector<Cycle> data_free_;     ///< per pseudo-channel
  std::vector<Cycle> last_refresh_;  ///< per rank (all-bank) or bank (per-bank)
  std::vector<Cycle> slept_;         ///< beside last_refresh_: in self-refresh, in all
  std::vector<std::int64_t> refreshes_;
  Cycle refresh_interval_ = 0;  ///< 0: no refreshes expected
  Cycle last_time_ = 0;
  std::int64_t count_ = 0;
  std::int64_t violations_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace lacuna::timing::dram
