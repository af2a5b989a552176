// SPDX-License-Identifier: Apache-2.0
//
// Counters -> joules from data-sheet currents, as in Micron's TN-40-07 and DRAMPower: per rail and
// device,
//   activate   V (IDD0 tRC - IDD3N tRAS - IDD2N (tRC - tRAS)) per ACT (its precharge included),
//              not below 0: IDD3N of DDR5 has all banks open and exceeds IDD0, which has one
//   read       V (IDD4R - IDD3N) burst per RD, RDA;  write with IDD4W per WR, WRA
//   refresh    V IDD5 tRFC per REFab; per REFpb V (IDD5 - IDD2N) tRFC times its share of the rank's
//              banks, because the background goes on around it
//   background V x current x time in the state: IDD3N a bank open, IDD2N all closed, IDD3P and
//   IDD2P
//              the same in power-down, IDD6 self-refresh, none during REFab
// times the devices that work in parallel; and I/O: io_read, io_write per bit where they are known.
//
// Scope: the DRAM devices of the channel, all ranks. In the rails: what the data sheet measured.
// Not here: the host's PHY and controller, termination unless a rail or io_* holds it, temperature.
// MemoryPower::per_bit covers standards without currents.
#pragma once

#include "params/memory_params.h"
#include "timing/dram/channel_stats.h"

namespace lacuna::timing::dram {

struct DramEnergy {
  double activate = 0;  ///< joules
  double read = 0;
  double write = 0;
  double refresh = 0;
  double active_standby = 0;
  double precharge_standby = 0;
  double active_power_down = 0;
  double precharge_power_down = 0;
  double self_refresh = 0;
  double io = 0;
  [[nodiscard]] double background() const {
    return active_standby + precharge_standby + active_power_down + precharge_power_down +
           self_refresh;
  }
  [[nodiscard]] double total() const {
    return activate + read + write + refresh + background() + io;
  }
};

/// From currents; requires a preset with rails. Sums of channels give the sum of energies.
[[nodiscard]] DramEnergy energy_from_currents(const params::MemoryPreset& preset,
                                              const ChannelStats& stats);

/// From MemoryPower::per_bit alone.
[[nodiscard]] double energy_from_bits(const params::MemoryPreset& preset,
                                      const ChannelStats& stats);

/// From currents where the preset has them, else per bit.
[[nodiscard]] double energy_in_all(const params::MemoryPreset& preset, const ChannelStats& stats);

}  // namespace lacuna::timing::dram
