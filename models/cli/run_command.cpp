// SPDX-License-Identifier: Apache-2.0
#include "cli/run_command.h"

#include <CLI/Option.hpp>
#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/run_options.h"
#include "config/workload_files.h"
#include "params/workload_params.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kMaxSamples = 1'000'000;
constexpr std::int64_t kMaxBatch = 65536;

class RunCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "run"; }
  [[nodiscard]] std::string summary() const override {
    return "simulate a network on a chip: latency, bandwidth, energy, where the cycles go";
  }
  void add_options(CLI::App& app) override {
    add_run_options(app, options_);
    app.add_option("WORKLOAD", workload_, "workload file, e.g. traces/*/workload.yaml")->required();
    add_parameter_option(app, parameters_);
    add_integer(app, "--samples", samples_, 1, kMaxSamples,
                "how many samples to run (default: all that the workload has)");
    add_integer(app, "--batch", batch_, 1, kMaxBatch, "samples that run together [1]");
  }
  int run(std::ostream& out) override {
    const config::ChipFiles files = load_chip_for_run(options_);
    const auto loaded = config::load_workload(workload_, parameters_);
    const workload::Graph graph = workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
    const std::int64_t samples = samples_ > 0 ? samples_ : graph.samples;
    std::vector<std::string> read = files.files();
    read.insert(read.end(), loaded.files.begin(), loaded.files.end());
    for (const auto& file : graph.files) read.push_back(file->path());
    const Job job{
        files.chip.value, files.effective_memory,    files.energy.value, graph, workload_, read,
        samples,          std::min(batch_, samples), options_.out,       true};
    const Rendered rendered = simulate(options_, job, wants_colour(out));
    out << (options_.format == Format::kJson ? rendered.json : rendered.text);
    if (rendered.status != kExitDone) {
      for (const std::string& line : base::split(rendered.complaint, '\n')) {
        base::log().error("{}", line);
      }
    }
    return rendered.status;
  }

 private:
  RunOptions options_;
  std::string workload_;
  std::vector<std::string> parameters_;
  std::int64_t samples_ = 0;
  std::int64_t batch_ = 1;
};

}  // namespace

std::unique_ptr<Command> make_run_command() { return std::make_unique<RunCommand>(); }

}  // namespace lacuna::cli
