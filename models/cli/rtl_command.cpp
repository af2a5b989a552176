// SPDX-License-Identifier: Apache-2.0
#include "cli/rtl_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "config/chip_files.h"
#include "cosim/plugin.h"
#include "cosim/plugin_cache.h"
#include "verify/parameter_set.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kMaxJobs = 256;

std::string size_text(std::int64_t bytes) {
  return base::format_quantity(static_cast<double>(bytes), base::Unit::kBytes);
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

class RtlCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "rtl"; }
  [[nodiscard]] std::string summary() const override {
    return "the cache of built RTL engines: list, build ahead, clean";
  }

  void add_options(CLI::App& app) override {
    const std::vector<std::string> actions{"list", "build", "clean"};
    app.add_option("ACTION", action_, "list, build or clean")
        ->required()
        ->check([actions](const std::string& given) {
          if (std::find(actions.begin(), actions.end(), given) != actions.end()) {
            return std::string{};
          }
          return fmt::format("'{}' is not one of {}{}", base::printable(given),
                             base::list_in_words(actions, "or"),
                             base::did_you_mean(given, actions));
        });
    const auto several = [&](const char* name, std::vector<std::string>& values, const char* type,
                             const char* doc) {
      app.add_option(name, values, doc)
          ->type_name(type)
          ->expected(1)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    several("--set", sets_, "NAME", "build: this parameter set of `lacuna verify`");
    several("--chip", chips_, "FILE", "build: the engine of this chip");
    app.add_flag("--all", all_, "build: all parameter sets; clean: also what is up to date");
    app.add_flag("--checks", checks_, "build: engines with assertions (always for --set, --all)");
    app.add_flag("--coverage", coverage_, "build: engines that count what is covered");
    app.add_flag("--trace", trace_, "build: engines that can write waveforms");
    add_integer(app, "--jobs", jobs_, 1, kMaxJobs, "build: compilers at a time (default: all)");
    app.add_option("--rtl-cache", rtl_cache_, "folder of built RTL")->type_name("DIR");
    add_format_option(app, format_);
  }

  int run(std::ostream& out) override {
    check_options();
    cosim::PluginCacheOptions options;
    options.folder = rtl_cache_;
    options.checks = checks_;
    options.coverage = coverage_;
    options.trace = trace_;
    options.jobs = jobs_ > 0 ? static_cast<int>(jobs_)
                             : static_cast<int>(std::clamp<std::int64_t>(
                                   std::thread::hardware_concurrency(), 1, 64));
    const cosim::PluginCache cache(options);
    if (action_ == "list") return list(cache, out);
    if (action_ == "clean") return clean(cache, out);
    return build(options, out);
  }

 private:
  void check_options() const {
    const bool builds = action_ == "build";
    const auto only_for_build = [&](bool given, const char* option) {
      if (given && !builds) {
        throw base::UserError(fmt::format("{} goes with 'lacuna rtl build' only", option));
      }
    };
    only_for_build(!sets_.empty(), "--set");
    only_for_build(!chips_.empty(), "--chip");
    only_for_build(checks_, "--checks");
    only_for_build(coverage_, "--coverage");
    only_for_build(trace_, "--trace");
    if (all_ && action_ == "list") {
      throw base::UserError("--all goes with 'lacuna rtl build' and 'lacuna rtl clean' only");
    }
    if (builds && !all_ && sets_.empty() && chips_.empty()) {
      throw base::UserError("say what to build: --set NAME, --chip FILE or --all");
    }
  }

  int list(const cosim::PluginCache& cache, std::ostream& out) const {
    const std::vector<cosim::CachedPlugin> plugins = cache.list();
    if (format_ == Format::kJson) {
      nlohmann::ordered_json entries = nlohmann::ordered_json::array();
      for (const cosim::CachedPlugin& plugin : plugins) {
        entries.push_back({{"file", plugin.path},
                           {"bytes", plugin.bytes},
                           {"current", plugin.current},
                           {"variant", plugin.variant},
                           {"parameters", plugin.arguments}});
      }
      const nlohmann::ordered_json json{
          {"schema", "lacuna-rtl-1"}, {"folder", cache.folder()}, {"plugins", entries}};
      out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
      return kExitDone;
    }
    std::int64_t bytes = 0;
    for (const cosim::CachedPlugin& plugin : plugins) {
      bytes += plugin.bytes;
      out << fmt::format(
          "{}  {:>9}  {:11}  {}{}\n", file_name(plugin.path), size_text(plugin.bytes),
          plugin.current ? "current" : "out of date",
          plugin.arguments.empty() ? "unknown parameters" : base::join(plugin.arguments, " "),
          plugin.variant.empty() ? "" : " (" + base::join(plugin.variant, ", ") + ")");
    }
    out << fmt::format("{} engine{} in {}, {}\n", plugins.size(), plugins.size() == 1 ? "" : "s",
                       cache.folder(), size_text(bytes));
    return kExitDone;
  }

  int clean(const cosim::PluginCache& cache, std::ostream& out) const {
    const cosim::CleanedCache cleaned = cache.clean(all_);
    if (format_ == Format::kJson) {
      const nlohmann::ordered_json json{{"schema", "lacuna-rtl-clean-1"},
                                        {"removed", cleaned.plugins},
                                        {"bytes", cleaned.bytes},
                                        {"in_use", cleaned.in_use}};
      out << json.dump(2) << "\n";
      return kExitDone;
    }
    out << fmt::format(
        "removed {} engine{}, {}{}\n", cleaned.plugins, cleaned.plugins == 1 ? "" : "s",
        size_text(cleaned.bytes),
        cleaned.in_use > 0 ? fmt::format("; {} left alone, being built", cleaned.in_use) : "");
    return kExitDone;
  }

  int build(const cosim::PluginCacheOptions& options, std::ostream& out) const {
    // The engines of parameter sets are what `lacuna verify` wants: with assertions.
    cosim::PluginCacheOptions for_sets = options;
    for_sets.checks = true;
    const cosim::PluginCache chip_cache(options);
    const cosim::PluginCache set_cache(for_sets);
    struct Wanted {
      std::string what;
      params::EngineParams engine;
      const cosim::PluginCache* cache;
    };
    std::vector<Wanted> wanted;
    const std::string folder = verify::set_folder(chip_cache.home());
    for (const std::string& name : all_ ? verify::set_names(folder) : sets_) {
      wanted.push_back({"set " + name, verify::load_set(folder, name).values.engine, &set_cache});
    }
    for (const std::string& chip : chips_) {
      wanted.push_back({"chip " + chip, config::load_chip(chip).chip.value.engine, &chip_cache});
    }
    nlohmann::ordered_json built = nlohmann::ordered_json::array();
    for (const Wanted& one : wanted) {
      const bool there = one.cache->contains(one.engine);
      if (!there) base::log().info("building the RTL for {}", one.what);
      const std::string path = one.cache->find_or_build(one.engine);
      if (format_ == Format::kJson) {
        built.push_back({{"what", one.what}, {"file", path}, {"built", !there}});
      } else {
        out << fmt::format("{}: {}{}\n", one.what, path, there ? " (was there)" : "");
      }
    }
    if (format_ == Format::kJson) {
      const nlohmann::ordered_json json{{"schema", "lacuna-rtl-build-1"}, {"engines", built}};
      out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
    }
    return kExitDone;
  }

  std::string action_;
  std::vector<std::string> sets_;
  std::vector<std::string> chips_;
  bool all_ = false;
  bool checks_ = false;
  bool coverage_ = false;
  bool trace_ = false;
  std::int64_t jobs_ = 0;
  std::string rtl_cache_;
  Format format_ = Format::kText;
};

}  // namespace

std::unique_ptr<Command> make_rtl_command() { return std::make_unique<RtlCommand>(); }

}  // namespace lacuna::cli
