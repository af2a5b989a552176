// SPDX-License-Identifier: Apache-2.0
#include "support/clocked_engine.h"

#include <deque>
#include <optional>
#include <set>
#include <stdexcept>

namespace lacuna::test {
namespace {

using std::int64_t;

std::size_t size_of(int64_t value) { return static_cast<std::size_t>(value); }

int32_t wrap(int64_t value) { return static_cast<int32_t>(static_cast<std::uint32_t>(value)); }

struct Window {
  int base = 0;  // first position, counted in the tile
  int length = 0;
};

struct Weight {
  int row = 0;
  int value = 0;
};

struct Entry {
  int group = 0;
  int position = -1;  // -1: without k
  bool last = false;
  std::vector<int> values;     // V lanes
  int64_t blocked_before = 0;  // blocked and empty cycles of the way until the issue
  int64_t empty_before = 0;
};

/// The three latencies between issue and MAC, as lengths of delay lines, are literal below:
/// L_issue = 2 is one register between scanner and FIFO plus the FIFO's own; L_mask = 1 is the mask
/// stage's register.
constexpr int kStart = 1;
constexpr int kMac = 2;
constexpr int kDrain = 1;

struct Pe {
  // memories
  std::vector<std::vector<Weight>> weights;   // [position], rows ascending
  std::vector<std::vector<int64_t>> address;  // [position], of each weight's value
  // registers
  std::optional<Entry> in_flight;  // between scanner and FIFO
  std::deque<Entry> fifo;
  int credit = 0;  // issued - popped
  std::optional<Entry> mask;
  int64_t mask_cycle = 0;
  std::optional<Entry> mac;
  int slots_left = 0;  // of `mac`, this cycle's included
  int slot = 0;
  int bank = 0;
  std::vector<std::vector<std::vector<int32_t>>> acc;  // [bank][row][lane]
  std::vector<std::vector<bool>> valid;                // [bank][row]
  // bookkeeping for the attribution of gaps
  int64_t free_at = 0;
  bool taken_any = false;
  int64_t blocked_seen = 0;
  int64_t empty_seen = 0;
};

struct Scanner {
  int group = 0;
  std::vector<int> visited;  // windows of this group still to come, current one first
  std::size_t at = 0;
  int next_bit = 0;  // bits of the current window below this one are issued
  bool done = false;
  int64_t blocked = 0;
  int64_t empty = 0;
};

class ClockedEngine {
 public:
  explicit ClockedEngine(const RawPass& pass) : in_(pass), params_(pass.params) {
    lay_out_k();
    load_weights();
    load_activations();
    groups_ = (in_.tokens + params_.lanes - 1) / params_.lanes;
    rows_ = (in_.channels + params_.pes - 1) / params_.pes;
    beats_ = (params_.pes * rows_ + params_.drain_width - 1) / params_.drain_width;
    result_.issue.resize(size_of(params_.k_ways));
    result_.position.resize(size_of(params_.k_ways));
    result_.group.resize(size_of(params_.k_ways));
    result_.mask_stage.resize(size_of(params_.k_ways * params_.pes));
    result_.mac_stage.resize(size_of(params_.k_ways * params_.pes));
    result_.accumulators.assign(size_of(in_.tokens), std::vector<int32_t>(size_of(in_.channels)));
    if (in_.command.psum_write) {
      result_.psum_out.resize(
          size_of(int64_t{groups_} * beats_ * params_.drain_width * params_.lanes));
    } else {
      result_.outputs.resize(size_of(int64_t{in_.tokens} * in_.channels));
    }
    for (int q = 0; q < params_.k_ways; ++q) {
      scanners_.emplace_back();
      enter_group(q, 0);
    }
    last_end_.assign(size_of(groups_), 0);
    pes_done_.assign(size_of(groups_), 0);
  }

  ClockedResult run() {
    while (drained_ < groups_) {
      clock();
      ++now_;
      if (now_ > 100'000'000) throw std::logic_error("the clocked engine hangs");
    }
    result_.length = result_.group_end.back();
    auto& counters = result_.counters;
    for (const auto& way : pes_) {
      for (const Pe& pe : way) counters.pe_edge += size_of(result_.length - pe.free_at);
    }
    counters.fifo_pushes = counters.broadcasts * size_of(params_.pes);
    return std::move(result_);
  }

