// SPDX-License-Identifier: Apache-2.0
//
// What a pass must show: the function as a plain matrix product, the cycles as the recurrence of
// engine.md (section 7) in its simplest form, one entry and one PE at a time, and the counters of
// section 8.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "cosim/rtl_abi.h"
#include "rtl/support/problem.h"

namespace lacuna::test::rtl {

struct Expected {
  std::vector<std::vector<std::uint32_t>> issue;  // [way]
  std::vector<std::vector<std::uint32_t>> mask;   // [way*P+pe]
  std::vector<std::vector<std::uint32_t>> mac;
  std::vector<std::uint64_t> group_end, drain_end;
  std::uint64_t length = 0;
  std::vector<std::uint8_t> outputs;   // [token][channel]
  std::vector<std::int32_t> psum_out;  // [group][beat][channel of the beat][lane]
  lacuna_rtl_counters counters{};
};

class Oracle {
 public:
  Oracle(const Shape& shape, const Problem& problem)
      : shape_(shape), problem_(problem), layout_(shape, problem) {}

  Expected run() {
    scan();
    time();
    compute();
    count_rest();
    return out_;
  }

 private:
  static constexpr std::int64_t kStart = 1, kIssue = 2, kMask = 1, kMac = 2, kDrain = 1;

  struct Entry {
    int position = -1;  // -1: without k
    int group = 0;
    bool last = false;
    std::int64_t empty = 0;  // empty cycles before it
    std::int64_t blocked = 0;
    std::int64_t issued = 0;
  };
  struct Slot {  // an entry at a PE that its MAC stage takes
    std::size_t entry = 0;
    std::int64_t mask = 0, mac = 0, slots = 0, weights = 0;
  };
  struct Pe {
    std::int64_t last_mask = -1, free = 0;
    std::int64_t stage_left = 0;  // S of the last entry that needed the MAC stage
    std::vector<std::int64_t> pops;
    std::vector<Slot> taken;
  };

  void scan() {
    entries_.resize(static_cast<std::size_t>(shape_.k_ways));
    for (int way = 0; way < shape_.k_ways; ++way) {
      std::int64_t empty = 0;
      for (int group = 0; group < layout_.groups; ++group) {
        std::vector<std::vector<int>> visited;  // hits of each visited window
        for (std::size_t w = 0; w < layout_.base.size(); ++w) {
          bool acts = false, rows = false;
          std::vector<int> hits;
          for (int x = layout_.base[w]; x < layout_.window_end(w); ++x) {
            const bool act = layout_.act_bit(way, x, group);
            const bool row = layout_.present(way, x);
            acts |= act;
            rows |= row;
            if (act && row) hits.push_back(x);
          }
          if (acts && rows) visited.push_back(hits);
        }
        out_.counters.windows_visited += visited.size();
        if (visited.empty()) visited.emplace_back();
        auto& list = entries_[static_cast<std::size_t>(way)];
        for (std::size_t v = 0; v < visited.size(); ++v) {
          const bool last_window = v + 1 == visited.size();
          if (visited[v].empty() && !last_window) {
            ++empty;
            ++out_.counters.windows_empty;
          }
          for (std::size_t h = 0; h < visited[v].size(); ++h) {
            Entry entry;
            entry.position = visited[v][h];
            entry.group = group;
            entry.last = last_window && h + 1 == visited[v].size();
            entry.empty = empty;
            empty = 0;
            list.push_back(entry);
          }
          if (visited[v].empty() && last_window) {
            Entry entry;
            entry.group = group;
            entry.last = true;
            entry.empty = empty;
            empty = 0;
            list.push_back(entry);
            ++out_.counters.entries_without_k;
          }
        }
      }
    }
  }

