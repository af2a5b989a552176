// SPDX-License-Identifier: Apache-2.0
#include "params/memory_params.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "params/memory_mapping.h"
#include "params/timing_expression.h"

namespace lacuna::params {
namespace {

using enum MemoryCommand;

// Collects violations of one preset.
class Rules {
 public:
  explicit Rules(const MemoryPreset& preset) : preset_(preset) {}

  void require(bool holds, std::vector<std::string> keys, std::string message) {
    if (!holds) found_.push_back({std::move(keys), std::move(message)});
  }

  // The value of an expression, or -1 after reporting what is wrong with it.
  std::int64_t cycles(const std::string& key, const std::string& text, std::int64_t least) {
    const TimingValue value = evaluate_timing(text, preset_.timing);
    if (!value.cycles) {
      found_.push_back({{key}, value.error});
      return -1;
    }
    require(*value.cycles >= least && *value.cycles <= 100'000'000, {key},
            fmt::format("'{}' is {} clock cycles; {} to 100000000 are possible", text,
                        *value.cycles, least));
    return *value.cycles;
  }

  std::vector<Violation> take() { return std::move(found_); }

 private:
  const MemoryPreset& preset_;
  std::vector<Violation> found_;
};

void check_organization(const MemoryOrganization& o, Rules& rules) {
  rules.require(o.columns % o.burst_length == 0 && o.columns >= o.burst_length,
                {"organization.columns", "organization.burst_length"},
                fmt::format("columns ({}) must be a multiple of burst_length ({})", o.columns,
                            o.burst_length));
  rules.require(o.burst_length % o.transfers_per_clock == 0,
                {"organization.burst_length", "organization.transfers_per_clock"},
                fmt::format("burst_length ({}) must be a multiple of transfers_per_clock ({})",
                            o.burst_length, o.transfers_per_clock));
  rules.require(o.pseudo_channels * o.channel_width % o.device_width == 0,
                {"organization.channel_width", "organization.device_width"},
                fmt::format("channel_width ({}) times pseudo_channels ({}) must be a multiple of "
                            "device_width ({})",
                            o.channel_width, o.pseudo_channels, o.device_width));
  rules.require(o.banks_per_rank() % o.refresh_banks == 0, {"organization.refresh_banks"},
                fmt::format("refresh_banks ({}) is more than the {} banks of a rank",
                            o.refresh_banks, o.banks_per_rank()));
  rules.require(
      o.total_banks() <= 512, {"organization.banks"},
      fmt::format("a channel has {} banks in all; at most 512 are possible", o.total_banks()));
}

// Entry and exit go together, and what the policy uses must be there.
void check_policy(const MemoryPreset& preset, Rules& rules) {
  const MemoryControllerParams& policy = preset.controller;
  rules.require(preset.has(kPDE) == preset.has(kPDX), {"commands"},
                "power-down needs both commands, PDE and PDX");
  rules.require(preset.has(kSRE) == preset.has(kSRX), {"commands"},
                "self-refresh needs both commands, SRE and SRX");
  rules.require(policy.power_down == 0 || preset.has(kPDE), {"controller.power_down"},
                "the device has no power-down: commands PDE and PDX are missing");
  rules.require(policy.self_refresh == 0 || preset.has(kSRE), {"controller.self_refresh"},
                "the device has no self-refresh: commands SRE and SRX are missing");
  rules.require(
      policy.page_policy != MemoryPagePolicy::kClosed || (preset.has(kRDA) && preset.has(kWRA)),
      {"controller.page_policy"}, "closed pages need the commands RDA and WRA");
}

void check_commands(const MemoryPreset& preset, Rules& rules) {
  const std::vector<std::string> known = enum_spellings<MemoryCommand>();
  for (const auto& [name, form] : preset.commands) {
    bool is_known = false;
    for (const std::string& word : known) is_known = is_known || word == name;
    rules.require(is_known, {"commands." + name},
                  fmt::format("'{}' is not a DRAM command{}; the commands are {}", name,
                              base::did_you_mean(name, known), base::list_in_words(known, "and")));
  }
  for (const MemoryCommand needed : {kACT, kRD, kWR, kPRE, kPREA, kREFab}) {
    rules.require(preset.has(needed), {"commands"},
                  fmt::format("the command {} is missing", enum_name(needed)));
  }
  for (std::size_t i = 0; i < preset.constraints.size(); ++i) {
    const MemoryConstraint& rule = preset.constraints[i];
    const std::string key = fmt::format("constraints[{}]", i);
    const std::int64_t latency = rules.cycles(key + ".latency", rule.latency, -10'000);
    rules.require(rule.window <= 1 || (rule.from == rule.to && !rule.sibling && latency >= 0),
                  {key + ".window"},
                  "a window needs the same commands in 'from' and 'to', and no 'sibling'");
    rules.require(!rule.sibling || rule.level != MemoryLevel::kChannel, {key + ".sibling"},
                  "a channel has no siblings");
    for (const auto* side : {&rule.from, &rule.to}) {
      rules.require(!side->empty(), {key}, "'from' and 'to' each need a command");
      for (const MemoryCommand command : *side) {
        rules.require(preset.has(command), {key},
                      fmt::format("{} is not among 'commands'", enum_name(command)));
      }
    }
  }
}

}  // namespace

std::int64_t MemoryPreset::clock_fs() const { return std::llround(clock_period * 1e15); }

double MemoryPreset::peak_bytes_per_second() const {
  return organization.pseudo_channels * organization.channel_width / 8.0 *
         organization.transfers_per_clock / clock_period;
}

std::int64_t MemoryPreset::cycles(const std::string& expression) const {
  const TimingValue value = evaluate_timing(expression, timing);
  LACUNA_CHECK(value.cycles.has_value(), "memory {}: {}", name, value.error);
  return *value.cycles;
}

bool MemoryPreset::has(MemoryCommand command) const {
  return commands.contains(std::string(enum_name(command)));
}

std::vector<Violation> MemoryControllerParams::validate() const {
  std::vector<Violation> found;
  if (write_high > write_queue) {
    found.push_back({{"write_high", "write_queue"},
                     fmt::format("write_high ({}) is more than write_queue ({}) holds", write_high,
                                 write_queue)});
  }
  if (write_low >= write_high) {
    found.push_back(
        {{"write_low", "write_high"},
         fmt::format("write_low ({}) must be below write_high ({})", write_low, write_high)});
  }
  if (self_refresh > 0 && power_down >= self_refresh) {
    found.push_back({{"power_down", "self_refresh"},
                     fmt::format("power_down ({}) must come before self_refresh ({})", power_down,
                                 self_refresh)});
  }
  return found;
}

std::vector<Violation> MemoryPreset::validate() const {
  Rules rules(*this);
  check_organization(organization, rules);
  check_commands(*this, rules);
  check_policy(*this, rules);
  rules.cycles("latency.read", latency.read_latency, 1);
  rules.cycles("latency.write", latency.write_latency, 0);
  rules.cycles("latency.refresh", latency.refresh_interval, 1);
  const std::int64_t bank_interval =
      rules.cycles("latency.refresh_bank", latency.refresh_bank_interval, 0);
  rules.require(controller.refresh != MemoryRefresh::kPerBank ||
                    (bank_interval > 0 && has(MemoryCommand::kREFpb)),
                {"controller.refresh"},
                "per-bank refresh needs the command REFpb and latency.refresh_bank");
  for (const auto* text : {&power.tras, &power.trc, &power.trfc}) {
    rules.cycles("power", *text, 0);
  }
  rules.require(power.rails.empty() || (evaluate_timing(power.trc, timing).cycles.value_or(0) > 0 &&
                                        evaluate_timing(power.trfc, timing).cycles.value_or(0) > 0),
                {"power"}, "supply currents need tras, trc and trfc");
  rules.require(clock_fs() > 1000, {"clock_period"}, "the clock period must be above 1 ps");
  std::vector<Violation> found = rules.take();
  if (found.empty()) {
    const MemoryMapping mapping = parse_memory_mapping(controller.mapping, organization, 1);
    if (!mapping.error.empty()) found.push_back({{"controller.mapping"}, mapping.error});
  }
  return found;
}

}  // namespace lacuna::params
