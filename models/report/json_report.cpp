// SPDX-License-Identifier: Apache-2.0
#include "report/json_report.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "report/memory_plan.h"
#include "report/source_text.h"

namespace lacuna::report {

namespace {

using Json = nlohmann::ordered_json;

double seconds_of(double cycles, double clock_hz) { return cycles / clock_hz; }

Json latency_json(const LatencyStats& stats, double clock_hz) {
  return Json{{"samples", stats.samples},
              {"min_cycles", stats.min_cycles},
              {"mean_cycles", stats.mean_cycles},
              {"p99_cycles", stats.p99_cycles},
              {"max_cycles", stats.max_cycles},
              {"min_s", seconds_of(static_cast<double>(stats.min_cycles), clock_hz)},
              {"mean_s", seconds_of(stats.mean_cycles, clock_hz)},
              {"p99_s", seconds_of(static_cast<double>(stats.p99_cycles), clock_hz)},
              {"max_s", seconds_of(static_cast<double>(stats.max_cycles), clock_hz)}};
}

Json bandwidth_json(const Bandwidth& figures) {
  return Json{{"read_bytes", figures.read_bytes},
              {"write_bytes", figures.write_bytes},
              {"gb_per_s", figures.bytes_per_s / 1e9},
              {"peak_gb_per_s", figures.peak_bytes_per_s / 1e9},
              {"utilization", figures.utilization}};
}

Json stack_json(const chip::CycleStack& stack) {
  Json parts = Json::object();
  for (int i = 0; i < chip::kStackParts; ++i) {
    const auto part = static_cast<chip::StackPart>(i);
    parts[std::string(stack_part_name(part))] = stack[part];
  }
  parts["total"] = stack.total();
  return parts;
}

Json activity_json(const chip::EngineActivity& engine) {
  return Json{{"passes", engine.passes},
              {"pass_cycles", engine.pass_cycles},
              {"windows_visited", engine.windows_visited},
              {"windows_empty", engine.windows_empty},
              {"broadcasts", engine.broadcasts},
              {"entries_without_k", engine.entries_without_k},
              {"activation_reads", engine.activation_reads},
              {"fifo_pushes", engine.fifo_pushes},
              {"metadata_reads", engine.metadata_reads},
              {"weight_words", engine.weight_words},
              {"macs", engine.macs},
              {"macs_gated", engine.macs_gated},
              {"acc_writes", engine.acc_writes},
              {"acc_reads", engine.acc_reads},
              {"psum_reads", engine.psum_reads},
              {"psum_writes", engine.psum_writes},
              {"drain_beats", engine.drain_beats},
              {"outputs", engine.outputs},
              {"outputs_nonzero", engine.outputs_nonzero},
              {"blocked_cycles", engine.blocked_cycles},
              {"pe_mac", engine.pe_mac},
              {"pe_slot", engine.pe_slot},
              {"pe_bank", engine.pe_bank},
              {"pe_edge", engine.pe_edge},
              {"pe_imbalance", engine.pe_imbalance},
              {"pe_window", engine.pe_window},
              {"pe_issue", engine.pe_issue}};
}

Json traffic_json(const chip::Traffic& traffic) {
  return Json{{"weight_bytes", traffic.weights},
              {"activation_bytes", traffic.activations},
              {"output_bytes", traffic.outputs},
              {"sums_stored_bytes", traffic.sums_stored},
              {"sums_loaded_bytes", traffic.sums_loaded},
              {"sram_read_bytes", traffic.sram_read},
              {"sram_write_bytes", traffic.sram_write},
              {"dram_read_bytes", traffic.dram_read},
              {"dram_write_bytes", traffic.dram_write},
              {"decoded_bytes", traffic.decoded},
              {"link_bytes", traffic.link},
              {"near_memory_bytes", traffic.near_memory}};
}

Json energy_json(const Summary& summary) {
  const energy::EnergyReport& report = summary.energy;
  Json components = Json::object();
  for (int i = 0; i < energy::kComponents; ++i) {
    const auto component = static_cast<energy::Component>(i);
    components[std::string(component_name(component))] = report.component_joules(component);
  }
  Json actions = Json::array();
  for (const energy::Term& term : report.terms) {
    actions.push_back(Json{{"component", component_name(term.component)},
                           {"action", term.action},
                           {"count", term.count},
                           {"each_j", term.joules_each},
                           {"energy_j", term.joules()},
                           {"basis", params::enum_name(term.basis)},
                           {"source", term.source}});
  }
  return Json{{"total_j", report.total_joules()},
              {"per_sample_j", summary.energy_per_sample_j},
              {"published_j", report.basis_joules(params::Basis::kPublished)},
              {"judged_j", report.basis_joules(params::Basis::kJudged)},
              {"components", components},
              {"actions", actions}};
}

Json operand_json(const workload::Provenance& provenance) {
  return Json{{"origin", workload::origin_name(provenance.origin)}, {"from", provenance.text}};
}

Json layer_json(const ReportInput& input, const chip::LayerResult& layer,
                const LayerFigures& figures, const workload::Layer* source) {
  Json json{{"name", layer.name},
            {"op", layer.op},
            {"unit", layer.view        ? "view"
                     : layer.on_engine ? "engine"
                                       : "vector"},
            {"begin_cycle", layer.begin},
            {"end_cycle", layer.end},
            {"busy_core_cycles", layer.busy_cycles},
            {"tasks", layer.tasks},
            {"energy_j", figures.active_energy_j},
            {"traffic", traffic_json(layer.traffic)},
            {"cycle_stack", stack_json(layer.stack)}};
  if (layer.on_engine) {
    json["macs"] = Json{{"dense", layer.macs_dense}, {"effective", layer.macs_effective}};
    json["engine_utilization"] = figures.engine_utilization;
    json["tile"] = Json{{"m", layer.tile_m}, {"k", layer.tile_k}, {"n", layer.tile_n}};
    json["splits"] = Json{{"m", layer.splits_m},
                          {"k", layer.splits_k},
                          {"n", layer.splits_n},
                          {"k_parts", layer.k_parts}};
    json["predicted_cycles"] = layer.predicted_cycles;
    json["transpose_cycles"] = layer.transpose_cycles;
    json["loads"] = Json{{"tiles", layer.weight_loads}, {"tiles_saved", layer.weight_loads_saved},
                         {"rows", layer.weight_rows},   {"rows_skipped", layer.weight_rows_skipped},
                         {"blocks", layer.block_loads}, {"blocks_saved", layer.block_loads_saved}};
    json["engine"] = activity_json(layer.engine);
    if (source != nullptr) {
      if (!source->run_time_weights()) json["weights"] = operand_json(source->weights.provenance);
      json["input"] = operand_json(input.graph.input_of(*source).provenance);
    }
  }
  if (!layer.on_engine || layer.k_parts > 1) {
    json["vector"] = Json{{"cycles", layer.vector_cycles}, {"elements", layer.vector_elements}};
  }
  if (layer.has_expect) {
    json["expect"] = Json{{"values", layer.expect_values}, {"mismatches", layer.expect_mismatches}};
    if (!layer.first_mismatch.empty()) json["expect"]["first_mismatch"] = layer.first_mismatch;
  }
  if (layer.reference_mismatches >= 0) {
    json["dense_reference_mismatches"] = layer.reference_mismatches;
  }
  return json;
}

Json verification_json(const cosim::VerificationSummary& summary) {
  Json json{{"engine", engine_kind_name(summary.engine)},
            {"passes", summary.passes},
            {"shadowed", summary.shadowed},
            {"shadowed_cycles", summary.shadowed_cycles},
            {"mismatches", summary.mismatches},
            {"gave_up", summary.gave_up}};
  if (summary.first_mismatch) json["first_mismatch"] = *summary.first_mismatch;
  return json;
}

/// Provenance values are text in the file's reader; numbers are shown as numbers.
Json text_or_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool number = !text.empty() && *end == '\0' && std::isfinite(value) &&
                      text.find_first_of("xX") == std::string::npos;
  return number ? Json(value) : Json(text);
}

}  // namespace

