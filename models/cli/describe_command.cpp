// SPDX-License-Identifier: Apache-2.0
#include "cli/describe_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "chip/chip.h"
#include "cli/chip_description.h"
#include "cli/mapping_report.h"
#include "cli/mapping_study.h"
#include "cli/run_options.h"
#include "config/chip_files.h"
#include "config/workload_files.h"
#include "energy/energy_model.h"
#include "mapper/map.h"
#include "report/json_report.h"
#include "report/memory_plan.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {

namespace {

class DescribeCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "describe"; }
  [[nodiscard]] std::string summary() const override {
    return "show a chip: every value, where it comes from, and what follows";
  }
  void add_options(CLI::App& app) override {
    app.add_option("CHIP", chip_, "chip file, e.g. configs/chips/reference.yaml")->required();
    add_set_option(app, sets_);
    add_format_option(app, format_);
    CLI::Option* mapping =
        app.add_option("--mapping", workload_,
                       "how this workload is mapped onto the chip: splits, predicted cycles, and "
                       "what else there was")
            ->type_name("WORKLOAD");
    add_parameter_option(app, parameters_);
    add_integer(app, "--batch", batch_, 1, kMaxBatch,
                "with --mapping: samples that run together [1]");
    app.add_option("--layers", layers_, "with --mapping: only these layers")
        ->type_name("NAME,...")
        ->delimiter(',')
        ->needs(mapping);
    add_integer(app, "--next", next_, 0, kMaxNext,
                "with --mapping: candidates shown after the chosen one [3]");
    app.add_flag("--simulate", simulate_,
                 "with --mapping: also simulate each layer with every candidate of a coarse grid "
                 "(slow)")
        ->needs(mapping);
    add_integer(app, "--threads", threads_, 1, kMaxThreads,
                "with --simulate: simulations at a time [all]");
  }
  int run(std::ostream& out) override {
    const config::ChipFiles files = config::load_chip(chip_, {.sets = sets_});
    if (!workload_.empty()) {
      describe_mapping(files, out);
      return kExitDone;
    }
    out << (format_ == Format::kJson ? describe_as_json(files) : describe_as_text(files));
    return kExitDone;
  }

 private:
  /// Engine layers that --layers names; all without it.
  [[nodiscard]] std::vector<const workload::Layer*> chosen_layers(
      const workload::Graph& graph) const {
    std::vector<const workload::Layer*> chosen;
    std::vector<std::string> names;
    for (const workload::Layer& layer : graph.layers) {
      if (!layer.on_engine()) continue;
      names.push_back(layer.name);
      if (layers_.empty() ||
          std::find(layers_.begin(), layers_.end(), layer.name) != layers_.end()) {
        chosen.push_back(&layer);
      }
    }
    for (const std::string& name : layers_) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw base::UserError(fmt::format("--layers: '{}' has no engine layer '{}'{}", graph.name,
                                        base::printable(name), base::did_you_mean(name, names)));
    }
    return chosen;
  }

  void describe_mapping(const config::ChipFiles& files, std::ostream& out) const {
    const auto loaded = config::load_workload(workload_, parameters_);
    const workload::Graph graph = workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
    const params::ChipParams& chip = files.chip.value;
    mapper::MapOptions options;
    options.batch = static_cast<int>(batch_);
    options.costs = mapping_costs(energy::EnergyModel(files.energy.value, chip), chip);
    options.burst_bytes = files.effective_memory.organization.burst_bytes();
    options.dram_bytes_per_cycle = chip::dram_bytes_per_cycle(chip, files.effective_memory);
    const mapper::Grid grid = simulate_ ? mapper::Grid::kCoarse : mapper::Grid::kFine;
    const std::size_t keep = simulate_ ? kAll : static_cast<std::size_t>(next_);
    const auto available = static_cast<std::int64_t>(std::thread::hardware_concurrency());
    const auto parallel =
        static_cast<int>(threads_ > 0 ? threads_ : std::clamp<std::int64_t>(available, 1, 64));
    std::vector<StudiedLayer> layers;
    for (const workload::Layer* layer : chosen_layers(graph)) {
      StudiedLayer studied{
          layer, mapper::study_layer(graph, chip, options, *layer, grid, keep), {}};
      if (simulate_) {
        const workload::Graph alone =
            single_layer(graph, chip, *layer, studied.study.problem.activation_density);
        studied.simulated =
            simulate_splits(files, alone, static_cast<int>(alone.layers.size()) - 2,
                            studied.study.ranked, static_cast<int>(batch_), parallel);
      }
      layers.push_back(std::move(studied));
    }
    auto report = mapping_json(chip, graph.name, batch_, layers);
    if (layers_.empty()) {
      report["memory_plan"] =
          report::memory_plan_json(mapper::map_program(graph, chip, options).memory);
    }
    out << (format_ == Format::kJson ? report::json_text(report)
                                     : mapping_text(report, static_cast<std::size_t>(next_)));
  }

  static constexpr std::int64_t kMaxBatch = 65536;
  static constexpr std::int64_t kMaxNext = 1000;
  static constexpr std::int64_t kMaxThreads = 64;
  static constexpr std::size_t kAll = 100'000;

  std::string workload_;
  std::vector<std::string> parameters_;
  std::vector<std::string> layers_;
  std::int64_t batch_ = 1;
  std::int64_t next_ = 3;
  std::int64_t threads_ = 0;
  bool simulate_ = false;
  std::string chip_;
  std::vector<std::string> sets_;
  Format format_ = Format::kText;
};

}  // namespace

std::unique_ptr<Command> make_describe_command() { return std::make_unique<DescribeCommand>(); }

}  // namespace lacuna::cli
