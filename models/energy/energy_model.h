// SPDX-License-Identifier: Apache-2.0
//
// Energy of a run: activity counts times the energy of each action, plus static power times time.
// Counts come from the simulation (the engine's are those of docs/reference/engine.md, section 8),
// energies from a table (params/energy_params.h). Accelergy-style bookkeeping (Wu et al., ICCAD
// 2019). Does not model data-dependent switching other than gated MACs, nor temperature.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "params/chip_params.h"
#include "params/energy_params.h"

namespace lacuna::energy {

/// What happened, summed over all cores. Counts and bytes.
struct Activity {
  // Engine, as its counters.
  std::int64_t macs = 0, macs_gated = 0, acc_writes = 0, acc_reads = 0;
  std::int64_t broadcasts = 0, fifo_pushes = 0, activation_reads = 0, windows_visited = 0;
  std::int64_t metadata_reads = 0, weight_words = 0;
  std::int64_t psum_reads = 0, psum_writes = 0;  ///< 32-bit words
  std::int64_t drain_beats = 0, outputs = 0;
  // Data that moves, in bytes.
  std::int64_t weight_fill_bytes = 0;      ///< written into weight buffers
  std::int64_t activation_fill_bytes = 0;  ///< written into activation buffers
  std::int64_t output_bytes = 0;           ///< through output buffers
  std::int64_t sram_read_bytes = 0, sram_write_bytes = 0;
  std::int64_t crossbar_bytes = 0;
  std::int64_t dram_bytes = 0;
  std::int64_t dram_activates = 0;
  std::int64_t vector_elements = 0;
  std::int64_t decoded_bytes = 0;      ///< through decoders and encoders of `compress`
  std::int64_t link_bytes = 0;         ///< across dram.link, if there is one
  std::int64_t near_memory_bytes = 0;  ///< read by units beside the DRAM banks
};

/// Parts of the chip that energy is attributed to.
enum class Component {
  kMac,
  kMacGated,
  kAccumulators,
  kFifoBroadcast,
  kWeightValues,
  kWeightMetadata,
  kWeightFill,
  kActivationBuffer,
  kPsumBuffer,
  kDrainPost,
  kOutputBuffer,
  kSram,
  kCrossbar,
  kDram,
  kVector,
  kStatic,
  kDecoders,
  kLink,
  kNearMemory
};
inline constexpr int kComponents = 19;
/// "mac", "mac_gated", ... as in reports.
[[nodiscard]] std::string_view component_name(Component component);

/// One product: how often an action happened times what it costs. For static power the count is
/// seconds times units and the energy that of one unit and second.
struct Term {
  Component component = Component::kMac;
  std::string_view action;  ///< key in the energy table
  double count = 0;
  double joules_each = 0;
  params::Basis basis = params::Basis::kJudged;
  std::string source;
  [[nodiscard]] double joules() const { return count * joules_each; }
};

struct EnergyReport {
  std::vector<Term> terms;
  [[nodiscard]] double total_joules() const;
  [[nodiscard]] double component_joules(Component component) const;
  /// Energy from actions whose table entry has this basis.
  [[nodiscard]] double basis_joules(params::Basis basis) const;
};

/// A table applied to one chip: knows how many bytes an access moves and how large each memory is.
class EnergyModel {
 public:
  /// Both validated. UserError if the table has no entry for the chip's family of DRAM (the part of
  /// the preset's file name before the first '-'), or for an action that only some chips have.
  EnergyModel(params::EnergyParams table, const params::ChipParams& chip);

  /// Energy of what happened within `seconds`. Static power is left out when seconds is 0.
  [[nodiscard]] EnergyReport evaluate(const Activity& activity, double seconds) const;

  [[nodiscard]] const params::EnergyParams& table() const { return table_; }

 private:
  struct Access {
    double joules = 0;
    params::Basis basis = params::Basis::kJudged;
    std::string source;
  };
  /// Some of what lies in memory is not in the engine's own form.
  [[nodiscard]] bool decodes() const;
  [[nodiscard]] Access sram_access(double capacity_bytes) const;

  params::EnergyParams table_;
  params::ChipParams chip_;
  params::DramEnergy dram_;
};

/// "lpddr4x" for "lpddr4x-4266" and for "memories/lpddr4x-4266.yaml".
[[nodiscard]] std::string dram_family(std::string_view preset);

}  // namespace lacuna::energy
