// SPDX-License-Identifier: Apache-2.0
#include "cli/step_runs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/child_process.h"
#include "config/workload_files.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;

/// One simulation; the workload is loaded here, in the child.
std::string simulate_step(const StepSource& source, const StepRequest& request) {
  std::vector<std::string> parameters = source.parameters;
  parameters.insert(parameters.end(), request.parameters.begin(), request.parameters.end());
  parameters.push_back(fmt::format("samples={}", source.batch));
  const auto loaded = config::load_workload(source.workload, parameters);
  const workload::Graph graph = workload::build_graph(
      loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
  std::vector<std::string> read = source.files.files();
  read.insert(read.end(), loaded.files.begin(), loaded.files.end());
  const Job job{source.files.chip.value,
                source.files.effective_memory,
                source.files.energy.value,
                graph,
                source.workload,
                read,
                source.batch,
                source.batch,
                "",
                false};
  const Rendered rendered = simulate(source.options, job, false);
  return Json{{"status", rendered.status},
              {"complaint", rendered.complaint},
              {"source", rendered.source},
              {"report", rendered.json}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void refuse_own_parameters(const RunOptions& options, const std::vector<std::string>& parameters,
                           const std::vector<std::string>& own, const std::string& command,
                           const std::string& from) {
  if (!options.out.empty()) {
    throw base::UserError(
        "--out goes with lacuna run, which simulates one step; see docs/guide/networks.md");
  }
  for (const std::string& parameter : parameters) {
    const std::string name(base::trim(parameter.substr(0, parameter.find('='))));
    if (std::find(own.begin(), own.end(), name) != own.end()) {
      throw base::UserError(
          fmt::format("--param {}: lacuna {} sets this itself, from {}", name, command, from));
    }
  }
}

StepRuns simulate_steps(const StepSource& source, const std::vector<StepRequest>& requests) {
  std::vector<std::function<std::string()>> tasks;
  for (const StepRequest& request : requests) {
    tasks.emplace_back([&source, &request] { return simulate_step(source, request); });
  }
  base::Progress progress("simulations", static_cast<std::int64_t>(tasks.size()));
  const std::vector<std::string> results =
      run_in_children(tasks, thread_count(source.options),
                      [&](std::int64_t finished) { progress.update(finished); });
  StepRuns runs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Json result = Json::parse(results[i]);
    if (result["status"] != kExitDone) {
      runs.status = kExitCheckFailed;
      base::log().error("{}", result["complaint"].get<std::string>());
    }
    const std::string text = result["report"];
    if (text.empty()) return runs;  // the RTL failed: there is nothing to report
    StepReport step;
    step.report = Json::parse(text);
    step.source = result["source"];
    step.figures.size = requests[i].size;
    step.figures.seconds = step.report["latency"]["seconds"];
    step.figures.energy_j = step.report["energy"]["total_j"];
    const Json& dram = step.report["bandwidth"]["dram"];
    step.figures.dram_bytes = dram["read_bytes"].get<double>() + dram["write_bytes"].get<double>();
    runs.steps.push_back(std::move(step));
  }
  return runs;
}

Json step_json(const StepReport& step) {
  return {{"cycles", step.report["latency"]["cycles"]},
          {"seconds", step.figures.seconds},
          {"energy_j", step.figures.energy_j},
          {"dram_bytes", step.figures.dram_bytes},
          {"macs_dense", step.report["macs"]["dense"]},
          {"macs_effective", step.report["macs"]["effective"]}};
}

std::string step_heading(const std::string& first_columns) {
  return fmt::format("\n  {}        cycles        ms   energy mJ    DRAM MB\n", first_columns);
}

std::string step_line(const StepReport& step) {
  return fmt::format(" {:>13} {:>9.4g} {:>11.4g} {:>10.4g}\n",
                     base::with_thousands(step.report["latency"]["cycles"].get<std::int64_t>()),
                     step.figures.seconds * 1e3, step.figures.energy_j * 1e3,
                     step.figures.dram_bytes / 1e6);
}

std::string interpolation_text(std::int64_t simulated, std::int64_t all, double left_out_error) {
  if (simulated >= all) return "";
  return left_out_error > 0 ? fmt::format(
                                  ", the others interpolated; each of those left out would be at "
                                  "most {:.2g} % off",
                                  left_out_error * 100)
                            : ", the others interpolated";
}

}  // namespace lacuna::cli
