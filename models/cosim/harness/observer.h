// SPDX-License-Identifier: Apache-2.0
//
// Turns what the RTL shows on its observation ports, cycle by cycle, into the event lists and
// counters of docs/reference/engine.md, section 8. Everything is derived from observed events; it
// knows neither masks nor the recurrence. Gaps of a PE are split when the entry that ends them is
// taken (decision 0005).
//
// One observer follows one pass: cycle(t) for t = 0 .. length-1, then finish(length). Cycles are
// relative to the start.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cosim/rtl_abi.h"

namespace lacuna::cosim::harness {

/// Bits of an observation byte of a way, and of the observation field of a PE (lacuna_pkg.sv).
enum WayBit : unsigned { kIssue, kNoK, kVisited, kEmpty, kBlocked, kRead, kPush };
enum PeBit : unsigned { kPop, kTake, kMac, kSlot, kWord, kFirst, kMeta, kGated };

class Observer {
 public:
  Observer(const lacuna_rtl_parameters& parameters, bool want_trace)
      : parameters_(parameters),
        want_trace_(want_trace),
        field_(parameters.lanes <= 1   ? 8
               : parameters.lanes <= 8 ? 16
                                       : 32),
        per_word_(64 / field_),
        ways_(parameters.k_ways),
        pes_(static_cast<std::size_t>(parameters.k_ways) * parameters.pes),
        words_((pes_.size() + per_word_ - 1) / per_word_),
        slots_before_(words_.size(), 0) {
    for (unsigned bit = 0; bit < kGated; ++bit) ones_[bit] = every_field(std::uint64_t{1} << bit);
    gated_ = every_field(((std::uint64_t{1} << parameters.lanes) - 1) << kGated);
  }

  /// Buffer for the observation fields of all PEs of a cycle.
  void* pe_words() { return words_.data(); }
  [[nodiscard]] std::size_t pe_bytes() const { return words_.size() * 8; }

  void cycle(std::uint64_t t, const std::uint8_t* way_bytes) {
    for (std::size_t q = 0; q < ways_.size(); ++q) {
      if (way_bytes[q] != 0) observe_way(ways_[q], t, way_bytes[q]);
    }
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const std::uint64_t word = words_[w];
      const std::uint64_t before = slots_before_[w];
      const std::uint64_t mac = word & ones_[kMac];
      const std::uint64_t slots = (mac >> kMac) | ((word & ones_[kSlot]) >> kSlot);
      slots_before_[w] = slots;
      for (std::uint64_t over = before & ~slots; over != 0; over &= over - 1) {
        pes_[index(w, over)].free = t;
      }
      if (word == 0) continue;
      counters_.pe_mac += count(mac);
      counters_.pe_slot += count(word & ones_[kSlot]);
      counters_.weight_words += count(word & ones_[kWord]);
      first_writes_ += count(word & ones_[kFirst]);
      counters_.metadata_reads += count(word & ones_[kMeta]);
      counters_.macs_gated += count(word & gated_);
      const std::uint64_t takes = (word & ones_[kTake]) >> kTake;
      const std::uint64_t pops = (word & ones_[kPop]) >> kPop;
      for (std::uint64_t bits = takes; bits != 0; bits &= bits - 1) {
        const std::size_t pe = index(w, bits);
        take(pes_[pe], ways_[pe / parameters_.pes], t, (before & bits & (~bits + 1)) != 0);
      }
      for (std::uint64_t bits = pops; bits != 0; bits &= bits - 1) {
        Pe& pe = pes_[index(w, bits)];
        pe.stage_since = t;
        ++pe.popped;
        if (want_trace_) pe.mask.push_back(static_cast<std::uint32_t>(t));
      }
    }
  }

