// SPDX-License-Identifier: Apache-2.0
//
// control.sv against engine.md, sections 6, 7 and 9: which halves are loaded, when commands and
// starts are taken, group and pass ends, carry-in, which tables a load may overwrite. Loader, PEs
// and drain are played by the test, at random.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "Vcontrol.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

constexpr int kWays = 3;
constexpr int kLanes = 2;

struct Loading {
  bool active = false;
  int kind = 0, half = 0, left = 0;
};

class Control : public testing::Test {
 protected:
  Bench<Vcontrol> bench_;
  Random random_{20};
  std::array<std::array<bool, 2>, 2> loaded_{};  // [kind][half]
  std::array<int, 2> tables_{};                  // of each weight half
  std::array<int, 2> rows_{};
  Loading loading_;
  bool running_ = false;
  int wt_half_ = 0, act_half_ = 0;
  bool release_wt_ = false, release_act_ = false;
  int groups_left_ = 0, group_ = 0, tokens_ = 0, pass_tables_ = 0, pass_rows_ = 0;
  std::int64_t started_ = -1;
  std::uint32_t hold1_ = 0, hold2_ = 0;
  int bank_ = 0, first_bank_ = 0;                      // of the next group to end, of the pass
  std::array<std::array<bool, kWays>, 2> finished_{};  // [bank][way], as the PEs say
  std::array<std::array<bool, 2>, 3> all_finished_{};  // now, a cycle ago, two cycles ago
  std::array<int, 2> release_in_{-1, -1};              // cycles until a bank is drained

  bool in_use(int kind, int half) const {
    return (running_ && (kind == 0 ? wt_half_ : act_half_) == half) ||
           (loading_.active && loading_.kind == kind && loading_.half == half);
  }

  void drive() {
    auto& m = *bench_;
    m.ld_cmd_valid_i = random_.chance(0.3);
    m.ld_cmd_kind_i = random_.chance(0.5);
    m.ld_cmd_half_i = random_.chance(0.5);
    m.ld_cmd_windows_i = static_cast<std::uint16_t>(random_.range(1, 60000));
    m.ld_cmd_rows_i = static_cast<std::uint16_t>(random_.range(1, 60000));
    m.ld_cmd_in_place_i = random_.chance(0.5);
    m.loader_idle_i = !loading_.active;
    m.load_done_i = loading_.active && loading_.left == 0;
    m.load_kind_i = loading_.kind != 0;
    m.load_half_i = loading_.half != 0;
    m.release_wt_i = m.release_act_i = 0;
    for (int half = 0; half < 2; ++half) {
      if (!in_use(0, half) && random_.chance(0.02)) m.release_wt_i |= 1U << half;
      if (!in_use(1, half) && random_.chance(0.02)) m.release_act_i |= 1U << half;
    }
    m.start_valid_i = random_.chance(0.4);
    m.start_wt_half_i = random_.chance(0.5);
    m.start_act_half_i = random_.chance(0.5);
    m.start_groups_i = static_cast<std::uint16_t>(random_.range(1, 5));
    m.start_tokens_i = static_cast<std::uint16_t>(random_.range(1, 60000));
    m.start_release_wt_i = random_.chance(0.5);
    m.start_release_act_i = random_.chance(0.5);
    m.start_hold1_i = random_.chance(0.5) ? 0U : static_cast<std::uint32_t>(random_.range(1, 30));
    m.start_hold2_i =
        m.start_hold1_i == 0
            ? 0
            : static_cast<std::uint32_t>(random_.range(0, static_cast<int>(m.start_hold1_i)));
    m.waiting_i = random_.chance(0.5);
    m.waiting_tables_i = static_cast<std::uint8_t>(random_.range(0, 3));
    m.draining_i = random_.chance(0.5);
    m.draining_tables_i = static_cast<std::uint8_t>(random_.range(0, 3));
    // PEs: ways finish the group at hand one after the other; a bank is free some time later.
    m.finished_i = 0;
    for (int bank = 0; bank < 2; ++bank) {
      const bool free = release_in_[static_cast<std::size_t>(bank)] < 0;
      if (!free && release_in_[static_cast<std::size_t>(bank)]-- == 0) {
        finished_[static_cast<std::size_t>(bank)].fill(false);
      }
      for (int way = 0; way < kWays; ++way) {
        bool& over = finished_[static_cast<std::size_t>(bank)][static_cast<std::size_t>(way)];
        if (running_ && bank == bank_ && free && random_.chance(0.3)) over = true;
        m.finished_i |= static_cast<std::uint8_t>(over ? 1U << (2 * way + bank) : 0U);
      }
    }
  }

