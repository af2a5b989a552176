// SPDX-License-Identifier: Apache-2.0
#include "energy/energy_model.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::energy {

namespace {

using params::Basis;

/// Bytes of a weight mask of `rows` bits, as the engine stores it.
int mask_bytes(int rows) {
  int bytes = 1;
  while (8 * bytes < rows) bytes *= 2;
  return bytes;
}

constexpr int kPointerBytes = 2;
constexpr int kSumBytes = 4;
constexpr int kEntryFlags = 2;  // has_k, last

double real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

std::string_view component_name(Component component) {
  switch (component) {
    case Component::kMac:
      return "mac";
    case Component::kMacGated:
      return "mac_gated";
    case Component::kAccumulators:
      return "accumulators";
    case Component::kFifoBroadcast:
      return "fifo_broadcast";
    case Component::kWeightValues:
      return "weight_values";
    case Component::kWeightMetadata:
      return "weight_metadata";
    case Component::kWeightFill:
      return "weight_fill";
    case Component::kActivationBuffer:
      return "activation_buffer";
    case Component::kPsumBuffer:
      return "psum_buffer";
    case Component::kDrainPost:
      return "drain_post";
    case Component::kOutputBuffer:
      return "output_buffer";
    case Component::kSram:
      return "sram";
    case Component::kCrossbar:
      return "crossbar";
    case Component::kDram:
      return "dram";
    case Component::kVector:
      return "vector";
    case Component::kStatic:
      return "static";
    case Component::kDecoders:
      return "decoders";
    case Component::kLink:
      return "link";
    case Component::kNearMemory:
      return "near_memory";
  }
  return "?";
}

double EnergyReport::total_joules() const {
  double total = 0;
  for (const Term& term : terms) total += term.joules();
  return total;
}

double EnergyReport::component_joules(Component component) const {
  double total = 0;
  for (const Term& term : terms) {
    if (term.component == component) total += term.joules();
  }
  return total;
}

double EnergyReport::basis_joules(Basis basis) const {
  double total = 0;
  for (const Term& term : terms) {
    if (term.basis == basis) total += term.joules();
  }
  return total;
}

std::string dram_family(std::string_view preset) {
  if (const auto slash = preset.rfind('/'); slash != std::string_view::npos) {
    preset.remove_prefix(slash + 1);
  }
  if (preset.ends_with(".yaml")) preset.remove_suffix(5);
  return std::string(preset.substr(0, preset.find('-')));
}

EnergyModel::EnergyModel(params::EnergyParams table, const params::ChipParams& chip)
    : table_(std::move(table)), chip_(chip) {
  const std::string family = dram_family(chip.dram.preset);
  const auto found = table_.dram.find(family);
  if (found == table_.dram.end()) {
    std::vector<std::string> known;
    for (const auto& [name, unused] : table_.dram) known.push_back(name);
    throw base::UserError(fmt::format(
        "the energy table '{}' has no DRAM family '{}' (of dram.preset '{}'); it knows {}",
        table_.name, base::printable(family), base::printable(chip.dram.preset),
        base::join(known, ", ")));
  }
  dram_ = found->second;
  const auto need = [&](bool used, const std::optional<params::ActionEnergy>& action,
                        const char* name, const char* because) {
    if (used && !action) {
      throw base::UserError(fmt::format("the energy table '{}' has no action {}, which {} needs",
                                        table_.name, name, because));
    }
  };
  need(decodes(), table_.decode_byte, "decode_byte", "compress");
  need(chip.dram.link.has_value(), table_.link_bit, "link_bit", "dram.link");
  need(chip.dram.has_near_memory(), table_.near_memory_byte, "near_memory_byte",
       "dram.near_memory");
}

bool EnergyModel::decodes() const {
  return chip_.compress.weights != params::WeightFormat::kImage ||
         chip_.compress.activations != params::ActivationFormat::kBitmask;
}

EnergyModel::Access EnergyModel::sram_access(double capacity_bytes) const {
  for (const params::SramEnergyPoint& point : table_.sram_byte) {
    if (static_cast<double>(point.capacity) == capacity_bytes) {
      return {point.joules, point.basis, point.source};
    }
  }
  return {table_.sram_byte_joules(capacity_bytes), Basis::kJudged,
          fmt::format("interpolated for {:.0f} bytes", capacity_bytes)};
}

EnergyReport EnergyModel::evaluate(const Activity& activity, double seconds) const {
  const params::EngineParams& engine = chip_.engine;
  const double lanes = engine.lanes;
  const double ways = engine.k_ways;
  const double beat_sums = double(engine.drain_width) * lanes;
  const int max_positions = engine.max_k / engine.k_ways;
  const double entry_bits =
      8 * lanes + std::bit_width(static_cast<unsigned>(max_positions)) + kEntryFlags;

  EnergyReport report;
  const auto action = [&](Component component, std::string_view name,
                          const params::ActionEnergy& each, double count) {
    report.terms.push_back({component, name, count, each.joules, each.basis, each.source});
  };
  const auto memory = [&](Component component, double capacity, double bytes) {
    Access access = sram_access(capacity);
    report.terms.push_back(
        {component, "sram_byte", bytes, access.joules, access.basis, std::move(access.source)});
  };

  action(Component::kMac, "mac_int8", table_.mac_int8, real(activity.macs));
  action(Component::kMacGated, "mac_gated", table_.mac_gated, real(activity.macs_gated));
  // A drain beat reads each of its sums once per way.
  action(Component::kAccumulators, "accumulator_byte", table_.accumulator_byte,
         kSumBytes * (lanes * real(activity.acc_reads + activity.acc_writes) +
                      ways * beat_sums * real(activity.drain_beats)));
  // Every entry that is pushed is popped.
  action(Component::kFifoBroadcast, "fifo_byte", table_.fifo_byte,
         2 * entry_bits / 8 * real(activity.fifo_pushes));
  action(Component::kFifoBroadcast, "broadcast_bit", table_.broadcast_bit,
         entry_bits * real(activity.broadcasts));

  const double pe_weight_memory = 2.0 * real(engine.weight_buffer) / (engine.pes * ways);
  memory(Component::kWeightValues, pe_weight_memory,
         double(engine.weight_word) * real(activity.weight_words));
  memory(Component::kWeightMetadata, pe_weight_memory,
         double(mask_bytes(engine.rows_per_pe) + kPointerBytes) * real(activity.metadata_reads));
  memory(Component::kWeightFill, pe_weight_memory, real(activity.weight_fill_bytes));

  // A visited window reads its activation mask and its `present` mask.
  memory(Component::kActivationBuffer, 2.0 * real(engine.activation_buffer) / ways,
         lanes * real(activity.activation_reads) +
             2.0 * engine.scan_width / 8 * real(activity.windows_visited) +
             real(activity.activation_fill_bytes));
  memory(Component::kPsumBuffer, real(engine.psum_buffer),
         kSumBytes * real(activity.psum_reads + activity.psum_writes));

  // Adding the ways (and the partial sum or bias) is one addition per way and sum.
  action(Component::kDrainPost, "int32_add", table_.int32_add,
         ways * beat_sums * real(activity.drain_beats));
  action(Component::kDrainPost, "requantize", table_.requantize, real(activity.outputs));
  memory(Component::kOutputBuffer, real(engine.output_buffer), 2 * real(activity.output_bytes));

  memory(Component::kSram, real(chip_.sram.capacity) / chip_.sram.banks,
         real(activity.sram_read_bytes + activity.sram_write_bytes));
  action(Component::kCrossbar, "crossbar_bit", table_.crossbar_bit,
         8 * real(activity.crossbar_bytes));
  action(Component::kDram, "dram.bit", dram_.bit, 8 * real(activity.dram_bytes));
  action(Component::kDram, "dram.activate", dram_.activate, real(activity.dram_activates));
  action(Component::kVector, "vector_element", table_.vector_element,
         real(activity.vector_elements));
  if (decodes()) {
    action(Component::kDecoders, "decode_byte", *table_.decode_byte, real(activity.decoded_bytes));
  }
  if (chip_.dram.link) {
    action(Component::kLink, "link_bit", *table_.link_bit, 8 * real(activity.link_bytes));
  }
  if (chip_.dram.has_near_memory()) {
    action(Component::kNearMemory, "near_memory_byte", *table_.near_memory_byte,
           real(activity.near_memory_bytes));
  }

  if (seconds > 0) {
    const auto power = [&](std::string_view name, const params::StaticPower& each, double units) {
      report.terms.push_back(
          {Component::kStatic, name, units * seconds, each.watts, each.basis, each.source});
    };
    power("static.core", table_.core, chip_.cores);
    power("static.sram_mib", table_.sram_mib, real(chip_.sram.capacity) / (1 << 20));
    power("static.uncore", table_.uncore, 1);
    power("dram.background", dram_.background, chip_.dram.channels);
  }
  return report;
}

}  // namespace lacuna::energy
