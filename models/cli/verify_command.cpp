// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cosim/plugin.h"
#include "verify/coverage.h"
#include "verify/parameter_set.h"
#include "verify/replay.h"
#include "verify/report.h"
#include "verify/runner.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kDefaultPasses = 1000;
constexpr std::int64_t kMaxPasses = 1'000'000'000;
constexpr std::int64_t kMaxJobs = 256;
constexpr std::int64_t kMaxCycles = 1'000'000'000;
constexpr std::size_t kMaxReplayed = 64;

/// A 64-bit number, decimal or 0x....
std::optional<std::uint64_t> parse_seed(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seed, hex ? 16 : 10);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return seed;
}

std::string check_seed(const std::string& text) {
  return parse_seed(text)
             ? std::string{}
             : fmt::format("'{}' is not a 64-bit number, decimal or 0x...", base::printable(text));
}

std::string check_seconds(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  const bool number = !text.empty() && *end == '\0' && std::isfinite(seconds);
  return number && seconds > 0 && seconds <= 1e9
             ? std::string{}
             : fmt::format("'{}' is not a positive number of seconds", base::printable(text));
}

/// "100:150".
std::optional<verify::CycleWindow> parse_window(const std::string& text) {
  const std::vector<std::string> ends = base::split(text, ':');
  if (ends.size() != 2) return std::nullopt;
  const auto first = parse_seed(ends[0]);
  const auto last = parse_seed(ends[1]);
  if (!first || !last || *first > *last || *last > kMaxCycles) return std::nullopt;
  return verify::CycleWindow{static_cast<base::Cycle>(*first), static_cast<base::Cycle>(*last)};
}

std::string check_window(const std::string& text) {
  return parse_window(text)
             ? std::string{}
             : fmt::format("'{}' is not FROM:TO in cycles of the pass", base::printable(text));
}

class VerifyCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "verify"; }
  [[nodiscard]] std::string summary() const override {
    return "random regression of the RTL against the cycle model, every event compared";
  }

  void add_options(CLI::App& app) override {
    app.add_option("--set", sets_, "parameter set, or a file of one (default: all shipped)")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_flag("--list", list_, "only list the parameter sets");
    add_integer(app, "--passes", passes_, 1, kMaxPasses,
                fmt::format("passes of each set [{}, without --seconds]", kDefaultPasses));
    app.add_option("--seconds", seconds_, "stop after this time, builds not counted")
        ->type_name("S")
        ->check(check_seconds);
    app.add_option("--seed", seed_, "seed of the run [1]")->type_name("N")->check(check_seed);
    add_integer(app, "--jobs", jobs_, 1, kMaxJobs,
                "threads, each with RTL of its own (default: all; results do not depend on it)");
    add_integer(app, "--max-mismatches", max_mismatches_, 1, 1'000'000,
                "leave a set after so many cases that differ [20]");
    app.add_option("--replay", replay_,
                   "run only the case with this seed on the one --set (several: one after the "
                   "other on the same engine)")
        ->type_name("SEED[,SEED...]")
        ->check([](const std::string& text) {
          for (const std::string& word : base::split(text, ',')) {
            if (std::string wrong = check_seed(word); !wrong.empty()) return wrong;
          }
          return std::string{};
        });
    app.add_option("--wave", wave_,
                   "write an FST waveform around the first difference of the replayed case, or of "
                   "the run's first mismatch (builds the RTL with tracing)")
        ->type_name("FILE");
    add_integer(app, "--wave-before", wave_before_, 1, 1'000'000,
                "cycles before the difference in the waveform, and four times those after it [64]");
    app.add_option("--wave-cycles", wave_cycles_, "cycles of the pass to write instead")
        ->type_name("FROM:TO")
        ->check(check_window);
    app.add_option(
           "--coverage", coverage_,
           "count what is covered (builds the RTL for it) and write databases, coverage.txt "
           "and coverage.json there")
        ->type_name("DIR");
    app.add_option("--junit", junit_, "also write JUnit XML there")->type_name("FILE");
    app.add_option("--out", out_, "also write report.txt, report.json and junit.xml there")
        ->type_name("DIR");
    app.add_option("--rtl-cache", rtl_cache_, "folder of built RTL")->type_name("DIR");
    add_format_option(app, format_);
  }

  int run(std::ostream& out) override {
    check_options();
    const std::string home = cosim::home_folder(cache_options());
    const std::string folder = verify::set_folder(home);
    std::vector<std::string> names = sets_.empty() ? verify::set_names(folder) : sets_;
    std::vector<verify::NamedSet> sets;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (std::find(names.begin(), names.begin() + static_cast<long>(i), names[i]) !=
          names.begin() + static_cast<long>(i)) {
        throw base::UserError(fmt::format("--set {} is given twice", base::printable(names[i])));
      }
      sets.push_back(verify::load_set(folder, names[i]));
    }
    if (list_) return list(sets, out);
    return replay_.empty() ? run_all(sets, out) : replay(sets.front(), out);
  }

 private:
  void check_options() const {
    const auto both = [](bool first, const char* name, bool second, const char* other) {
      if (first && second)
        throw base::UserError(fmt::format("{} does not go with {}", name, other));
    };
    const bool replays = !replay_.empty();
    if (replays && sets_.size() != 1) {
      throw base::UserError("--replay needs exactly one --set: a seed is a case of one set");
    }
    if (replays && base::split(replay_, ',').size() > kMaxReplayed) {
      throw base::UserError(fmt::format("--replay takes at most {} seeds", kMaxReplayed));
    }
    both(replays, "--replay", passes_ > 0, "--passes");
    both(replays, "--replay", seconds_ > 0, "--seconds");
    both(replays, "--replay", !seed_.empty(), "--seed");
    both(replays, "--replay", !junit_.empty(), "--junit");
    both(replays, "--replay", !out_.empty(), "--out");
    both(replays, "--replay", !coverage_.empty(), "--coverage");
    both(replays, "--replay", list_, "--list");
    if (wave_.empty() && !wave_cycles_.empty()) {
      throw base::UserError("--wave-cycles needs --wave FILE");
    }
  }

  [[nodiscard]] cosim::PluginCacheOptions cache_options() const {
    cosim::PluginCacheOptions options;
    options.folder = rtl_cache_;
    options.jobs = jobs();
    options.checks = true;
    return options;
  }
  [[nodiscard]] int jobs() const {
    if (jobs_ > 0) return static_cast<int>(jobs_);
    return static_cast<int>(std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, 64));
  }

  int list(const std::vector<verify::NamedSet>& sets, std::ostream& out) const {
    if (format_ == Format::kJson) {
      nlohmann::ordered_json json = nlohmann::ordered_json::array();
      for (const verify::NamedSet& set : sets) {
        json.push_back({{"name", set.name},
                        {"about", set.values.about},
                        {"parameters", cosim::rtl_arguments(set.values.engine)}});
      }
      out << json.dump(2) << "\n";
      return kExitDone;
    }
    std::size_t width = 0;
    for (const verify::NamedSet& set : sets) width = std::max(width, set.name.size());
    for (const verify::NamedSet& set : sets) {
      out << fmt::format("{:<{}}  {}\n", set.name, width, set.values.about);
    }
    return kExitDone;
  }

  int run_all(const std::vector<verify::NamedSet>& sets, std::ostream& out) const {
    verify::RunOptions options;
    options.seed = seed_.empty() ? 1 : parse_seed(seed_).value();
    options.passes = passes_ > 0 ? passes_ : seconds_ > 0 ? 0 : kDefaultPasses;
    options.seconds = seconds_;
    options.jobs = jobs();
    options.max_mismatches = static_cast<int>(max_mismatches_);
    options.cache = cache_options();
    // A folder that cannot be is told before hours of work.
    if (!out_.empty()) base::create_folders(out_);
    if (!coverage_.empty()) base::create_folders(coverage_);
    options.coverage_folder = coverage_;
    const verify::RunResult result = verify::run(sets, options);
    std::string text = verify::text_report(result);
    for (const verify::SetResult& set : result.sets) {
      if (wave_.empty() || set.mismatches.empty()) continue;
      text += write_wave(set.set, set.mismatches.front().replay);
      break;
    }
    if (result.coverage) {
      base::write_file_atomically(coverage_ + "/coverage.txt",
                                  verify::coverage_text(*result.coverage));
      base::write_file_atomically(coverage_ + "/coverage.json",
                                  verify::coverage_json(*result.coverage));
      text +=
          "\n" + verify::coverage_summary(*result.coverage) + "in " + coverage_ + "/coverage.txt\n";
    }
    if (!junit_.empty()) base::write_file_atomically(junit_, verify::junit_report(result));
    if (!out_.empty()) {
      base::write_file_atomically(out_ + "/report.txt", text);
      base::write_file_atomically(out_ + "/report.json", verify::json_report(result));
      base::write_file_atomically(out_ + "/junit.xml", verify::junit_report(result));
    }
    out << (format_ == Format::kJson ? verify::json_report(result) : text);
    return result.total().mismatches == 0 ? kExitDone : kExitCheckFailed;
  }

  int replay(const verify::NamedSet& set, std::ostream& out) const {
    std::vector<std::uint64_t> seeds;
    for (const std::string& word : base::split(replay_, ',')) {
      seeds.push_back(parse_seed(word).value());
    }
    const auto plugin = cosim::load_rtl(set.values.engine, cache_options());
    const auto rtl = plugin->create();
    const verify::Replay again = verify::replay(set.values, *rtl, seeds);
    const auto& mismatch = again.outcome.mismatch;
    std::string text = fmt::format("{}: set {}, case {:#x}: {}", mismatch ? "mismatch" : "equal",
                                   set.name, seeds.back(), again.text(set.values.engine));
    const std::string wave = wave_.empty() ? std::string() : write_wave(set, seeds);
    if (format_ == Format::kJson) {
      const nlohmann::ordered_json json{
          {"schema", "lacuna-verify-replay-1"},
          {"set", set.name},
          {"replay", verify::replay_command(set, seeds)},
          {"equal", !mismatch},
          {"first", mismatch ? mismatch->difference.first : ""},
          {"kinds", mismatch ? mismatch->difference.kinds : std::vector<std::string>{}},
          {"report", text + wave}};
      out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
    } else {
      out << text << wave;
    }
    return mismatch ? kExitCheckFailed : kExitDone;
  }

  /// Writes the waveform and says where in it to look.
  [[nodiscard]] std::string write_wave(const verify::NamedSet& set,
                                       const std::vector<std::uint64_t>& seeds) const {
    cosim::PluginCacheOptions cache = cache_options();
    cache.trace = true;
    verify::WaveOptions options;
    options.file = wave_;
    options.before = wave_before_;
    if (!wave_cycles_.empty()) options.window = parse_window(wave_cycles_);
    const auto traced = cosim::load_rtl(set.values.engine, cache);
    const verify::Wave wave = verify::write_wave(set.values, traced, seeds, options);
    return fmt::format(
        "waveform {}: cycles {} to {} of pass {} (cycle c of the pass is at time 2*(c + {}))\n",
        wave_, wave.pass_cycles.first, wave.pass_cycles.last, wave.pass, wave.start);
  }

  std::vector<std::string> sets_;
  bool list_ = false;
  std::int64_t passes_ = 0;
  double seconds_ = 0;
  std::string seed_;
  std::int64_t jobs_ = 0;
  std::int64_t max_mismatches_ = 20;
  std::string replay_;
  std::string wave_;
  std::int64_t wave_before_ = 64;
  std::string wave_cycles_;
  std::string coverage_;
  std::string junit_;
  std::string out_;
  std::string rtl_cache_;
  Format format_ = Format::kText;
};

}  // namespace

std::unique_ptr<Command> make_verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace lacuna::cli