  void check_and_step() {
    auto& m = *bench_;
    const std::int64_t now = bench_.cycle();
    bool group_done = false;
    for (std::size_t bank = 0; bank < 2; ++bank) {
      group_done = group_done || (all_finished_[1][bank] && !all_finished_[2][bank]);
    }
    const bool pass_done = group_done && groups_left_ == 1;
    ASSERT_EQ(m.group_done_o != 0, group_done);
    ASSERT_EQ(m.pass_done_o != 0, pass_done);
    for (unsigned half = 0; half < 2; ++half) {
      ASSERT_EQ((m.weights_loaded_o >> half & 1) != 0, loaded_[0][half]);
      ASSERT_EQ((m.acts_loaded_o >> half & 1) != 0, loaded_[1][half]);
    }
    const bool command_ready = !loading_.active && !loaded_[m.ld_cmd_kind_i][m.ld_cmd_half_i];
    ASSERT_EQ(m.ld_cmd_ready_o != 0, command_ready);
    std::array<std::array<bool, 2>, 2> leaves{};
    for (unsigned half = 0; half < 2; ++half) {
      leaves[0][half] = (m.release_wt_i >> half & 1) != 0 ||
                        (pass_done && release_wt_ && wt_half_ == static_cast<int>(half));
      leaves[1][half] = (m.release_act_i >> half & 1) != 0 ||
                        (pass_done && release_act_ && act_half_ == static_cast<int>(half));
    }
    const bool start_ready = loaded_[0][m.start_wt_half_i] && !leaves[0][m.start_wt_half_i] &&
                             loaded_[1][m.start_act_half_i] && !leaves[1][m.start_act_half_i] &&
                             (!running_ || pass_done);
    ASSERT_EQ(m.start_ready_o != 0, start_ready);
    ASSERT_EQ(m.start_o != 0, start_ready && m.start_valid_i != 0);
    // Carry-in: cycles t > start with t - start < hold.
    const bool held1 = started_ >= 0 && now - started_ < hold1_;
    const bool held2 = started_ >= 0 && now - started_ < hold2_;
    ASSERT_EQ(m.drain_hold_o != 0, held1);
    ASSERT_EQ((m.bank_hold_o >> first_bank_ & 1) != 0, held2);
    ASSERT_EQ((m.bank_hold_o >> (1 - first_bank_) & 1) != 0, held1);
    if (running_) {
      ASSERT_EQ(bits(m.cfg_o, 0, 16), static_cast<std::uint16_t>(tokens_));
      ASSERT_EQ(bits(m.cfg_o, 16, 16), static_cast<std::uint64_t>(group_));
      ASSERT_EQ(bits(m.cfg_o, 92, 16), static_cast<std::uint64_t>(pass_rows_));
      ASSERT_EQ(bits(m.cfg_o, 108, 2), static_cast<std::uint64_t>(pass_tables_));
    }
    // A load into tables that the other half, a waiting or a running drain uses would destroy them.
    const bool command = command_ready && m.ld_cmd_valid_i != 0;
    std::array<bool, 4> forbidden{};
    if (command && m.ld_cmd_kind_i == 0) {
      forbidden[static_cast<std::size_t>(tables_[1U - m.ld_cmd_half_i])] = true;
      if (m.waiting_i != 0) forbidden[m.waiting_tables_i] = true;
      if (m.draining_i != 0) forbidden[m.draining_tables_i] = true;
    }
    const bool start = start_ready && m.start_valid_i != 0;
    const int command_kind = m.ld_cmd_kind_i, command_half = m.ld_cmd_half_i,
              command_rows = m.ld_cmd_rows_i;

    bench_.edge();

    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t kind = 0; kind < 2; ++kind)
        loaded_[kind][half] = loaded_[kind][half] && !leaves[kind][half];
    }
    if (loading_.active && loading_.left-- == 0) {
      loaded_[static_cast<std::size_t>(loading_.kind)][static_cast<std::size_t>(loading_.half)] =
          true;
      loading_.active = false;
    }
    if (group_done) {
      release_in_[static_cast<std::size_t>(bank_)] = random_.range(0, 6);
      bank_ = 1 - bank_;
      --groups_left_;
      ++group_;
      tokens_ -= kLanes;
    }
    if (pass_done) running_ = false;
    if (start) {
      running_ = true;
      wt_half_ = m.start_wt_half_i;
      act_half_ = m.start_act_half_i;
      release_wt_ = m.start_release_wt_i != 0;
      release_act_ = m.start_release_act_i != 0;
      groups_left_ = m.start_groups_i;
      group_ = 0;
      tokens_ = m.start_tokens_i;
      pass_tables_ = tables_[static_cast<std::size_t>(wt_half_)];
      pass_rows_ = rows_[static_cast<std::size_t>(wt_half_)];
      started_ = now;
      hold1_ = m.start_hold1_i;
      hold2_ = m.start_hold2_i;
      first_bank_ = bank_;
    }
    if (command) {
      loading_ = {true, command_kind, command_half, random_.range(0, 8)};
      if (command_kind == 0) {
        rows_[static_cast<std::size_t>(command_half)] = command_rows;
        m.load_half_i = command_half != 0;
        bench_.settle();
        tables_[static_cast<std::size_t>(command_half)] = m.load_tables_o;
        ASSERT_FALSE(forbidden[m.load_tables_o]) << "tables in use are given to a load";
      }
    }
    all_finished_[2] = all_finished_[1];
    for (std::size_t bank = 0; bank < 2; ++bank) {
      all_finished_[1][bank] = finished_[bank][0] && finished_[bank][1] && finished_[bank][2];
    }
  }
};

TEST_F(Control, HalvesStartsEndsCarryInAndTables) {
  drive();
  bench_.reset();
  int passes = 0;
  for (int i = 0; i < 60000; ++i) {
    SCOPED_TRACE("cycle " + std::to_string(bench_.cycle()));
    drive();
    bench_.settle();
    passes += bench_->pass_done_o != 0 ? 1 : 0;
    check_and_step();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(passes, 300);
}

}  // namespace
}  // namespace lacuna::test::rtl
