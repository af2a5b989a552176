// SPDX-License-Identifier: Apache-2.0
#include "verify/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "timing/engine/counters.h"

namespace lacuna::verify {

namespace {

using base::Cycle;
using timing::engine::PassTrace;
using timing::engine::Tile;

constexpr std::int64_t kBefore = 8;  ///< events shown before the first difference
constexpr std::int64_t kAfter = 3;   ///< and after it
constexpr int kMaxValues = 8;        ///< differing outputs that are listed

std::string cell(std::optional<Cycle> value) {
  return value ? fmt::format("{}", *value) : std::string("-");
}

/// "14" where both sides agree, "14|15" (model|RTL) where not.
std::string both(std::optional<Cycle> model, std::optional<Cycle> rtl) {
  return model == rtl ? cell(model) : cell(model) + "|" + cell(rtl);
}

std::optional<Cycle> at(const std::vector<Cycle>& list, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(list.size())) return std::nullopt;
  return list[static_cast<std::size_t>(index)];
}

/// A table with right-aligned columns.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string text(std::string_view indent) const {
    std::vector<std::size_t> width(rows_.front().size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      text += indent;
      for (std::size_t i = 0; i < row.size(); ++i) {
        text += fmt::format("{}{:>{}}", i == 0 ? "" : "  ", row[i], width[i]);
      }
      text += "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// One way as the model issued it, with the MAC-stage entries of a PE matched to its entries.
class WayHistory {
 public:
  WayHistory(const params::EngineParams& params, const Tile& tile, const PassEvidence& evidence,
             int way, int pe)
      : tile_(tile),
        way_(way),
        pe_(pe),
        model_(evidence.model.trace),
        rtl_(evidence.rtl.result.trace),
        list_(static_cast<std::size_t>(way * params.pes + pe)) {
    const auto& positions = model_.position[static_cast<std::size_t>(way)];
    const bool all = params.skip_empty == params::SkipEmpty::kNone;
    std::int64_t taken = 0;
    for (std::size_t j = 0; j < positions.size(); ++j) {
      const bool needs = weights(j) > 0 || is_last(j) || all;
      taken_.push_back(needs ? taken++ : -1);
    }
  }

  /// The entry whose MAC-stage cycle is this one of the list.
  [[nodiscard]] std::int64_t entry_of_taken(std::int64_t taken) const {
    const auto found = std::find(taken_.begin(), taken_.end(), taken);
    return found == taken_.end() ? static_cast<std::int64_t>(taken_.size())
                                 : found - taken_.begin();
  }

  [[nodiscard]] std::string text(std::int64_t entry) const {
    Table table({"", "entry", "group", "position", "weights", "I", "M", "S"});
    const std::size_t way = static_cast<std::size_t>(way_);
    const bool has_rtl = !rtl_.issue.empty();
    const std::vector<Cycle> none;
    const auto list = [&](const std::vector<std::vector<Cycle>>& lists,
                          std::size_t i) -> const std::vector<Cycle>& {
      return has_rtl ? lists[i] : none;
    };
    for (std::int64_t j = std::max<std::int64_t>(0, entry - kBefore); j <= entry + kAfter; ++j) {
      const auto index = static_cast<std::size_t>(j);
      const bool known = index < taken_.size();
      const std::int64_t taken = known ? taken_[index] : -1;
      const auto issue = both(at(model_.issue[way], j), at(list(rtl_.issue, way), j));
      if (!known && !at(list(rtl_.issue, way), j)) break;
      std::string position = "?";
      if (known) {
        const int x = model_.position[way][index];
        position = (x < 0 ? "no k" : fmt::format("{}", x)) + (is_last(index) ? " last" : "");
      }
      table.row({j == entry ? ">" : "", fmt::format("{}", j),
                 known ? fmt::format("{}", model_.group[way][index]) : "?", position,
                 known ? fmt::format("{}", weights(index)) : "?", issue,
                 both(at(model_.mask_stage[list_], j), at(list(rtl_.mask_stage, list_), j)),
                 taken < 0 ? std::string("-")
                           : both(at(model_.mac_stage[list_], taken),
                                  at(list(rtl_.mac_stage, list_), taken))});
    }
    return fmt::format(
               "  way {}, PE {}: issue (I), mask stage (M), MAC stage (S); model|RTL where they "
               "differ\n",
               way_, pe_) +
           table.text("    ");
  }

 private:
  [[nodiscard]] int weights(std::size_t entry) const {
    const int x = model_.position[static_cast<std::size_t>(way_)][entry];
    return x < 0 ? 0 : tile_.count(way_, x, pe_);
  }
  [[nodiscard]] bool is_last(std::size_t entry) const {
    const auto& group = model_.group[static_cast<std::size_t>(way_)];
    return entry + 1 == group.size() || group[entry + 1] != group[entry];
  }

  const Tile& tile_;
  int way_;
  int pe_;
  const PassTrace& model_;
  const PassTrace& rtl_;
  std::size_t list_;
  std::vector<std::int64_t> taken_;  // per entry: its index in the MAC-stage list, or -1
};

/// The PE that held the way back: latest to pop the entry whose pop the issue waits for.
int slowest_pe(const params::EngineParams& params, const PassEvidence& evidence, int way,
               std::int64_t entry) {
  const std::int64_t waits_for = entry - params.fifo_depth;
  int slowest = 0;
  Cycle latest = -1;
  for (int pe = 0; pe < params.pes && waits_for >= 0; ++pe) {
    const auto list = static_cast<std::size_t>(way * params.pes + pe);
    const Cycle popped = at(evidence.model.trace.mask_stage[list], waits_for).value_or(-1);
    if (popped > latest) {
      latest = popped;
      slowest = pe;
    }
  }
  return slowest;
}

std::string group_history(const PassEvidence& evidence, std::int64_t group) {
  Table table({"", "group", "F", "E"});
  const auto& model = evidence.model;
  const auto& rtl = evidence.rtl.result;
  const auto groups = static_cast<std::int64_t>(model.group_end.size());
  for (std::int64_t g = std::max<std::int64_t>(0, group - kBefore);
       g <= std::min(groups - 1, group + kAfter); ++g) {
    table.row({g == group ? ">" : "", fmt::format("{}", g),
               both(at(model.group_end, g), at(rtl.group_end, g)),
               both(at(model.drain_end, g), at(rtl.drain_end, g))});
  }
  return "  groups: end (F), end of the drain (E); model|RTL where they differ\n" +
         table.text("    ");
}

template <class Value, class Name>
std::string value_history(const std::vector<Value>& model, const std::vector<Value>& rtl,
                          std::string_view what, Name&& name) {
  std::string text;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < std::min(model.size(), rtl.size()); ++i) {
    if (model[i] == rtl[i]) continue;
    if (++differing <= kMaxValues) {
      text += fmt::format("    {}: {}|{}\n", name(i), static_cast<std::int64_t>(model[i]),
                          static_cast<std::int64_t>(rtl[i]));
    }
  }
  if (differing == 0) return {};
  return fmt::format("  {} of {} {} differ, the first of them (model|RTL)\n", differing,
                     model.size(), what) +
         text;
}

std::string counter_history(const PassEvidence& evidence) {
  std::vector<std::uint64_t> rtl;
  timing::engine::Counters::visit(
      evidence.rtl.result.counters,
      [&](std::string_view, const std::uint64_t& value) { rtl.push_back(value); });
  std::string text;
  std::size_t next = 0;
  timing::engine::Counters::visit(
      evidence.model.counters, [&](std::string_view name, const std::uint64_t& value) {
        if (value != rtl[next]) text += fmt::format("    {}: {}|{}\n", name, value, rtl[next]);
        ++next;
      });
  return text.empty() ? text : "  counters that differ (model|RTL)\n" + text;
}

std::string values(const params::EngineParams& params, const Tile& tile,
                   const PassEvidence& evidence) {
  const auto output = [&](std::size_t i) {
    const auto channels = static_cast<std::size_t>(tile.channels);
    return fmt::format("token {}, channel {}", i / channels, i % channels);
  };
  const auto sum = [&](std::size_t i) {
    const auto lanes = static_cast<std::size_t>(params.lanes);
    const auto width = static_cast<std::size_t>(params.drain_width);
    const auto beats = static_cast<std::size_t>(timing::engine::drain_beats(params, tile.rows));
    return fmt::format("group {}, channel {}, lane {}", i / lanes / width / beats,
                       i / lanes % (width * beats), i % lanes);
  };
  return value_history(evidence.model.outputs, evidence.rtl.result.outputs, "outputs", output) +
         value_history(evidence.model.psum_out, evidence.rtl.result.psum_out, "partial sums", sum);
}

}  // namespace

