// SPDX-License-Identifier: Apache-2.0
// Requantizer against 128-bit arithmetic, with random and extreme values.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "Vrequantize.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

__extension__ typedef __int128 Wide;

std::int32_t pick(Random& random) {
  const std::int32_t extremes[] = {std::numeric_limits<std::int32_t>::min(),
                                   std::numeric_limits<std::int32_t>::max(), 0, 1, -1};
  if (random.chance(0.25)) return extremes[random.range(0, 4)];
  if (random.chance(0.3)) return static_cast<std::int32_t>(random.next());
  return random.range(-100000, 100000);
}

TEST(Requantize, EqualsWideArithmetic) {
  constexpr std::size_t kLanes = 2, kWidth = 3, kValues = kLanes * kWidth;
  Bench<Vrequantize> top;
  top->valid_i = 0;
  top.reset();
  Random random(3);
  std::uint64_t expected[kValues] = {};
  bool pending = false;
  int clamped = 0, gated = 0, plain = 0;
  for (int cycle = 0; cycle < 20000; ++cycle) {
    const bool valid = random.chance(0.8), output = random.chance(0.8), read = random.chance(0.5);
    std::int32_t sum[kValues], partial[kValues], bias[kWidth], multiplier[kWidth];
    int shift[kWidth];
    clear(top->sums_i);
    clear(top->psum_i);
    for (std::size_t i = 0; i < kValues; ++i) {
      sum[i] = pick(random);
      partial[i] = pick(random);
      set_bits(top->sums_i, 32 * i, 32, static_cast<std::uint32_t>(sum[i]));
      set_bits(top->psum_i, 32 * i, 32, static_cast<std::uint32_t>(partial[i]));
    }
    for (std::size_t c = 0; c < kWidth; ++c) {
      bias[c] = pick(random);
      multiplier[c] = pick(random);
      shift[c] = random.chance(0.3) ? random.range(1, 62) : random.range(20, 34);
      set_bits(top->bias_i, 32 * c, 32, static_cast<std::uint32_t>(bias[c]));
      set_bits(top->multiplier_i, 32 * c, 32, static_cast<std::uint32_t>(multiplier[c]));
      set_bits(top->shift_i, 6 * c, 6, static_cast<std::uint64_t>(shift[c]));
    }
    const int low = random.range(-128, 20), high = random.range(low, 255);
    const int gate = random.chance(0.5) ? 0 : random.range(0, 255);
    const auto channels = static_cast<unsigned>(random.range(0, 7));
    const auto lanes = static_cast<unsigned>(random.range(0, 3));
    top->valid_i = valid;
    top->output_i = output;
    top->psum_read_i = read;
    top->clamp_lo_i = static_cast<SData>(low & 0x1ff);
    top->clamp_hi_i = static_cast<SData>(high & 0x1ff);
    top->gate_i = static_cast<CData>(gate);
    top->channels_i = static_cast<CData>(channels);
    top->lanes_i = static_cast<CData>(lanes);
    top.settle();
    ASSERT_EQ(top->code_valid_o, pending) << cycle;
    for (std::size_t i = 0; pending && i < kValues; ++i) {
      ASSERT_EQ(bits(top->codes_o, 8 * i, 8), expected[i]) << "cycle " << cycle << " code " << i;
    }
    for (std::size_t i = 0; valid && i < kValues; ++i) {
      const std::uint32_t total =
          static_cast<std::uint32_t>(sum[i]) + (read ? static_cast<std::uint32_t>(partial[i]) : 0);
      ASSERT_EQ(bits(top->total_o, 32 * i, 32), total);
      const std::size_t c = i / kLanes, v = i % kLanes;
      const auto a = static_cast<std::int32_t>(total + static_cast<std::uint32_t>(bias[c]));
      Wide y = (Wide{a} * multiplier[c] + (Wide{1} << (shift[c] - 1))) >> shift[c];
      clamped += y < low || y > high;
      y = y < low ? low : y > high ? high : y;
      if ((y < 0 ? -y : y) <= gate) {
        gated += y != 0;
        y = 0;
      }
      if (((channels >> c) & 1) == 0 || ((lanes >> v) & 1) == 0) y = 0;
      plain += y != 0;
      expected[v * kWidth + c] = static_cast<std::uint64_t>(y) & 0xff;
    }
    pending = valid && output;
    top.edge();
  }
  EXPECT_GT(clamped, 1000);
  EXPECT_GT(gated, 1000);
  EXPECT_GT(plain, 1000);
}

}  // namespace
}  // namespace lacuna::test::rtl
