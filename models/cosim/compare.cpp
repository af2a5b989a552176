// SPDX-License-Identifier: Apache-2.0
#include "cosim/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "timing/engine/latencies.h"

namespace lacuna::cosim {

namespace {

using base::Cycle;
using timing::engine::Block;
using timing::engine::PassResult;
using timing::engine::PassTrace;
using timing::engine::Tile;

constexpr Cycle kNever = std::numeric_limits<Cycle>::max();

/// Collects differences; keeps the one with the earliest cycle, of equals the first reported.
class Collector {
 public:
  Collector(std::string_view left, std::string_view right) : left_(left), right_(right) {}

  void add(std::string kind, Cycle when, std::string what, DifferencePlace place = {}) {
    if (kinds_.empty() || when < first_cycle_) {
      first_ = std::move(what);
      first_cycle_ = when;
      place_ = std::move(place);
      place_.kind = kind;
      place_.cycle = when == kNever ? -1 : when;
    }
    if (std::find(kinds_.begin(), kinds_.end(), kind) == kinds_.end()) {
      kinds_.push_back(std::move(kind));
    }
  }

  template <class Value>
  void add(std::string kind, Cycle when, const std::string& what, const Value& left,
           const Value& right, DifferencePlace place = {}) {
    add(std::move(kind), when, fmt::format("{}: {} {}, {} {}", what, left_, left, right_, right),
        std::move(place));
  }

  [[nodiscard]] std::optional<Difference> result() && {
    if (kinds_.empty()) return std::nullopt;
    return Difference{std::move(first_), std::move(kinds_), std::move(place_)};
  }