  /// The recurrence. Groups in order, since S needs E of the group two before.
  void time() {
    const auto ways = static_cast<std::size_t>(shape_.k_ways);
    const auto pes = static_cast<std::size_t>(shape_.pes);
    std::vector<std::vector<Pe>> state(ways, std::vector<Pe>(pes));
    std::vector<std::size_t> next(ways, 0);
    std::vector<std::int64_t> ends(2);  // E(g-2), E(g-1)
    ends[0] = problem_.hold2;
    ends[1] = problem_.hold1;
    for (int group = 0; group < layout_.groups; ++group) {
      std::int64_t finish = 0;
      for (std::size_t way = 0; way < ways; ++way) {
        auto& list = entries_[way];
        for (; next[way] < list.size() && list[next[way]].group == group; ++next[way]) {
          step(way, next[way], state[way], ends[0], finish);
        }
      }
      finish += kMac;
      const std::int64_t end = std::max(finish, ends[1]) + kDrain + layout_.beats;
      out_.group_end.push_back(static_cast<std::uint64_t>(finish));
      out_.drain_end.push_back(static_cast<std::uint64_t>(end));
      ends[0] = ends[1];
      ends[1] = end;
    }
    out_.length = out_.group_end.back();
    for (std::size_t way = 0; way < ways; ++way) {
      out_.issue.emplace_back();
      for (const Entry& entry : entries_[way]) {
        out_.issue.back().push_back(static_cast<std::uint32_t>(entry.issued));
        out_.counters.blocked_cycles += static_cast<std::uint64_t>(entry.blocked);
      }
      for (const Pe& pe : state[way]) {
        out_.mask.emplace_back(pe.pops.begin(), pe.pops.end());
        out_.mac.emplace_back();
        for (const Slot& slot : pe.taken)
          out_.mac.back().push_back(static_cast<std::uint32_t>(slot.mac));
        split_gaps(way, pe);
      }
    }
  }

  void step(std::size_t way, std::size_t j, std::vector<Pe>& pes, std::int64_t bank_free,
            std::int64_t& finish) {
    auto& list = entries_[way];
    Entry& entry = list[j];
    const std::int64_t earliest = (j == 0 ? kStart : list[j - 1].issued + 1) + entry.empty;
    entry.issued = earliest;
    const auto depth = static_cast<std::size_t>(shape_.fifo_depth);
    if (j >= depth) {
      for (const Pe& pe : pes) entry.issued = std::max(entry.issued, pe.pops[j - depth] + 1);
    }
    entry.blocked = entry.issued - earliest;
    for (std::size_t p = 0; p < pes.size(); ++p) {
      Pe& pe = pes[p];
      const std::int64_t pop = std::max({entry.issued + kIssue, pe.last_mask + 1, pe.stage_left});
      pe.last_mask = pop;
      pe.pops.push_back(pop);
      const std::int64_t weights =
          entry.position < 0 ? 0
                             : std::popcount(layout_.weight_mask(
                                   static_cast<int>(way), static_cast<int>(p), entry.position));
      if (weights == 0 && !entry.last && shape_.skip_empty != 0) continue;
      Slot slot;
      slot.entry = j;
      slot.mask = pop;
      slot.weights = weights;
      slot.slots = std::max<std::int64_t>(weights, 1);
      slot.mac = std::max({pop + kMask, pe.free, bank_free});
      pe.free = slot.mac + slot.slots;
      pe.stage_left = slot.mac;
      pe.taken.push_back(slot);
      if (entry.last) finish = std::max(finish, pe.free);
    }
  }

  void split_gaps(std::size_t way, const Pe& pe) {
    lacuna_rtl_counters& c = out_.counters;
    std::int64_t free = 0;
    std::size_t from = 0;  // first entry of the way after the one taken before
    bool first = true;
    for (const Slot& slot : pe.taken) {
      std::int64_t gap = slot.mac - free;
      const auto part = [&gap](std::int64_t wanted) {
        const std::int64_t taken = std::min(gap, wanted);
        gap -= taken;
        return static_cast<std::uint64_t>(taken);
      };
      std::int64_t blocked = 0, empty = 0;
      for (std::size_t i = from; i <= slot.entry; ++i) {
        blocked += entries_[way][i].blocked;
        empty += entries_[way][i].empty;
      }
      c.pe_bank += part(slot.mac - std::max(slot.mask + kMask, free));
      if (first) c.pe_edge += part(kStart + kIssue + kMask);
      c.pe_imbalance += part(blocked);
      c.pe_window += part(empty);
      c.pe_issue += static_cast<std::uint64_t>(gap);
      (slot.weights > 0 ? c.pe_mac : c.pe_slot) += static_cast<std::uint64_t>(slot.slots);
      free = slot.mac + slot.slots;
      from = slot.entry + 1;
      first = false;
    }
    c.pe_edge += out_.length - static_cast<std::uint64_t>(free);
  }

