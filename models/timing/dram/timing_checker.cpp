// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/timing_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace lacuna::timing::dram {

using params::MemoryLevel;
using params::MemoryRefresh;
using enum params::MemoryCommand;

namespace {

constexpr Cycle kNeverYet = kLongAgo;

bool contains(const std::vector<MemoryCommand>& list, MemoryCommand command) {
  return std::find(list.begin(), list.end(), command) != list.end();
}

bool one_of(std::initializer_list<MemoryCommand> list, MemoryCommand command) {
  return std::find(list.begin(), list.end(), command) != list.end();
}

bool whole_rank(MemoryCommand command) {
  return one_of({kPREA, kREFab, kPDE, kPDX, kSRE, kSRX}, command);
}

std::size_t level_index(MemoryLevel level) { return static_cast<std::size_t>(level); }

}  // namespace

TimingChecker::TimingChecker(const params::MemoryPreset& preset) : preset_(preset) {
  const params::MemoryOrganization& sizes = preset.organization;
  banks_ = sizes.total_banks();
  banks_per_rank_ = sizes.banks_per_rank();
  // How many banks a node of each level holds: channel, pseudo-channel, rank, group, bank.
  node_banks_ = {banks_, banks_per_rank_ * sizes.ranks, banks_per_rank_, sizes.banks, 1};
  for (std::size_t level = 0; level < kLevels; ++level) {
    for (int bank = 0; bank < banks_; ++bank) nodes_[level].push_back(bank / node_banks_[level]);
  }
  refresh_stride_ = banks_per_rank_ / sizes.refresh_banks;
  ranks_.resize(static_cast<std::size_t>(banks_ / banks_per_rank_));
  for (const params::MemoryConstraint& rule : preset.constraints) {
    for (const MemoryCommand to : rule.to) rows_of_[index_of(to)].push_back(rows_.size());
    rows_.push_back({rule, preset.cycles(rule.latency), {}});
  }
  for (auto& times : last_) times.assign(static_cast<std::size_t>(banks_), kNeverYet);
  open_row_.assign(static_cast<std::size_t>(banks_), -1);
  data_free_.assign(static_cast<std::size_t>(sizes.pseudo_channels), kNeverYet);

  const MemoryRefresh mode = preset.controller.refresh;
  if (mode == MemoryRefresh::kAllBank) {
    refresh_interval_ = preset.cycles(preset.latency.refresh_interval);
    last_refresh_.assign(static_cast<std::size_t>(banks_ / banks_per_rank_), 0);
  } else if (mode == MemoryRefresh::kPerBank) {
    refresh_interval_ = preset.cycles(preset.latency.refresh_bank_interval) * refresh_stride_;
    last_refresh_.assign(static_cast<std::size_t>(banks_), 0);
  }
  slept_.assign(last_refresh_.size(), 0);
  refreshes_.assign(last_refresh_.size(), 0);
}

TimingChecker::Banks TimingChecker::banks_of(const CommandRecord& record) const {
  const int first = record.bank / banks_per_rank_ * banks_per_rank_;
  if (whole_rank(record.command)) return {first, first + banks_per_rank_, 1};
  if (record.command == kREFpb) {
    return {first + record.bank % refresh_stride_, first + banks_per_rank_, refresh_stride_};
  }
  return {record.bank, record.bank + 1, 1};
}

Cycle TimingChecker::last_edge(MemoryCommand command, Cycle start) const {
  return start + preset_.commands.at(std::string(params::enum_name(command))).cycles - 1;
}

void TimingChecker::report(const CommandRecord& record, std::string what) {
  ++violations_;
  if (findings_.size() < kKept) findings_.push_back({count_, record, std::move(what)});
}

void TimingChecker::on_command(const CommandRecord& record) {
  if (record.bank < 0 || record.bank >= banks_) {
    report(record, fmt::format("there is no bank {}", record.bank));
  } else if (!preset_.has(record.command)) {
    report(record, "the device does not know this command");
  } else {
    const Cycle edge = last_edge(record.command, record.time);
    check_rows(record, edge);
    check_buses(record, edge);
    check_sleep(record);
    check_state(record);
    check_refresh(record);
    remember(record, edge);
  }
  ++count_;
}

Cycle TimingChecker::latest_in(const Row& row, int first, int end) const {
  Cycle latest = kNeverYet;
  for (const MemoryCommand from : row.rule.from) {
    const std::vector<Cycle>& times = last_[index_of(from)];
    for (int bank = first; bank < end; ++bank) {
      latest = std::max(latest, times[static_cast<std::size_t>(bank)]);
    }
  }
  return latest;
}