  /// The pass is over: every later PE-cycle is none of it. Checks that the PE-cycles add up.
  void finish(std::uint64_t length) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (slots_before_[w] != 0) throw std::runtime_error("a PE works beyond the end of its pass");
    }
    for (Pe& pe : pes_) {
      if (pe.free > length) throw std::runtime_error("a PE works beyond the end of its pass");
      counters_.pe_edge += length - pe.free;
    }
    const std::uint64_t lanes = parameters_.lanes;
    counters_.broadcasts = issues_;
    counters_.acc_writes = counters_.pe_mac;
    counters_.acc_reads = counters_.pe_mac - first_writes_;
    counters_.macs = counters_.pe_mac * lanes - counters_.macs_gated;
    const lacuna_rtl_counters& c = counters_;
    const std::uint64_t sum =
        c.pe_mac + c.pe_slot + c.pe_bank + c.pe_edge + c.pe_imbalance + c.pe_window + c.pe_issue;
    if (sum != pes_.size() * length) throw std::runtime_error("PE-cycles do not add up");
    if (c.activation_reads + c.entries_without_k != c.broadcasts) {
      throw std::runtime_error("value reads and broadcasts do not match");
    }
  }

  lacuna_rtl_counters& counters() { return counters_; }

  /// The event lists, flat, as the C interface wants them.
  void append_trace(std::vector<std::uint32_t>& issue, std::vector<std::uint64_t>& issue_offset,
                    std::vector<std::uint32_t>& mask, std::vector<std::uint64_t>& mask_offset,
                    std::vector<std::uint32_t>& mac, std::vector<std::uint64_t>& mac_offset) const {
    issue_offset.assign(1, 0);
    mask_offset.assign(1, 0);
    mac_offset.assign(1, 0);
    for (const Way& way : ways_) {
      issue.insert(issue.end(), way.issue.begin(), way.issue.end());
      issue_offset.push_back(issue.size());
    }
    for (const Pe& pe : pes_) {
      mask.insert(mask.end(), pe.mask.begin(), pe.mask.end());
      mask_offset.push_back(mask.size());
      mac.insert(mac.end(), pe.mac.begin(), pe.mac.end());
      mac_offset.push_back(mac.size());
    }
  }

 private:
  /// Blocked and empty cycles of a way up to and including those before an entry.
  struct Waits {
    std::uint64_t blocked = 0;
    std::uint64_t empty = 0;
  };
  struct Way {
    Waits now;
    std::vector<Waits> before;  // per issued entry
    std::vector<std::uint32_t> issue;
  };
  struct Pe {
    std::uint64_t stage_since = 0;  // M of the entry in the mask stage
    std::uint64_t popped = 0;       // entries popped so far
    std::uint64_t free = 0;         // end of the last slot
    Waits taken;                    // waits up to the entry taken last
    bool any = false;               // an entry was taken
    std::vector<std::uint32_t> mask;
    std::vector<std::uint32_t> mac;
  };

  [[nodiscard]] std::uint64_t every_field(std::uint64_t field) const {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < per_word_; ++i) word |= field << (i * field_);
    return word;
  }
  static std::uint64_t count(std::uint64_t bits) {
    return static_cast<std::uint64_t>(std::popcount(bits));
  }
  [[nodiscard]] std::size_t index(std::size_t word, std::uint64_t bits) const {
    return word * per_word_ + static_cast<unsigned>(std::countr_zero(bits)) / field_;
  }

  void observe_way(Way& way, std::uint64_t t, unsigned bits) {
    const auto has = [bits](WayBit bit) { return (bits >> bit) & 1U; };
    counters_.windows_visited += has(kVisited);
    counters_.windows_empty += has(kEmpty);
    counters_.blocked_cycles += has(kBlocked);
    counters_.activation_reads += has(kRead);
    counters_.fifo_pushes += has(kPush) * parameters_.pes;
    way.now.empty += has(kEmpty);
    way.now.blocked += has(kBlocked);
    if (has(kIssue) != 0) {
      ++issues_;
      counters_.entries_without_k += has(kNoK);
      way.before.push_back(way.now);
      if (want_trace_) way.issue.push_back(static_cast<std::uint32_t>(t));
    }
  }

  void take(Pe& pe, const Way& way, std::uint64_t t, bool slot_before) {
    if (want_trace_) pe.mac.push_back(static_cast<std::uint32_t>(t));
    if (pe.popped == 0 || pe.popped > way.before.size()) {
      throw std::runtime_error("a PE took an entry that was never issued");
    }
    const Waits waits = way.before[pe.popped - 1];
    const std::uint64_t free = slot_before ? t : pe.free;
    std::uint64_t gap = t - free;
    if (gap != 0) {
      const auto part = [&gap](std::uint64_t wanted) {
        const std::uint64_t taken = wanted < gap ? wanted : gap;
        gap -= taken;
        return taken;
      };
      const std::uint64_t ready = pe.stage_since + parameters_.l_mask;
      counters_.pe_bank += part(t - (ready > free ? ready : free));
      if (!pe.any) {
        counters_.pe_edge += part(parameters_.l_start + parameters_.l_issue + parameters_.l_mask);
      }
      counters_.pe_imbalance += part(waits.blocked - pe.taken.blocked);
      counters_.pe_window += part(waits.empty - pe.taken.empty);
      counters_.pe_issue += gap;
    }
    pe.taken = waits;
    pe.any = true;
  }

  lacuna_rtl_parameters parameters_;
  bool want_trace_;
  unsigned field_;     // observation bits per PE
  unsigned per_word_;  // PEs per 64-bit word
  std::vector<Way> ways_;
  std::vector<Pe> pes_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> slots_before_;  // lowest bit of a field: the PE had a slot
  std::array<std::uint64_t, kGated> ones_{};
  std::uint64_t gated_ = 0;
  std::uint64_t issues_ = 0;
  std::uint64_t first_writes_ = 0;
  lacuna_rtl_counters counters_{};
};

}  // namespace lacuna::cosim::harness
