// SPDX-License-Identifier: Apache-2.0
#include "cli/tokens_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/child_process.h"
#include "cli/run_options.h"
#include "cli/token_times.h"
#include "config/workload_files.h"
#include "report/json_report.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxTokens = 1 << 20;
constexpr std::int64_t kMaxBatch = 4096;

class TokensCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "tokens"; }
  [[nodiscard]] std::string summary() const override {
    return "a language model answers a prompt: time to first token, per output token, tokens/s";
  }
  void add_options(CLI::App& app) override {
    add_run_options(app, options_);
    app.add_option("WORKLOAD", workload_,
                   "language model with the parameters decode, tokens and context, e.g. "
                   "configs/workloads/llama-2-7b.yaml")
        ->required();
    add_parameter_option(app, parameters_);
    add_integer(app, "--prompt", prompt_, 1, kMaxTokens, "tokens of the prompt [128]");
    add_integer(app, "--output", output_, 1, kMaxTokens, "tokens of the answer [128]");
    add_integer(app, "--batch", batch_, 1, kMaxBatch, "prompts that are answered together [1]");
    add_integer(app, "--points", points_, 2, kMaxTokens,
                "decode steps to simulate; those between are interpolated [3]");
  }

  int run(std::ostream& out) override {
    if (!options_.out.empty()) {
      throw base::UserError(
          "--out goes with lacuna run, which simulates one step; see "
          "docs/guide/networks.md");
    }
    for (const std::string& parameter : parameters_) {
      for (const char* mine : {"decode", "tokens", "context", "samples"}) {
        if (base::trim(parameter.substr(0, parameter.find('='))) == mine) {
          throw base::UserError(fmt::format(
              "--param {}: lacuna tokens sets this itself, from --prompt, --output and --batch",
              mine));
        }
      }
    }
    const config::ChipFiles files = load_chip_for_run(options_);
    const std::vector<std::int64_t> contexts = sampled_contexts(prompt_, output_, points_);
    std::vector<std::function<std::string()>> tasks;
    tasks.emplace_back([&] {
      return step(files, {"decode=0", fmt::format("tokens={}", prompt_)});
    });
    for (const std::int64_t context : contexts) {
      tasks.emplace_back([this, &files, context] {
        return step(files, {"decode=1", fmt::format("context={}", context)});
      });
    }
    const std::vector<std::string> results = run_in_children(tasks, thread_count(options_));

    Json steps = Json::array();
    std::vector<TokenStep> decode;
    TokenStep prefill;
    int status = kExitDone;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Json result = Json::parse(results[i]);
      if (result["status"] != kExitDone) {
        status = kExitCheckFailed;
        base::log().error("{}", result["complaint"].get<std::string>());
      }
      const std::string text = result["report"];
      if (text.empty()) return status;  // the RTL failed: there is nothing to report
      const Json report = Json::parse(text);
      TokenStep found;
      found.context = i == 0 ? prompt_ : contexts[i - 1];
      found.seconds = report["latency"]["seconds"];
      found.energy_j = report["energy"]["total_j"];
      const Json& dram = report["bandwidth"]["dram"];
      found.dram_bytes = dram["read_bytes"].get<double>() + dram["write_bytes"].get<double>();
      (i == 0 ? prefill : decode.emplace_back()) = found;
      steps.push_back({{"phase", i == 0 ? "prefill" : "decode"},
                       {"context", found.context},
                       {"cycles", report["latency"]["cycles"]},
                       {"seconds", found.seconds},
                       {"energy_j", found.energy_j},
                       {"dram_bytes", found.dram_bytes},
                       {"macs_dense", report["macs"]["dense"]},
                       {"macs_effective", report["macs"]["effective"]}});
    }
    const TokenTimes times = token_times(prefill, decode, batch_);
    if (options_.format == Format::kJson) {
      out << report::json_text(json(files, times, steps));
    } else {
      write_text(out, files, times, steps);
    }
    return status;
  }

 private:
  /// One simulation, in a process of its own; the workload is loaded there.
  [[nodiscard]] std::string step(const config::ChipFiles& files,
                                 const std::vector<std::string>& phase) const {
    std::vector<std::string> parameters = parameters_;
    parameters.insert(parameters.end(), phase.begin(), phase.end());
    parameters.push_back(fmt::format("samples={}", batch_));
    const auto loaded = config::load_workload(workload_, parameters);
    const workload::Graph graph = workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
    std::vector<std::string> read = files.files();
    read.insert(read.end(), loaded.files.begin(), loaded.files.end());
    const Job job{files.chip.value,
                  files.effective_memory,
                  files.energy.value,
                  graph,
                  workload_,
                  read,
                  batch_,
                  batch_,
                  "",
                  false};
    const Rendered rendered = simulate(options_, job, false);
    return Json{
        {"status", rendered.status}, {"complaint", rendered.complaint}, {"report", rendered.json}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  [[nodiscard]] Json json(const config::ChipFiles& files, const TokenTimes& times,
                          const Json& steps) const {
    Json result;
    result["schema"] = "lacuna-tokens-1";
    result["chip"] = files.chip.value.name;
    result["workload_file"] = workload_;
    result["parameters"] = parameters_;
    result["skip"] = skip_name(files.chip.value.engine);
    result["prompt"] = prompt_;
    result["output"] = output_;
    result["batch"] = batch_;
    result["first_token_s"] = times.first_token_s;
    result["per_output_token_s"] = times.per_output_token_s;
    result["total_s"] = times.total_s;
    result["tokens_per_s"] = times.tokens_per_s;
    result["decode_tokens_per_s"] = times.decode_tokens_per_s;
    result["energy_per_token_j"] = times.energy_per_token_j;
    result["decode_dram_bytes"] = times.decode_dram_bytes;
    result["decode_steps"] = {{"all", times.steps}, {"simulated", times.simulated}};
    result["steps"] = steps;
    return result;
  }

  void write_text(std::ostream& out, const config::ChipFiles& files, const TokenTimes& times,
                  const Json& steps) const {
    out << fmt::format("Chip        {}, skipping: {}\n", files.chip.value.name,
                       skip_name(files.chip.value.engine));
    out << fmt::format("Workload    {}: prompt of {}, answer of {} tokens, batch {}\n", workload_,
                       prompt_, output_, batch_);
    out << fmt::format("First token {:.4g} ms\n", times.first_token_s * 1e3);
    if (times.steps > 0) {
      out << fmt::format(
          "Per token   {:.4g} ms, {:.4g} tokens/s in decode ({} of {} steps simulated{})\n",
          times.per_output_token_s * 1e3, times.decode_tokens_per_s, times.simulated, times.steps,
          times.simulated < times.steps ? ", the others interpolated" : "");
    }
    out << fmt::format("Throughput  {:.4g} tokens/s, prefill included; whole answer {:.4g} s\n",
                       times.tokens_per_s, times.total_s);
    out << fmt::format("Energy      {:.4g} mJ per output token, prefill included\n",
                       times.energy_per_token_j * 1e3);
    out << "\n  phase     context        cycles        ms   energy mJ    DRAM MB\n";
    for (const Json& step : steps) {
      out << fmt::format("  {:8} {:>8} {:>13} {:>9.4g} {:>11.4g} {:>10.4g}\n",
                         step["phase"].get<std::string>(), step["context"].get<std::int64_t>(),
                         base::with_thousands(step["cycles"].get<std::int64_t>()),
                         step["seconds"].get<double>() * 1e3, step["energy_j"].get<double>() * 1e3,
                         step["dram_bytes"].get<double>() / 1e6);
    }
    out << "\nEvery step begins with its weights and its cache in DRAM. Weights and activations "
           "are "
           "what the workload file says of them.\n";
  }

  RunOptions options_;
  std::string workload_;
  std::vector<std::string> parameters_;
  std::int64_t prompt_ = 128;
  std::int64_t output_ = 128;
  std::int64_t batch_ = 1;
  std::int64_t points_ = 3;
};

}  // namespace

std::unique_ptr<Command> make_tokens_command() { return std::make_unique<TokensCommand>(); }

}  // namespace lacuna::cli
