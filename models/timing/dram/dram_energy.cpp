// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/dram_energy.h"

#include <algorithm>

#include "base/error.h"

namespace lacuna::timing::dram {

DramEnergy energy_from_currents(const params::MemoryPreset& preset, const ChannelStats& stats) {
  LACUNA_CHECK(!preset.power.rails.empty(), "memory {} has no currents", preset.name);
  const params::MemoryOrganization& sizes = preset.organization;
  const double clock = preset.clock_period;
  const double tras = clock * static_cast<double>(preset.cycles(preset.power.tras));
  const double trc = clock * static_cast<double>(preset.cycles(preset.power.trc));
  const double trfc = clock * static_cast<double>(preset.cycles(preset.power.trfc));
  const double burst = clock * sizes.burst_cycles();
  const double devices = static_cast<double>(sizes.channel_width) / sizes.device_width;

  const auto count = [&](MemoryCommand command) {
    return static_cast<double>(stats.count(command));
  };
  const auto time = [&](std::int64_t cycles) { return clock * static_cast<double>(cycles); };
  DramEnergy sum;
  for (const auto& [name, rail] : preset.power.rails) {
    const double volts = rail.volts * devices;
    sum.activate += volts * count(MemoryCommand::kACT) *
                    std::max(rail.idd0 * trc - rail.idd3n * tras - rail.idd2n * (trc - tras), 0.0);
    sum.read += volts * static_cast<double>(stats.reads()) * (rail.idd4r - rail.idd3n) * burst;
    sum.write += volts * static_cast<double>(stats.writes()) * (rail.idd4w - rail.idd3n) * burst;
    sum.refresh += volts * trfc *
                   (count(MemoryCommand::kREFab) * rail.idd5 +
                    count(MemoryCommand::kREFpb) / sizes.refresh_sets() * (rail.idd5 - rail.idd2n));
    sum.active_standby += volts * rail.idd3n * time(stats.active_cycles);
    sum.precharge_standby += volts * rail.idd2n * time(stats.precharged_cycles);
    sum.active_power_down += volts * rail.idd3p * time(stats.active_power_down_cycles);
    sum.precharge_power_down += volts * rail.idd2p * time(stats.precharge_power_down_cycles);
    sum.self_refresh += volts * rail.idd6 * time(stats.self_refresh_cycles);
  }
  sum.io = 8 * (preset.power.io_read * static_cast<double>(stats.read_bytes) +
                preset.power.io_write * static_cast<double>(stats.write_bytes));
  return sum;
}

double energy_from_bits(const params::MemoryPreset& preset, const ChannelStats& stats) {
  return preset.power.per_bit * 8 * static_cast<double>(stats.read_bytes + stats.write_bytes);
}

double energy_in_all(const params::MemoryPreset& preset, const ChannelStats& stats) {
  return preset.power.rails.empty() ? energy_from_bits(preset, stats)
                                    : energy_from_currents(preset, stats).total();
}

}  // namespace lacuna::timing::dram