 private:
  [[nodiscard]] int64_t k_of(int segment, int index, int way) const {
    const int channel = index * params_.k_ways + way;
    return channel < in_.segments.channels ? int64_t{segment} * in_.segments.channels + channel
                                           : -1;
  }

  void lay_out_k() {
    const int per_segment = (in_.segments.channels + params_.k_ways - 1) / params_.k_ways;
    int window = 0;
    for (int s = 0; s < in_.segments.count; ++s) {
      for (int i = 0; i < per_segment; i += params_.scan_width, ++window) {
        if (window < in_.windows.begin || window >= in_.windows.end) continue;
        const int length = std::min(params_.scan_width, per_segment - i);
        windows_.push_back({static_cast<int>(k_.size()), length});
        for (int j = 0; j < length; ++j) {
          std::vector<int64_t> ways;
          for (int q = 0; q < params_.k_ways; ++q) ways.push_back(k_of(s, i + j, q));
          k_.push_back(ways);
        }
      }
    }
  }

  [[nodiscard]] int pe_of_channel(int n) const {
    return in_.order.empty() ? n % params_.pes : in_.order[size_of(n)];
  }

  void load_weights() {
    pes_.resize(size_of(params_.k_ways));
    present_.resize(size_of(params_.k_ways));
    const int rows = (in_.channels + params_.pes - 1) / params_.pes;
    for (int q = 0; q < params_.k_ways; ++q) {
      auto& way = pes_[size_of(q)];
      way.resize(size_of(params_.pes));
      present_[size_of(q)].assign(k_.size(), false);
      for (int p = 0; p < params_.pes; ++p) {
        Pe& pe = way[size_of(p)];
        pe.weights.resize(k_.size());
        pe.address.resize(k_.size());
        pe.acc.assign(2, std::vector<std::vector<int32_t>>(
                             size_of(rows), std::vector<int32_t>(size_of(params_.lanes))));
        pe.valid.assign(2, std::vector<bool>(size_of(rows), false));
        int64_t pointer = 0;
        for (std::size_t x = 0; x < k_.size(); ++x) {
          if (in_.in_place) pointer = static_cast<int64_t>(x) * rows;
          for (int r = 0; r < rows; ++r) {
            for (int place = 0; place < params_.pes; ++place) {
              const int n = r * params_.pes + place;
              if (n >= in_.channels || pe_of_channel(n) != p) continue;
              const int64_t k = k_[x][size_of(q)];
              if (k < 0) continue;
              const int value = in_.weights[size_of(n * in_.segments.k() + k)];
              if (value == 0 && params_.skip_weights) continue;
              pe.weights[x].push_back({r, value});
              pe.address[x].push_back(in_.in_place ? pointer + r : pointer++);
              present_[size_of(q)][x] = true;
            }
          }
        }
      }
    }
  }

  /// act_mask_[q][group][position], and the packed values of each way.
  void load_activations() {
    const int groups = (in_.tokens + params_.lanes - 1) / params_.lanes;
    act_mask_.resize(size_of(params_.k_ways));
    act_values_.resize(size_of(params_.k_ways));
    slot_base_.resize(size_of(params_.k_ways));
    for (int q = 0; q < params_.k_ways; ++q) {
      for (int g = 0; g < groups; ++g) {
        std::vector<bool> mask(k_.size(), false);
        for (const Window& window : windows_) {
          slot_base_[size_of(q)].push_back(act_values_[size_of(q)].size());
          for (int x = window.base; x < window.base + window.length; ++x) {
            const int64_t k = k_[size_of(x)][size_of(q)];
            if (k < 0) continue;
            std::vector<int> lanes(size_of(params_.lanes), 0);
            bool any = !params_.skip_activations;
            for (int v = 0; v < params_.lanes; ++v) {
              const int token = g * params_.lanes + v;
              if (token >= in_.tokens) continue;
              const std::uint8_t code = in_.activations[size_of(token * in_.segments.k() + k)];
              lanes[size_of(v)] =
                  in_.command.act_signed ? static_cast<std::int8_t>(code) : int{code};
              any = any || code != 0;
            }
            if (!any) continue;
            mask[size_of(x)] = true;
            act_values_[size_of(q)].push_back(lanes);
          }
        }
        act_mask_[size_of(q)].push_back(mask);
      }
    }
  }

  // Scanner

