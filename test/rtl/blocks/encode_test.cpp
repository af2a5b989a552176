// SPDX-License-Identifier: Apache-2.0
// Encoder: masks, packed codes and mask words of random groups of beats.

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "Vencode.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

TEST(Encode, MasksPackedCodesAndMaskWords) {
  constexpr std::size_t kLanes = 2, kWidth = 4, kBlock = 16;
  Bench<Vencode> top;
  top->valid_i = 0;
  top.reset();
  Random random(4);
  int part_blocks = 0;
  for (int group = 0; group < 400; ++group) {
    const int beats = random.range(1, 11);
    std::vector<std::uint64_t> block(kLanes, 0);
    for (int beat = 0; beat < beats; ++beat) {
      // A pause: nothing comes out.
      while (random.chance(0.2)) {
        top->valid_i = 0;
        top.step();
        top.settle();
        ASSERT_EQ(top->valid_o, 0);
        ASSERT_EQ(top->block_valid_o, 0);
      }
      std::uint64_t codes = 0, mask = 0, data = 0;
      for (std::size_t v = 0; v < kLanes; ++v) {
        std::size_t place = v * kWidth;
        for (std::size_t c = 0; c < kWidth; ++c) {
          const std::uint64_t code =
              random.chance(0.5) ? 0 : static_cast<std::uint64_t>(random.range(1, 255));
          codes |= code << (8 * (v * kWidth + c));
          if (code == 0) continue;
          mask |= std::uint64_t{1} << (v * kWidth + c);
          data |= code << (8 * place++);
          block[v] |= std::uint64_t{1} << (static_cast<std::size_t>(beat) * kWidth % kBlock + c);
        }
      }
      top->valid_i = 1;
      top->first_i = beat == 0;
      top->last_i = beat == beats - 1;
      top->group_i = static_cast<SData>(group);
      top->beat_i = static_cast<SData>(beat);
      top->codes_i = codes;
      top.step();
      top->valid_i = 0;
      top.settle();
      ASSERT_EQ(top->valid_o, 1);
      ASSERT_EQ(top->group_o, group);
      ASSERT_EQ(top->beat_o, beat);
      ASSERT_EQ(top->mask_o, mask);
      ASSERT_EQ(top->data_o, data);
      const bool full = beat % 4 == 3;
      ASSERT_EQ(top->block_valid_o, full || beat == beats - 1) << beat << " of " << beats;
      if (top->block_valid_o != 0) {
        for (std::size_t v = 0; v < kLanes; ++v) {
          ASSERT_EQ(bits(top->block_mask_o, v * kBlock, kBlock), block[v]);
          block[v] = 0;
        }
        part_blocks += !full;
      }
      // A reset cuts the group off; the next one begins a mask word of its own.
      if (beat + 1 < beats && random.chance(0.03)) {
        top.reset();
        break;
      }
    }
  }
  EXPECT_GT(part_blocks, 100);
}

}  // namespace
}  // namespace lacuna::test::rtl
