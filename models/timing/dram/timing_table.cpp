// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/timing_table.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/error.h"

namespace lacuna::timing::dram {

using params::MemoryLevel;

TimingTable::TimingTable(const params::MemoryPreset& preset) {
  const std::vector<params::Violation> wrong = preset.validate();
  LACUNA_CHECK(wrong.empty(), "memory {}: {}", preset.name, wrong.front().message);

  const params::MemoryOrganization& sizes = preset.organization;
  banks_per_group_ = sizes.banks;
  banks_per_rank_ = sizes.banks_per_rank();
  refresh_sets_ = sizes.refresh_sets();
  groups_per_rank_ = sizes.bank_groups;
  ranks_per_pseudo_channel_ = sizes.ranks;
  ranks_ = sizes.pseudo_channels * sizes.ranks;
  groups_ = ranks_ * groups_per_rank_;
  places_.resize(static_cast<std::size_t>(sizes.total_banks()));
  for (int bank = 0; bank < banks(); ++bank) {
    const int rank = bank / banks_per_rank_;
    places_[static_cast<std::size_t>(bank)] = {
        static_cast<std::int16_t>(bank / banks_per_group_), static_cast<std::int16_t>(rank),
        static_cast<std::int16_t>(rank / ranks_per_pseudo_channel_)};
  }

  std::map<std::string, int> bus_numbers;
  for (int i = 0; i < kCommands; ++i) {
    const auto command = static_cast<MemoryCommand>(i);
    const auto found = preset.commands.find(std::string(params::enum_name(command)));
    if (found == preset.commands.end()) continue;
    const auto at = index_of(command);
    has_[at] = true;
    cycles_[at] = found->second.cycles;
    bus_[at] =
        bus_numbers.emplace(found->second.bus, static_cast<int>(bus_numbers.size())).first->second;
  }
  buses_ = static_cast<int>(bus_numbers.size());

  burst_cycles_ = sizes.burst_cycles();
  burst_bytes_ = sizes.burst_bytes();
  const auto cycles_of = [&](const std::string& text) {
    return static_cast<int>(preset.cycles(text));
  };
  read_done_ =
      cycles(MemoryCommand::kRD) - 1 + cycles_of(preset.latency.read_latency) + burst_cycles_;
  write_done_ =
      cycles(MemoryCommand::kWR) - 1 + cycles_of(preset.latency.write_latency) + burst_cycles_;
  refresh_interval_ = preset.cycles(preset.latency.refresh_interval);
  refresh_bank_interval_ = preset.cycles(preset.latency.refresh_bank_interval);
  add_rules(preset);
  const auto to_precharge = [&](MemoryCommand column) {
    int latency = 0;
    for (const TimingRule& rule : rules(column)) {
      if (rule.scope == TimingRule::Scope::kBank && rule.next == MemoryCommand::kPRE) {
        latency = std::max(latency, rule.latency);
      }
    }
    return latency;
  };
  precharge_after_read_ = to_precharge(MemoryCommand::kRD);
  precharge_after_write_ = to_precharge(MemoryCommand::kWR);
}

void TimingTable::add_rules(const params::MemoryPreset& preset) {
  using Scope = TimingRule::Scope;
  for (const params::MemoryConstraint& row : preset.constraints) {
    const auto nominal = static_cast<int>(preset.cycles(row.latency));
    std::int16_t window = -1;
    if (row.window > 1) {
      window = static_cast<std::int16_t>(windows_.size());
      windows_.push_back({row.level, row.window});
    }
    for (const MemoryCommand from : row.from) {
      for (const MemoryCommand to : row.to) {
        TimingRule rule;
        rule.next = to;
        rule.window = window;
        rule.records = window >= 0 && to == row.to.front();
        rule.latency = nominal - (cycles(to) - 1) + (window < 0 ? cycles(from) - 1 : 0);
        switch (row.level) {
          case MemoryLevel::kBank:
            rule.scope = row.sibling ? Scope::kOtherBanks : Scope::kBank;
            break;
          case MemoryLevel::kBankGroup:
            rule.scope = row.sibling ? Scope::kOtherGroups : Scope::kGroup;
            break;
          case MemoryLevel::kRank:
            rule.scope = row.sibling ? Scope::kOtherRanks : Scope::kRank;
            break;
          case MemoryLevel::kPseudoChannel:
            rule.scope = row.sibling ? Scope::kOtherChannels : Scope::kRanks;
            break;
          case MemoryLevel::kChannel:
            rule.scope = Scope::kRanks;
            rule.whole_channel = true;
            break;
        }
        // With one rank in the pseudo-channel (or channel) the cheaper scope says the same.
        const bool alone = rule.whole_channel ? ranks_ == 1 : ranks_per_pseudo_channel_ == 1;
        if (rule.scope == Scope::kRanks && alone) rule.scope = Scope::kRank;
        // Of two rules that differ only in latency the longer one decides.
        std::vector<TimingRule>& rules = rules_[index_of(from)];
        const auto same = std::find_if(rules.begin(), rules.end(), [&](const TimingRule& other) {
          return other.scope == rule.scope && other.next == rule.next &&
                 other.whole_channel == rule.whole_channel && other.window == rule.window;
        });
        if (same != rules.end()) {
          same->latency = std::max(same->latency, rule.latency);
        } else {
          rules.push_back(rule);
        }
      }
    }
  }
}

}  // namespace lacuna::timing::dram