  [[nodiscard]] bool act_bit(int q, int g, int x) const {
    return act_mask_[size_of(q)][size_of(g)][size_of(x)];
  }
  [[nodiscard]] bool hit(int q, int g, int x) const {
    return act_bit(q, g, x) && present_[size_of(q)][size_of(x)];
  }
  [[nodiscard]] bool any_in(const Window& window, auto&& bit) const {
    for (int x = window.base; x < window.base + window.length; ++x) {
      if (bit(x)) return true;
    }
    return false;
  }

  void enter_group(int q, int g) {
    Scanner& scanner = scanners_[size_of(q)];
    scanner.group = g;
    scanner.visited.clear();
    scanner.at = 0;
    scanner.next_bit = 0;
    scanner.done = g >= groups_;
    if (scanner.done) return;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      const bool act_sum = any_in(windows_[w], [&](int x) { return act_bit(q, g, x); });
      const bool row_sum =
          any_in(windows_[w], [&](int x) { return bool{present_[size_of(q)][size_of(x)]}; });
      if (act_sum && row_sum) scanner.visited.push_back(static_cast<int>(w));
    }
    result_.counters.windows_visited += scanner.visited.size();
  }

  void clock_scanner(int q) {
    Scanner& scanner = scanners_[size_of(q)];
    if (now_ < kStart || scanner.done) return;
    bool room = true;
    for (const Pe& pe : pes_[size_of(q)]) room = room && pe.credit < params_.fifo_depth;
    const int g = scanner.group;

    if (scanner.visited.empty()) {
      send(q, room, -1, 0, true);
      return;
    }
    const int w = scanner.visited[scanner.at];
    const Window& window = windows_[size_of(w)];
    const bool last_window = scanner.at + 1 == scanner.visited.size();
    std::vector<int> hits;
    for (int i = scanner.next_bit; i < window.length; ++i) {
      if (hit(q, g, window.base + i)) hits.push_back(i);
    }
    if (hits.empty()) {
      if (last_window) {
        send(q, room, -1, 0, true);
      } else {
        ++result_.counters.windows_empty;
        ++scanner.empty;
        ++scanner.at;
      }
      return;
    }
    const int bit = hits.front();
    const int x = window.base + bit;
    std::size_t below = 0;  // popcount of the activation mask below the issued bit
    for (int i = 0; i < bit; ++i) below += act_bit(q, g, window.base + i) ? 1 : 0;
    const std::size_t slot = size_of(g) * windows_.size() + size_of(w);
    const std::size_t address = slot_base_[size_of(q)][slot] + below;
    if (!send(q, room, x, address, last_window && hits.size() == 1)) return;
    if (scanner.group != g) return;  // `last` moved on
    scanner.next_bit = bit + 1;
    if (hits.size() == 1) {
      ++scanner.at;
      scanner.next_bit = 0;
    }
  }

  bool send(int q, bool room, int x, std::size_t address, bool last) {
    Scanner& scanner = scanners_[size_of(q)];
    auto& counters = result_.counters;
    if (!room) {
      ++scanner.blocked;
      ++counters.blocked_cycles;
      return false;
    }
    Entry entry;
    entry.group = scanner.group;
    entry.position = x;
    entry.last = last;
    entry.blocked_before = scanner.blocked;
    entry.empty_before = scanner.empty;
    ++counters.broadcasts;
    if (x >= 0) {
      entry.values = act_values_[size_of(q)].at(address);
      ++counters.activation_reads;
      counters.metadata_reads += size_of(params_.pes);
    } else {
      ++counters.entries_without_k;
    }
    result_.issue[size_of(q)].push_back(now_);
    result_.position[size_of(q)].push_back(x);
    result_.group[size_of(q)].push_back(entry.group);
    issued_[q] = entry;
    if (last) enter_group(q, entry.group + 1);
    return true;
  }

  // PE

  [[nodiscard]] bool bank_free(int group) const {
    if (group == 0) return now_ >= in_.command.hold2;
    if (group == 1) return now_ >= in_.command.hold1;
    return drained_ >= group - 1;  // groups 0 .. group-2 are drained
  }

  [[nodiscard]] std::size_t weights_of(const Pe& pe, const Entry& entry) const {
    return entry.position < 0 ? 0 : pe.weights[size_of(entry.position)].size();
  }

