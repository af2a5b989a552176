// SPDX-License-Identifier: Apache-2.0
#include "cli/gemm_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/child_process.h"
#include "cli/gemm_report.h"
#include "cli/run_options.h"
#include "report/json_report.h"
#include "workload/gemm_source.h"

namespace lacuna::cli {

namespace {

constexpr std::int64_t kMaxSize = std::int64_t{1} << 31U;
constexpr std::int64_t kMaxRuns = 1000;

/// What a child hands back: status, complaint and report, as one JSON text.
std::string pack(const Rendered& rendered) {
  nlohmann::ordered_json json;
  json["status"] = rendered.status;
  json["complaint"] = rendered.complaint;
  json["report"] = rendered.json;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

class GemmCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "gemm"; }
  [[nodiscard]] std::string summary() const override {
    return "one matrix product: cycles against the ideal dual-sparse count";
  }
  void add_options(CLI::App& app) override {
    add_run_options(app, options_);
    const char* source = "x.smtx | x.mtx | x.safetensors:NAME | density=D,pattern=P,seed=S";
    app.add_option("--weights", gemm_.weights, std::string("rows n, columns k: ") + source)
        ->required()
        ->type_name("SRC");
    app.add_option("--acts", gemm_.activations, std::string("rows m, columns k: ") + source)
        ->required()
        ->type_name("SRC");
    add_integer(app, "--m", m_, 1, kMaxSize, "rows of the activations, where no file says it");
    add_integer(app, "--n", n_, 1, kMaxSize, "output channels, where no file says it");
    add_integer(app, "--k", k_, 1, kMaxSize, "length of the sums, where no file says it");
    add_integer(app, "--runs", runs_, 1, kMaxRuns,
                "runs of the product; all but the first are warm [2]");
    app.add_option("--balance", balances_,
                   "how channels are dealt to PEs; several to compare: none,greedy,activation "
                   "(default: what the chip says)")
        ->type_name("NAME,...")
        ->delimiter(',')
        ->check([](const std::string& given) {
          const std::vector<std::string> names = params::enum_spellings<params::Balance>();
          for (const std::string& word : base::split(given, ',')) {
            if (std::find(names.begin(), names.end(), word) == names.end()) {
              return fmt::format("'{}' is not one of {}{}", base::printable(word),
                                 base::list_in_words(names, "or"), base::did_you_mean(word, names));
            }
          }
          return std::string{};
        });
  }

  int run(std::ostream& out) override {
    const config::ChipFiles files = load_chip_for_run(options_);
    if (m_ > 0) gemm_.m = m_;
    if (n_ > 0) gemm_.n = n_;
    if (k_ > 0) gemm_.k = k_;
    const workload::Graph graph = workload::build_gemm(gemm_);
    const GemmOperands operands = gemm_operands(graph);
    if (balances_.empty()) {
      balances_.emplace_back(params::enum_name(files.chip.value.engine.balance));
    }

    std::vector<std::function<std::string()>> tasks;
    for (const std::string& balance : balances_) {
      tasks.emplace_back([this, &files, &graph, &balance] {
        return pack(simulate_variant(files, graph, balance));
      });
    }
    std::vector<GemmVariant> variants;
    int status = kExitDone;
    const std::vector<std::string> results = run_in_children(tasks, thread_count(options_));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto json = nlohmann::ordered_json::parse(results[i]);
      if (json["status"] != kExitDone) {
        status = kExitCheckFailed;
        for (const std::string& line : base::split(json["complaint"].get<std::string>(), '\n')) {
          base::log().error("balance {}: {}", balances_[i], line);
        }
      }
      const std::string report = json["report"];
      if (report.empty()) return status;  // the RTL failed: there is nothing to report
      variants.push_back({balances_[i], nlohmann::ordered_json::parse(report)});
    }
    const auto report = gemm_json(operands, variants);
    out << (options_.format == Format::kJson ? report::json_text(report) : gemm_text(report));
    return status;
  }

 private:
  [[nodiscard]] Rendered simulate_variant(const config::ChipFiles& files,
                                          const workload::Graph& graph,
                                          const std::string& balance) const {
    params::ChipParams chip = files.chip.value;
    for (const auto& [value, name] : enum_names(params::Balance{})) {
      if (name == balance) chip.engine.balance = value;
    }
    std::vector<std::string> read = files.files();
    for (const auto& file : graph.files) read.push_back(file->path());
    std::string folder = options_.out;
    if (!folder.empty() && balances_.size() > 1) folder += "/" + balance;
    const Job job{chip,   files.effective_memory, files.energy.value, graph, "gemm", read, runs_, 1,
                  folder, balances_.size() == 1};
    return simulate(options_, job, false);
  }

  RunOptions options_;
  workload::GemmOptions gemm_;
  std::int64_t m_ = 0, n_ = 0, k_ = 0;
  std::int64_t runs_ = 2;
  std::vector<std::string> balances_;
};

}  // namespace

std::unique_ptr<Command> make_gemm_command() { return std::make_unique<GemmCommand>(); }

}  // namespace lacuna::cli
