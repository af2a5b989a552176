// SPDX-License-Identifier: Apache-2.0
//
// The shipped chips load, and mean what the architecture says.
#include <gtest/gtest.h>

#include "config/loader.h"
#include "config/values.h"
#include "params/chip_params.h"

namespace lacuna::config {
namespace {

using params::ChipParams;

std::string chip_path(const std::string& name) {
  return std::string(LACUNA_SOURCE_DIR) + "/configs/chips/" + name + ".yaml";
}

TEST(Chips, ReferenceIsTheDocumentedOne) {
  const auto chip = load<ChipParams>(chip_path("reference"));
  EXPECT_EQ(chip.value.name, "reference");
  EXPECT_EQ(chip.value.clock_hz, 1e9);
  EXPECT_EQ(chip.value.cores * chip.value.engine.macs_per_cycle(), 2048);
  EXPECT_EQ(chip.value.engine.weight_buffer, 131072);
  EXPECT_EQ(chip.value.engine.balance, params::Balance::kGreedy);
  EXPECT_EQ(chip.value.dram.channels, 8);
  EXPECT_TRUE(chip.value.dram.preset.ends_with("configs/memories/lpddr4x-4266.yaml"));
  EXPECT_TRUE(chip.value.energy_table.ends_with("configs/energy/12nm.yaml"));
  EXPECT_EQ(chip.files.size(), 2U);
}

TEST(Chips, ReferenceEqualsTheDefaultsOfTheStructs) {
  auto chip = load<ChipParams>(chip_path("reference")).value;
  const ChipParams defaults;
  EXPECT_EQ(chip.engine, defaults.engine);
  EXPECT_EQ(chip.sram, defaults.sram);
  EXPECT_EQ(chip.cores, defaults.cores);
}

TEST(Chips, TinyForcesSplits) {
  const auto chip = load<ChipParams>(chip_path("tiny"));
  EXPECT_LE(chip.value.engine.max_channels(), 16);
  EXPECT_LE(chip.value.engine.max_k, 256);
}

TEST(Chips, DumpLoadsBackToTheSameStruct) {
  for (const std::string name : {"reference", "tiny"}) {
    const auto chip = load<ChipParams>(chip_path(name));
    const auto again = load_text<ChipParams>(dump(chip.value), "dumped.yaml");
    EXPECT_EQ(chip.value, again.value) << dump(chip.value);
  }
}

}  // namespace
}  // namespace lacuna::config
