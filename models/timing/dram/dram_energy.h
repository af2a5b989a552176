// SPDX-License-Identifier: Apache-2.0
//
// Counters -> joules from data-sheet currents, as in Micron's TN-40-07 and DRAMPower: per rail and
// device,
//   activate   V (IDD0 tRC - IDD3N tRAS - IDD2N (tRC - tRAS)) per ACT (its PRE included)
//   read       V (IDD4R - IDD3N) burst per RD;  write with IDD4W
//   refresh    V IDD5 tRFC per all-bank refresh (per-bank: a share of one bank)
//   background V IDD3N while a bank is open, V IDD2N while all are closed, none during refresh
// times the devices that work in parallel. Termination and the controller's own PHY are not in
// these currents; a figure per bit (MemoryPower::per_bit) covers standards without currents.
#pragma once

#include "params/memory_params.h"
#include "timing/dram/channel_stats.h"

namespace lacuna::timing::dram {

struct DramEnergy {
  double activate = 0;  ///< joules
  double read = 0;
  double write = 0;
  double refresh = 0;
  double background = 0;
  [[nodiscard]] double total() const { return activate + read + write + refresh + background; }
};

/// From currents; requires a preset with rails. Sums of channels give the sum of energies.
[[nodiscard]] DramEnergy energy_from_currents(const params::MemoryPreset& preset,
                                              const ChannelStats& stats);

/// From MemoryPower::per_bit alone.
[[nodiscard]] double energy_from_bits(const params::MemoryPreset& preset,
                                      const ChannelStats& stats);

}  // namespace lacuna::timing::dram
