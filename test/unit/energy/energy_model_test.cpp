// SPDX-License-Identifier: Apache-2.0
#include "energy/energy_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "base/error.h"

namespace lacuna::energy {
namespace {

using params::Basis;

params::ActionEnergy pj(double value, Basis basis = Basis::kJudged) {
  return {value * 1e-12, basis, "test"};
}

// Numbers that make a hand calculation easy and no two products alike.
params::EnergyParams simple_table() {
  params::EnergyParams table;
  table.name = "test";
  table.mac_int8 = pj(0.5, Basis::kPublished);
  table.mac_gated = pj(0.125);
  table.accumulator_byte = pj(0.25);
  table.fifo_byte = pj(2);
  table.broadcast_bit = pj(0.5);
  table.int32_add = pj(1);
  table.requantize = pj(8);
  table.crossbar_bit = pj(3);
  table.vector_element = pj(16);
  table.sram_byte = {{1024, 1e-12, Basis::kPublished, "1K"},
                     {4096, 2e-12, Basis::kPublished, "4K"},
                     {65536, 4e-12, Basis::kPublished, "64K"}};
  params::DramEnergy dram;
  dram.bit = pj(5);
  dram.activate = pj(1000);
  dram.background = {0.5, Basis::kJudged, "test"};
  table.dram["lpddr4x"] = dram;
  table.core = {0.25, Basis::kJudged, "test"};
  table.sram_mib = {0.125, Basis::kJudged, "test"};
  table.uncore = {1.0, Basis::kJudged, "test"};
  return table;
}

// PE weight memory 2*4096/(4*2) = 1 KiB, way activation memory 2*4096/2 = 4 KiB, SRAM bank 64 KiB.
params::ChipParams simple_chip() {
  params::ChipParams chip;
  chip.cores = 4;
  chip.engine.pes = 4;
  chip.engine.k_ways = 2;
  chip.engine.rows_per_pe = 12;
  chip.engine.lanes = 2;
  chip.engine.scan_width = 16;
  chip.engine.drain_width = 4;
  chip.engine.weight_word = 8;
  chip.engine.max_k = 62;  // positions 0..31 need 5 bits
  chip.engine.weight_buffer = 4096;
  chip.engine.activation_buffer = 4096;
  chip.engine.psum_buffer = 4096;
  chip.engine.output_buffer = 1024;
  chip.sram.capacity = 2 << 20;
  chip.sram.banks = 32;
  chip.dram.preset = "lpddr4x-4266";
  chip.dram.channels = 2;
  return chip;
}

double component_pj(const EnergyReport& report, Component component) {
  return report.component_joules(component) * 1e12;
}

TEST(EnergyModel, EveryComponentByHand) {
  const EnergyModel model(simple_table(), simple_chip());
  Activity activity;
  activity.macs = 100;
  activity.macs_gated = 40;
  activity.acc_writes = 70;
  activity.acc_reads = 50;
  activity.broadcasts = 10;
  activity.fifo_pushes = 40;
  activity.activation_reads = 9;
  activity.windows_visited = 6;
  activity.metadata_reads = 36;
  activity.weight_words = 30;
  activity.psum_reads = 16;
  activity.psum_writes = 8;
  activity.drain_beats = 3;
  activity.outputs = 20;
  activity.weight_fill_bytes = 500;
  activity.activation_fill_bytes = 200;
  activity.output_bytes = 64;
  activity.sram_read_bytes = 700;
  activity.sram_write_bytes = 64;
  activity.crossbar_bytes = 764;
  activity.dram_bytes = 640;
  activity.dram_activates = 7;
  activity.vector_elements = 11;
  const EnergyReport report = model.evaluate(activity, 2.0);

  EXPECT_NEAR(component_pj(report, Component::kMac), 50, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kMacGated), 5, 1e-9);
  // 120 accesses x 2 lanes x 4 B, drain 3 beats x 4 channels x 2 lanes x 2 ways x 4 B.
  EXPECT_NEAR(component_pj(report, Component::kAccumulators), (960 + 192) * 0.25, 1e-9);
  // Entry: 16 value bits, 5 position bits, 2 flags.
  EXPECT_NEAR(component_pj(report, Component::kFifoBroadcast), 40 * 2 * (23.0 / 8) * 2 + 230 * 0.5,
              1e-9);
  EXPECT_NEAR(component_pj(report, Component::kWeightValues), 240, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kWeightMetadata), 36 * (2 + 2), 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kWeightFill), 500, 1e-9);
  // 9 x 2 B values, 6 windows x 2 masks x 2 B, 200 B filled; 2 pJ each.
  EXPECT_NEAR(component_pj(report, Component::kActivationBuffer), (18 + 24 + 200) * 2, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kPsumBuffer), 24 * 4 * 2, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kDrainPost), 48 * 1 + 20 * 8, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kOutputBuffer), 128, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kSram), 764 * 4, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kCrossbar), 764 * 8 * 3, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kDram), 640 * 8 * 5 + 7000, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kVector), 176, 1e-9);
  // (4 cores x 0.25 + 2 MiB x 0.125 + 1 + 2 channels x 0.5) W x 2 s.
  EXPECT_NEAR(report.component_joules(Component::kStatic), 6.5, 1e-12);
}

