// SPDX-License-Identifier: Apache-2.0
#include "cli/dram_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "report/format.h"
#include "timing/dram/dram_energy.h"
#include "timing/dram/timing_table.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;
using timing::dram::ChannelStats;
using timing::dram::MemoryCommand;

constexpr std::pair<const char*, double> kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999}};

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
double real(std::int64_t value) { return static_cast<double>(value); }

Json latency_json(const traffic::LatencyHistogram& latency, double clock) {
  Json json{{"requests", latency.count()}};
  const auto put = [&](const char* name, double cycles) {
    json[name] = Json{{"cycles", cycles}, {"ns", cycles * clock * 1e9}};
  };
  put("mean", latency.mean());
  put("min", real(latency.smallest()));
  for (const auto& [name, share] : kPercentiles) put(name, real(latency.percentile(share)));
  put("max", real(latency.largest()));
  return json;
}

/// How long a per-bank refresh blocks its bank.
double refresh_bank_cycles(const params::MemoryPreset& preset) {
  if (!preset.has(MemoryCommand::kREFpb)) return 0;
  const timing::dram::TimingTable table(preset);
  int longest = 0;
  for (const timing::dram::TimingRule& rule : table.rules(MemoryCommand::kREFpb)) {
    if (rule.scope == timing::dram::TimingRule::Scope::kBank && rule.next == MemoryCommand::kACT) {
      longest = std::max(longest, static_cast<int>(rule.latency));
    }
  }
  return longest;
}

Json refresh_json(const DramRun& run, const ChannelStats& stats) {
  const params::MemoryOrganization& sizes = run.preset.organization;
  const double ranks = real(run.channels) * sizes.pseudo_channels * sizes.ranks;
  const double in_banks = real(stats.count(MemoryCommand::kREFpb)) *
                          refresh_bank_cycles(run.preset) / sizes.banks_per_rank();
  return Json{
      {"all_bank", stats.count(MemoryCommand::kREFab)},
      {"per_bank", stats.count(MemoryCommand::kREFpb)},
      {"share", ratio(real(stats.refreshing_cycles) + in_banks, ranks * real(run.result.cycles))}};
}

Json energy_json(const DramRun& run, const ChannelStats& stats, double seconds) {
  Json parts = Json::object();
  double total = 0;
  const bool known = !run.preset.power.rails.empty();
  if (known) {
    const timing::dram::DramEnergy energy = timing::dram::energy_from_currents(run.preset, stats);
    parts = Json{{"activate", energy.activate},
                 {"read", energy.read},
                 {"write", energy.write},
                 {"refresh", energy.refresh},
                 {"active_standby", energy.active_standby},
                 {"precharge_standby", energy.precharge_standby},
                 {"active_power_down", energy.active_power_down},
                 {"precharge_power_down", energy.precharge_power_down},
                 {"self_refresh", energy.self_refresh},
                 {"io", energy.io}};
    total = energy.total();
  } else {
    total = timing::dram::energy_from_bits(run.preset, stats);
    parts = Json{{"transfer", total}};
  }
  return Json{{"from", known ? "currents" : "per_bit"},
              {"total_j", total},
              {"parts_j", parts},
              {"power_w", ratio(total, seconds)},
              {"pj_per_bit", ratio(total * 1e12, 8 * real(run.result.bytes()))}};
}

Json check_json(const DramRun& run) {
  std::int64_t commands = 0;
  std::int64_t violations = 0;
  Json findings = Json::array();
  int channel = 0;
  for (const timing::dram::TimingChecker& checker : run.watch.checkers()) {
    commands += checker.commands();
    violations += checker.violations();
    for (const auto& finding : checker.findings()) {
      findings.push_back(Json{{"channel", channel},
                              {"cycle", finding.command.time},
                              {"command", params::enum_name(finding.command.command)},
                              {"bank", finding.command.bank},
                              {"what", finding.what}});
    }
    ++channel;
  }
  return Json{{"commands", commands}, {"violations", violations}, {"first", findings}};
}

