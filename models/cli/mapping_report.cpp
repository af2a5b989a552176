// SPDX-License-Identifier: Apache-2.0
#include "cli/mapping_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "report/format.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t longest_k(const mapper::Split& split) {
  std::int64_t longest = 0;
  for (const mapper::KTile& tile : split.k_tiles) longest = std::max(longest, tile.k);
  return longest;
}

Json candidate_json(const mapper::Candidate& candidate) {
  const mapper::Split& split = candidate.split;
  const mapper::Prediction& expected = candidate.prediction;
  Json json{
      {"tile_m", split.block_rows},
      {"tile_n", split.tile_channels},
      {"tile_k", longest_k(split)},
      {"task_blocks", split.blocks_per_task},
      {"order", params::enum_name(split.order)},
      {"k_order", split.alternate ? "alternate" : "forward"},
      {"k_parts", split.k_parts},
      {"splits", Json{{"m", split.blocks}, {"n", split.n_tiles}, {"k", split.k_tiles.size()}}},
      {"tasks", expected.tasks},
      {"rounds", expected.rounds},
      {"predicted", Json{{"cycles", expected.total},
                         {"compute", expected.compute},
                         {"load", expected.load},
                         {"sram", expected.memory},
                         {"dram", expected.dram},
                         {"start", expected.start},
                         {"tail", expected.tail},
                         {"bound", mapper::bound_name(expected.bound)},
                         {"energy_j", expected.energy}}},
      {"pass", Json{{"cycles", expected.pass},
                    {"issue", expected.issue},
                    {"pe", expected.pe},
                    {"drain", expected.drain},
                    {"block_load", expected.block_load},
                    {"tile_load", expected.tile_load}}}};
  return json;
}

std::string whole(double value) {
  return base::with_thousands(static_cast<long long>(std::llround(value)));
}

/// How the batch goes through the layers: all of it through each, or group by group through chains.
std::string groups_text(const Json& ways) {
  if (ways.empty()) return {};
  report::Table table({false, true, true, true, true, true, true});
  table.row({"", "samples of a group", "chains", "their layers", "first run", "next runs",
             "DRAM bytes of both"});
  for (const Json& way : ways) {
    table.row({way["chosen"].get<bool>() ? "chosen" : "", whole(way["samples"]),
               whole(way["chains"]), whole(way["layers"]), whole(way["first_cycles"]),
               whole(way["next_cycles"]), report::si(way["dram_bytes"].get<double>(), "B")});
  }
  return "\nBatch in groups of samples\n" + table.text(2);
}

/// How the SRAM is divided, and the next best ways.
std::string memory_text(const Json& plan) {
  const auto bytes = [](const Json& value) { return report::si(value.get<double>(), "B"); };
  const Json& sram = plan["sram"];
  std::string text = fmt::format("\nSRAM: {} activations, {} constants, {} weights{}\n",
                                 bytes(sram["activations_bytes"]), bytes(sram["constants_bytes"]),
                                 bytes(sram["weights_bytes"]),
                                 plan["weights_resident"].get<bool>() ? ": all of them" : "");
  if (plan["considered"].empty()) return text;
  report::Table table({false, true, true, true, true, true, true});
  table.row({"", "activations", "weights that stay", "ring", "first run", "next runs",
             "DRAM bytes of both"});
  bool first = true;
  for (const Json& split : plan["considered"]) {
    table.row({first ? "chosen" : "", bytes(split["activations_bytes"]),
               bytes(split["pinned_bytes"]), bytes(split["ring_bytes"]),
               whole(split["first_cycles"]), whole(split["next_cycles"]),
               bytes(split["dram_bytes"])});
    first = false;
  }
  return text + table.text(2) + groups_text(plan["groups"]);
}

/// Which tasks follow each other: those of a tile or of some rows; and whether every other one goes
/// through its K tiles backwards.
std::string order_text(const Json& candidate) {
  std::string text = candidate["order"] == "tile_major" ? "tile" : "row";
  if (candidate["k_order"] == "alternate") text += ", k to and fro";
  return text;
}

