// SPDX-License-Identifier: Apache-2.0
#include "cli/lengths_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/length_times.h"
#include "cli/run_options.h"
#include "cli/step_runs.h"
#include "config/loader.h"
#include "report/format.h"
#include "report/json_report.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxBatch = 4096;

/// One way to serve the sequences.
struct Serving {
  std::string name;
  LengthTimes times;
};

class LengthsCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "lengths"; }
  [[nodiscard]] std::string summary() const override {
    return "a network over sequences of different lengths: latency percentiles, sequences/s, "
           "energy";
  }
  void add_options(CLI::App& app) override {
    add_run_options(app, options_);
    app.add_option("WORKLOAD", workload_,
                   "network with a parameter for the length of its input, e.g. "
                   "configs/workloads/bert-large.yaml")
        ->required();
    add_parameter_option(app, parameters_);
    app.add_option("--distribution", distribution_,
                   "how many sequences have which length, e.g. configs/lengths/squad-1.1.yaml")
        ->type_name("FILE")
        ->required();
    app.add_option("--length-parameter", length_parameter_,
                   "the workload's parameter that is the length [sequence]")
        ->type_name("NAME");
    add_integer(app, "--bucket", bucket_, 1, params::kMaxLength,
                "fill sequences up to a multiple of this many tokens [1: no padding]");
    add_integer(app, "--batch", batch_, 1, kMaxBatch,
                "sequences of one (padded) length that run together [1]");
    add_integer(app, "--points", points_, 2, params::kMaxLength,
                "lengths to simulate; those between are interpolated [24]");
  }

  int run(std::ostream& out) override {
    refuse_own_parameters(options_, parameters_, {length_parameter_, "samples"}, "lengths",
                          "--distribution and --batch");
    const auto loaded = config::load<params::LengthParams>(distribution_);
    const params::LengthParams& task = loaded.value;
    const config::ChipFiles files = load_chip_for_run(options_);
    const std::vector<params::LengthCount> counts = task.lengths();
    std::vector<StepRequest> requests;
    for (const std::int64_t length : sampled_lengths(counts, bucket_, task.limit, points_)) {
      requests.push_back({{fmt::format("{}={}", length_parameter_, length)}, length});
    }
    const StepRuns runs =
        simulate_steps({options_, files, workload_, parameters_, batch_}, requests);
    if (runs.steps.size() < requests.size()) return runs.status;
    std::vector<SimulatedStep> steps;
    for (const StepReport& step : runs.steps) steps.push_back(step.figures);

    std::set<std::int64_t> served;
    for (const params::LengthCount& entry : counts) {
      served.insert(padded_length(entry.length, bucket_, task.limit));
    }
    Served all;
    all.lengths = static_cast<std::int64_t>(served.size());
    for (const SimulatedStep& step : steps) all.simulated += served.count(step.size) ? 1 : 0;
    all.left_out_error = left_out_error(steps);
    all.ways = {{bucket_ == 1 ? "as they are" : fmt::format("multiples of {}", bucket_),
                 length_times(counts, steps, bucket_, task.limit, batch_)},
                {fmt::format("padded to {}", task.limit),
                 length_times(counts, steps, task.limit, task.limit, batch_)}};
    if (options_.format == Format::kJson) {
      out << report::json_text(json(files, task, all, runs.steps));
    } else {
      write_text(out, files, task, all, runs.steps);
    }
    return runs.status;
  }

 private:
  struct Served {
    std::vector<Serving> ways;
    std::int64_t lengths = 0;    ///< different ones that are served
    std::int64_t simulated = 0;  ///< of them
    double left_out_error = 0;
  };

  [[nodiscard]] Json json(const config::ChipFiles& files, const params::LengthParams& task,
                          const Served& all, const std::vector<StepReport>& steps) const {
    Json result;
    result["schema"] = "lacuna-lengths-1";
    result["chip"] = files.chip.value.name;
    result["workload_file"] = workload_;
    result["parameters"] = parameters_;
    result["skip"] = skip_name(files.chip.value.engine);
    result["distribution"] = {{"name", task.name},
                              {"file", distribution_},
                              {"source", task.source},
                              {"limit", task.limit},
                              {"sequences", sequences(task)}};
    result["bucket"] = bucket_;
    result["batch"] = batch_;
    result["lengths"] = {
        {"all", all.lengths}, {"simulated", all.simulated}, {"left_out_error", all.left_out_error}};
    result["servings"] = Json::array();
    for (const Serving& way : all.ways) {
      const LengthTimes& times = way.times;
      result["servings"].push_back({{"name", way.name},
                                    {"mean_length", times.mean_length},
                                    {"padding", times.padding},
                                    {"mean_s", times.mean_s},
                                    {"p50_s", times.p50_s},
                                    {"p90_s", times.p90_s},
                                    {"p99_s", times.p99_s},
                                    {"sequences_per_s", times.sequences_per_s},
                                    {"tokens_per_s", times.tokens_per_s},
                                    {"energy_per_sequence_j", times.energy_per_sequence_j},
                                    {"energy_per_token_j", times.energy_per_token_j},
                                    {"dram_bytes_per_sequence", times.dram_bytes}});
    }
    result["source"] = steps.back().report["provenance"];
    result["steps"] = Json::array();
    for (const StepReport& step : steps) {
      Json entry{{"length", step.figures.size}};
      entry.update(step_json(step));
      result["steps"].push_back(entry);
    }
    return result;
  }

  [[nodiscard]] static double sequences(const params::LengthParams& task) {
    double sum = 0;
    for (const params::LengthCount& entry : task.lengths()) sum += entry.count;
    return sum;
  }

  void write_text(std::ostream& out, const config::ChipFiles& files,
                  const params::LengthParams& task, const Served& all,
                  const std::vector<StepReport>& steps) const {
    const std::vector<params::LengthCount> counts = task.lengths();
    out << fmt::format("Chip        {}, skipping: {}\n", files.chip.value.name,
                       skip_name(files.chip.value.engine));
    out << fmt::format("Workload    {}, batch {}\n", workload_, batch_);
    out << steps.back().source;
    out << fmt::format("Lengths     {}: {:.10g} sequences of {} to {} tokens, mean {:.5g}\n",
                       base::printable(task.name), sequences(task), counts.front().length,
                       counts.back().length, all.ways[0].times.mean_length);
    out << fmt::format("            {}\n", base::printable(task.source, 300));
    out << fmt::format("Simulated   {} of {} lengths{}\n\n", all.simulated, all.lengths,
                       interpolation_text(all.simulated, all.lengths, all.left_out_error));

    report::Table table({false, true, true});
    table.row({"served", all.ways[0].name, all.ways[1].name});
    const auto row = [&](const std::string& label, const auto& cell) {
      table.row({label, cell(all.ways[0].times), cell(all.ways[1].times)});
    };
    const auto number = [&](const std::string& label, double scale, double LengthTimes::*member) {
      row(label,
          [&](const LengthTimes& times) { return fmt::format("{:.4g}", times.*member * scale); });
    };
    row("padding", [](const LengthTimes& times) { return report::percent(times.padding); });
    number("latency, mean (ms)", 1e3, &LengthTimes::mean_s);
    number("latency, p50 (ms)", 1e3, &LengthTimes::p50_s);
    number("latency, p90 (ms)", 1e3, &LengthTimes::p90_s);
    number("latency, p99 (ms)", 1e3, &LengthTimes::p99_s);
    number("sequences/s", 1, &LengthTimes::sequences_per_s);
    number("tokens/s, without padding", 1, &LengthTimes::tokens_per_s);
    number("energy of a sequence (mJ)", 1e3, &LengthTimes::energy_per_sequence_j);
    number("energy of a token (mJ)", 1e3, &LengthTimes::energy_per_token_j);
    number("DRAM of a sequence (MB)", 1e-6, &LengthTimes::dram_bytes);
    out << table.text(2);
    out << fmt::format(
        "\nPadding to {} takes {:.3g} times the time and {:.3g} times the energy.\n", task.limit,
        all.ways[1].times.mean_s / all.ways[0].times.mean_s,
        all.ways[1].times.energy_per_sequence_j / all.ways[0].times.energy_per_sequence_j);
    out << step_heading("  length");
    for (const StepReport& step : steps) {
      out << fmt::format("  {:>8}", step.figures.size) << step_line(step);
    }
    out << "\nA sequence has the latency of its batch, and batches have one length; they run one "
           "after the other, each from a cold chip. Waiting for a batch to fill is not counted.\n";
  }

  RunOptions options_;
  std::string workload_;
  std::vector<std::string> parameters_;
  std::string distribution_;
  std::string length_parameter_ = "sequence";
  std::int64_t bucket_ = 1;
  std::int64_t batch_ = 1;
  std::int64_t points_ = 24;
};

}  // namespace

std::unique_ptr<Command> make_lengths_command() { return std::make_unique<LengthsCommand>(); }

}  // namespace lacuna::cli
