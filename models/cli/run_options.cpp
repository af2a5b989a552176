// SPDX-License-Identifier: Apache-2.0
#include "cli/run_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "report/json_report.h"
#include "report/output_folder.h"
#include "report/text_report.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kMaxThreads = 256;

/// An option that takes one of a few words.
void add_choice(CLI::App& app, const std::string& name, std::string& value,
                const std::vector<std::string>& words, const std::string& doc) {
  app.add_option(name, value, doc)
      ->type_name(base::join(words, "|"))
      ->check([words](const std::string& given) {
        if (std::find(words.begin(), words.end(), given) != words.end()) return std::string{};
        return fmt::format("'{}' is not one of {}{}", base::printable(given),
                           base::list_in_words(words, "or"), base::did_you_mean(given, words));
      });
}

cosim::EngineKind engine_kind(const RunOptions& options) {
  if (options.engine == "rtl") return cosim::EngineKind::kRtl;
  if (options.engine == "lockstep") return cosim::EngineKind::kLockstep;
  return options.shadow > 0 ? cosim::EngineKind::kShadow : cosim::EngineKind::kModel;
}

/// Why the run's checks failed, or nothing.
std::string complaint_of(const chip::RunResult& result) {
  std::string text;
  const auto add = [&](const std::string& line) { text += (text.empty() ? "" : "\n") + line; };
  if (result.verification.mismatches > 0) {
    add(fmt::format("{} of {} compared passes differ between model and RTL{}; the first:",
                    result.verification.mismatches, result.verification.shadowed,
                    result.verification.gave_up ? ", then no more were compared" : ""));
    add(result.verification.first_mismatch.value_or("unknown"));
  }
  for (const chip::LayerResult& layer : result.layers) {
    if (layer.expect_mismatches > 0) {
      add(fmt::format("layer {}: {} of {} values differ from the captured reference; {}",
                      layer.name, layer.expect_mismatches, layer.expect_values,
                      layer.first_mismatch));
    }
    if (layer.reference_mismatches > 0) {
      add(fmt::format("layer {}: {} values differ from a plain dense execution", layer.name,
                      layer.reference_mismatches));
    }
  }
  return text;
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("CHIP", options.chip, "chip file, e.g. configs/chips/reference.yaml")->required();
  add_set_option(app, options.sets);
  add_format_option(app, options.format);
  add_choice(app, "--engine", options.engine, {"model", "rtl", "lockstep"},
             "what executes engine passes: the cycle model, the Verilated RTL, or both, compared "
             "pass by pass");
  app.add_option("--shadow", options.shadow,
                 "with the model: compare this share of the passes (0..1) with the RTL")
      ->type_name("SHARE")
      ->check([](const std::string& text) {
        char* end = nullptr;
        const double share = std::strtod(text.c_str(), &end);
        const bool number = !text.empty() && *end == '\0';
        return number && share >= 0 && share <= 1
                   ? std::string{}
                   : fmt::format("'{}' is not a number from 0 to 1", base::printable(text));
      });
  add_integer(app, "--seed", options.seed, 0, std::int64_t{1} << 62U,
              "chooses which passes --shadow compares");
  add_integer(
      app, "--threads", options.threads, 1, kMaxThreads,
      "threads that evaluate passes or run RTL (default: all; results do not depend on it)");
  app.add_option("--rtl-cache", options.rtl_cache, "folder of built RTL")->type_name("DIR");
  add_choice(app, "--skip", options.skip, {"dense", "weights", "activations", "dual"},
             "what the engine skips, in place of the chip's engine.skip");
  add_choice(app, "--memory", options.memory, {"real", "ideal"},
             "ideal: no conflicts and hardly any latency, to see what memory costs");
  app.add_option(
         "--out", options.out,
         "also write report.txt, report.json, layers.csv, timeline.json and chip.yaml there")
      ->type_name("DIR");
  app.add_flag("--check-reference", options.check_reference,
               "also compute every layer the plain dense way and compare (slow)");
}

int thread_count(const RunOptions& options) {
  if (options.threads > 0) return static_cast<int>(options.threads);
  return static_cast<int>(std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, 64));
}