/// Geometric mean and largest of chosen / best over the layers that were simulated.
Json quality_json(const std::vector<double>& ratios) {
  double sum = 0;
  double worst = 1;
  for (const double ratio : ratios) {
    sum += std::log(ratio);
    worst = std::max(worst, ratio);
  }
  return Json{{"layers", ratios.size()},
              {"chosen_over_best_mean", std::exp(sum / static_cast<double>(ratios.size()))},
              {"chosen_over_best_worst", worst}};
}

}  // namespace

std::string why_it_loses(params::Objective objective, const mapper::Candidate& chosen,
                         const mapper::Candidate& other) {
  const mapper::Prediction& a = chosen.prediction;
  const mapper::Prediction& b = other.prediction;
  if (objective == params::Objective::kEnergy && b.energy > a.energy) {
    return fmt::format("{:.3g} times the energy", b.energy / a.energy);
  }
  if (b.total <= a.total * 1.0005) return "as good";
  const std::pair<const char*, double> more[] = {
      {"compute", b.compute - a.compute},  {"load", b.load - a.load},
      {"SRAM ports", b.memory - a.memory}, {"DRAM", b.dram - a.dram},
      {"start", b.start - a.start},        {"tail", b.tail - a.tail}};
  // Only what bounds the other one, or is on its way in any case, makes it slower.
  double most = 0;
  std::string reason;
  for (const auto& [name, extra] : more) {
    const bool counts = std::string_view(name) == "start" || std::string_view(name) == "tail" ||
                        (std::string_view(name) == "compute" && b.compute >= b.load) ||
                        (std::string_view(name) == "load" && b.load >= b.compute) ||
                        (std::string_view(name) == "SRAM ports" && b.memory >= b.total) ||
                        (std::string_view(name) == "DRAM" && b.dram >= b.total);
    if (!counts || extra <= most) continue;
    most = extra;
    reason = fmt::format("{} more cycles of {}", whole(extra), name);
  }
  if (reason.empty()) return "less overlap of loads and passes";
  if (b.tasks / b.rounds < 0.9 * a.tasks / a.rounds && b.bound != mapper::Bound::kDram) {
    reason += fmt::format(" ({} tasks in {} round(s))", whole(b.tasks), whole(b.rounds));
  }
  return reason;
}

Json mapping_json(const params::ChipParams& chip, const std::string& workload, std::int64_t batch,
                  const std::vector<StudiedLayer>& layers) {
  Json json{{"schema", "lacuna-mapping-1"},
            {"chip", chip.name},
            {"workload", workload},
            {"batch", batch},
            {"objective", params::enum_name(chip.mapper.objective)},
            {"layers", Json::array()}};
  std::vector<double> ratios;
  for (const StudiedLayer& each : layers) {
    const mapper::LayerStudy& study = each.study;
    Json layer{{"name", each.layer->name},
               {"op", params::enum_name(each.layer->op)},
               {"m", study.problem.rows},
               {"k", each.layer->gemm.k},
               {"n", study.problem.n},
               {"products", study.problem.heads},
               {"weight_density", study.weight_density},
               {"activation_density", study.problem.activation_density},
               {"layout", study.problem.row_layout ? "row" : "tile"},
               {"weights_stream", study.problem.stream_bytes_per_cycle > 0},
               {"considered", study.considered},
               {"candidates", Json::array()}};
    std::int64_t best = 0;
    for (std::size_t i = 0; i < study.ranked.size(); ++i) {
      Json candidate = candidate_json(study.ranked[i]);
      if (i > 0) {
        candidate["why"] =
            why_it_loses(chip.mapper.objective, study.ranked.front(), study.ranked[i]);
      }
      if (!each.simulated.empty() && each.simulated[i].cycles > 0) {
        const SimulatedSplit& took = each.simulated[i];
        candidate["simulated"] = Json{
            {"cycles", took.cycles}, {"passes", took.passes}, {"pass_cycles", took.pass_cycles}};
        if (best == 0 || took.cycles < best) best = took.cycles;
      }
      layer["candidates"].push_back(std::move(candidate));
    }
    if (best > 0) {
      const auto chosen = static_cast<double>(each.simulated.front().cycles);
      ratios.push_back(chosen / static_cast<double>(best));
      layer["simulated"] = Json{
          {"candidates", std::count_if(each.simulated.begin(), each.simulated.end(),
                                       [](const SimulatedSplit& one) { return one.cycles > 0; })},
          {"chosen", each.simulated.front().cycles},
          {"best", best},
          {"chosen_over_best", ratios.back()}};
    }
    json["layers"].push_back(std::move(layer));
  }
  if (!ratios.empty()) json["quality"] = quality_json(ratios);
  return json;
}

