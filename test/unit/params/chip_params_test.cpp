// SPDX-License-Identifier: Apache-2.0
#include "params/chip_params.h"

#include <gtest/gtest.h>

namespace lacuna::params {
namespace {

TEST(EngineParams, DefaultsAreConsistent) { EXPECT_TRUE(EngineParams{}.validate().empty()); }

TEST(EngineParams, DerivedSizesOfTheReference) {
  const EngineParams engine;
  EXPECT_EQ(engine.max_windows(), 64);  // 2 * 4096 / (4 * 32)
  EXPECT_EQ(engine.act_slots(), 256);   // 2 * 16384 / (4 * 1 * 32)
  EXPECT_EQ(engine.macs_per_cycle(), 64);
  EXPECT_EQ(engine.max_channels(), 512);
}

TEST(EngineParams, DerivedSizesHaveFloors) {
  EngineParams engine;
  engine.max_k = 64;
  engine.activation_buffer = 256;
  EXPECT_EQ(engine.max_windows(), 16);
  EXPECT_EQ(engine.act_slots(), 64);
}

}  // namespace
}  // namespace lacuna::params