Json channel_json(const DramRun& run, const ChannelStats& stats) {
  const double bus_cycles = real(run.result.cycles) * run.preset.organization.pseudo_channels;
  return Json{
      {"read_bytes", stats.read_bytes},
      {"write_bytes", stats.write_bytes},
      {"bus_share", ratio(real(stats.data_bus_cycles), bus_cycles)},
      {"busy_cycles", stats.busy_cycles},
      {"row_hits", stats.row_hits},
      {"row_misses", stats.row_misses},
      {"row_conflicts", stats.row_conflicts},
      {"activates", stats.count(MemoryCommand::kACT)},
      {"refreshes", stats.count(MemoryCommand::kREFab) + stats.count(MemoryCommand::kREFpb)}};
}

}  // namespace

Json dram_json(const DramRun& run) {
  const params::MemoryPreset& preset = run.preset;
  const traffic::ReplayResult& result = run.result;
  const ChannelStats& stats = result.memory.channels;
  const double clock = preset.clock_period;
  const double seconds = real(result.cycles) * clock;
  const double peak = run.channels * preset.peak_bytes_per_second();
  const double bytes = real(result.bytes());
  const double window_bytes = real(run.watch.busiest_window()) * preset.organization.burst_bytes();
  const auto bandwidth = [&](double value) {
    return Json{{"bytes_per_s", value}, {"of_peak", ratio(value, peak)}};
  };

  Json json;
  json["schema"] = "lacuna-dram-1";
  json["memory"] = Json{{"name", preset.name},
                        {"standard", preset.standard},
                        {"channels", run.channels},
                        {"capacity_bytes", run.capacity_bytes},
                        {"burst_bytes", preset.organization.burst_bytes()},
                        {"clock_period_s", clock},
                        {"mapping", preset.controller.mapping}};
  json["traffic"] = Json{{"source", run.traffic},           {"loop", run.loop},
                         {"outstanding", run.outstanding},  {"requests", result.requests()},
                         {"reads", result.reads},           {"writes", result.writes},
                         {"read_bytes", result.read_bytes}, {"write_bytes", result.write_bytes},
                         {"held_back", result.held_back}};
  if (run.rate_bytes_per_s) json["traffic"]["rate_bytes_per_s"] = *run.rate_bytes_per_s;
  json["time"] =
      Json{{"cycles", result.cycles}, {"seconds", seconds}, {"busy_cycles", result.busy_cycles}};
  json["bandwidth"] =
      Json{{"average", bandwidth(ratio(bytes, seconds))},
           {"while_busy", bandwidth(ratio(bytes, real(result.busy_cycles) * clock))},
           {"busiest_window", bandwidth(window_bytes / (real(run.watch.window_cycles()) * clock))},
           {"window_cycles", run.watch.window_cycles()},
           {"peak", bandwidth(peak)},
           {"bus_bytes", stats.read_bytes + stats.write_bytes}};
  const double rows = real(stats.row_hits + stats.row_misses + stats.row_conflicts);
  json["rows"] = Json{{"hits", stats.row_hits},
                      {"misses", stats.row_misses},
                      {"conflicts", stats.row_conflicts},
                      {"hit_share", ratio(real(stats.row_hits), rows)},
                      {"forwarded_reads", stats.forwarded_reads},
                      {"merged_reads", stats.merged_reads},
                      {"merged_writes", stats.merged_writes},
                      {"direction_switches", stats.direction_switches}};
  Json commands = Json::object();
  for (const auto& [command, name] : enum_names(MemoryCommand{})) {
    commands[std::string(name)] = stats.count(command);
  }
  json["commands"] = commands;
  json["latency"] = Json{{"read", latency_json(result.read_latency, clock)},
                         {"write", latency_json(result.write_latency, clock)}};
  const double channel_cycles = real(result.cycles) * run.channels;
  json["queues"] = Json{
      {"requests_under_way", Json{{"mean", result.mean_under_way}, {"max", result.most_under_way}}},
      {"read_queue", Json{{"mean", ratio(real(stats.read_queue_cycles), channel_cycles)},
                          {"max", stats.read_queue_largest},
                          {"size", preset.controller.read_queue}}},
      {"write_queue", Json{{"mean", ratio(real(stats.write_queue_cycles), channel_cycles)},
                           {"max", stats.write_queue_largest},
                           {"size", preset.controller.write_queue}}}};
  json["refresh"] = refresh_json(run, stats);
  json["energy"] = energy_json(run, stats, seconds);
  json["channels"] = Json::array();
  for (const ChannelStats& channel : result.channels) {
    json["channels"].push_back(channel_json(run, channel));
  }
  if (!run.watch.checkers().empty()) json["check"] = check_json(run);
  return json;
}