  void clock_pe(int q, int p) {
    Pe& pe = pes_[size_of(q)][size_of(p)];
    const std::size_t index = size_of(q * params_.pes + p);
    bool mask_left = !pe.mask.has_value();
    if (pe.mask) {
      const std::size_t count = weights_of(pe, *pe.mask);
      const bool needs =
          count > 0 || pe.mask->last || params_.skip_empty == params::SkipEmpty::kNone;
      if (!needs) {
        mask_left = true;
      } else if (pe.slots_left == 0 && bank_free(pe.mask->group)) {
        attribute(pe);
        result_.mac_stage[index].push_back(now_);
        pe.slots_left = static_cast<int>(std::max<std::size_t>(count, 1));
        pe.slot = 0;
        pe.mac = pe.mask;
        pe.free_at = now_ + pe.slots_left;
        mask_left = true;
      }
    }
    if (pe.slots_left > 0) execute_slot(pe);
    if (mask_left) {
      pe.mask.reset();
      if (!pe.fifo.empty()) {
        pe.mask = pe.fifo.front();
        pe.fifo.pop_front();
        pe.mask_cycle = now_;
        popped_[index] = true;
        result_.mask_stage[index].push_back(now_);
        if (pe.mask->position >= 0) count_words(pe, size_of(pe.mask->position));
      }
    }
  }

  void attribute(Pe& pe) {
    auto& counters = result_.counters;
    const int64_t ready = std::max(pe.mask_cycle + 1, pe.free_at);
    int64_t left = now_ - pe.free_at;
    const auto take = [&](std::uint64_t& counter, int64_t limit) {
      const int64_t part = std::min(left, limit);
      counter += size_of(part);
      left -= part;
    };
    take(counters.pe_bank, now_ - ready);
    if (!pe.taken_any) take(counters.pe_edge, 1 + 2 + 1);
    take(counters.pe_imbalance, pe.mask->blocked_before - pe.blocked_seen);
    take(counters.pe_window, pe.mask->empty_before - pe.empty_seen);
    counters.pe_issue += size_of(left);
    pe.taken_any = true;
    pe.blocked_seen = pe.mask->blocked_before;
    pe.empty_seen = pe.mask->empty_before;
  }

  void count_words(const Pe& pe, std::size_t x) {
    std::set<int64_t> words;
    for (const int64_t address : pe.address[x]) words.insert(address / params_.weight_word);
    result_.counters.weight_words += words.size();
  }

  void execute_slot(Pe& pe) {
    auto& counters = result_.counters;
    const Entry& entry = *pe.mac;
    if (weights_of(pe, entry) == 0) {
      ++counters.pe_slot;
    } else {
      ++counters.pe_mac;
      ++counters.acc_writes;
      const Weight& weight = pe.weights[size_of(entry.position)][size_of(pe.slot)];
      auto& row = pe.acc[size_of(pe.bank)][size_of(weight.row)];
      const bool valid = pe.valid[size_of(pe.bank)][size_of(weight.row)];
      if (valid) ++counters.acc_reads;
      for (std::size_t v = 0; v < row.size(); ++v) {
        const int64_t product = int64_t{entry.values[v]} * weight.value;
        row[v] = wrap((valid ? row[v] : 0) + product);
        ++(entry.values[v] != 0 ? counters.macs : counters.macs_gated);
      }
      pe.valid[size_of(pe.bank)][size_of(weight.row)] = true;
    }
    ++pe.slot;
    if (--pe.slots_left > 0) return;
    if (entry.last) {
      ++pes_done_[size_of(entry.group)];
      last_end_[size_of(entry.group)] = now_ + 1;
      pe.bank ^= 1;
    }
  }

  // Drain

  void clock_drain() {
    if (draining_ && now_ == drain_done_) {
      result_.drain_end.push_back(now_);
      draining_ = false;
      ++drained_;
    }
    const int g = static_cast<int>(result_.group_end.size());
    if (g < groups_ && pes_done_[size_of(g)] == params_.k_ways * params_.pes &&
        now_ >= last_end_[size_of(g)] + kMac) {
      result_.group_end.push_back(now_);
    }
    const bool held = drained_ == 0 && now_ < in_.command.hold1;
    if (!draining_ && !held && drained_ < static_cast<int>(result_.group_end.size())) {
      draining_ = true;
      drain_done_ = now_ + kDrain + beats_;
      drain_group(drained_);
    }
  }

  void drain_group(int g) {
    auto& counters = result_.counters;
    for (int b = 0; b < beats_; ++b) {
      ++counters.drain_beats;
      for (int c = 0; c < params_.drain_width; ++c) {
        for (int v = 0; v < params_.lanes; ++v) drain_word(g, b, c, v);
      }
    }
    for (auto& way : pes_) {
      for (Pe& pe : way) pe.valid[size_of(g % 2)].assign(size_of(rows_), false);
    }
  }

