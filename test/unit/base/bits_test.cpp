// SPDX-License-Identifier: Apache-2.0
#include "base/bits.h"

#include <gtest/gtest.h>

namespace lacuna::base {
namespace {

TEST(BitVector, SetsAndCountsAcrossWords) {
  BitVector bits(130);
  EXPECT_EQ(bits.size(), 130U);
  EXPECT_EQ(bits.words().size(), 3U);
  EXPECT_FALSE(bits.any());
  for (const std::size_t index : {0U, 63U, 64U, 129U}) bits.set(index);
  EXPECT_EQ(bits.count(), 4U);
  EXPECT_TRUE(bits.test(63));
  EXPECT_FALSE(bits.test(62));
  EXPECT_EQ(bits.words()[0], 0x8000000000000001ULL);
  bits.set(63, false);
  EXPECT_FALSE(bits.test(63));
  EXPECT_EQ(bits.count(), 3U);
}

TEST(BitVector, SetAllLeavesTheBitsPastTheEndZero) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 128U, 130U}) {
    BitVector bits(size);
    bits.set_all();
    EXPECT_EQ(bits.count(), size);
    bits.reset();
    EXPECT_FALSE(bits.any());
  }
}

TEST(BitVector, OrAnd) {
  BitVector first(70);
  BitVector second(70);
  first.set(3);
  first.set(69);
  second.set(69);
  second.set(5);
  BitVector both = first;
  both &= second;
  EXPECT_EQ(both.count(), 1U);
  EXPECT_TRUE(both.test(69));
  first |= second;
  EXPECT_EQ(first.count(), 3U);
}

TEST(Bits, LowMask) {
  EXPECT_EQ(low_mask(0), 0U);
  EXPECT_EQ(low_mask(1), 1U);
  EXPECT_EQ(low_mask(63), ~std::uint64_t{0} >> 1U);
  EXPECT_EQ(low_mask(64), ~std::uint64_t{0});
}

}  // namespace
}  // namespace lacuna::base
