// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <filesystem>
#include <map>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "cli/trace_report.h"
#include "config/workload_files.h"
#include "params/workload_params.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kMaxSeed = std::int64_t{1} << 52;

/// A trace may be named by its folder.
std::string workload_file(const std::string& given) {
  std::error_code ignored;
  return std::filesystem::is_directory(given, ignored) ? given + "/workload.yaml" : given;
}

class TraceCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "trace"; }
  [[nodiscard]] std::string summary() const override {
    return "traces: what is in one, import of pruned weights, operands from statistics";
  }

  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    info_ = app.add_subcommand("info", "layers, shapes and true sparsities of a trace");
    info_->add_option("TRACE", workload_, "workload file, or folder of a trace")->required();
    add_parameter_option(*info_, parameters_);
    add_format_option(*info_, format_);

    import_ = app.add_subcommand("import", "pruned weights into a known network");
    import_->add_option("WORKLOAD", workload_, "the network: a workload file")->required();
    import_
        ->add_option("--weights", import_options_.weights,
                     "folder of .smtx or .mtx, .safetensors, or .safetensors.index.json")
        ->required()
        ->type_name("SOURCE");
    import_->add_option("--map", import_options_.map, "which foreign tensor a layer takes")
        ->type_name("FILE");
    import_->add_flag("--partial", import_options_.partial,
                      "layers without a foreign tensor keep their weights");
    add_written(*import_, "seed of values where the source has only a mask [0]");

    generate_ = app.add_subcommand("generate", "a trace whose operands follow statistics");
    generate_->add_option("WORKLOAD", workload_, "workload file, or folder of a trace")->required();
    generate_
        ->add_option("--weights", generate_options_.weights,
                     "of all layers: density=D,pattern=P, as for lacuna gemm")
        ->type_name("STATISTIC");
    generate_
        ->add_option("--acts", generate_options_.activations,
                     "of all engine inputs: density=D[,spatial=X][,channel=X]")
        ->type_name("STATISTIC");
    add_match(*generate_);
    generate_->add_flag("--statistics-only", generate_options_.statistics_only,
                        "write the statistics, not what they draw");
    add_written(*generate_, "seed of the statistics of --weights, --acts and --match [0]");
  }

  int run(std::ostream& out) override {
    if (info_->parsed()) return info(out);
    return import_->parsed() ? import(out) : generate(out);
  }

 private:
  void add_written(CLI::App& app, const char* seed_doc) {
    app.add_option("--out", out_, "folder of the new trace")->required()->type_name("DIR");
    add_integer(app, "--seed", seed_, 0, kMaxSeed, seed_doc);
    add_parameter_option(app, parameters_);
    add_format_option(app, format_);
  }

  void add_match(CLI::App& app) {
    app.add_option("--match", match_, "weights from tensors become a statistic of their density")
        ->type_name("unstructured|magnitude|bank")
        ->check([](const std::string& given) {
          return given == "unstructured" || given == "magnitude" || given == "bank"
                     ? std::string{}
                     : fmt::format("'{}' is not one of unstructured, magnitude or bank",
                                   base::printable(given));
        });
  }

  int info(std::ostream& out) const {
    const auto loaded = config::load_workload(workload_file(workload_), parameters_);
    const workload::Graph graph = workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
    const trace::Inventory inventory = trace::take_inventory(graph);
    out << (format_ == Format::kJson ? inventory_json(inventory) : inventory_text(inventory));
    return kExitDone;
  }

  int import(std::ostream& out) {
    import_options_.workload = workload_file(workload_);
    import_options_.out = out_;
    import_options_.parameters = parameters_;
    import_options_.seed = static_cast<std::uint64_t>(seed_);
    const trace::ImportReport report = trace::import_weights(import_options_);
    out << (format_ == Format::kJson ? import_json(report, out_) : import_text(report, out_));
    return kExitDone;
  }

  int generate(std::ostream& out) {
    generate_options_.workload = workload_file(workload_);
    generate_options_.out = out_;
    generate_options_.parameters = parameters_;
    generate_options_.seed = static_cast<std::uint64_t>(seed_);
    if (!match_.empty()) {
      if (!generate_options_.weights.empty()) {
        throw base::UserError("--match and --weights both say what the weights are; give one");
      }
      for (const auto& [pattern, name] : enum_names(params::MaskPattern{})) {
        if (name == match_) generate_options_.match = pattern;
      }
    }
    const trace::GenerateReport report = trace::generate_trace(generate_options_);
    out << (format_ == Format::kJson ? generate_json(report, out_) : generate_text(report, out_));
    return kExitDone;
  }

  CLI::App* info_ = nullptr;
  CLI::App* import_ = nullptr;
  CLI::App* generate_ = nullptr;
  std::string workload_;
  std::vector<std::string> parameters_;
  std::string out_;
  std::string match_;
  std::int64_t seed_ = 0;
  Format format_ = Format::kText;
  trace::ImportOptions import_options_;
  trace::GenerateOptions generate_options_;
};

}  // namespace

std::unique_ptr<Command> make_trace_command() { return std::make_unique<TraceCommand>(); }

}  // namespace lacuna::cli
