// SPDX-License-Identifier: Apache-2.0
#include "cli/dram_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/dram_report.h"
#include "config/loader.h"
#include "cosim/plugin_cache.h"
#include "report/json_report.h"
#include "traffic/replay.h"
#include "traffic/synthetic.h"
#include "traffic/trace_reader.h"

namespace lacuna::cli {

namespace {

namespace fs = std::filesystem;
using timing::dram::MemorySystem;

constexpr std::int64_t kMaxOutstanding = 1'000'000;
constexpr std::int64_t kLeastOutstanding = 16;
constexpr std::int64_t kMaxFindings = 1'000'000;

/// A file, or a name in configs/memories of the source tree.
std::string preset_path(const std::string& given) {
  if (given.find('/') != std::string::npos || given.ends_with(".yaml") || fs::exists(given)) {
    return given;
  }
  const fs::path folder = fs::path(cosim::home_folder({})) / "configs" / "memories";
  const fs::path file = folder / (given + ".yaml");
  if (fs::exists(file)) return file.string();
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  throw base::UserError(fmt::format("'{}' is no memory in {}{}; there are: {}",
                                    base::printable(given), folder.string(),
                                    base::did_you_mean(given, names), base::join(names, ", ")));
}

params::MemoryPreset load_memory(const std::string& given, const std::vector<std::string>& sets) {
  config::LoadOptions load;
  load.sets = sets;
  return config::load<params::MemoryPreset>(preset_path(given), load).value;
}

class DramCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "dram"; }
  [[nodiscard]] std::string summary() const override {
    return "replay an address trace, or made-up traffic, on a DRAM; check a command log";
  }

  void add_options(CLI::App& app) override {
    app.add_option("PRESET", preset_, "memory: a name in configs/memories, or a file")->required();
    app.add_option("--trace", trace_,
                   "trace: '0xADDR READ|WRITE CYCLE' or 'CYCLE: read|write 0xADDR' a line; plain "
                   "or .gz; - is the standard input")
        ->type_name("FILE");
    app.add_option("--traffic", traffic_,
                   "made-up requests: stream|random|conflict|mixed[,requests=1M][,seed=1]"
                   "[,writes=0.3][,span=64MiB]")
        ->type_name("SPEC");
    app.add_option("--check-log", check_log_,
                   "judge a command log (CSV) instead: every violation, status 1 if there is one")
        ->type_name("FILE");
    app.add_option("--trace-format", trace_format_, "in place of looking at the trace")
        ->type_name("dramsim3|stl|rstl")
        ->check(CLI::IsMember({"dramsim3", "stl", "rstl"}).description(""));
    app.add_option("--trace-clock", trace_clock_,
                   "clock that the trace's cycles count (default: the memory's command clock)")
        ->type_name("FREQUENCY");
    app.add_flag("--wrap", wrap_, "addresses of the trace modulo the memory's size");
    add_integer(app, "--channels", channels_, 1, MemorySystem::kMaxChannels,
                "channels, a power of two [1]");
    app.add_option("--request-bytes", request_bytes_,
                   "size of a request where the trace does not say (default: a burst)")
        ->type_name("SIZE");
    add_integer(app, "--outstanding", outstanding_, 1, kMaxOutstanding,
                "requests under way at most (default: as many as fill the queues, at least 16)");
    app.add_option("--rate", rate_,
                   "send requests evenly at this rate: '8 GB/s', or '60 %' of the peak")
        ->type_name("RATE");
    app.add_flag("--open-loop", open_loop_, "send at the cycles of the trace (default for traces)");
    app.add_flag("--closed-loop", closed_loop_,
                 "send as soon as there is room (default for made-up traffic)");
    app.add_option("--mapping", mapping_, "address mapping, as in the key controller.mapping")
        ->type_name("FIELDS");
    app.add_option("--set", sets_,
                   "replace one value of the memory, e.g. --set controller.read_queue=64")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--command-log", command_log_, "write every command there, as CSV")
        ->type_name("FILE");
    app.add_flag(
        "--check", check_,
        "judge every command with the independent checker; status 1 if it finds something");
    app.add_option("--out", out_, "also write report.txt and report.json there")->type_name("DIR");
    add_format_option(app, format_);
  }

