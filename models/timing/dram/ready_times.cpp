// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/ready_times.h"

namespace lacuna::timing::dram {

using params::MemoryLevel;

namespace {

std::size_t node_count(const TimingTable& table, MemoryLevel level) {
  switch (level) {
    case MemoryLevel::kChannel:
      return 1;
    case MemoryLevel::kPseudoChannel:
      return static_cast<std::size_t>(table.pseudo_channels());
    case MemoryLevel::kRank:
      return static_cast<std::size_t>(table.ranks());
    case MemoryLevel::kBankGroup:
      return static_cast<std::size_t>(table.groups());
    case MemoryLevel::kBank:
      break;
  }
  return static_cast<std::size_t>(table.banks());
}

std::size_t node_of(const BankPlace& place, int bank, MemoryLevel level) {
  switch (level) {
    case MemoryLevel::kChannel:
      return 0;
    case MemoryLevel::kPseudoChannel:
      return static_cast<std::size_t>(place.pseudo_channel);
    case MemoryLevel::kRank:
      return static_cast<std::size_t>(place.rank);
    case MemoryLevel::kBankGroup:
      return static_cast<std::size_t>(place.group);
    case MemoryLevel::kBank:
      break;
  }
  return static_cast<std::size_t>(bank);
}

}  // namespace

ReadyTimes::ReadyTimes(const TimingTable& table, const Commands& used)
    : table_(table),
      banks_(static_cast<std::size_t>(table.banks())),
      ranks_(static_cast<std::size_t>(table.ranks())),
      bank_(banks_ * kCommands, 0),
      rank_(ranks_ * kCommands, 0),
      bus_free_(static_cast<std::size_t>(table.buses()), 0) {
  for (int i = 0; i < kCommands; ++i) {
    bus_[static_cast<std::size_t>(i)] =
        static_cast<std::size_t>(table.bus(static_cast<MemoryCommand>(i)));
  }
  for (std::size_t from = 0; from < rules_.size(); ++from) {
    // A window's first rule that is left stores the command.
    std::vector<bool> is_recorded(table.windows().size(), false);
    for (TimingRule rule : table.rules(static_cast<MemoryCommand>(from))) {
      if (!used[index_of(rule.next)]) continue;
      if (rule.window >= 0) {
        rule.records = !is_recorded[static_cast<std::size_t>(rule.window)];
        is_recorded[static_cast<std::size_t>(rule.window)] = true;
      }
      sort_in(static_cast<MemoryCommand>(from), rule);
    }
  }
  for (const TimingWindow& window : table.windows()) {
    const std::size_t count = node_count(table, window.level);
    window_base_.push_back(window_times_.size());
    window_nodes_.push_back(window_oldest_.size());
    window_times_.resize(window_times_.size() + count * static_cast<std::size_t>(window.depth),
                         kLongAgo);
    window_oldest_.resize(window_oldest_.size() + count, 0);
  }
}

void ReadyTimes::sort_in(MemoryCommand from, const TimingRule& rule) {
  using Scope = TimingRule::Scope;
  Rules& rules = rules_[index_of(from)];
  const std::size_t banks = index_of(rule.next) * banks_;
  const std::size_t ranks = index_of(rule.next) * ranks_;
  const int pseudo_ranks = table_.ranks_per_pseudo_channel();
  const bool concerns_nobody =
      (rule.scope == Scope::kOtherBanks && table_.banks_per_group() == 1) ||
      (rule.scope == Scope::kOtherGroups && table_.groups_per_rank() == 1) ||
      (rule.scope == Scope::kOtherRanks && pseudo_ranks == 1) ||
      (rule.scope == Scope::kOtherChannels && table_.ranks() == pseudo_ranks);
  if (concerns_nobody && !rule.records) return;
  const bool one_bank = !is_whole_rank(from) && from != MemoryCommand::kREFpb;
  if (rule.window < 0 && rule.scope == Scope::kRank) {
    rules.rank.push_back({ranks, rule.latency});
  } else if (rule.window < 0 && one_bank && rule.scope == Scope::kBank) {
    rules.bank.push_back({banks, rule.latency});
  } else if (rule.window < 0 && one_bank && rule.scope == Scope::kGroup) {
    rules.group.push_back({banks, rule.latency});
  } else {
    rules.others.push_back(rule);
  }
}

Cycle ReadyTimes::repeat_after(MemoryCommand command) const {
  const Rules& rules = rules_[index_of(command)];
  if (!rules.others.empty()) return 0;
  Cycle others = table_.cycles(command);
  for (const NodeRule& rule : rules.rank) {
    if (rule.at == index_of(command) * ranks_) others = std::max(others, rule.latency);
  }
  for (const auto* list : {&rules.bank, &rules.group}) {
    for (const NodeRule& rule : *list) {
      if (rule.at == index_of(command) * banks_ && rule.latency > others) return 0;
    }
  }
  return others;
}

Cycle ReadyTimes::earliest_rank(MemoryCommand command, int rank) const {
  const Cycle* banks = of_banks(command) + rank * table_.banks_per_rank();
  return std::max({of_ranks(command)[rank], of_bus(command),
                   *std::max_element(banks, banks + table_.banks_per_rank())});
}

Cycle ReadyTimes::earliest_set(int bank) const {
  const int rank = table_.place(bank).rank;
  const int end = (rank + 1) * table_.banks_per_rank();
  Cycle time = std::max(of_ranks(MemoryCommand::kREFpb)[rank], of_bus(MemoryCommand::kREFpb));
  for (int other = bank; other < end; other += table_.refresh_sets()) {
    time = std::max(time, of_banks(MemoryCommand::kREFpb)[other]);
  }
  return time;
}

// The oldest entry of the ring once the command itself is in it.
Cycle ReadyTimes::oldest_in_window(const TimingRule& rule, const BankPlace& place, int bank,
                                   Cycle last_edge) {
  const auto number = static_cast<std::size_t>(rule.window);
  const TimingWindow& window = table_.windows()[number];
  const std::size_t node = node_of(place, bank, window.level);
  Cycle* ring =
      &window_times_[window_base_[number] + node * static_cast<std::size_t>(window.depth)];
  std::uint8_t& oldest = window_oldest_[window_nodes_[number] + node];
  if (rule.records) {
    ring[oldest] = last_edge;
    oldest = static_cast<std::uint8_t>(oldest + 1 == window.depth ? 0 : oldest + 1);
  }
  return ring[oldest];
}

void ReadyTimes::issue_others(MemoryCommand command, int bank, Cycle time) {
  using Scope = TimingRule::Scope;
  const BankPlace& place = table_.place(bank);
  const bool whole_rank = is_whole_rank(command);
  const int cycles = table_.cycles(command);
  const int per_group = table_.banks_per_group();
  const int per_rank = table_.banks_per_rank();
  const int pseudo_ranks = table_.ranks_per_pseudo_channel();
  const int pseudo_first = place.pseudo_channel * pseudo_ranks;
  const int first_of_rank = place.rank * per_rank;
  const int first_of_group = place.group * per_group;
  // The banks that the command addresses: bank, bank + stride, ... below the end.
  const int stride = command == MemoryCommand::kREFpb ? table_.refresh_sets() : per_rank;
  const int end_of_rank = first_of_rank + per_rank;

  for (const TimingRule& rule : rules_[index_of(command)].others) {
    const Cycle since =
        rule.window < 0 ? time : oldest_in_window(rule, place, bank, time + cycles - 1);
    const Cycle value = since + rule.latency;
    Cycle* banks = &bank_[index_of(rule.next) * banks_];
    Cycle* ranks = &rank_[index_of(rule.next) * ranks_];
    switch (rule.scope) {
      case Scope::kBank:
        if (whole_rank) {
          raise(banks, first_of_rank, per_rank, value);
        } else {
          for (int each = bank; each < end_of_rank; each += stride) {
            banks[each] = std::max(banks[each], value);
          }
        }
        break;
      case Scope::kGroup:
        if (whole_rank) {
          raise(banks, first_of_rank, per_rank, value);
        } else {
          for (int each = bank; each < end_of_rank; each += stride) {
            raise(banks, table_.place(each).group * per_group, per_group, value);
          }
        }
        break;
      case Scope::kRank:
        ranks[place.rank] = std::max(ranks[place.rank], value);
        break;
      case Scope::kRanks:
        if (rule.whole_channel) {
          raise(ranks, 0, static_cast<int>(ranks_), value);
        } else {
          raise(ranks, pseudo_first, pseudo_ranks, value);
        }
        break;
      case Scope::kOtherBanks:
        raise(banks, first_of_group, bank - first_of_group, value);
        raise(banks, bank + 1, first_of_group + per_group - bank - 1, value);
        break;
      case Scope::kOtherGroups:
        raise(banks, first_of_rank, first_of_group - first_of_rank, value);
        raise(banks, first_of_group + per_group,
              first_of_rank + per_rank - first_of_group - per_group, value);
        break;
      case Scope::kOtherRanks:
        raise(ranks, pseudo_first, place.rank - pseudo_first, value);
        raise(ranks, place.rank + 1, pseudo_first + pseudo_ranks - place.rank - 1, value);
        break;
      case Scope::kOtherChannels:
        raise(ranks, 0, pseudo_first, value);
        raise(ranks, pseudo_first + pseudo_ranks,
              static_cast<int>(ranks_) - pseudo_first - pseudo_ranks, value);
        break;
    }
  }
}

}  // namespace lacuna::timing::dram
