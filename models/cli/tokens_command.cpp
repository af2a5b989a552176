// SPDX-License-Identifier: Apache-2.0
#include "cli/tokens_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <nlohmann/json.hpp>

#include "cli/run_options.h"
#include "cli/step_runs.h"
#include "cli/token_times.h"
#include "report/json_report.h"

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
    refuse_own_parameters(options_, parameters_, {"decode", "tokens", "context", "samples"},
                          "tokens", "--prompt, --output and --batch");
    const config::ChipFiles files = load_chip_for_run(options_);
    std::vector<StepRequest> requests{{{"decode=0", fmt::format("tokens={}", prompt_)}, prompt_}};
    for (const std::int64_t context : sampled_contexts(prompt_, output_, points_)) {
      requests.push_back({{"decode=1", fmt::format("context={}", context)}, context});
    }
    const StepRuns runs =
        simulate_steps({options_, files, workload_, parameters_, batch_}, requests);
    if (runs.steps.size() < requests.size()) return runs.status;
    std::vector<SimulatedStep> decode;
    for (std::size_t i = 1; i < runs.steps.size(); ++i) decode.push_back(runs.steps[i].figures);
    const TokenTimes times = token_times(runs.steps[0].figures, decode, batch_);
    if (options_.format == Format::kJson) {
      out << report::json_text(json(files, times, runs.steps));
    } else {
      write_text(out, files, times, runs.steps);
    }
    return runs.status;
  }

 private:
  [[nodiscard]] Json json(const config::ChipFiles& files, const TokenTimes& times,
                          const std::vector<StepReport>& steps) const {
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
    result["decode_steps"] = {{"all", times.steps},
                              {"simulated", times.simulated},
                              {"left_out_error", times.left_out_error}};
    result["source"] = steps[0].report["provenance"];
    result["steps"] = Json::array();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Json step{{"phase", i == 0 ? "prefill" : "decode"}, {"context", steps[i].figures.size}};
      step.update(step_json(steps[i]));
      result["steps"].push_back(step);
    }
    return result;
  }

  void write_text(std::ostream& out, const config::ChipFiles& files, const TokenTimes& times,
                  const std::vector<StepReport>& steps) const {
    out << fmt::format("Chip        {}, skipping: {}\n", files.chip.value.name,
                       skip_name(files.chip.value.engine));
    out << fmt::format("Workload    {}: prompt of {}, answer of {} tokens, batch {}\n", workload_,
                       prompt_, output_, batch_);
    out << steps.back().source;
    out << fmt::format("First token {:.4g} ms\n", times.first_token_s * 1e3);
    if (times.steps > 0) {
      out << fmt::format(
          "Per token   {:.4g} ms, {:.4g} tokens/s in decode ({} of {} steps simulated{})\n",
          times.per_output_token_s * 1e3, times.decode_tokens_per_s, times.simulated, times.steps,
          interpolation_text(times.simulated, times.steps, times.left_out_error));
    }
    out << fmt::format("Throughput  {:.4g} tokens/s, prefill included; whole answer {:.4g} s\n",
                       times.tokens_per_s, times.total_s);
    out << fmt::format("Energy      {:.4g} mJ per output token, prefill included\n",
                       times.energy_per_token_j * 1e3);
    out << step_heading("phase     context");
    for (std::size_t i = 0; i < steps.size(); ++i) {
      out << fmt::format("  {:8} {:>8}", i == 0 ? "prefill" : "decode", steps[i].figures.size)
          << step_line(steps[i]);
    }
    out << "\nEvery step begins with its weights and its cache in DRAM.\n";
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