  int run(std::ostream& out) override {
    check_options();
    if (!mapping_.empty()) sets_.push_back("controller.mapping=" + mapping_);
    const params::MemoryPreset preset = load_memory(preset_, sets_);
    if (!std::has_single_bit(static_cast<std::uint64_t>(channels_))) {
      throw base::UserError(fmt::format("--channels {} is not a power of two", channels_));
    }
    return check_log_.empty() ? replay(preset, out) : check(preset, out);
  }

 private:
  void check_options() const {
    const int sources = !trace_.empty() + !traffic_.empty() + !check_log_.empty();
    if (sources != 1) {
      throw base::UserError(
          fmt::format("{} of --trace, --traffic and --check-log; see 'lacuna dram --help'",
                      sources == 0 ? "give one" : "give only one"));
    }
    const auto both = [](bool first, const char* name, bool second, const char* other) {
      if (first && second)
        throw base::UserError(fmt::format("{} does not go with {}", name, other));
    };
    both(open_loop_, "--open-loop", closed_loop_, "--closed-loop");
    both(closed_loop_, "--closed-loop", !rate_.empty(), "--rate");
    both(open_loop_ && rate_.empty(), "--open-loop without --rate", !traffic_.empty(),
         "--traffic: made-up requests have no time of their own");
    const bool no_trace = trace_.empty();
    const char* without = "anything but --trace";
    both(!trace_format_.empty(), "--trace-format", no_trace, without);
    both(!trace_clock_.empty(), "--trace-clock", no_trace, without);
    both(wrap_, "--wrap", no_trace, without);
    const bool judges = !check_log_.empty();
    both(check_, "--check", judges, "--check-log");
    both(!command_log_.empty(), "--command-log", judges, "--check-log");
    both(!rate_.empty(), "--rate", judges, "--check-log");
    both(!out_.empty(), "--out", judges, "--check-log");
  }

  [[nodiscard]] static std::int64_t quantity(std::string text, const char* option, base::Unit unit,
                                             double low, double high) {
    if (unit == base::Unit::kBytes && !text.empty() &&
        text.find_first_not_of("0123456789") == std::string::npos) {
      text += " B";
    }
    try {
      const base::Quantity given = base::parse_quantity(text, unit);
      if (!given.is_integer || !(given.value >= low && given.value <= high)) {
        throw base::UserError(
            fmt::format("'{}' is not a whole number of {} to {}", base::printable(text, 40),
                        base::format_quantity(low, unit), base::format_quantity(high, unit)));
      }
      return given.integer;
    } catch (const base::UserError& error) {
      throw base::UserError(fmt::format("{}: {}", option, error.what()));
    }
  }

  /// Bytes per second, from a bandwidth or a share of the peak.
  [[nodiscard]] std::optional<double> rate(double peak) const {
    if (rate_.empty()) return std::nullopt;
    double value = 0;
    try {
      value = rate_.find('/') != std::string::npos
                  ? base::parse_quantity(rate_, base::Unit::kBytesPerSecond).value
                  : base::parse_quantity(rate_, base::Unit::kRatio).value * peak;
    } catch (const base::UserError& error) {
      throw base::UserError(fmt::format("--rate: {}", error.what()));
    }
    if (!(value >= 1)) {
      throw base::UserError(fmt::format("--rate: '{}' is not above 0", base::printable(rate_, 40)));
    }
    return value;
  }

