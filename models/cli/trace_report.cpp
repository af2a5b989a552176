// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "report/format.h"

namespace lacuna::cli {

namespace {

using nlohmann::ordered_json;
using trace::ZeroCount;

std::string render(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string dimensions(const workload::Shape& shape) {
  std::string text;
  for (const std::int64_t extent : shape) {
    text += (text.empty() ? "" : "x") + fmt::format("{}", extent);
  }
  return text;
}

std::string share_text(const std::optional<ZeroCount>& count) {
  return count ? fmt::format("{:.2f} %", 100 * count->share()) : "";
}

ordered_json share_json(const std::optional<ZeroCount>& count) {
  if (!count) return nullptr;
  return {{"zeros", count->zeros}, {"all", count->all}, {"sparsity", count->share()}};
}

std::string spread_text(const std::optional<trace::BankSpread>& spread) {
  if (!spread || spread->banks == 0) return "";
  return fmt::format("{:.2f} ({:.2f})", spread->deviation, spread->binomial_deviation);
}

ordered_json spread_json(const std::optional<trace::BankSpread>& spread) {
  if (!spread || spread->banks == 0) return nullptr;
  return {{"bank", trace::kBank},
          {"banks", spread->banks},
          {"mean", spread->mean},
          {"deviation", spread->deviation},
          {"binomial_deviation", spread->binomial_deviation},
          {"most", spread->most}};
}

ordered_json layer_json(const trace::LayerInventory& layer) {
  ordered_json json{{"name", layer.name},
                    {"op", layer.op},
                    {"input", layer.input},
                    {"output", layer.output},
                    {"macs", layer.macs}};
  if (layer.gemm) {
    json["m"] = layer.gemm->m;
    json["n"] = layer.gemm->n;
    json["k"] = layer.gemm->k;
    json["heads"] = layer.gemm->heads;
    json["activations"] = {{"origin", layer.activations_origin},
                           {"counted", share_json(layer.activations)}};
  }
  if (layer.weights) {
    json["weights"] = {{"origin", layer.weights_origin},
                       {"from", layer.weights_text},
                       {"counted", share_json(layer.weights)},
                       {"spread", spread_json(layer.spread)}};
  }
  json["expected_output"] = layer.expected;
  return json;
}

}  // namespace

std::string inventory_text(const trace::Inventory& inventory) {
  std::string text = fmt::format("{}\n", base::printable(inventory.name, 200));
  for (const auto& [key, value] : inventory.provenance) {
    text += fmt::format("  {:<28} {}\n", base::printable(key), base::printable(value, 400));
  }
  text += fmt::format("\n{} sample{}, {} layers, {} dense MACs per sample\n", inventory.samples,
                      inventory.samples == 1 ? "" : "s", inventory.layers.size(),
                      base::with_thousands(inventory.macs));
  if (!inventory.files.empty()) {
    text += fmt::format(
        "tensors: {}, {}\n", base::join(inventory.files, ", "),
        base::format_quantity(static_cast<double>(inventory.file_bytes), base::Unit::kBytes));
  }
  text += fmt::format("zero weights: {:.2f} % of {}\n", 100 * inventory.weights.share(),
                      base::with_thousands(inventory.weights.all));
  if (inventory.activations.all > 0) {
    text += fmt::format("zero activations, where the trace has them: {:.2f} % of {}\n",
                        100 * inventory.activations.share(),
                        base::with_thousands(inventory.activations.all));
  }
  text += "\n";
  report::Table table({false, false, false, false, true, true, true, false, true});
  table.row({"layer", "op", "input", "output", "N x K", "zero weights", "spread (binomial)",
             "weights", "zero inputs"});
  for (const trace::LayerInventory& layer : inventory.layers) {
    std::string matrix;
    if (layer.gemm) {
      matrix = fmt::format("{} x {}", layer.gemm->n, layer.gemm->k);
      if (layer.gemm->heads > 1) matrix = fmt::format("{} * {}", layer.gemm->heads, matrix);
    }
    table.row({base::printable(layer.name), layer.op, dimensions(layer.input),
               dimensions(layer.output), matrix, share_text(layer.weights),
               spread_text(layer.spread), layer.weights_origin, share_text(layer.activations)});
  }
  return text + table.text(0) +
         "\nspread: standard deviation of the non-zeros per 32 consecutive k of an output channel; "
         "in brackets\nthat of independent draws of the same density.\n";
}

std::string inventory_json(const trace::Inventory& inventory) {
  ordered_json layers = ordered_json::array();
  for (const auto& layer : inventory.layers) layers.push_back(layer_json(layer));
  std::optional<ZeroCount> activations;
  if (inventory.activations.all > 0) activations = inventory.activations;
  return render({{"schema", "lacuna-trace-info-1"},
                 {"name", inventory.name},
                 {"provenance", inventory.provenance},
                 {"samples", inventory.samples},
                 {"files", inventory.files},
                 {"file_bytes", inventory.file_bytes},
                 {"macs", inventory.macs},
                 {"weights", share_json(inventory.weights)},
                 {"activations", share_json(activations)},
                 {"layers", layers}});
}

std::string import_text(const trace::ImportReport& report, const std::string& folder) {
  report::Table table({false, false, true, true, true});
  table.row({"layer", "from", "N x K", "zero weights", "became zero"});
  ZeroCount total;
  for (const trace::ImportedLayer& layer : report.layers) {
    const ZeroCount count{layer.zeros, layer.n * layer.k};
    total.zeros += count.zeros;
    total.all += count.all;
    table.row({base::printable(layer.layer), base::printable(layer.source),
               fmt::format("{} x {}", layer.n, layer.k), share_text(count),
               layer.lost > 0 ? base::with_thousands(layer.lost) : ""});
  }
  std::string text =
      table.text(0) + fmt::format("\n{}: {} layers, {:.2f} % of {} weights are zero\n",
                                  base::printable(report.name), report.layers.size(),
                                  100 * total.share(), base::with_thousands(total.all));
  if (!report.kept.empty()) {
    text += fmt::format("{} layers keep their weights: {}\n", report.kept.size(),
                        base::printable(base::join(report.kept, ", "), 300));
  }
  if (!report.unused.empty()) {
    text += fmt::format("{} tensors of the source were not used: {}\n", report.unused.size(),
                        base::printable(base::join(report.unused, ", "), 300));
  }
  return text + fmt::format("{}/workload.yaml\n", folder);
}

std::string import_json(const trace::ImportReport& report, const std::string& folder) {
  ordered_json layers = ordered_json::array();
  for (const trace::ImportedLayer& layer : report.layers) {
    layers.push_back({{"layer", layer.layer},
                      {"from", layer.source},
                      {"n", layer.n},
                      {"k", layer.k},
                      {"zeros", layer.zeros},
                      {"became_zero", layer.lost}});
  }
  return render({{"schema", "lacuna-trace-import-1"},
                 {"name", report.name},
                 {"workload", folder + "/workload.yaml"},
                 {"layers", layers},
                 {"kept", report.kept},
                 {"unused", report.unused}});
}

std::string generate_text(const trace::GenerateReport& report, const std::string& folder) {
  report::Table table({false, false, true});
  table.row({"layer", "weights", "zero weights"});
  for (const trace::GeneratedLayer& layer : report.layers) {
    table.row({base::printable(layer.layer), layer.weights,
               fmt::format("{:.2f} %", 100 * layer.sparsity)});
  }
  const std::string head = report.layers.empty() ? "" : table.text(0) + "\n";
  return head + fmt::format("{}/workload.yaml\n", folder);
}

std::string generate_json(const trace::GenerateReport& report, const std::string& folder) {
  ordered_json layers = ordered_json::array();
  for (const trace::GeneratedLayer& layer : report.layers) {
    layers.push_back(
        {{"layer", layer.layer}, {"weights", layer.weights}, {"sparsity", layer.sparsity}});
  }
  return render({{"schema", "lacuna-trace-generate-1"},
                 {"name", report.name},
                 {"workload", folder + "/workload.yaml"},
                 {"layers", layers}});
}

}  // namespace lacuna::cli