config::ChipFiles load_chip_for_run(const RunOptions& options) {
  if (options.shadow > 0 && options.engine != "model") {
    throw base::UserError(
        fmt::format("--shadow goes with --engine model only, not with {}", options.engine));
  }
  config::LoadOptions load;
  load.sets = options.sets;
  if (!options.skip.empty()) {
    const bool weights = options.skip == "weights" || options.skip == "dual";
    const bool activations = options.skip == "activations" || options.skip == "dual";
    load.sets.push_back(fmt::format("engine.skip.weights={}", weights));
    load.sets.push_back(fmt::format("engine.skip.activations={}", activations));
  }
  config::ChipFiles files = config::load_chip(options.chip, load);
  if (engine_kind(options) != cosim::EngineKind::kModel) config::require_rtl_limits(files.chip);
  return files;
}

std::string skip_name(const params::EngineParams& engine) {
  if (engine.skip_weights) return engine.skip_activations ? "dual" : "weights";
  return engine.skip_activations ? "activations" : "dense";
}

std::unique_ptr<cosim::EngineBackend> make_engine(const params::EngineParams& engine,
                                                  const RunOptions& options) {
  cosim::BackendOptions backend;
  backend.kind = engine_kind(options);
  backend.shadow_share = options.shadow;
  backend.seed = static_cast<std::uint64_t>(options.seed);
  backend.threads = thread_count(options);
  backend.cache.folder = options.rtl_cache;
  backend.cache.jobs = backend.threads;
  return cosim::make_backend(engine, backend);
}

mapper::MappingCosts mapping_costs(const energy::EnergyModel& energy,
                                   const params::ChipParams& chip) {
  const auto joules = [&](const energy::Activity& activity, double seconds) {
    return energy.evaluate(activity, seconds).total_joules();
  };
  mapper::MappingCosts costs;
  costs.weight_byte =
      joules({.weight_fill_bytes = 1, .sram_read_bytes = 1, .crossbar_bytes = 1}, 0);
  costs.activation_byte =
      joules({.activation_fill_bytes = 1, .sram_read_bytes = 1, .crossbar_bytes = 1}, 0);
  costs.dram_byte = joules({.sram_write_bytes = 1, .crossbar_bytes = 2, .dram_bytes = 1}, 0);
  costs.psum_word = joules({.psum_reads = 1, .psum_writes = 1}, 0);
  costs.chip_cycle = joules({}, 1 / chip.clock_hz);
  return costs;
}

Rendered simulate(const RunOptions& options, const Job& job, bool colour) {
  // What can be wrong with the user's wishes is found before the simulation.
  const energy::EnergyModel energy(job.energy, job.chip);
  std::optional<report::OutputFolder> folder;
  if (!job.out.empty()) folder.emplace(job.out, job.chip.clock_hz, job.graph);
  cosim::CountingBackend backend(make_engine(job.chip.engine, options));

  base::Progress progress("samples", job.samples);
  chip::RunOptions run;
  run.samples = job.samples;
  run.mapping.batch = static_cast<int>(job.batch);
  run.mapping.costs = mapping_costs(energy, job.chip);
  run.memory = options.memory == "ideal" ? chip::MemoryKind::kIdeal : chip::MemoryKind::kReal;
  run.check_reference = options.check_reference;
  run.all_codes = options.check_reference || engine_kind(options) != cosim::EngineKind::kModel;
  if (folder) run.events = &folder->timeline();
  if (job.progress) run.progress = [&](std::int64_t done) { progress.update(done); };

  Rendered rendered;
  chip::RunResult result;
  try {
    result = chip::run_network(job.chip, job.memory, job.graph, backend, run);
  } catch (const cosim::RtlFailure& failure) {
    rendered.status = kExitCheckFailed;
    rendered.complaint = failure.what();
    return rendered;
  }
  report::RunSettings settings;
  settings.chip_file = options.chip;
  settings.workload_file = job.workload_file;
  settings.sets = options.sets;
  settings.files = job.files;
  settings.engine = options.engine;
  settings.shadow = options.shadow;
  settings.samples = job.samples;
  settings.batch = job.batch;
  settings.skip = skip_name(job.chip.engine);
  const report::ReportInput input{settings,  result, job.chip,
                                  job.graph, energy, backend.activation_macs()};
  const report::Summary summary = report::summarize(input);
  if (folder) folder->write(input, summary);
  rendered.text = report::run_text(input, summary, colour);
  rendered.source = report::source_text(job.graph);
  rendered.json = report::json_text(report::run_json(input, summary));
  rendered.complaint = complaint_of(result);
  if (!rendered.complaint.empty()) rendered.status = kExitCheckFailed;
  return rendered;
}

bool wants_colour(const std::ostream& out) {
  return &out == &std::cout && ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
}

}  // namespace lacuna::cli