// A node of the level is a run of banks. A command to several banks shares the nodes of each.
Cycle TimingChecker::latest_related(const Row& row, const CommandRecord& later) const {
  const std::size_t level = level_index(row.rule.level);
  const int size = node_banks_[level];
  Cycle latest = kNeverYet;
  if (row.rule.sibling) {
    const int parent_size = node_banks_[level - 1];
    const int parent = later.bank / parent_size * parent_size;
    const int own = later.bank / size * size;
    latest =
        std::max(latest_in(row, parent, own), latest_in(row, own + size, parent + parent_size));
  } else {
    const Banks banks = banks_of(later);
    for (int bank = banks.first; bank < banks.end; bank += std::max(banks.stride, 1)) {
      const int own = bank / size * size;
      latest = std::max(latest, latest_in(row, own, own + size));
      if (own + size >= banks.end) break;
    }
  }
  return latest;
}

void TimingChecker::check_rows(const CommandRecord& record, Cycle edge) {
  for (const std::size_t number : rows_of_[index_of(record.command)]) {
    Row& row = rows_[number];
    Cycle earlier = kNeverYet;
    if (row.rule.window > 1) {
      const std::deque<Cycle>& window = row.windows[node(row.rule.level, record.bank)];
      if (window.size() == static_cast<std::size_t>(row.rule.window)) earlier = window.front();
    } else {
      earlier = latest_related(row, record);
    }
    if (earlier != kNeverYet && edge - earlier < row.latency) {
      report(record,
             fmt::format("{} after {} cycles; '{}' at level {} asks for {}{}",
                         params::enum_name(record.command), edge - earlier, row.rule.latency,
                         params::enum_name(row.rule.level), row.latency,
                         row.rule.window > 1 ? fmt::format(" from the {}th last", row.rule.window)
                                             : std::string()));
    }
  }
}

void TimingChecker::check_buses(const CommandRecord& record, Cycle edge) {
  const std::string name(params::enum_name(record.command));
  const params::MemoryCommandForm& form = preset_.commands.at(name);
  if (record.time < last_time_) {
    report(record, fmt::format("time runs backwards, from {} to {}", last_time_, record.time));
  }
  last_time_ = std::max(last_time_, record.time);
  const auto [bus, is_new] = bus_free_.try_emplace(form.bus, record.time);
  if (!is_new && record.time < bus->second) {
    report(record,
           fmt::format("the command bus '{}' is taken until cycle {}", form.bus, bus->second));
  }
  bus->second = record.time + form.cycles;

  if (is_column(record.command)) {
    const Cycle start =
        edge + preset_.cycles(is_read(record.command) ? preset_.latency.read_latency
                                                      : preset_.latency.write_latency);
    Cycle& free =
        data_free_[static_cast<std::size_t>(node(MemoryLevel::kPseudoChannel, record.bank))];
    if (start < free) {
      report(record, fmt::format("data would start at cycle {}, the data bus is taken until {}",
                                 start, free));
    }
    free = std::max(free, start + preset_.organization.burst_cycles());
  }
}

void TimingChecker::check_sleep(const CommandRecord& record) {
  Rank& rank = rank_of(record.bank);
  switch (record.command) {
    case kPDX:
      if (rank.sleep != Sleep::kPowerDown) report(record, "the rank is not in power-down");
      rank.sleep = Sleep::kAwake;
      return;
    case kSRX:
      if (rank.sleep == Sleep::kSelfRefresh) {
        wake_up(record);
      } else {
        report(record, "the rank is not in self-refresh");
      }
      rank.sleep = Sleep::kAwake;
      return;
    default:
      break;
  }
  if (rank.sleep == Sleep::kPowerDown) report(record, "the rank is in power-down");
  if (rank.sleep == Sleep::kSelfRefresh) report(record, "the rank is in self-refresh");
  if (record.command == kPDE) rank.sleep = Sleep::kPowerDown;
  if (record.command == kSRE) {
    if (rank.owes_refresh) report(record, "no refresh since the last self-refresh");
    rank.sleep = Sleep::kSelfRefresh;
    rank.asleep_since = record.time;
  }
}

void TimingChecker::wake_up(const CommandRecord& record) {
  Rank& rank = rank_of(record.bank);
  if (refresh_interval_ == 0) return;
  rank.owes_refresh = true;
  const bool per_bank = preset_.controller.refresh == MemoryRefresh::kPerBank;
  const int first = record.bank / banks_per_rank_ * (per_bank ? banks_per_rank_ : 1);
  for (int unit = first; unit < first + (per_bank ? banks_per_rank_ : 1); ++unit) {
    slept_[static_cast<std::size_t>(unit)] += record.time - rank.asleep_since;
    last_refresh_[static_cast<std::size_t>(unit)] = record.time;
  }
}