std::string mapping_text(const Json& report, std::size_t shown) {
  std::string text = fmt::format("{} on {}, batch {}: splits for the least predicted {}\n",
                                 base::printable(report["workload"].get<std::string>()),
                                 base::printable(report["chip"].get<std::string>()),
                                 report["batch"].get<std::int64_t>(),
                                 report["objective"] == "energy" ? "energy" : "cycles");
  for (const Json& layer : report["layers"]) {
    text += fmt::format(
        "\n{}  {}  M {} x K {} x N {}{}  weights {}, activations {} non-zero{}; {} candidates\n",
        base::printable(layer["name"].get<std::string>()), layer["op"].get<std::string>(),
        layer["m"].get<std::int64_t>(), layer["k"].get<std::int64_t>(),
        layer["n"].get<std::int64_t>(),
        layer["products"] == 1 ? std::string{}
                               : fmt::format(", {} products", layer["products"].get<int>()),
        report::percent(layer["weight_density"]), report::percent(layer["activation_density"]),
        layer["weights_stream"].get<bool>() ? ", weights stream from DRAM" : "",
        base::with_thousands(layer["considered"].get<long long>()));
    const bool simulated = layer.contains("simulated");
    report::Table table({false, true, true, true, true, true, false, true, true, true, true, true,
                         true, true, false, true, false});
    table.row({"", "m", "n", "k", "blocks", "k parts", "order", "tasks", "cycles", "compute",
               "load", "sram", "dram", "start+tail", "bound", simulated ? "simulated" : "", ""});
    std::size_t line = 0;
    for (const Json& candidate : layer["candidates"]) {
      if (line > shown) break;
      const Json& expected = candidate["predicted"];
      const std::string measured =
          candidate.contains("simulated") ? whole(candidate["simulated"]["cycles"]) : "";
      table.row({line == 0 ? "chosen" : "", whole(candidate["tile_m"]), whole(candidate["tile_n"]),
                 whole(candidate["tile_k"]), whole(candidate["task_blocks"]),
                 whole(candidate["k_parts"]), order_text(candidate), whole(candidate["tasks"]),
                 whole(expected["cycles"]), whole(expected["compute"]), whole(expected["load"]),
                 whole(expected["sram"]), whole(expected["dram"]),
                 whole(expected["start"].get<double>() + expected["tail"].get<double>()),
                 expected["bound"], measured, candidate.value("why", "")});
      ++line;
    }
    text += table.text(2);
    if (simulated) {
      text += fmt::format("  simulated {} candidates: chosen {} cycles, best {}: {:.3f}\n",
                          layer["simulated"]["candidates"].get<int>(),
                          whole(layer["simulated"]["chosen"]), whole(layer["simulated"]["best"]),
                          layer["simulated"]["chosen_over_best"].get<double>());
    }
  }
  text +=
      "\nm, n, k: rows of a block, channels and k of a weight tile; blocks: of a task; k parts: of "
      "a task's "
      "rows, on other cores.\nCycles of the busiest core: passes, load port; of all: SRAM ports, "
      "DRAM; bound: what the layer waits for "
      "most.\n";
  if (report.contains("memory_plan")) text += memory_text(report["memory_plan"]);
  if (report.contains("quality")) {
    const Json& quality = report["quality"];
    text +=
        fmt::format("chosen / best simulated over {} layers: geometric mean {:.3f}, worst {:.3f}\n",
                    quality["layers"].get<int>(), quality["chosen_over_best_mean"].get<double>(),
                    quality["chosen_over_best_worst"].get<double>());
  }
  return text;
}

}  // namespace lacuna::cli
