// SPDX-License-Identifier: Apache-2.0
//
// Does the model of a program's memory move with what it is told: room, bandwidth, what is pinned?
#include "mapper/memory_split.h"

#include <gtest/gtest.h>

namespace lacuna::mapper {
namespace {

constexpr double kRate = 10.0;

/// Ten layers of 1000 cycles and 50000 bytes of weights each: five times what comes meanwhile.
MemoryModel streaming() {
  MemoryModel model;
  model.bytes_per_cycle = kRate;
  for (int i = 0; i < 10; ++i) {
    LayerDemand layer;
    layer.cycles = 1000;
    layer.weights = 50'000;
    layer.largest_image = 1000;
    layer.accesses.push_back({i, 2000.0, 1.0});
    model.layers.push_back(layer);
  }
  return model;
}

MemorySplit predicted(const MemoryModel& model, std::int64_t pinned, std::int64_t ring,
                      bool activations_in_sram = true) {
  MemorySplit split;
  split.pinned = pinned;
  split.ring = ring;
  predict_memory(model, std::vector<bool>(10, activations_in_sram), split);
  return split;
}

TEST(MemorySplit, WeightsThatStreamBoundAProgram) {
  const MemorySplit split = predicted(streaming(), 0, 100'000);
  EXPECT_NEAR(split.first_cycles, 500'000 / kRate, 1.0);
  EXPECT_NEAR(split.next_cycles, split.first_cycles, 1e-9);
  EXPECT_NEAR(split.dram_bytes, 2 * 500'000.0, 1.0);
}

TEST(MemorySplit, WhatIsPinnedIsFetchedOnce) {
  const MemorySplit split = predicted(streaming(), 200'000, 100'000);
  EXPECT_NEAR(split.first_cycles, 500'000 / kRate, 1.0);
  EXPECT_NEAR(split.next_cycles, 300'000 / kRate, 1.0);
  EXPECT_NEAR(split.dram_bytes, 500'000.0 + 300'000.0, 1.0);
}

TEST(MemorySplit, ARingHidesAsMuchAsItHolds) {
  // One layer with as many weights as come during five others: only a ring that holds them hides
  // their way.
  MemoryModel model = streaming();
  for (LayerDemand& layer : model.layers) layer.weights = 0;
  model.layers[5].weights = 50'000;
  double before = 1e18;
  for (const std::int64_t ring : {4'000, 20'000, 30'000, 60'000}) {
    const MemorySplit split = predicted(model, 0, ring);
    EXPECT_LT(split.first_cycles, before) << ring;
    before = split.first_cycles;
  }
  EXPECT_NEAR(before, 10'000, 1.0);
  EXPECT_NEAR(predicted(model, 0, 120'000).first_cycles, before, 1e-9);
}

TEST(MemorySplit, ActivationsInDramTakeTheirTime) {
  MemoryModel model = streaming();
  const MemorySplit inside = predicted(model, 0, 100'000);
  const MemorySplit outside = predicted(model, 0, 100'000, false);
  EXPECT_NEAR(outside.first_cycles - inside.first_cycles, 10 * 2000 / kRate, 1.0);
  EXPECT_NEAR(outside.dram_bytes - inside.dram_bytes, 2 * 10 * 2000.0, 1.0);
  // Where the DRAM has time, the loads' way is what counts.
  for (LayerDemand& layer : model.layers) layer.weights = 0;
  EXPECT_GT(predicted(model, 0, 100'000, false).first_cycles,
            predicted(model, 0, 100'000).first_cycles);
}

TEST(MemorySplit, ImagesThatAreTooLargeComeOncePerUser) {
  MemoryModel model = streaming();
  for (LayerDemand& layer : model.layers) {
    layer.largest_image = 25'000;
    layer.image_users = 3;
  }
  EXPECT_NEAR(predicted(model, 0, 40'000).dram_bytes, 2 * 3 * 500'000.0, 1.0);
  EXPECT_NEAR(predicted(model, 0, 60'000).dram_bytes, 2 * 500'000.0, 1.0);
}

TEST(MemorySplit, RowsThatAreSelectedKeepTheDramBusy) {
  MemoryModel model = streaming();
  const MemorySplit without = predicted(model, 0, 100'000);
  for (LayerDemand& layer : model.layers) {
    layer.selected_bytes = 3000;
    layer.selected_cycles = 500;  // a link that carries less than the channels give
  }
  const MemorySplit with = predicted(model, 0, 100'000);
  EXPECT_NEAR(with.first_cycles - without.first_cycles, 10 * 500, 1.0);
  EXPECT_NEAR(with.dram_bytes - without.dram_bytes, 2 * 10 * 3000.0, 1.0);
}

TEST(MemorySplit, TimeOrEnergyDecides) {
  MemorySplit quick;
  quick.first_cycles = quick.next_cycles = 100;
  quick.dram_bytes = 1000;
  MemorySplit frugal = quick;
  frugal.next_cycles = 120;
  frugal.dram_bytes = 500;
  MappingCosts costs;
  costs.dram_byte = 1.0;
  costs.chip_cycle = 0.1;
  EXPECT_TRUE(better(params::Objective::kTime, costs, quick, frugal));
  EXPECT_TRUE(better(params::Objective::kEnergy, costs, frugal, quick));
  MemorySplit less = quick;
  less.dram_bytes = 900;
  EXPECT_TRUE(better(params::Objective::kTime, costs, less, quick));
}

}  // namespace
}  // namespace lacuna::mapper
