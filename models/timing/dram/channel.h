// SPDX-License-Identifier: Apache-2.0
//
// One DRAM channel with its controller: FR-FCFS (row hits first, then oldest first; hits may pass
// an older request of their bank only so often) or FCFS; rows stay open, close behind their last
// waiting access, or after a while; reads before writes until the write queue fills up; refresh as
// late as allowed while requests wait; ranks that nobody wants power down and refresh themselves.
//
// Time is an argument, in cycles of the memory's command clock, and never stepped: the controller
// computes the earliest legal cycle of every useful command and performs the earliest one; of
// several at the same cycle a column command goes before a row command, the older request before
// the younger. A row command whose cycles on a shared command bus would delay a waiting column
// command steps back behind it, at most kMaxDeferrals times in a row.
//
// Contract: for every cycle t, first enqueue everything that arrives at t, then advance(t).
// Completion times lie in the future of the column command; they are exact when reported.
//
// A request is one burst. A read of a burst that waits in the write queue is answered from there
// without a command; a write to a burst that waits to be read is not accepted until then. A request
// for a burst for which one of its kind waits joins that one: a single command serves both.
//
// channel.cpp holds the scheduling of requests, channel_run.cpp a shorter way for a bank that goes
// on with its row, channel_upkeep.cpp what happens beside requests: refresh, closing of unwanted
// rows, power-down.
//
// Not modelled here: command bus parity, data bus inversion, controller clock crossings
// (pipeline_cycles is a constant).
#pragma once

#include <cstdint>
#include <vector>

#include "params/memory_params.h"
#include "timing/dram/bank_queues.h"
#include "timing/dram/burst_line.h"
#include "timing/dram/channel_stats.h"
#include "timing/dram/command_log.h"
#include "timing/dram/rank_states.h"
#include "timing/dram/ready_times.h"
#include "timing/dram/refresh_timer.h"
#include "timing/dram/timing_table.h"
#include "timing/dram/wishes.h"

namespace lacuna::timing::dram {

struct BurstDone {
  std::uint64_t id = 0;
  Cycle done = 0;  ///< the cycle after the last data beat, plus pipeline_cycles
};

class Channel {
 public:
  static constexpr int kMaxDeferrals = 4;
  static constexpr int kMaxBanks = 1 << Wishes::kBankBits;  ///< MemoryPreset::validate()
  static constexpr int kMaxRanks = 32;

  /// `table` outlives the channel. `refresh_phase`: see RefreshTimer.
  Channel(const TimingTable& table, const params::MemoryControllerParams& policy,
          double refresh_phase = 0);

  /// Room in the queue, and no older read of the same burst that a write would overtake.
  [[nodiscard]] bool can_accept(const BurstRequest& request) const;
  /// Requires can_accept() and now >= every earlier time given.
  void enqueue(const BurstRequest& request, Cycle now);

  /// Bursts that wait for their column command; requests that joined one are not counted.
  [[nodiscard]] int pending() const { return queues_[0].size() + queues_[1].size(); }
  /// The cycle of the next command while requests wait; kNever when none do (refreshes of an idle
  /// channel are caught up later).
  [[nodiscard]] Cycle next_command_time() {
    if (pending() == 0) return kNever;
    if (!is_chosen_) choose();
    return chosen_.time;
  }
  /// Nothing new can be done before this cycle.
  [[nodiscard]] Cycle completion_bound() {
    const Cycle next = next_command_time();
    return next == kNever ? kNever : next + least_latency_;
  }

  /// Performs the next command if its time is at most `now`; false if there is none.
  bool step(Cycle now);
  /// Performs all commands up to `now`.
  void advance(Cycle now) {
    while (step(now)) {
    }
  }

  /// Performs all commands before `before`; bursts of the lines enter the queue as soon as it has
  /// room, reads first.
  void advance(Cycle before, BurstLine& reads, BurstLine& writes);
  /// Enqueues what the queue has room for.
  void feed(BurstLine& reads, BurstLine& writes, Cycle now);

  /// Bursts whose end is known; the caller takes them out.
  [[nodiscard]] std::vector<BurstDone>& completions() { return completions_; }

  /// Time of the latest command or arrival.
  [[nodiscard]] Cycle now() const { return floor_; }