 private:
  std::string_view left_;
  std::string_view right_;
  std::string first_;
  Cycle first_cycle_ = kNever;
  DifferencePlace place_;
  std::vector<std::string> kinds_;
};

using Lists = std::vector<std::vector<Cycle>>;

/// Place of an entry of the list with this index.
using PlaceOf = DifferencePlace (*)(std::size_t list, std::size_t entry, std::size_t pes);

DifferencePlace way_place(std::size_t list, std::size_t entry, std::size_t) {
  return {{}, -1, static_cast<int>(list), -1, static_cast<std::int64_t>(entry)};
}
DifferencePlace pe_place(std::size_t list, std::size_t entry, std::size_t pes) {
  return {{},
          -1,
          static_cast<int>(list / pes),
          static_cast<int>(list % pes),
          static_cast<std::int64_t>(entry)};
}
DifferencePlace group_place(std::size_t, std::size_t entry, std::size_t) {
  return {{}, -1, -1, -1, static_cast<std::int64_t>(entry)};
}

/// The first difference of each list; `name(list, entry)` says what an entry is.
template <class Name>
void compare_lists(const std::string& kind, const Lists& left, const Lists& right, Name&& name,
                   PlaceOf place_of, std::size_t pes, Collector& collector) {
  if (left.size() != right.size()) {
    collector.add(kind, 0, kind + ", number of lists", left.size(), right.size());
    return;
  }
  for (std::size_t list = 0; list < left.size(); ++list) {
    const std::size_t shorter = std::min(left[list].size(), right[list].size());
    const auto [at_left, at_right] = std::mismatch(
        left[list].begin(), left[list].begin() + static_cast<long>(shorter), right[list].begin());
    const auto entry = static_cast<std::size_t>(at_left - left[list].begin());
    if (entry < shorter) {
      collector.add(kind, std::min(*at_left, *at_right), kind + " of " + name(list, entry),
                    *at_left, *at_right, place_of(list, entry, pes));
    } else if (left[list].size() != right[list].size()) {
      const auto& longer = left[list].size() > shorter ? left[list] : right[list];
      collector.add(kind, longer[shorter], kind + ", entries after " + name(list, shorter),
                    left[list].size(), right[list].size(), place_of(list, shorter, pes));
    }
  }
}

void compare_traces(const params::EngineParams& engine, const PassTrace& model,
                    const PassTrace& rtl, Collector& collector) {
  const auto pes = static_cast<std::size_t>(engine.pes);
  const auto way_entry = [&](std::size_t way, std::size_t entry) {
    std::string text = fmt::format("way {}, entry {}", way, entry);
    if (way < model.position.size() && entry < model.position[way].size() &&
        way < model.group.size() && entry < model.group[way].size()) {
      text += model.position[way][entry] < 0
                  ? std::string(" (no k")
                  : fmt::format(" (position {}", model.position[way][entry]);
      text += fmt::format(", group {})", model.group[way][entry]);
    }
    return text;
  };
  const auto pe_entry = [&](std::size_t list, std::size_t entry) {
    return fmt::format("way {}, PE {}, entry {}", list / pes, list % pes, entry);
  };
  const auto pe_taken = [&](std::size_t list, std::size_t entry) {
    return fmt::format("way {}, PE {}, taken entry {}", list / pes, list % pes, entry);
  };
  compare_lists("issue", model.issue, rtl.issue, way_entry, way_place, pes, collector);
  compare_lists("mask_stage", model.mask_stage, rtl.mask_stage, pe_entry, pe_place, pes, collector);
  compare_lists("mac_stage", model.mac_stage, rtl.mac_stage, pe_taken, pe_place, pes, collector);
}

void compare_values(const params::EngineParams& engine, const Tile& tile, const PassResult& left,
                    const PassResult& right, Collector& collector) {
  const auto group = [](std::size_t, std::size_t entry) { return fmt::format("group {}", entry); };
  compare_lists("group_end", {left.group_end}, {right.group_end}, group, group_place, 1, collector);
  compare_lists("drain_end", {left.drain_end}, {right.drain_end}, group, group_place, 1, collector);
  if (left.length != right.length) {
    collector.add("length", std::min(left.length, right.length), "pass length", left.length,
                  right.length);
  }
  if (left.outputs.size() != right.outputs.size()) {
    collector.add("outputs", kNever, "number of outputs", left.outputs.size(),
                  right.outputs.size());
  } else if (left.outputs != right.outputs) {
    const auto [at_left, at_right] =
        std::mismatch(left.outputs.begin(), left.outputs.end(), right.outputs.begin());
    const auto index = at_left - left.outputs.begin();
    collector.add("outputs", kNever,
                  fmt::format("output code of token {}, channel {}", index / tile.channels,
                              index % tile.channels),
                  int{*at_left}, int{*at_right});
  }
  if (left.psum_out.size() != right.psum_out.size()) {
    collector.add("psums", kNever, "number of partial sums", left.psum_out.size(),
                  right.psum_out.size());
  } else if (left.psum_out != right.psum_out) {
    const auto [at_left, at_right] =
        std::mismatch(left.psum_out.begin(), left.psum_out.end(), right.psum_out.begin());
    const auto index = at_left - left.psum_out.begin();
    const int lane = static_cast<int>(index % engine.lanes);
    const auto channel = index / engine.lanes % engine.drain_width;
    const auto beat = index / engine.lanes / engine.drain_width;
    const int beats = timing::engine::drain_beats(engine, tile.rows);
    collector.add("psums", kNever,
                  fmt::format("partial sum of group {}, beat {}, channel {} of the beat, lane {}",
                              beat / beats, beat % beats, channel, lane),
                  *at_left, *at_right);
  }
  std::vector<std::uint64_t> values;
  timing::engine::Counters::visit(
      right.counters,
      [&](std::string_view, const std::uint64_t& value) { values.push_back(value); });
  std::size_t next = 0;
  timing::engine::Counters::visit(left.counters,
                                  [&](std::string_view name, const std::uint64_t& value) {
                                    if (value != values[next]) {
                                      const std::string kind = fmt::format("counter {}", name);
                                      collector.add(kind, kNever, kind, value, values[next]);
                                    }
                                    ++next;
                                  });
}

void compare_load(const char* kind, std::int64_t image_bytes, int load_width, Cycle measured,
                  Collector& collector) {
  if (measured == 0) return;  // kept from an earlier pass
  const Cycle expected = image_bytes / load_width + timing::engine::kLoadLatency - 1;
  if (measured != expected) {
    collector.add(kind, kNever, fmt::format("{} cycles", kind), expected, measured);
  }
}

}  // namespace

std::optional<Difference> compare_pass(const params::EngineParams& engine, const Tile& tile,
                                       const Block& block, const PassResult& model,
                                       const RtlPassResult& rtl) {
  if (!rtl.error.empty()) {
    const bool assertion = rtl.error.starts_with("assertion ");
    const char* kind = assertion ? "assertion" : "end";
    return Difference{assertion ? rtl.error
                                : fmt::format("end of the pass: model cycle {}, RTL none: {}",
                                              model.length, rtl.error),
                      {kind},
                      {kind, rtl.error_cycle}};
  }
  LACUNA_CHECK(!model.trace.issue.empty(), "the model's result has no trace");
  Collector collector("model", "RTL");
  compare_traces(engine, model.trace, rtl.result.trace, collector);
  compare_values(engine, tile, model, rtl.result, collector);
  compare_load("load of the tile", tile.image_bytes, engine.load_width, rtl.weight_load_cycles,
               collector);
  compare_load("load of the block", block.image_bytes, engine.load_width, rtl.block_load_cycles,
               collector);
  return std::move(collector).result();
}

std::optional<Difference> compare_untraced(const params::EngineParams& engine, const Tile& tile,
                                           const PassResult& first, const PassResult& second) {
  Collector collector("fast kernel", "plain kernel");
  compare_values(engine, tile, first, second, collector);
  return std::move(collector).result();
}

std::string describe_pass(const Tile& tile, const Block& block,
                          const timing::engine::PassCommand& command) {
  return fmt::format(
      "tile: {} channels, {} rows, {} positions, {} windows, {} weights{}, key {:016x}; block: {} "
      "tokens, {} groups, key {:016x}; command: act_signed {}, psum_read {}, psum_write {}, clamp "
      "[{}, {}], gate {}, hold1 {}, hold2 {}",
      tile.channels, tile.rows, tile.positions, tile.windows, tile.weights,
      tile.in_place ? " in place" : "", tile.key, block.tokens, block.groups, block.key,
      int{command.act_signed}, int{command.psum_read}, int{command.psum_write}, command.clamp_lo,
      command.clamp_hi, command.gate, command.hold1, command.hold2);
}

}  // namespace lacuna::cosim