namespace {

double rate(std::int64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / seconds / 1e9 : 0;
}

Json requesters_json(const chip::MemoryResult& memory, double seconds) {
  Json list = Json::array();
  for (const chip::RequesterResult& each : memory.requesters) {
    list.push_back(Json{{"name", each.name},
                        {"port", each.port},
                        {"reads", each.reads},
                        {"writes", each.writes},
                        {"read_bytes", each.read_bytes},
                        {"write_bytes", each.write_bytes},
                        {"gb_per_s", rate(each.read_bytes + each.write_bytes, seconds)},
                        {"joined_reads", each.joined_reads},
                        {"wait_cycles", each.wait_cycles},
                        {"conflict_cycles", each.conflict_cycles}});
  }
  return list;
}

Json ports_json(const ReportInput& input, double seconds) {
  Json list = Json::array();
  const auto cycles = static_cast<double>(input.result.cycles);
  for (const chip::PortResult& port : input.result.memory.ports) {
    const std::int64_t width = input.chip.sram.width;
    list.push_back(Json{
        {"read_gb_per_s", rate(port.read_cycles * width, seconds)},
        {"write_gb_per_s", rate(port.write_cycles * width, seconds)},
        {"read_utilization", cycles > 0 ? static_cast<double>(port.read_cycles) / cycles : 0},
        {"write_utilization", cycles > 0 ? static_cast<double>(port.write_cycles) / cycles : 0},
        {"multicast_words", port.multicast_words}});
  }
  return list;
}

Json link_json(const chip::LinkResult& link, double seconds) {
  if (link.peak_bytes_per_s <= 0 && !link.near_memory) return nullptr;
  Json json{{"read_bytes", link.read_bytes},
            {"write_bytes", link.write_bytes},
            {"read_gb_per_s", rate(link.read_bytes, seconds)},
            {"write_gb_per_s", rate(link.write_bytes, seconds)},
            {"peak_gb_per_s", link.peak_bytes_per_s / 1e9},
            {"read_busy_cycles", link.read_cycles},
            {"write_busy_cycles", link.write_cycles},
            {"wait_cycles", link.wait_cycles},
            {"near_memory", nullptr}};
  if (link.near_memory) {
    json["near_memory"] = Json{{"read_bytes", link.near_read_bytes},
                               {"sent_bytes", link.near_sent_bytes},
                               {"busy_cycles", link.near_cycles}};
  }
  return json;
}

}  // namespace

