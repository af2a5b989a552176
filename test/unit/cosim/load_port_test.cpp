// SPDX-License-Identifier: Apache-2.0
#include "cosim/harness/load_port.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace lacuna::cosim::harness {
namespace {

/// The load port of an engine that takes what it is told to take.
struct Ports {
  std::uint8_t ld_cmd_valid_i = 0, ld_cmd_kind_i = 0, ld_cmd_half_i = 0, ld_cmd_mask_log_i = 0,
               ld_cmd_in_place_i = 0, ld_cmd_post_i = 0, ld_cmd_ready_o = 1, ld_valid_i = 0,
               ld_ready_o = 1, release_wt_i = 0, release_act_i = 0, weights_loaded_o = 0,
               acts_loaded_o = 0;
  std::uint16_t ld_cmd_windows_i = 0, ld_cmd_positions_i = 0, ld_cmd_rows_i = 0,
                ld_cmd_groups_i = 0;
  std::uint32_t ld_data_i = 0;
};

class LoadPortTest : public ::testing::Test {
 protected:
  LoadPortTest() {
    parameters_.load_width = 4;
    tile_.image = block_.image = image_.data();
    tile_.image_bytes = block_.image_bytes = image_.size();
    block_.kind = 1;
    job_.weights = &tile_;
    job_.block = &block_;
  }

  void cycle() {
    port_.drive();
    port_.observe(now_++);
  }

  std::array<std::uint8_t, 8> image_{};
  lacuna_rtl_parameters parameters_{};
  lacuna_rtl_load tile_{}, block_{};
  lacuna_rtl_job job_{};
  PassRecord record_;
  Ports ports_;
  LoadPort<Ports> port_{ports_, parameters_};
  std::uint64_t now_ = 0;
};

TEST_F(LoadPortTest, LoadsTileThenBlock) {
  const Halves halves = port_.place(job_, 0, record_);
  EXPECT_EQ(halves.weights, 0U);
  EXPECT_EQ(halves.acts, 0U);
  EXPECT_EQ(port_.pending_beats(), 2U * (2 + 4));
  for (int i = 0; i < 3; ++i) cycle();  // command, two beats
  ports_.weights_loaded_o = 1;
  cycle();
  EXPECT_EQ(record_.load_weights, 2U);
  EXPECT_FALSE(port_.idle());
  for (int i = 0; i < 3; ++i) cycle();
  ports_.acts_loaded_o = 1;
  cycle();
  EXPECT_TRUE(port_.idle());
  EXPECT_TRUE(port_.ready_for(0));
}

TEST_F(LoadPortTest, EqualKeysStayInTheirHalf) {
  tile_.key = 7;
  EXPECT_EQ(port_.place(job_, 0, record_).weights, 0U);
  const Halves second = port_.place(job_, 1, record_);
  EXPECT_EQ(second.weights, 0U) << "the tile is there";
  EXPECT_EQ(second.acts, 1U) << "a block without a key never is";
  job_.release_weights = 1;
  EXPECT_EQ(port_.place(job_, 2, record_).weights, 0U);
  EXPECT_EQ(port_.place(job_, 3, record_).weights, 1U) << "the pass before gives it back";
}

TEST_F(LoadPortTest, WaitsGrowWhileTheEngineTakesNothing) {
  (void)port_.place(job_, 0, record_);
  ports_.ld_cmd_ready_o = 0;
  for (int i = 0; i < 50; ++i) cycle();
  EXPECT_EQ(port_.waited(), 50U);
  EXPECT_EQ(port_.whereabouts(), "the load of the tile of pass 0 is at byte 0 of 8");
  ports_.ld_cmd_ready_o = 1;
  cycle();
  EXPECT_EQ(port_.waited(), 0U);
}

TEST_F(LoadPortTest, WhatTheDriverHoldsBackIsNoWait) {
  job_.load_wait = 1000;
  job_.load_gaps = 250;
  (void)port_.place(job_, 0, record_);
  std::uint64_t longest = 0;
  for (int i = 0; i < 1100; ++i) {
    if (port_.whereabouts().find("at byte 8 of 8") != std::string::npos) {
      ports_.weights_loaded_o = 1;
    }
    cycle();
    longest = std::max(longest, port_.waited());
  }
  EXPECT_LE(longest, 1U);
}

TEST_F(LoadPortTest, ABrokenProtocolIsAnError) {
  (void)port_.place(job_, 0, record_);
  cycle();
  ports_.ld_ready_o = 0;
  EXPECT_THROW(cycle(), std::runtime_error);
}

TEST_F(LoadPortTest, AnImageThatIsTooShortIsAnError) {
  (void)port_.place(job_, 0, record_);
  for (int i = 0; i < 3; ++i) cycle();
  EXPECT_THROW(cycle(), std::runtime_error) << "all is sent and the half is not loaded";
}

}  // namespace
}  // namespace lacuna::cosim::harness