std::string describe_mismatch(const params::EngineParams& params, const Case& made,
                              const Mismatch& mismatch, const PassEvidence& evidence) {
  const Stimulus& pass = made.passes[static_cast<std::size_t>(mismatch.pass)];
  const cosim::DifferencePlace& place = mismatch.difference.place;
  std::string text;
  if (made.passes.size() > 1) {
    text += fmt::format("pass {} of {}{}: ", mismatch.pass, made.passes.size(),
                        made.kind != CaseKind::kReset ? " on a live engine"
                        : mismatch.pass < made.cut    ? " on a live engine, before the reset"
                                                      : " on a live engine, after the reset");
  }
  text += mismatch.difference.first + "\n";
  text += fmt::format("  differs in: {}\n", base::join(mismatch.difference.kinds, ", "));
  if (place.way >= 0) {
    const bool of_pe = place.pe >= 0;
    const int pe = of_pe ? place.pe : slowest_pe(params, evidence, place.way, place.entry);
    const WayHistory history(params, *pass.tile, evidence, place.way, pe);
    text +=
        history.text(place.kind == "mac_stage" ? history.entry_of_taken(place.entry) : place.entry);
  } else if (place.kind == "group_end" || place.kind == "drain_end" || place.kind == "length") {
    text += group_history(evidence,
                          place.entry >= 0
                              ? place.entry
                              : static_cast<std::int64_t>(evidence.model.group_end.size()) - 1);
  }
  if (evidence.rtl.error.empty()) {
    text += values(params, *pass.tile, evidence);
    text += counter_history(evidence);
  }
  text += fmt::format("  drawn: {}\n  {}\n", pass.text,
                      cosim::describe_pass(*pass.tile, *pass.block, evidence.command));
  return text;
}