  [[nodiscard]] traffic::TraceOptions trace_options(const MemorySystem& memory,
                                                    std::int64_t request_bytes) const {
    traffic::TraceOptions options;
    if (trace_format_ == "dramsim3") options.format = traffic::TraceFormat::kDramSim3;
    if (trace_format_ == "stl") options.format = traffic::TraceFormat::kStl;
    if (trace_format_ == "rstl") options.format = traffic::TraceFormat::kRelativeStl;
    options.request_bytes = request_bytes;
    options.capacity = memory.capacity_bytes();
    options.wrap = wrap_;
    options.memory_clock_fs = memory.preset().clock_fs();
    options.trace_clock_fs = options.memory_clock_fs;
    if (!trace_clock_.empty()) {
      const std::int64_t hertz =
          quantity(trace_clock_, "--trace-clock", base::Unit::kHertz, 1e3, 1e12);
      options.trace_clock_fs = std::llround(1e15 / static_cast<double>(hertz));
    }
    return options;
  }

  int replay(const params::MemoryPreset& preset, std::ostream& out) {
    const int channels = static_cast<int>(channels_);
    MemorySystem memory(preset, channels);
    const std::int64_t burst = preset.organization.burst_bytes();
    const std::int64_t request_bytes =
        request_bytes_.empty() ? burst
                               : quantity(request_bytes_, "--request-bytes", base::Unit::kBytes, 1,
                                          static_cast<double>(traffic::kMaxRequestBytes));
    if (static_cast<std::uint64_t>(request_bytes) > memory.capacity_bytes()) {
      throw base::UserError("--request-bytes: more than the memory holds");
    }
    const std::optional<double> bytes_per_s = rate(channels * preset.peak_bytes_per_second());

    std::unique_ptr<traffic::RequestSource> source;
    std::string described;
    std::int64_t total = 0;
    if (!trace_.empty()) {
      auto reader =
          std::make_unique<traffic::TraceReader>(trace_, trace_options(memory, request_bytes));
      described = fmt::format("trace {} ({} format)",
                              trace_ == "-" ? "from standard input" : base::printable(trace_, 200),
                              traffic::trace_format_name(reader->format()));
      source = std::move(reader);
    } else {
      const traffic::SyntheticSpec spec = traffic::parse_synthetic(traffic_, "--traffic");
      described = fmt::format("{}, seed {}", traffic::pattern_name(spec.pattern), spec.seed);
      total = spec.requests;
      source = std::make_unique<traffic::SyntheticSource>(spec, request_bytes, memory.address_map(),
                                                          preset.organization, channels);
    }
    std::optional<traffic::RatedSource> rated;
    if (bytes_per_s) rated.emplace(*source, *bytes_per_s * preset.clock_period);

    traffic::ReplayOptions options;
    options.closed_loop = closed_loop_ || (!traffic_.empty() && !bytes_per_s);
    options.outstanding = outstanding_;
    if (outstanding_ == 0) {
      const std::int64_t bursts =
          std::int64_t{channels} * (preset.controller.read_queue + preset.controller.write_queue);
      options.outstanding = std::max(kLeastOutstanding, bursts * burst / request_bytes);
    }
    if (!out_.empty()) base::create_folders(out_);
    std::optional<traffic::CommandLogWriter> log;
    if (!command_log_.empty()) log.emplace(command_log_, preset.organization);
    traffic::ChannelWatch watch(memory, log ? &*log : nullptr, check_);

    traffic::ReplayResult result;
    {
      base::Progress progress("requests", total);
      options.progress = [&](std::int64_t done) { progress.update(done); };
      result = traffic::replay(rated ? static_cast<traffic::RequestSource&>(*rated) : *source,
                               memory, watch, options);
    }
    if (log) log->commit();

    DramRun run{preset,
                channels,
                described,
                options.closed_loop ? "closed" : "open",
                bytes_per_s,
                options.outstanding,
                static_cast<std::int64_t>(memory.capacity_bytes()),
                result,
                watch};
    const nlohmann::ordered_json report = dram_json(run);
    const std::string text = dram_text(report);
    const std::string json = report::json_text(report);
    if (!out_.empty()) {
      base::write_file_atomically(out_ + "/report.txt", text);
      base::write_file_atomically(out_ + "/report.json", json);
    }
    out << (format_ == Format::kJson ? json : text);
    return check_ && report["check"]["violations"] != 0 ? kExitCheckFailed : kExitDone;
  }

