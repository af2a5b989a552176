// SPDX-License-Identifier: Apache-2.0
#include "cli/chip_description.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/units.h"
#include "config/values.h"

namespace lacuna::cli {

namespace {

using base::Unit;

std::string size_text(std::int64_t bytes) { return base::format_quantity(bytes, Unit::kBytes); }

std::string bandwidth_text(double bytes_per_second) {
  return fmt::format("{:.6g} GB/s", bytes_per_second / 1e9);
}

/// The chip's values; controller keys that the chip leaves out show what the memory preset says.
std::vector<config::ValueRow> resolved_rows(const config::ChipFiles& files) {
  const std::string prefix = "dram.";
  std::vector<config::ValueRow> rows = config::list_values(files.chip.value, files.chip.provenance);
  const auto preset = config::list_values(files.memory.value, files.memory.provenance);
  for (config::ValueRow& row : rows) {
    if (!row.key.starts_with(prefix + "controller.") || row.origin != "default") continue;
    for (const config::ValueRow& from : preset) {
      if (prefix + from.key != row.key) continue;
      row.value = from.value;
      row.origin = from.origin;
    }
  }
  return rows;
}

}  // namespace

std::vector<DerivedFact> derive_facts(const params::ChipParams& chip,
                                      const params::MemoryPreset& memory) {
  std::vector<DerivedFact> facts;
  const params::EngineParams& engine = chip.engine;
  const auto count = [&](std::string key, std::int64_t value, std::string doc) {
    facts.push_back(
        {std::move(key), static_cast<double>(value), base::with_thousands(value), std::move(doc)});
  };
  const auto size = [&](std::string key, std::int64_t bytes, std::string doc) {
    facts.push_back({std::move(key), static_cast<double>(bytes), size_text(bytes), std::move(doc)});
  };
  const auto bandwidth = [&](std::string key, double value, std::string doc) {
    facts.push_back({std::move(key), value, bandwidth_text(value), std::move(doc)});
  };

  const std::int64_t macs = chip.cores * engine.macs_per_cycle();
  count("int8_macs", macs, "multipliers: cores * pes * k_ways * lanes");
  const double tops = 2.0 * static_cast<double>(macs) * chip.clock_hz / 1e12;
  facts.push_back({"peak_dense_tops", tops, fmt::format("{:.6g} TOPS", tops),
                   "dense INT8, 2 operations a MAC; skipping zeros can exceed it in effect"});
  bandwidth("dram_peak_bytes_per_s", chip.dram.channels * memory.peak_bytes_per_second(),
            fmt::format("{} channels of {}", chip.dram.channels, memory.name));
  size("dram_capacity_bytes", chip.dram.channels * memory.organization.channel_bytes(),
       "behind all channels");
  bandwidth(
      "sram_peak_bytes_per_s",
      static_cast<double>(chip.sram.banks) * chip.sram.bank_ports * chip.sram.width * chip.clock_hz,
      "all banks busy: banks * bank_ports * width * clock");
  count("sram_ports", chip.cores / chip.cores_per_port, "cores / cores_per_port");
  bandwidth("core_load_bytes_per_s",
            static_cast<double>(chip.cores) * engine.load_width * chip.clock_hz,
            "all load ports: cores * load_width * clock");
  count("tile_channels", engine.max_channels(), "output channels of a tile: pes * rows_per_pe");
  count("tile_windows", engine.max_windows(), "scanner windows of a tile");
  count("activation_slots", engine.act_slots(), "(group, window) slots of an activation block");
  const std::int64_t core_buffers = 2 * engine.weight_buffer + 2 * engine.activation_buffer +
                                    engine.psum_buffer + engine.output_buffer;
  size("core_buffers_bytes", core_buffers, "of a core: both halves, partial sums, outputs");
  size("on_chip_bytes", chip.sram.capacity + chip.cores * core_buffers,
       "shared SRAM and the buffers of all cores");
  const double intensity = 2.0 * static_cast<double>(macs) * chip.clock_hz /
                           (chip.dram.channels * memory.peak_bytes_per_second());
  facts.push_back({"balance_ops_per_dram_byte", intensity, fmt::format("{:.4g} ops/B", intensity),
                   "dense work per DRAM byte below which memory is the limit"});
  return facts;
}

std::vector<std::string> describe_notes(const params::ChipParams& chip) {
  std::vector<std::string> notes;
  for (const params::Violation& limit : chip.engine.rtl_limits()) {
    notes.push_back("model only: " + limit.message);
  }
  if (!chip.engine.skip_weights || !chip.engine.skip_activations) {
    notes.push_back(fmt::format("skipping is off for {}",
                                !chip.engine.skip_weights && !chip.engine.skip_activations
                                    ? "weights and activations: a dense engine"
                                : chip.engine.skip_weights ? "activations"
                                                           : "weights"));
  }
  if (chip.dram.has_near_memory() && chip.mapper.layout != params::WeightLayout::kRow) {
    notes.push_back("dram.near_memory works on weights in row layout only; mapper.layout is tile");
  }
  return notes;
}

std::string describe_as_text(const config::ChipFiles& files) {
  const params::ChipParams& chip = files.chip.value;
  const auto rows = resolved_rows(files);
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  std::size_t origin_width = 0;
  for (const config::ValueRow& row : rows) {
    key_width = std::max(key_width, row.key.size());
    value_width = std::max(value_width, row.value.size());
    origin_width = std::max(origin_width, row.origin.size());
  }
  std::string text =
      fmt::format("{}  ({})\n\n", chip.name, base::join(files.chip.files, " extends "));
  text += fmt::format("  {:{}}  {:{}}  {:{}}  {}\n", "key", key_width, "value", value_width, "from",
                      origin_width, "meaning");
  for (const config::ValueRow& row : rows) {
    text += fmt::format("  {:{}}  {:{}}  {:{}}  {}\n", row.key, key_width, row.value, value_width,
                        row.origin, origin_width, row.doc);
  }
  text += "\nderived\n";
  const auto facts = derive_facts(chip, files.effective_memory);
  for (const DerivedFact& fact : facts) {
    text += fmt::format("  {:28}  {:>16}  {}\n", fact.key, fact.text, fact.doc);
  }
  text += fmt::format("\nmemory  {} ({}): {}\nenergy  {}: {}\n", files.memory.value.name,
                      files.memory.value.standard, files.memory.files.front(),
                      files.energy.value.name, files.energy.files.front());
  for (const std::string& note : describe_notes(chip)) text += fmt::format("note: {}\n", note);
  return text;
}

std::string describe_as_json(const config::ChipFiles& files) {
  using Json = nlohmann::ordered_json;
  const params::ChipParams& chip = files.chip.value;
  Json parameters = Json::array();
  for (const config::ValueRow& row : resolved_rows(files)) {
    parameters.push_back(
        Json{{"key", row.key}, {"value", row.value}, {"origin", row.origin}, {"doc", row.doc}});
  }
  Json derived = Json::object();
  for (const DerivedFact& fact : derive_facts(chip, files.effective_memory)) {
    derived[fact.key] = fact.value;
  }
  const Json result{{"schema", "lacuna-describe-1"},
                    {"chip", chip.name},
                    {"memory", files.memory.value.name},
                    {"energy", files.energy.value.name},
                    {"files", files.files()},
                    {"parameters", parameters},
                    {"derived", derived},
                    {"notes", describe_notes(chip)}};
  return result.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lacuna::cli
