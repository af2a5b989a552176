// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/hash.h"

namespace lacuna::base {
namespace {

// splitmix64 with state 0: the published first outputs of the reference implementation.
TEST(SplitMix, MatchesTheReferenceOutputs) {
  std::uint64_t state = 0;
  EXPECT_EQ(splitmix64(state), 0xE220A8397B1DCDAFULL);
  EXPECT_EQ(splitmix64(state), 0x6E789E6AA1B965F4ULL);
  EXPECT_EQ(splitmix64(state), 0x06C45D188009454FULL);
}

// xoshiro256** written out a second time, in the form of the authors' C code.
std::uint64_t reference_next(std::array<std::uint64_t, 4>& s) {
  const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  const std::uint64_t result = rotl(s[1] * 5, 7) * 9;
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

TEST(Rng, IsXoshiroSeededBySplitMix) {
  std::uint64_t seed = 42;
  std::array<std::uint64_t, 4> state{};
  for (auto& word : state) word = splitmix64(seed);
  Rng rng(42);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rng.next(), reference_next(state));
}

TEST(Rng, RangesAreClosedAndHit) {
  Rng rng(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) {
    const std::int64_t value = rng.range(-2, 3);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 3);
    ++seen[static_cast<std::size_t>(value + 2)];
  }
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(rng.below(1), 0U);
  static_cast<void>(rng.range(std::numeric_limits<std::int64_t>::min(),
                              std::numeric_limits<std::int64_t>::max()));
}

TEST(Rng, UniformAndBernoulli) {
  Rng rng(9);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    hits += rng.bernoulli(0.3) ? 1 : 0;
  }
  EXPECT_NEAR(hits, 3000, 150);
}

// XXH64 of the empty input and of "abc", from the xxHash test vectors.
TEST(Hash, MatchesPublishedValues) {
  EXPECT_EQ(hash_bytes(nullptr, 0), 0xEF46DB3751D8E999ULL);
  EXPECT_EQ(hash_text("abc"), 0x44BC2CF5AD770999ULL);
}

TEST(Hash, EveryByteAndTheSeedMatter) {
  std::string text(100, 'a');
  const std::uint64_t original = hash_text(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = 'b';
    EXPECT_NE(hash_text(changed), original) << i;
  }
  EXPECT_NE(hash_text(text, 1), original);
  EXPECT_NE(hash_combine(1, 2), hash_combine(2, 1));
}

}  // namespace
}  // namespace lacuna::base
