// SPDX-License-Identifier: Apache-2.0
//
// The recurrence written as the specification states it, one PE and one entry at a time. The vector
// versions are compared with this one, and it stands in for them where their ranges end.
#include <algorithm>
#include <limits>

#include "timing/engine/latencies.h"
#include "timing/engine/scanner.h"
#include "timing/engine/timing.h"

namespace lacuna::timing::engine {
namespace {

using base::Cycle;

constexpr Cycle kNever = std::numeric_limits<Cycle>::min() / 4;

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

struct PeState {
  Cycle mask_stage = kNever;  // M of the entry before
  Cycle taken = kNever;       // S of the last entry that the MAC stage took
  Cycle free = 0;             // end of its slots
  bool first = true;          // no entry taken yet
  Cycle blocked_seen = 0;     // the way's sums of b and e when it was taken
  Cycle empty_seen = 0;
};

struct WayState {
  Cycle issue = kStartLatency - 1;  // so that the first entry is no special case
  Cycle blocked = 0;                // sum of b
  Cycle empty = 0;                  // sum of e
  std::int64_t issued = 0;
  std::vector<Cycle> room;  // ring: 1 + max over PEs of M, of the last D entries
};

class PlainPass {
 public:
  PlainPass(const PassInputs& inputs, bool trace, PassResult& result)
      : in_(inputs), trace_(trace), result_(result) {
    const std::size_t ways = size_of(in_.params.k_ways);
    const std::size_t pes = size_of(in_.params.pes);
    ways_.resize(ways);
    for (WayState& way : ways_) way.room.assign(size_of(in_.params.fifo_depth), kNever);
    pes_.resize(ways * pes);
    written_.assign(pes * size_of(in_.tile.mask_bytes), 0);
    if (trace_) {
      result_.trace.issue.resize(ways);
      result_.trace.position.resize(ways);
      result_.trace.group.resize(ways);
      result_.trace.mask_stage.resize(ways * pes);
      result_.trace.mac_stage.resize(ways * pes);
    }
  }

  void run() {
    const int beats = drain_beats(in_.params, in_.tile.rows);
    Cycle drained_1 = in_.command.hold1;  // E(g-1)
    Cycle drained_2 = in_.command.hold2;  // E(g-2)
    for (int g = 0; g < in_.block.groups; ++g) {
      Cycle end = 0;
      for (int q = 0; q < in_.params.k_ways; ++q) end = std::max(end, run_way(q, g, drained_2));
      const Cycle finished = end + kMacLatency;
      const Cycle drained = std::max(finished, drained_1) + kDrainLatency + beats;
      result_.group_end.push_back(finished);
      result_.drain_end.push_back(drained);
      drained_2 = drained_1;
      drained_1 = drained;
    }
    result_.length = result_.group_end.back();
    Counters& counters = result_.counters;
    for (const PeState& pe : pes_) {
      counters.pe_edge += static_cast<std::uint64_t>(result_.length - pe.free);
    }
    for (const WayState& way : ways_) {
      counters.blocked_cycles += static_cast<std::uint64_t>(way.blocked);
    }
  }