  /// Sums by plain multiplication, then the arithmetic of numerics.md.
  void compute() {
    const int k = problem_.k();
    const auto values = static_cast<std::size_t>(layout_.groups) *
                        static_cast<std::size_t>(layout_.beats * shape_.drain_width * shape_.lanes);
    if (problem_.psum_write) {
      out_.psum_out.assign(values, 0);
    } else {
      out_.outputs.assign(static_cast<std::size_t>(problem_.tokens * problem_.channels), 0);
    }
    if (problem_.psum_write && problem_.psum_read) out_.psum_out = problem_.psum_in;
    for (int m = 0; m < problem_.tokens; ++m) {
      for (int n = 0; n < problem_.channels; ++n) {
        std::uint32_t sum = 0;
        for (int i = 0; i < k; ++i) {
          sum += static_cast<std::uint32_t>(problem_.act(m, i) * problem_.weight(n, i));
        }
        const int group = m / shape_.lanes, lane = m % shape_.lanes;
        const int beat = n / shape_.drain_width, place = n % shape_.drain_width;
        const auto at = static_cast<std::size_t>(
            ((group * layout_.beats + beat) * shape_.drain_width + place) * shape_.lanes + lane);
        if (problem_.psum_read) sum += static_cast<std::uint32_t>(problem_.psum_in[at]);
        if (problem_.psum_write) {
          out_.psum_out[at] = static_cast<std::int32_t>(sum);
          continue;
        }
        const auto channel = static_cast<std::size_t>(n);
        const auto a =
            static_cast<std::int32_t>(sum + static_cast<std::uint32_t>(problem_.bias[channel]));
        const int shift = problem_.shift[channel];
        std::int64_t y = std::int64_t{a} * problem_.multiplier[channel];
        y = (y + (std::int64_t{1} << (shift - 1))) >> shift;
        y = std::clamp<std::int64_t>(y, problem_.clamp_lo, problem_.clamp_hi);
        if (std::abs(y) <= problem_.gate) y = 0;
        out_.outputs[static_cast<std::size_t>(m * problem_.channels + n)] =
            static_cast<std::uint8_t>(y);
        out_.counters.outputs_nonzero += y != 0;
      }
    }
    if (!problem_.psum_write) out_.counters.outputs = out_.outputs.size();
    out_.counters.drain_beats = static_cast<std::uint64_t>(layout_.groups * layout_.beats);
    if (problem_.psum_read) out_.counters.psum_reads = values;
    if (problem_.psum_write) out_.counters.psum_writes = values;
  }

  void count_rest() {
    lacuna_rtl_counters& c = out_.counters;
    const auto pes = static_cast<std::uint64_t>(shape_.pes);
    for (int way = 0; way < shape_.k_ways; ++way) {
      for (int pe = 0; pe < shape_.pes; ++pe) {
        std::vector<int> pointer(static_cast<std::size_t>(layout_.positions) + 1, 0);
        for (int x = 0; x < layout_.positions; ++x) {
          pointer[static_cast<std::size_t>(x) + 1] =
              problem_.in_place ? (x + 1) * layout_.rows
                                : pointer[static_cast<std::size_t>(x)] +
                                      std::popcount(layout_.weight_mask(way, pe, x));
        }
        std::set<std::pair<int, int>> written;  // (group, row)
        for (const Entry& entry : entries_[static_cast<std::size_t>(way)]) {
          if (entry.position < 0) continue;
          std::uint64_t mask = layout_.weight_mask(way, pe, entry.position);
          std::set<int> words;
          int address = pointer[static_cast<std::size_t>(entry.position)];
          for (int row = 0; mask != 0; ++row, mask >>= 1) {
            if ((mask & 1) == 0) continue;
            words.insert((problem_.in_place ? address + row : address++) / shape_.weight_word);
            written.insert({entry.group, row});
            ++c.acc_writes;
            for (int lane = 0; lane < shape_.lanes; ++lane) {
              const int token = entry.group * shape_.lanes + lane;
              ++(layout_.act_value(way, entry.position, token) != 0 ? c.macs : c.macs_gated);
            }
          }
          c.weight_words += words.size();
        }
        c.acc_reads -= written.size();
      }
      for (const Entry& entry : entries_[static_cast<std::size_t>(way)]) {
        ++c.broadcasts;
        c.activation_reads += entry.position >= 0;
      }
    }
    c.acc_reads += c.acc_writes;
    c.fifo_pushes = pes * c.broadcasts;
    c.metadata_reads = pes * c.activation_reads;
  }

  Shape shape_;
  const Problem& problem_;
  Layout layout_;
  std::vector<std::vector<Entry>> entries_;  // per way
  Expected out_;
};

}  // namespace lacuna::test::rtl