TEST(EnergyModel, ComponentsAddUpToTheTotalAndBasesToo) {
  const EnergyModel model(simple_table(), simple_chip());
  Activity activity;
  activity.macs = 1000;
  activity.broadcasts = 77;
  activity.weight_words = 5;
  activity.dram_bytes = 4096;
  const EnergyReport report = model.evaluate(activity, 1e-6);
  double components = 0;
  for (int i = 0; i < kComponents; ++i) {
    components += report.component_joules(static_cast<Component>(i));
  }
  EXPECT_GT(report.total_joules(), 0);
  EXPECT_NEAR(components / report.total_joules(), 1, 1e-12);
  EXPECT_NEAR((report.basis_joules(Basis::kPublished) + report.basis_joules(Basis::kJudged)) /
                  report.total_joules(),
              1, 1e-12);
  // Published: MACs and the 1 KiB array, a point of the table.
  EXPECT_NEAR(report.basis_joules(Basis::kPublished), 1000 * 0.5e-12 + 40e-12, 1e-20);
}

// Decoders, link and near-memory units cost only where a chip has them.
TEST(EnergyModel, PartsThatFewChipsHave) {
  params::EnergyParams table = simple_table();
  table.decode_byte = params::ActionEnergy{1e-12, Basis::kJudged, "round"};
  table.link_bit = params::ActionEnergy{2e-12, Basis::kJudged, "round"};
  table.near_memory_byte = params::ActionEnergy{3e-12, Basis::kJudged, "round"};
  Activity activity;
  activity.decoded_bytes = 100;
  activity.link_bytes = 200;
  activity.near_memory_bytes = 300;
  params::ChipParams chip = simple_chip();
  EXPECT_EQ(EnergyModel(table, chip).evaluate(activity, 0).total_joules(), 0);
  chip.compress.weights = params::WeightFormat::kAuto;
  chip.dram.link = params::MemoryLinkParams{};
  chip.dram.near_memory = params::NearMemoryParams{};
  const EnergyReport report = EnergyModel(table, chip).evaluate(activity, 0);
  EXPECT_NEAR(component_pj(report, Component::kDecoders), 100, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kLink), 200 * 8 * 2, 1e-9);
  EXPECT_NEAR(component_pj(report, Component::kNearMemory), 900, 1e-9);
  chip.dram.near_memory->enabled = false;
  EXPECT_NEAR(
      EnergyModel(table, chip).evaluate(activity, 0).component_joules(Component::kNearMemory), 0,
      1e-20);
}

TEST(EnergyModel, NoTimeMeansNoStaticEnergy) {
  const EnergyModel model(simple_table(), simple_chip());
  EXPECT_EQ(model.evaluate(Activity{}, 0).total_joules(), 0);
}

TEST(EnergyModel, SramBetweenAndBeyondPoints) {
  const params::EnergyParams table = simple_table();
  EXPECT_NEAR(table.sram_byte_joules(1024), 1e-12, 1e-20);
  EXPECT_NEAR(table.sram_byte_joules(2048), std::sqrt(2.0) * 1e-12, 1e-20);
  EXPECT_NEAR(table.sram_byte_joules(16384), std::sqrt(8.0) * 1e-12, 1e-20);
  EXPECT_NEAR(table.sram_byte_joules(65536), 4e-12, 1e-20);
  EXPECT_NEAR(table.sram_byte_joules(256), 0.5e-12, 1e-20);
  EXPECT_NEAR(table.sram_byte_joules(1 << 20), 8e-12, 1e-20);
}

TEST(EnergyModel, UnknownDramFamilyIsAUserError) {
  params::ChipParams chip = simple_chip();
  chip.dram.preset = "memories/hbm9-1.yaml";
  try {
    const EnergyModel model(simple_table(), chip);
    FAIL() << "no error";
  } catch (const base::UserError& error) {
    EXPECT_STREQ(error.what(),
                 "the energy table 'test' has no DRAM family 'hbm9' (of dram.preset "
                 "'memories/hbm9-1.yaml'); it knows lpddr4x");
  }
}

TEST(EnergyModel, ComponentNamesDiffer) {
  std::set<std::string_view> names;
  for (int i = 0; i < kComponents; ++i) names.insert(component_name(static_cast<Component>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(kComponents));
  EXPECT_FALSE(names.contains("?"));
}

TEST(EnergyParams, RulesBetweenEntries) {
  params::EnergyParams table = simple_table();
  EXPECT_TRUE(table.validate().empty());
  table.sram_byte[1].capacity = 512;
  ASSERT_EQ(table.validate().size(), 1u);
  EXPECT_EQ(table.validate()[0].message, "sizes must grow from entry to entry; entry 2 does not");
  table = simple_table();
  table.sram_byte[0].joules = 0;
  EXPECT_EQ(table.validate().size(), 1u);
  table = simple_table();
  table.sram_byte.resize(1);
  table.dram.clear();
  EXPECT_EQ(table.validate().size(), 2u);
}

}  // namespace
}  // namespace lacuna::energy