 private:
  /// Returns the end of the group's last slot in this way.
  Cycle run_way(int q, int g, Cycle bank_free) {
    WayState& way = ways_[size_of(q)];
    scan_group(in_.tile, in_.block, q, g, scanned_);
    Counters& counters = result_.counters;
    counters.windows_visited += static_cast<std::uint64_t>(scanned_.windows_visited);
    counters.windows_empty += static_cast<std::uint64_t>(scanned_.windows_empty);
    counters.broadcasts += scanned_.entries.size();
    std::fill(written_.begin(), written_.end(), std::uint8_t{0});
    for (std::size_t j = 0; j < scanned_.entries.size(); ++j) {
      const ScannedEntry& entry = scanned_.entries[j];
      const bool last = j + 1 == scanned_.entries.size();
      Cycle& room = way.room[size_of(way.issued % in_.params.fifo_depth)];  // of entry j - D
      const Cycle unblocked = way.issue + 1 + entry.empty;
      way.issue = std::max(unblocked, room);
      way.blocked += way.issue - unblocked;
      way.empty += entry.empty;
      ++way.issued;
      room = kNever;
      if (trace_) {
        result_.trace.issue[size_of(q)].push_back(way.issue);
        result_.trace.position[size_of(q)].push_back(entry.position);
        result_.trace.group[size_of(q)].push_back(g);
      }
      for (int p = 0; p < in_.params.pes; ++p) {
        room = std::max(room, run_pe(q, p, way, entry.position, last, bank_free) + 1);
      }
      if (entry.position < 0) {
        ++counters.entries_without_k;
      } else {
        count_first_writes(in_.tile.entry(q, entry.position));
      }
    }
    Cycle end = 0;
    for (int p = 0; p < in_.params.pes; ++p) {
      end = std::max(end, pes_[size_of(q) * size_of(in_.params.pes) + size_of(p)].free);
    }
    return end;
  }

  /// One entry in one PE; returns M.
  Cycle run_pe(int q, int p, const WayState& way, int position, bool last, Cycle bank_free) {
    const std::size_t index = size_of(q) * size_of(in_.params.pes) + size_of(p);
    PeState& pe = pes_[index];
    pe.mask_stage = std::max({way.issue + kIssueLatency, pe.mask_stage + 1, pe.taken});
    if (trace_) result_.trace.mask_stage[index].push_back(pe.mask_stage);
    const int weights = position < 0 ? 0 : in_.tile.count(q, position, p);
    if (weights == 0 && !last && in_.params.skip_empty == params::SkipEmpty::kDecoupled) {
      return pe.mask_stage;
    }
    const Cycle ready = std::max(pe.mask_stage + kMaskLatency, pe.free);
    const Cycle taken = std::max(ready, bank_free);
    if (trace_) result_.trace.mac_stage[index].push_back(taken);
    attribute_gap(pe, way, ready, taken);
    (weights > 0 ? result_.counters.pe_mac : result_.counters.pe_slot) +=
        static_cast<std::uint64_t>(std::max(weights, 1));
    pe.taken = taken;
    pe.free = taken + std::max(weights, 1);
    return pe.mask_stage;
  }

  void attribute_gap(PeState& pe, const WayState& way, Cycle ready, Cycle taken) {
    Counters& counters = result_.counters;
    counters.pe_bank += static_cast<std::uint64_t>(taken - ready);
    Cycle gap = ready - pe.free;
    const auto take = [&gap](std::uint64_t& counter, Cycle limit) {
      const Cycle part = std::min(gap, limit);
      counter += static_cast<std::uint64_t>(part);
      gap -= part;
    };
    if (pe.first) take(counters.pe_edge, kFillLatency);
    take(counters.pe_imbalance, way.blocked - pe.blocked_seen);
    take(counters.pe_window, way.empty - pe.empty_seen);
    counters.pe_issue += static_cast<std::uint64_t>(gap);
    pe.first = false;
    pe.blocked_seen = way.blocked;
    pe.empty_seen = way.empty;
  }

  /// acc_reads counts first writes here; count_structure's acc_writes turns it round at the end.
  void count_first_writes(std::size_t entry) {
    const std::uint8_t* masks = in_.tile.masks.data() + entry * size_of(in_.tile.mask_stride);
    for (std::size_t i = 0; i < written_.size(); ++i) {
      result_.counters.acc_reads +=
          static_cast<std::uint64_t>(__builtin_popcount(masks[i] & ~written_[i] & 0xFFU));
      written_[i] |= masks[i];
    }
  }

  const PassInputs& in_;
  bool trace_;
  PassResult& result_;
  std::vector<WayState> ways_;
  std::vector<PeState> pes_;
  std::vector<std::uint8_t> written_;  // rows written in this group, of one way
  ScannedGroup scanned_;
};

}  // namespace

void evaluate_plain(const PassInputs& inputs, bool trace, PassResult& result) {
  PlainPass(inputs, trace, result).run();
}

}  // namespace lacuna::timing::engine