  /// Counters up to `now`, which must not be before the latest command.
  [[nodiscard]] const ChannelStats& stats(Cycle now);

  /// Null for none. The observer outlives the channel or is removed.
  void set_observer(CommandObserver* observer) { observer_ = observer; }

 private:
  enum Direction : std::size_t { kReads = 0, kWrites = 1 };

  // What may be done next; time kNever: nothing.
  struct Action {
    Cycle time = kNever;
    std::uint64_t order = 0;  ///< of the request it serves; 0: upkeep that goes before all
    MemoryCommand command = MemoryCommand::kACT;
    bool is_due_time = false;  ///< no command: a refresh becomes due
    bool defers_row = false;   ///< a row command could have gone earlier
    Direction direction = kReads;
    int bank = 0;
    int position = -1;  ///< of the burst in its bank's queue; -1: upkeep
  };
  struct BankState {
    std::int32_t open_row = -1;
    std::int32_t passed = 0;  ///< row hits that passed an older request since the ACT
    Cycle last_use = 0;       ///< ACT or column command
  };
  struct RankState {
    int pending = 0;       ///< bursts that wait
    Cycle idle_since = 0;  ///< latest column command
  };
  // A request that joined a waiting burst.
  struct Merged {
    std::uint64_t id = 0;
    Cycle arrival = 0;
    std::int32_t next = -1;
  };
  // The best of all wishes of a kind when it was looked for, or a later better one. Times only
  // grow: while it has its time it is the best still; when it has gone, no other is earlier.
  struct BestWish {
    int bank = kUnknown;
    Cycle time = 0;
    std::uint64_t tag = 0;
  };
  static constexpr int kUnknown = -1;
  static constexpr int kOnlyTime = -2;  ///< BestWish: no wish is earlier
  // The bank that had the latest column commands, while that may go on without a look at others.
  struct Run {
    int bank = -1;
    Direction direction = kReads;
    std::int64_t length = 0;
    bool knows_others = false;     ///< others_tag has been looked for
    std::uint64_t others_tag = 0;  ///< at most that of any other bank's column command
    bool is_chosen = false;        ///< it goes on: nothing else is earlier ...
    Cycle bound = 0;               ///< ... nor would be until after this cycle
  };
  static constexpr int kNone = -2;  ///< no burst, so no hit or miss either
  static constexpr std::uint64_t kAfterAll = ~std::uint64_t{0};  ///< order of upkeep that can wait

  static void keep_better(Action& best, const Action& other) {
    if (other.time < best.time || (other.time == best.time && other.order < best.order)) {
      best = other;
    }
  }

  // Only reads the state, apart from chosen_: how often it is called makes no difference.
  void choose();
  [[nodiscard]] Direction next_direction() const;
  // Puts the best wish of this kind into `best` if it is better and not later than `latest`.
  template <Wishes::Kind kKind>
  void consider(Direction direction, Cycle latest, Action& best);
  // Whether the bank of the latest column command goes on, which is then chosen.
  bool continue_run(Direction direction);
  void know_others();
  // No row command, no refresh that becomes due is before or in this cycle.
  [[nodiscard]] Cycle others_bound(Direction direction) const;
  // The chosen command of a run and those that follow it.
  void perform_run(Cycle before, BurstLine& reads);
  // Enqueues what changes no bank's wish, until the queue is full or the line empty; false if one
  // would.
  bool feed_quietly(BurstLine& reads);
  // Looks through the banks.
  [[nodiscard]] BestWish find_best_wish(Wishes::Kind kind, Direction direction, Cycle floor,
                                        Cycle latest) const;
  // FCFS: only the oldest request counts.
  void consider_oldest(Direction direction, Action& column, Action& row) const;
  // Closed pages: the last access of a row precharges.
  void consider_closing(Action& column);
  void consider_refresh(Action& row) const;
  void consider_refresh_of_rank(int rank, Action& row) const;
  void consider_refresh_of_set(int rank, Action& row) const;
  // Rows that nobody wanted for page_timeout.
  void consider_timeout(Action& row) const;
  // Entry and exit of power-down and self-refresh.
  void consider_sleep(Action& row) const;
  void consider_sleep_of_rank(int rank, Action& row) const;
  // Closes the rank's open banks: PRE for one, PREA for several.
  [[nodiscard]] Action closing_of_rank(int rank) const;
  [[nodiscard]] bool is_awake(int rank) const {
    return states_.sleep(rank) == RankStates::Sleep::kAwake;
  }
  [[nodiscard]] bool is_blocked(int bank) const {
    return ((blocked_[static_cast<std::size_t>(bank) / 64] >> (bank % 64)) & 1) != 0;
  }
  // A rank's refresh became due or was done, or it fell asleep or woke up.
  void renew_blocked();
  void block(int bank) {
    any_blocked_ = true;
    blocked_[static_cast<std::size_t>(bank) / 64] |= std::uint64_t{1} << (bank % 64);
  }
  // A bank's queue of this direction, or its row, changed.
  void renew_wish(int bank, Direction direction);
  void renew_wishes(int bank) {
    renew_wish(bank, kReads);
    renew_wish(bank, kWrites);
  }