  void drain_word(int g, int b, int c, int v) {
    const int n = b * params_.drain_width + c;
    const int token = g * params_.lanes + v;
    int32_t sum = 0;
    if (n < params_.pes * rows_) {
      const int row = n / params_.pes;
      const int p = pe_of_channel(n);
      for (const auto& way : pes_) {
        const Pe& pe = way[size_of(p)];
        if (pe.valid[size_of(g % 2)][size_of(row)]) {
          sum = wrap(int64_t{sum} + pe.acc[size_of(g % 2)][size_of(row)][size_of(v)]);
        }
      }
    }
    const bool exists = n < in_.channels && token < in_.tokens;
    if (exists) result_.accumulators[size_of(token)][size_of(n)] = sum;
    auto& counters = result_.counters;
    const int64_t word = ((int64_t{g} * beats_ + b) * params_.drain_width + c) * params_.lanes + v;
    if (in_.command.psum_read) {
      ++counters.psum_reads;
      sum = wrap(int64_t{sum} + in_.psum_in.at(size_of(word)));
    }
    if (in_.command.psum_write) {
      ++counters.psum_writes;
      result_.psum_out.at(size_of(word)) = sum;
      return;
    }
    if (!exists) return;
    const int64_t a = wrap(int64_t{sum} + in_.bias[size_of(n)]);
    const int shift = in_.shift[size_of(n)];
    int64_t y = (a * in_.multiplier[size_of(n)] + (int64_t{1} << (shift - 1))) >> shift;
    if (y < in_.command.clamp_lo) y = in_.command.clamp_lo;
    if (y > in_.command.clamp_hi) y = in_.command.clamp_hi;
    if (y <= in_.command.gate && y >= -in_.command.gate) y = 0;
    ++counters.outputs;
    if (y != 0) ++counters.outputs_nonzero;
    result_.outputs[size_of(int64_t{token} * in_.channels + n)] = static_cast<std::uint8_t>(y);
  }

  /// One cycle: everything reads registers, then registers take their new values.
  void clock() {
    issued_.assign(size_of(params_.k_ways));
    popped_.assign(size_of(params_.k_ways * params_.pes), false);
    clock_drain();  // a bank drained by now is free in this cycle
    for (int q = 0; q < params_.k_ways; ++q) clock_scanner(q);
    for (int q = 0; q < params_.k_ways; ++q) {
      for (int p = 0; p < params_.pes; ++p) clock_pe(q, p);
    }
    for (int q = 0; q < params_.k_ways; ++q) {
      for (int p = 0; p < params_.pes; ++p) {
        Pe& pe = pes_[size_of(q)][size_of(p)];
        if (pe.in_flight) pe.fifo.push_back(*pe.in_flight);
        pe.in_flight = issued_[q];
        if (issued_[q]) ++pe.credit;
        if (popped_[size_of(q * params_.pes + p)]) --pe.credit;
      }
    }
  }

  /// What each scanner issues in this cycle.
  struct Issued {
    std::vector<std::optional<Entry>> entries;
    void assign(std::size_t ways) { entries.assign(ways, std::nullopt); }
    std::optional<Entry>& operator[](int q) { return entries[size_of(q)]; }
  };

  const RawPass& in_;
  const params::EngineParams& params_;
  std::vector<Window> windows_;
  std::vector<std::vector<int64_t>> k_;  // [position][way], -1: no channel
  std::vector<std::vector<Pe>> pes_;
  std::vector<std::vector<bool>> present_;
  std::vector<std::vector<std::vector<bool>>> act_mask_;
  std::vector<std::vector<std::vector<int>>> act_values_;
  std::vector<std::vector<std::size_t>> slot_base_;
  std::vector<Scanner> scanners_;
  Issued issued_;
  std::vector<bool> popped_;
  std::vector<int64_t> last_end_;
  std::vector<int> pes_done_;
  bool draining_ = false;
  int64_t drain_done_ = 0;
  int drained_ = 0;  // groups
  int groups_ = 0;
  int rows_ = 0;
  int beats_ = 0;
  int64_t now_ = 0;
  ClockedResult result_;
};

}  // namespace

ClockedResult run_clocked(const RawPass& pass) { return ClockedEngine(pass).run(); }

}  // namespace lacuna::test