namespace {

std::string whole(const Json& value) { return base::with_thousands(value.get<std::int64_t>()); }

std::string bandwidth_text(const Json& value) {
  return fmt::format("{} ({})", report::si(value["bytes_per_s"], "B/s"),
                     report::percent(value["of_peak"]));
}

void add_latencies(const Json& latency, std::string& text) {
  report::Table table({false, true, true, true, true, true, true, true, true});
  std::vector<std::string> head = {"Latency", "mean", "min"};
  for (const auto& [name, share] : kPercentiles) head.push_back(fmt::format("{:g} %", share * 100));
  head.emplace_back("max");
  table.row(head);
  for (const char* direction : {"read", "write"}) {
    const Json& json = latency[direction];
    if (json["requests"] == 0) continue;
    std::vector<std::string> cycles = {fmt::format("{}, cycles", direction)};
    std::vector<std::string> times = {fmt::format("{}, ns", direction)};
    const auto add = [&](const char* name) {
      cycles.push_back(fmt::format("{:.0f}", json[name]["cycles"].get<double>()));
      times.push_back(fmt::format("{:.1f}", json[name]["ns"].get<double>()));
    };
    add("mean");
    add("min");
    for (const auto& [name, share] : kPercentiles) add(name);
    add("max");
    table.row(cycles);
    table.row(times);
  }
  text += "\n" + table.text(0);
}

void add_channels(const Json& channels, std::string& text) {
  report::Table table(std::vector<bool>(8, true));
  table.row({"channel", "read", "written", "bus", "hits", "misses", "conflicts", "refreshes"});
  int number = 0;
  for (const Json& channel : channels) {
    table.row({std::to_string(number++), report::si(channel["read_bytes"], "B"),
               report::si(channel["write_bytes"], "B"), report::percent(channel["bus_share"]),
               whole(channel["row_hits"]), whole(channel["row_misses"]),
               whole(channel["row_conflicts"]), whole(channel["refreshes"])});
  }
  text += "\n" + table.text(0);
}

}  // namespace