CycleWindow window_around(const params::EngineParams& params, const Case& made,
                          const Mismatch& mismatch, const PassEvidence& evidence,
                          base::Cycle before) {
  const Stimulus& pass = made.passes[static_cast<std::size_t>(mismatch.pass)];
  const auto& model = evidence.model;
  Cycle center = mismatch.difference.place.cycle;
  if (center < 0 && !model.drain_end.empty()) {
    // Of outputs and partial sums: the drain of the group with the first wrong one.
    const auto first = [&](const auto& ours, const auto& theirs, std::size_t per_group) {
      const std::size_t shorter = std::min(ours.size(), theirs.size());
      for (std::size_t i = 0; i < shorter; ++i) {
        if (ours[i] != theirs[i]) return static_cast<std::int64_t>(i / per_group);
      }
      return std::int64_t{-1};
    };
    const auto lanes = static_cast<std::size_t>(params.lanes);
    std::int64_t group = first(model.outputs, evidence.rtl.result.outputs,
                               lanes * static_cast<std::size_t>(pass.tile->channels));
    if (group < 0) {
      const std::size_t words =
          std::max<std::size_t>(1, model.psum_out.size() / model.drain_end.size());
      group = first(model.psum_out, evidence.rtl.result.psum_out, words);
    }
    if (group >= 0) center = model.drain_end[static_cast<std::size_t>(group)];
  }
  const Cycle end = model.drain_end.empty() ? model.length : model.drain_end.back();
  if (center < 0) return {0, end + before};
  return {std::max<Cycle>(0, center - before), center + before / 4};
}

}  // namespace lacuna::verify