  void perform(const Action& action);
  void perform_row(const Action& action);
  void perform_upkeep(const Action& action);
  void issue(MemoryCommand command, int bank, Cycle time, int row, int column);
  void perform_column(const Action& action);
  void open_row(int bank, std::int32_t row, Cycle time);
  void close_bank(int bank);
  void close_rank(int rank, Cycle time);
  void push(const BurstRequest& request, BankQueues& queue, std::int32_t open_row);
  // Statistics and completion of a burst that gets its column command.
  void count_burst(const BankQueues::Burst& burst, Cycle time);
  void finish(const BankQueues::Burst& burst, bool is_write, Cycle done);
  // Counts how full the queues were up to `time`; before every change of them.
  void settle_queues(Cycle time);
  void note_largest_queue(Direction direction);
  // Room that is taken in the queue: bursts and the requests that joined them.
  [[nodiscard]] int waiting(Direction direction) const {
    return queues_[direction].size() + joined_[direction];
  }
  void complete(std::uint64_t id, Cycle arrival, bool is_write, Cycle done);
  void merge(BankQueues::Burst& burst, const BurstRequest& request);

  [[nodiscard]] int rank_of(int bank) const { return bank >> rank_shift_; }
  [[nodiscard]] BankState& bank_state(int bank) { return banks_[static_cast<std::size_t>(bank)]; }
  [[nodiscard]] const BankState& bank_state(int bank) const {
    return banks_[static_cast<std::size_t>(bank)];
  }

  const TimingTable& table_;
  params::MemoryControllerParams policy_;
  ReadyTimes ready_;
  RankStates states_;
  RefreshTimer refresh_;
  std::vector<BankState> banks_;
  std::vector<RankState> ranks_;
  bool may_sleep_ = false;
  bool may_run_ = false;  ///< the policy lets a bank go on with its row
  Run run_;
  Cycle repeat_ = 0;            ///< from RD to RD of a run; 0: others may be earlier
  std::vector<Merged> merged_;  ///< linked lists; free entries from free_merged_ on
  std::int32_t free_merged_ = -1;
  int joined_[2] = {0, 0};  ///< requests in merged_ by direction: each takes its room in the queue
  BankQueues queues_[2];
  Wishes wishes_[2];
  BestWish best_wishes_[2][3];          ///< by direction and kind
  std::vector<std::uint64_t> blocked_;  ///< bit per bank: a forced refresh comes, the rank sleeps
  bool any_blocked_ = false;
  LeastKey least_key_ = nullptr;  ///< null: bank by bank
  int rank_shift_ = 0;            ///< bank >> rank_shift_ = rank
  Direction direction_ = kReads;
  int served_in_direction_ = 0;
  int deferrals_ = 0;
  int least_latency_ = 0;
  Action chosen_;
  bool is_chosen_ = false;
  Cycle floor_ = 0;  ///< no command starts before
  std::uint64_t order_ = 0;
  Cycle busy_since_ = 0;
  Cycle queues_since_ = 0;
  Cycle last_data_ = 0;
  bool is_busy_ = false;
  std::vector<BurstDone> completions_;
  ChannelStats stats_;
  CommandObserver* observer_ = nullptr;
};

}  // namespace lacuna::timing::dram