  int check(const params::MemoryPreset& preset, std::ostream& out) const {
    traffic::CommandLogReader log(check_log_, preset.organization, MemorySystem::kMaxChannels);
    std::vector<timing::dram::TimingChecker> checkers;
    std::vector<base::Cycle> ends;
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    std::int64_t kept = 0;
    const auto take = [&](int channel, int line) {
      for (const auto& finding : checkers[static_cast<std::size_t>(channel)].take_findings()) {
        if (++kept > kMaxFindings) continue;
        const bool whole = finding.number < 0;
        nlohmann::ordered_json json{{"line", whole ? 0 : line}, {"channel", channel}};
        if (!whole) {
          json["cycle"] = finding.command.time;
          json["command"] = params::enum_name(finding.command.command);
          json["bank"] = finding.command.bank;
        }
        json["what"] = finding.what;
        findings.push_back(json);
      }
    };
    traffic::LoggedCommand command;
    std::int64_t commands = 0;
    while (log.next(command)) {
      const auto channel = static_cast<std::size_t>(command.channel);
      while (checkers.size() <= channel) {
        checkers.emplace_back(preset);
        ends.push_back(0);
      }
      checkers[channel].on_command(command.record);
      ends[channel] = std::max(ends[channel], command.record.time);
      take(command.channel, log.line());
      if (++commands % 4096 == 0) base::throw_if_interrupted();
    }
    std::int64_t violations = 0;
    for (std::size_t channel = 0; channel < checkers.size(); ++channel) {
      checkers[channel].finish(ends[channel]);
      take(static_cast<int>(channel), 0);
      violations += checkers[channel].violations();
    }
    const nlohmann::ordered_json report{{"schema", "lacuna-dram-check-1"},
                                        {"memory", preset.name},
                                        {"log", check_log_},
                                        {"channels", checkers.size()},
                                        {"commands", commands},
                                        {"violations", violations},
                                        {"findings", findings}};
    out << (format_ == Format::kJson ? report::json_text(report) : check_text(report));
    return violations == 0 ? kExitDone : kExitCheckFailed;
  }

  [[nodiscard]] static std::string check_text(const nlohmann::ordered_json& report) {
    std::string text;
    const std::string log = base::printable(report["log"].get<std::string>(), 200);
    for (const auto& finding : report["findings"]) {
      const int line = finding["line"];
      text += line > 0
                  ? fmt::format("{}:{}: channel {}, cycle {}, {} bank {}: ", log, line,
                                finding["channel"].get<int>(), finding["cycle"].get<std::int64_t>(),
                                finding["command"].get<std::string>(), finding["bank"].get<int>())
                  : fmt::format("{}: channel {}: ", log, finding["channel"].get<int>());
      text += finding["what"].get<std::string>() + "\n";
    }
    return text + fmt::format("{} commands on {} channel{}, {} violations of {}\n",
                              base::with_thousands(report["commands"].get<std::int64_t>()),
                              report["channels"].get<int>(), report["channels"] == 1 ? "" : "s",
                              base::with_thousands(report["violations"].get<std::int64_t>()),
                              base::printable(report["memory"].get<std::string>()));
  }

  std::string preset_;
  std::string trace_, traffic_, check_log_;
  std::string trace_format_, trace_clock_;
  bool wrap_ = false;
  std::int64_t channels_ = 1;
  std::string request_bytes_;
  std::int64_t outstanding_ = 0;  ///< 0: chosen
  std::string rate_;
  bool open_loop_ = false;
  bool closed_loop_ = false;
  std::string mapping_;
  std::vector<std::string> sets_;
  std::string command_log_;
  bool check_ = false;
  std::string out_;
  Format format_ = Format::kText;
};

}  // namespace

std::unique_ptr<Command> make_dram_command() { return std::make_unique<DramCommand>(); }

}  // namespace lacuna::cli