void TimingChecker::check_state(const CommandRecord& record) {
  const Banks banks = banks_of(record);
  const int open = open_row_[static_cast<std::size_t>(record.bank)];
  if (record.command == kACT) {
    if (open >= 0) report(record, fmt::format("the bank has row {} open", open));
    if (record.row < 0 || record.row >= preset_.organization.rows) {
      report(record, fmt::format("there is no row {}", record.row));
    }
  } else if (is_column(record.command)) {
    if (open < 0) {
      report(record, "the bank is closed");
    } else if (open != record.row) {
      report(record, fmt::format("row {} is open, not row {}", open, record.row));
    }
  } else if (one_of({kREFab, kREFpb, kSRE}, record.command)) {
    for (int bank = banks.first; bank < banks.end; bank += banks.stride) {
      if (open_row_[static_cast<std::size_t>(bank)] >= 0) {
        report(record, fmt::format("bank {} is open", bank));
      }
    }
  }
}

void TimingChecker::check_refresh(const CommandRecord& record) {
  const MemoryRefresh mode = preset_.controller.refresh;
  const bool expected = (mode == MemoryRefresh::kAllBank && record.command == kREFab) ||
                        (mode == MemoryRefresh::kPerBank && record.command == kREFpb);
  if (!expected) return;
  rank_of(record.bank).owes_refresh = false;
  Banks units = banks_of(record);
  if (mode == MemoryRefresh::kAllBank) {
    const int rank = record.bank / banks_per_rank_;
    units = {rank, rank + 1, 1};
  }
  for (int each = units.first; each < units.end; each += units.stride) {
    const auto unit = static_cast<std::size_t>(each);
    const Cycle distance = record.time - last_refresh_[unit];
    // Eight may be postponed: at most nine intervals between two refreshes.
    if (distance > 9 * refresh_interval_) {
      report(record, fmt::format("{} cycles since the last refresh; 9 intervals are {}", distance,
                                 9 * refresh_interval_));
    }
    last_refresh_[unit] = record.time;
    ++refreshes_[unit];
  }
}

void TimingChecker::finish(Cycle end) {
  const int ranks = static_cast<int>(ranks_.size());
  for (std::size_t unit = 0; unit < refreshes_.size(); ++unit) {
    const Rank& rank = ranks_[unit * static_cast<std::size_t>(ranks) / refreshes_.size()];
    const Cycle asleep =
        slept_[unit] + (rank.sleep == Sleep::kSelfRefresh ? end - rank.asleep_since : 0);
    const std::int64_t due = (end - asleep) / refresh_interval_;
    if (refreshes_[unit] + 9 < due) {
      ++violations_;
      if (findings_.size() < kKept) {
        findings_.push_back({-1,
                             {},
                             fmt::format("refresh unit {}: {} refreshes in {} cycles, {} were due",
                                         unit, refreshes_[unit], end - asleep, due)});
      }
    }
  }
}

void TimingChecker::remember(const CommandRecord& record, Cycle edge) {
  const Banks banks = banks_of(record);
  std::vector<Cycle>& times = last_[index_of(record.command)];
  for (int bank = banks.first; bank < banks.end; bank += banks.stride) {
    times[static_cast<std::size_t>(bank)] = edge;
  }
  for (Row& row : rows_) {
    if (row.rule.window <= 1 || !contains(row.rule.from, record.command)) continue;
    std::deque<Cycle>& window = row.windows[node(row.rule.level, record.bank)];
    window.push_back(edge);
    if (window.size() > static_cast<std::size_t>(row.rule.window)) window.pop_front();
  }
  if (record.command == kACT) {
    open_row_[static_cast<std::size_t>(record.bank)] = record.row;
  } else if (one_of({kPRE, kPREA, kRDA, kWRA}, record.command)) {
    for (int bank = banks.first; bank < banks.end; ++bank) {
      open_row_[static_cast<std::size_t>(bank)] = -1;
    }
  }
}

std::string TimingChecker::summary(std::size_t lines) const {
  std::string text = fmt::format("{} violations in {} commands", violations_, count_);
  for (std::size_t i = 0; i < std::min(lines, findings_.size()); ++i) {
    const Finding& finding = findings_[i];
    text += fmt::format("\n  command {} at cycle {}, {} bank {}: {}", finding.number,
                        finding.command.time, params::enum_name(finding.command.command),
                        finding.command.bank, finding.what);
  }
  return text;
}

}  // namespace lacuna::timing::dram
