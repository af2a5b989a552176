// SPDX-License-Identifier: Apache-2.0
//
// Energy from currents against calculations by hand, from the data-sheet numbers of each preset.
#include "timing/dram/dram_energy.h"

#include <gtest/gtest.h>

#include "support/dram_driver.h"

namespace lacuna::timing::dram {
namespace {

using enum params::MemoryCommand;

// Nanojoules of: 1000 ACT; 5000 RD and RDA; 2000 WR and WRA; 10 REFab and 30 REFpb; 100,000 cycles
// active, 50,000 precharged, 20,000 active and 40,000 precharged power-down, 300,000 self-refresh;
// I/O. Per rail, with s = V x devices x tCK in ns and currents in mA (pJ):
//   1000 s (I0 tRC - I3N tRAS - I2N (tRC - tRAS)), not below 0,  5000 s (I4R - I3N) burst,  2000 s
//   (I4W - I3N) burst, s tRFC (10 I5 + 30 / sets (I5 - I2N)),  s (100000 I3N + 50000 I2N + 20000
//   I3P + 40000 I2P + 300000 I6)
struct Hand {
  const char* preset;
  double activate;
  double read;
  double write;
  double refresh;
  double background;
  double io;
};
class Energy : public testing::TestWithParam<Hand> {};

TEST_P(Energy, IsTheHandCalculation) {
  const Hand& hand = GetParam();
  const params::MemoryPreset preset = test::load_preset(hand.preset);
  ChannelStats stats;
  stats.commands[index_of(kACT)] = 1000;
  stats.commands[index_of(kRD)] = 4000;
  stats.commands[index_of(kRDA)] = 1000;
  stats.commands[index_of(kWR)] = 1500;
  stats.commands[index_of(kWRA)] = 500;
  stats.commands[index_of(kREFab)] = 10;
  stats.commands[index_of(kREFpb)] = 30;
  stats.active_cycles = 100'000;
  stats.precharged_cycles = 50'000;
  stats.active_power_down_cycles = 20'000;
  stats.precharge_power_down_cycles = 40'000;
  stats.self_refresh_cycles = 300'000;
  stats.read_bytes = 5000 * preset.organization.burst_bytes();
  stats.write_bytes = 2000 * preset.organization.burst_bytes();
  const DramEnergy energy = energy_from_currents(preset, stats);
  constexpr double kNano = 1e-9;
  constexpr double kBound = 1e-4;  // of the last digit that was written down
  EXPECT_NEAR(energy.activate, hand.activate * kNano, hand.activate * kNano * kBound);
  EXPECT_NEAR(energy.read, hand.read * kNano, hand.read * kNano * kBound);
  EXPECT_NEAR(energy.write, hand.write * kNano, hand.write * kNano * kBound);
  EXPECT_NEAR(energy.refresh, hand.refresh * kNano, hand.refresh * kNano * kBound);
  EXPECT_NEAR(energy.background(), hand.background * kNano, hand.background * kNano * kBound);
  EXPECT_NEAR(energy.io, hand.io * kNano, hand.io * kNano * kBound);
  const double sum =
      hand.activate + hand.read + hand.write + hand.refresh + hand.background + hand.io;
  EXPECT_NEAR(energy.total() / (sum * kNano), 1, kBound);
  EXPECT_DOUBLE_EQ(energy_in_all(preset, stats), energy.total());
}
INSTANTIATE_TEST_SUITE_P(
    Presets, Energy,
    testing::Values(Hand{"lpddr4x-4266", 1202.34, 5967.19, 1616.62, 566.513, 2938.64, 0},
                    Hand{"lpddr4-3200", 1204.69, 10841.9, 2576.75, 417.795, 3976.78, 0},
                    Hand{"ddr4-3200", 4200, 13920, 4704, 9741.9, 107460, 0},
                    Hand{"ddr5-4800", 0, 28452.9, 9885.18, 5411.59, 102152, 0},
                    Hand{"hbm2-2000", 414, 2010, 1068, 607.688, 11232, 2096.64},
                    Hand{"hbm2e-3200", 421.875, 2010, 1068, 607.688, 7020, 2096.64},
                    Hand{"gddr6-14000", 629.454, 1442.5, 524.545, 534.474, 17279.1, 0}));

TEST(EnergyOfAllPresets, EachIsCalculatedByHandOrHasNoCurrents) {
  const std::vector<std::string> by_hand = {"lpddr4x-4266", "lpddr4-3200", "ddr4-3200",
                                            "ddr5-4800",    "hbm2-2000",   "hbm2e-3200",
                                            "gddr6-14000"};
  for (const std::string& name : test::preset_names()) {
    const bool is_done = std::find(by_hand.begin(), by_hand.end(), name) != by_hand.end();
    EXPECT_EQ(is_done, !test::load_preset(name).power.rails.empty()) << name;
  }
}

TEST(EnergyWithoutCurrents, IsPerBit) {
  const params::MemoryPreset preset = test::load_preset("hbm3-6400");
  ChannelStats stats;
  stats.commands[index_of(kACT)] = 1000;
  stats.read_bytes = 1000;
  stats.write_bytes = 500;
  EXPECT_NEAR(energy_in_all(preset, stats), 3.5e-12 * 8 * 1500, 1e-20);
}

// A million and more cycles of real traffic: energy follows from the counters, and sleeping pays.
TEST(EnergyOfTraffic, PowerDownAndSelfRefreshSave) {
  const auto run = [](int power_down, int self_refresh) {
    params::MemoryPreset preset = test::load_preset("ddr4-3200");
    preset.controller.power_down = power_down;
    preset.controller.self_refresh = self_refresh;
    const TimingTable table(preset);
    Channel channel(table, preset.controller);
    BurstRequest request;
    for (Cycle now = 1000; now < 2'000'000; now += 100'000) {
      request.row = static_cast<std::int32_t>(now % 64);
      test::serve_one(channel, request, now);
    }
    return energy_from_currents(preset, channel.stats(2'000'000)).total();
  };
  const double awake = run(0, 0);
  const double down = run(100, 0);
  const double asleep = run(100, 5000);
  // IDD3P / IDD3N and IDD2P / IDD2N are 0.83 and 0.68; IDD6 / IDD2N is 0.81, and spares refreshes.
  EXPECT_LT(down, 0.9 * awake);
  EXPECT_LT(asleep, down);
}

}  // namespace
}  // namespace lacuna::timing::dram
