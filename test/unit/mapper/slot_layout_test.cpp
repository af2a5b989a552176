// SPDX-License-Identifier: Apache-2.0
//
// Where the slots of a stored token lie.
#include "mapper/slot_layout.h"

#include <gtest/gtest.h>

namespace lacuna::mapper {
namespace {

TEST(SlotLayout, SlotsOfUnitsAndHeads) {
  // 2 heads of 20 channels, tiles of 8, slots of 8: 8 + 8 + 4 channels a head.
  const SlotLayout layout{40, 20, 8, 8};
  EXPECT_EQ(layout.slots_per_head(), 3);
  EXPECT_EQ(layout.slots(), 6);
  EXPECT_EQ(layout.slot_of(0), 0);
  EXPECT_EQ(layout.slot_of(7), 0);
  EXPECT_EQ(layout.slot_of(8), 1);
  EXPECT_EQ(layout.slot_of(19), 2);
  EXPECT_EQ(layout.slot_of(20), 3);
  EXPECT_EQ(layout.slot_end(16), 20);
  EXPECT_EQ(layout.slot_end(20), 28);
  EXPECT_EQ(layout.slot_bytes(), 9);
  EXPECT_EQ(layout.token_bytes(), 64);
  EXPECT_EQ(layout.slot_traffic(0), 32);
  // Units smaller than act_block have smaller slots: 16 codes and 2 mask bytes.
  const SlotLayout narrow{128, 128, 16, 64};
  EXPECT_EQ(narrow.slots(), 8);
  EXPECT_EQ(narrow.slot_bytes(), 18);
  EXPECT_EQ(narrow.slot_of(17), 1);
  EXPECT_EQ(narrow.token_bytes(), 160);
  // Units larger than a slot: tiles of 12 in slots of 8, the last unit has 8.
  const SlotLayout wide{20, 20, 12, 8};
  EXPECT_EQ(wide.slots(), 3);
  EXPECT_EQ(wide.slot_of(11), 1);
  EXPECT_EQ(wide.slot_end(8), 12);
  EXPECT_EQ(wide.slot_of(12), 2);
  EXPECT_EQ(wide.slot_end(12), 20);
}

}  // namespace
}  // namespace lacuna::mapper
