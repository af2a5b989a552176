// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/dram_energy.h"

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
  const double refreshes =
      count(MemoryCommand::kREFab) + count(MemoryCommand::kREFpb) / sizes.banks_per_rank();
  DramEnergy sum;
  for (const auto& [name, rail] : preset.power.rails) {
    const double volts = rail.volts * devices;
    sum.activate += volts * count(MemoryCommand::kACT) *
                    (rail.idd0 * trc - rail.idd3n * tras - rail.idd2n * (trc - tras));
    sum.read += volts * static_cast<double>(stats.reads()) * (rail.idd4r - rail.idd3n) * burst;
    sum.write += volts * static_cast<double>(stats.writes()) * (rail.idd4w - rail.idd3n) * burst;
    sum.refresh += volts * refreshes * rail.idd5 * trfc;
    sum.background += volts * clock *
                      (rail.idd3n * static_cast<double>(stats.active_cycles) +
                       rail.idd2n * static_cast<double>(stats.precharged_cycles));
  }
  return sum;
}

double energy_from_bits(const params::MemoryPreset& preset, const ChannelStats& stats) {
  return preset.power.per_bit * 8 * static_cast<double>(stats.read_bytes + stats.write_bytes);
}

}  // namespace lacuna::timing::dram