std::string dram_text(const Json& report) {
  const Json& memory = report["memory"];
  const Json& traffic = report["traffic"];
  const Json& time = report["time"];
  const Json& bandwidth = report["bandwidth"];
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<11}{}\n", name, value);
  };
  const int channels = memory["channels"];
  line("Memory", fmt::format("{} ({}), {} channel{}, {}, {} peak; mapping: {}",
                             base::printable(memory["name"].get<std::string>()),
                             base::printable(memory["standard"].get<std::string>()), channels,
                             channels > 1 ? "s" : "",
                             base::format_quantity(memory["capacity_bytes"].get<std::int64_t>(),
                                                   base::Unit::kBytes),
                             report::si(bandwidth["peak"]["bytes_per_s"], "B/s"),
                             base::printable(memory["mapping"].get<std::string>(), 120)));
  std::string loop = traffic["loop"].get<std::string>() + " loop";
  if (traffic.contains("rate_bytes_per_s")) {
    loop += fmt::format(" at {}", report::si(traffic["rate_bytes_per_s"], "B/s"));
  }
  line("Traffic",
       fmt::format("{}: {} reads ({}), {} writes ({})", traffic["source"].get<std::string>(),
                   whole(traffic["reads"]), report::si(traffic["read_bytes"], "B"),
                   whole(traffic["writes"]), report::si(traffic["write_bytes"], "B")));
  std::string held;
  if (traffic["held_back"] != 0) {
    held = fmt::format("; {} sent later than scheduled", whole(traffic["held_back"]));
  }
  line("", fmt::format("{}, at most {} under way{}", loop, whole(traffic["outstanding"]), held));
  line("Time", fmt::format("{} cycles = {} until the last request is done; {} with work",
                           whole(time["cycles"]), report::si(time["seconds"], "s"),
                           report::percent(ratio(time["busy_cycles"], time["cycles"]))));
  line("Bandwidth",
       fmt::format("average {}, while busy {}, busiest {} cycles {}",
                   bandwidth_text(bandwidth["average"]), bandwidth_text(bandwidth["while_busy"]),
                   whole(bandwidth["window_cycles"]), bandwidth_text(bandwidth["busiest_window"])));
  const Json& rows = report["rows"];
  line("Rows", fmt::format("{} hits ({}), {} misses, {} conflicts; {} reads from the write queue; "
                           "{} turns of the bus",
                           whole(rows["hits"]), report::percent(rows["hit_share"]),
                           whole(rows["misses"]), whole(rows["conflicts"]),
                           whole(rows["forwarded_reads"]), whole(rows["direction_switches"])));
  std::vector<std::string> commands;
  for (const auto& [name, count] : report["commands"].items()) {
    if (count != 0) commands.push_back(fmt::format("{} {}", name, whole(count)));
  }
  line("Commands", base::join(commands, ", "));
  const Json& refresh = report["refresh"];
  line("Refresh", fmt::format("{} of the time of a rank", report::percent(refresh["share"])));
  const auto queue = [&](const Json& json) {
    return fmt::format("{:.1f} (most {}{})", json["mean"].get<double>(), whole(json["max"]),
                       json.contains("size") ? " of " + whole(json["size"]) : std::string());
  };
  const Json& queues = report["queues"];
  line("Queues", fmt::format("under way {}; in a channel's read queue {}, write queue {}",
                             queue(queues["requests_under_way"]), queue(queues["read_queue"]),
                             queue(queues["write_queue"])));
  const Json& energy = report["energy"];
  std::vector<std::string> parts;
  for (const auto& [name, joules] : energy["parts_j"].items()) {
    parts.push_back(fmt::format("{} {}", name, report::si(joules, "J")));
  }
  line("Energy",
       fmt::format("{}: {}", report::si(energy["total_j"], "J"), base::join(parts, ", ")));
  line("", fmt::format("{}, {:.3g} pJ for each bit asked for; from {}",
                       report::si(energy["power_w"], "W"), energy["pj_per_bit"].get<double>(),
                       energy["from"] == "currents" ? "data-sheet currents"
                                                    : "a figure per bit, no currents are known"));
  add_latencies(report["latency"], text);
  if (channels > 1) add_channels(report["channels"], text);
  if (report.contains("check")) {
    const Json& check = report["check"];
    text += fmt::format("\nChecker    {} commands, {} violations\n", whole(check["commands"]),
                        whole(check["violations"]));
    for (const Json& finding : check["first"]) {
      text +=
          fmt::format("  channel {}, cycle {}, {} bank {}: {}\n", finding["channel"].get<int>(),
                      finding["cycle"].get<std::int64_t>(), finding["command"].get<std::string>(),
                      finding["bank"].get<int>(), finding["what"].get<std::string>());
    }
  }
  return text;
}

}  // namespace lacuna::cli