Json run_json(const ReportInput& input, const Summary& summary) {
  const chip::RunResult& result = input.result;
  const RunSettings& settings = input.settings;
  const double clock = result.clock_hz;
  Json json;
  json["schema"] = kRunSchema;
  json["chip"] =
      Json{{"name", result.chip},
           {"file", settings.chip_file},
           {"set", settings.sets},
           {"clock_hz", clock},
           {"cores", result.cores},
           {"pes_per_core", result.pes_per_core},
           {"macs", summary.peak_macs_per_cycle},
           {"peak_tops", 2e-12 * clock * static_cast<double>(summary.peak_macs_per_cycle)},
           {"skip", settings.skip},
           {"balance", params::enum_name(input.chip.engine.balance)}};
  json["workload"] = Json{{"name", result.workload},
                          {"file", settings.workload_file},
                          {"samples", result.samples},
                          {"batch", settings.batch}};
  json["latency"] =
      Json{{"cycles", summary.warm ? Json(summary.warm->mean_cycles) : Json(summary.cold_cycles)},
           {"seconds", seconds_of(summary.warm ? summary.warm->mean_cycles
                                               : static_cast<double>(summary.cold_cycles),
                                  clock)},
           {"cold_cycles", summary.cold_cycles},
           {"cold_s", seconds_of(static_cast<double>(summary.cold_cycles), clock)},
           {"warm", summary.warm ? latency_json(*summary.warm, clock) : Json(nullptr)},
           {"all", latency_json(summary.all, clock)},
           {"total_cycles", result.cycles},
           {"total_s", summary.seconds}};
  json["throughput"] = Json{{"samples_per_s", summary.samples_per_s},
                            {"warm_samples_per_s", summary.warm_samples_per_s}};
  json["macs"] = Json{{"dense", summary.macs_dense},
                      {"activation_nonzero", summary.macs_activation_nonzero},
                      {"effective", summary.macs_effective},
                      {"utilization", summary.mac_utilization},
                      {"engine_utilization", summary.engine_utilization},
                      {"dense_per_cycle", summary.dense_macs_per_cycle}};
  json["sparsity"] =
      Json{{"weights", summary.weight_sparsity}, {"activations", summary.activation_sparsity}};
  json["bandwidth"] = Json{{"dram", bandwidth_json(summary.dram)},
                           {"sram", bandwidth_json(summary.sram)},
                           {"crossbar_bytes", result.memory.noc_bytes}};
  json["bandwidth"]["dram"]["commands"] = result.memory.dram_commands;
  json["bandwidth"]["dram"]["statistics"] = result.memory.dram_statistics;
  json["bandwidth"]["sram"]["statistics"] = result.memory.sram_statistics;
  json["bandwidth"]["sram"]["requesters"] = requesters_json(result.memory, summary.seconds);
  json["bandwidth"]["sram"]["ports"] = ports_json(input, summary.seconds);
  json["bandwidth"]["link"] = link_json(result.memory.link, summary.seconds);
  json["memory_plan"] = memory_plan_json(result.memory_plan);
  json["energy"] = energy_json(summary);
  json["energy"]["table"] = input.energy.table().name;
  json["power_w"] = summary.power_w;
  json["cycle_stack"] = stack_json(result.stack);
  json["engine"] = activity_json(result.engine);
  json["traffic"] = traffic_json(result.traffic);
  json["layers"] = Json::array();
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const workload::Layer* source = nullptr;
    for (const workload::Layer& layer : input.graph.layers) {
      if (layer.name == result.layers[i].name) source = &layer;
    }
    json["layers"].push_back(layer_json(input, result.layers[i], summary.layers[i], source));
  }
  json["verification"] = verification_json(result.verification);
  json["accuracy"] = nullptr;
  if (result.has_labels) {
    json["accuracy"] =
        Json{{"samples", result.samples},
             {"correct", result.correct},
             {"accuracy", result.accuracy()},
             {"reference",
              summary.reference_accuracy < 0 ? Json(nullptr) : Json(summary.reference_accuracy)}};
  }
  json["outputs"] = Json{{"tensors", summary.outputs.tensors},
                         {"values", summary.outputs.values},
                         {"mismatches", summary.outputs.mismatches}};
  json["met"] = result.met;
  Json provenance = Json::object();
  for (const auto& [key, text] : input.graph.provenance) provenance[key] = text_or_number(text);
  const SourceSummary sources = summarize_sources(input.graph);
  json["provenance"] = Json{{"workload", provenance},
                            {"weights", summary.weight_origins},
                            {"weight_matrices", sources.weights.distinct},
                            {"inputs", summary.input_origins},
                            {"input_statistics", sources.inputs.sources},
                            {"files", settings.files}};
  return json;
}

std::string json_text(const Json& json) {
  // A name in a user's file may hold bytes that are not UTF-8; they are replaced, not refused.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lacuna::report
