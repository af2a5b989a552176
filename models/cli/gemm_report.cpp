// SPDX-License-Identifier: Apache-2.0
#include "cli/gemm_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/format.h"
#include "workload/tensor_store.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

Json operand_json(double density, const workload::Provenance& provenance) {
  return Json{{"origin", workload::origin_name(provenance.origin)},
              {"from", provenance.text},
              {"density", density}};
}

Json variant_json(const GemmVariant& variant, double effective) {
  const Json& run = variant.run;
  const double macs = run["chip"]["macs"];
  const double cores = run["chip"]["cores"];
  const double runs = run["workload"]["samples"];
  const double ideal = effective / macs;
  const double pass_cycles = run["engine"]["pass_cycles"].get<double>() / runs;
  const double cycles = run["latency"]["cycles"];
  const double inside =
      run["cycle_stack"]["compute"].get<double>() + run["cycle_stack"]["scheduler"].get<double>() +
      run["cycle_stack"]["slot"].get<double>() + run["cycle_stack"]["imbalance"].get<double>() +
      run["cycle_stack"]["bank"].get<double>() + run["cycle_stack"]["edge"].get<double>();
  return Json{
      {"balance", variant.balance},
      {"cycles", cycles},
      {"cold_cycles", run["latency"]["cold_cycles"]},
      {"ideal_cycles", ideal},
      {"efficiency", ratio(ideal, cycles)},
      {"speedup_over_ideal_dense", ratio(run["macs"]["dense"].get<double>() / runs / macs, cycles)},
      {"engine_cycles", pass_cycles / cores},
      {"engine_efficiency", ratio(ideal * cores, pass_cycles)},
      {"imbalance_share", ratio(run["cycle_stack"]["imbalance"], inside)},
      {"energy_j", run["energy"]["per_sample_j"]},
      {"run", run}};
}

}  // namespace

GemmOperands gemm_operands(const workload::Graph& graph) {
  const workload::Layer& layer = graph.layers.front();
  const workload::Value& input = graph.input_of(layer);
  GemmOperands operands;
  operands.m = layer.gemm.m;
  operands.n = layer.gemm.n;
  operands.k = layer.gemm.k;
  operands.weights = layer.weights.provenance;
  operands.activations = input.provenance;
  operands.weight_density = ratio(static_cast<double>(layer.weights.non_zeros),
                                  static_cast<double>(layer.weights.n * layer.weights.k));
  const workload::TensorStore store(graph, 0, 1);
  const auto codes = store.codes(layer.input, 0);
  const auto zeros = std::count(codes.begin(), codes.end(), std::uint8_t{0});
  operands.activation_density =
      1 - ratio(static_cast<double>(zeros), static_cast<double>(codes.size()));
  return operands;
}

Json gemm_json(const GemmOperands& operands, const std::vector<GemmVariant>& variants) {
  const Json& first = variants.front().run;
  const double runs = first["workload"]["samples"];
  const double effective = first["macs"]["effective"].get<double>() / runs;
  Json json;
  json["schema"] = "lacuna-gemm-1";
  json["chip"] = first["chip"];
  json["chip"].erase("balance");
  json["gemm"] =
      Json{{"m", operands.m},
           {"n", operands.n},
           {"k", operands.k},
           {"weights", operand_json(operands.weight_density, operands.weights)},
           {"activations", operand_json(operands.activation_density, operands.activations)}};
  json["macs"] = Json{{"dense", operands.m * operands.n * operands.k},
                      {"effective", static_cast<std::int64_t>(effective)}};
  json["ideal_cycles"] = effective / first["chip"]["macs"].get<double>();
  json["variants"] = Json::array();
  for (const GemmVariant& variant : variants) {
    json["variants"].push_back(variant_json(variant, effective));
  }
  return json;
}

std::string gemm_text(const Json& report) {
  using base::with_thousands;
  const auto whole = [](const Json& value) {
    return with_thousands(std::llround(value.get<double>()));
  };
  const Json& gemm = report["gemm"];
  const auto operand = [](const Json& json) {
    return fmt::format("{} non-zero, {}: {}", report::percent(json["density"]),
                       json["origin"].get<std::string>(),
                       base::printable(json["from"].get<std::string>(), 100));
  };
  std::string text = fmt::format("Product      M {} x K {} x N {}\n", gemm["m"].get<std::int64_t>(),
                                 gemm["k"].get<std::int64_t>(), gemm["n"].get<std::int64_t>());
  text += "Weights      " + operand(gemm["weights"]) + "\n";
  text += "Activations  " + operand(gemm["activations"]) + "\n";
  text += fmt::format("Chip         {}: {} cores, {} MACs, skip {}\n",
                      base::printable(report["chip"]["name"].get<std::string>()),
                      report["chip"]["cores"].get<int>(), report["chip"]["macs"].get<int>(),
                      report["chip"]["skip"].get<std::string>());
  text += fmt::format(
      "MACs         {} dense, {} with both operands non-zero: ideal {} cycles (dense: {})\n",
      report::si(report["macs"]["dense"], "MAC"), report::si(report["macs"]["effective"], "MAC"),
      whole(report["ideal_cycles"]),
      whole(Json(report["macs"]["dense"].get<double>() / report["chip"]["macs"].get<double>())));
  text += "\n";
  report::Table table({false, true, true, true, true, true, true, true, true});
  table.row({"balance", "cycles", "cold", "of ideal", "over dense", "engine only", "of ideal",
             "imbalance", "energy"});
  for (const Json& variant : report["variants"]) {
    table.row({variant["balance"], whole(variant["cycles"]), whole(variant["cold_cycles"]),
               report::percent(variant["efficiency"]),
               fmt::format("{:.2f}x", variant["speedup_over_ideal_dense"].get<double>()),
               whole(variant["engine_cycles"]), report::percent(variant["engine_efficiency"]),
               report::percent(variant["imbalance_share"]), report::si(variant["energy_j"], "J")});
  }
  text += table.text(2);
  text +=
      "\ncycles: warm run; of ideal: ideal / cycles; over dense: against a dense engine that never "
      "waits;\nengine only: mean over cores of cycles in passes; imbalance: share of PE-cycles in "
      "passes.\n";
  for (const Json& variant : report["variants"]) {
    const Json& verification = variant["run"]["verification"];
    if (verification["shadowed"].get<std::int64_t>() == 0) continue;
    text += fmt::format(
        "{}: {} of {} passes compared with the RTL, {} mismatches\n",
        variant["balance"].get<std::string>(), verification["shadowed"].get<std::int64_t>(),
        verification["passes"].get<std::int64_t>(), verification["mismatches"].get<std::int64_t>());
  }
  return text;
}

}  // namespace lacuna::cli
