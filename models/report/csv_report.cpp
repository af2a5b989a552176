// SPDX-License-Identifier: Apache-2.0
#include "report/csv_report.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace lacuna::report {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + "\"";
}

/// Columns are named where they are filled, so that head and lines cannot drift apart.
class Line {
 public:
  void add(std::string_view name, const std::string& value) {
    head_ += (head_.empty() ? "" : ",") + std::string(name);
    values_ += (first_ ? "" : ",") + quoted(value);
    first_ = false;
  }
  void add(std::string_view name, std::int64_t value) { add(name, std::to_string(value)); }
  void add(std::string_view name, double value) { add(name, fmt::format("{}", value)); }
  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] const std::string& values() const { return values_; }

 private:
  std::string head_;
  std::string values_;
  bool first_ = true;
};

Line layer_line(const chip::LayerResult& layer, const LayerFigures& figures) {
  Line line;
  line.add("name", layer.name);
  line.add("op", layer.op);
  line.add("unit", std::string(layer.view ? "view" : layer.on_engine ? "engine" : "vector"));
  line.add("begin_cycle", layer.begin);
  line.add("end_cycle", layer.end);
  line.add("busy_core_cycles", layer.busy_cycles);
  line.add("tasks", layer.tasks);
  line.add("macs_dense", layer.macs_dense);
  line.add("macs_effective", layer.macs_effective);
  line.add("engine_utilization", figures.engine_utilization);
  line.add("tile_m", std::int64_t{layer.tile_m});
  line.add("tile_k", std::int64_t{layer.tile_k});
  line.add("tile_n", std::int64_t{layer.tile_n});
  line.add("splits_m", std::int64_t{layer.splits_m});
  line.add("splits_k", std::int64_t{layer.splits_k});
  line.add("splits_n", std::int64_t{layer.splits_n});
  line.add("k_parts", std::int64_t{layer.k_parts});
  line.add("predicted_cycles", layer.predicted_cycles);
  line.add("passes", layer.engine.passes);
  line.add("pass_cycles", layer.engine.pass_cycles);
  line.add("vector_cycles", layer.vector_cycles);
  line.add("transpose_cycles", layer.transpose_cycles);
  line.add("outputs", layer.engine.outputs);
  line.add("outputs_nonzero", layer.engine.outputs_nonzero);
  line.add("energy_j", figures.active_energy_j);
  line.add("weight_bytes", layer.traffic.weights);
  line.add("activation_bytes", layer.traffic.activations);
  line.add("output_bytes", layer.traffic.outputs);
  line.add("sums_stored_bytes", layer.traffic.sums_stored);
  line.add("sums_loaded_bytes", layer.traffic.sums_loaded);
  line.add("sram_read_bytes", layer.traffic.sram_read);
  line.add("sram_write_bytes", layer.traffic.sram_write);
  line.add("dram_read_bytes", layer.traffic.dram_read);
  line.add("dram_write_bytes", layer.traffic.dram_write);
  line.add("decoded_bytes", layer.traffic.decoded);
  line.add("link_bytes", layer.traffic.link);
  line.add("near_memory_bytes", layer.traffic.near_memory);
  for (int i = 0; i < chip::kStackParts; ++i) {
    const auto part = static_cast<chip::StackPart>(i);
    line.add("pe_cycles_" + std::string(stack_part_name(part)), layer.stack[part]);
  }
  line.add("expect_values", layer.expect_values);
  line.add("expect_mismatches", layer.expect_mismatches);
  return line;
}

}  // namespace

std::string layers_csv(const ReportInput& input, const Summary& summary) {
  std::string text = layer_line(chip::LayerResult{}, LayerFigures{}).head() + "\n";
  for (std::size_t i = 0; i < input.result.layers.size(); ++i) {
    text += layer_line(input.result.layers[i], summary.layers[i]).values() + "\n";
  }
  return text;
}

std::string requesters_csv(const ReportInput& input) {
  const auto line_of = [](const chip::RequesterResult& each) {
    Line line;
    line.add("name", each.name);
    line.add("port", std::int64_t{each.port});
    line.add("reads", each.reads);
    line.add("writes", each.writes);
    line.add("read_bytes", each.read_bytes);
    line.add("write_bytes", each.write_bytes);
    line.add("joined_reads", each.joined_reads);
    line.add("wait_cycles", each.wait_cycles);
    line.add("conflict_cycles", each.conflict_cycles);
    return line;
  };
  std::string text = line_of({}).head() + "\n";
  for (const chip::RequesterResult& each : input.result.memory.requesters) {
    text += line_of(each).values() + "\n";
  }
  return text;
}

}  // namespace lacuna::report
