// SPDX-License-Identifier: Apache-2.0
//
// When can a tensor be read, and what does reading or writing parts of it move?
#include "chip/stored_tensor.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "base/rng.h"

namespace lacuna::chip {
namespace {

std::vector<std::uint8_t> codes(std::int64_t count, double density, std::uint64_t seed) {
  base::Rng rng(seed);
  std::vector<std::uint8_t> made(static_cast<std::size_t>(count));
  for (std::uint8_t& code : made) code = rng.bernoulli(density) ? 200 : 0;
  return made;
}

TEST(StoredTensor, IsReadableWhenEverythingIsStored) {
  const mapper::SlotLayout layout{16, 16, 16, 8};
  const std::vector<std::uint8_t> all(4 * 16, 1);
  StoredTensor tensor(layout, 4);
  EXPECT_FALSE(tensor.store(32, 100, all));
  EXPECT_FALSE(tensor.available(0));
  EXPECT_EQ(tensor.since(0, 1), -1);
  EXPECT_TRUE(tensor.store(32, 140, all));
  EXPECT_TRUE(tensor.available(3));
  EXPECT_EQ(tensor.since(0, 4), 140);
}

TEST(StoredTensor, StoringTwiceIsABug) {
  const mapper::SlotLayout layout{16, 16, 16, 8};
  const std::vector<std::uint8_t> all(16, 1);
  StoredTensor tensor(layout, 1);
  EXPECT_TRUE(tensor.store(16, 1, all));
  EXPECT_THROW((void)tensor.store(1, 2, all), base::InternalError);
}

TEST(StoredTensor, ReadingTooEarlyIsABug) {
  const mapper::SlotLayout layout{16, 16, 16, 8};
  const StoredTensor tensor(layout, 1);
  EXPECT_THROW((void)tensor.traffic(0, 0, 16), base::InternalError);
}

TEST(StoredTensor, PiecesAreReadableAsTheyArrive) {
  const mapper::SlotLayout layout{16, 16, 16, 8};
  const std::vector<std::uint8_t> all(4 * 16, 1);
  StoredTensor tensor(layout, 4);
  tensor.expect_pieces(all);
  tensor.arrive(2, 4, 50);
  EXPECT_FALSE(tensor.available(1));
  EXPECT_TRUE(tensor.available(2));
  EXPECT_EQ(tensor.since(2, 4), 50);
  EXPECT_EQ(tensor.since(1, 3), -1);
  EXPECT_FALSE(tensor.complete());
  tensor.arrive(0, 2, 70);
  EXPECT_TRUE(tensor.complete());
  EXPECT_EQ(tensor.since(0, 4), 70);
  EXPECT_EQ(tensor.since(3, 4), 50);
  EXPECT_THROW(tensor.arrive(3, 4, 80), base::InternalError);
}

TEST(StoredTensor, TrafficOfSlots) {
  // Slots of 64 channels: 8 mask bytes and the packed codes, in accesses of 32 bytes.
  const mapper::SlotLayout layout{128, 128, 128, 64};
  std::vector<std::uint8_t> all(128, 0);
  for (int i = 0; i < 24; ++i) all[static_cast<std::size_t>(i)] = 1;        // 8 + 24 = 32
  for (int i = 64; i < 64 + 25; ++i) all[static_cast<std::size_t>(i)] = 1;  // 8 + 25 = 33
  StoredTensor tensor(layout, 1);
  ASSERT_TRUE(tensor.store(128, 0, all));
  EXPECT_EQ(tensor.traffic(0, 0, 64), 32);
  EXPECT_EQ(tensor.traffic(0, 64, 128), 64);
  EXPECT_EQ(tensor.traffic(0, 0, 128), 96);
  EXPECT_EQ(tensor.traffic(0, 10, 11), 32) << "a slot is read as a whole";
  EXPECT_EQ(tensor.traffic(0, 63, 65), 96);
  EXPECT_EQ(WrittenSlots(layout, 0, 128).traffic(all), 96);
  EXPECT_EQ(tensor.offset(0, 64), 72);
}

TEST(StoredTensor, NeighbouringSmallSlotsMoveAsOnePiece) {
  // Eight slots of 8 channels, 9 bytes each: 72 bytes in a row take 96, not 8 x 32.
  const mapper::SlotLayout layout{64, 64, 8, 64};
  EXPECT_EQ(layout.slot_bytes(), 9);
  const std::vector<std::uint8_t> all(64, 1);
  StoredTensor tensor(layout, 1);
  ASSERT_TRUE(tensor.store(64, 0, all));
  EXPECT_EQ(tensor.traffic(0, 0, 64), 96);
  EXPECT_EQ(tensor.traffic(0, 0, 8), 32);
}

TEST(StoredTensor, WritingATensorMovesWhatReadingItMoves) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::Rng rng(seed);
    const std::int64_t heads = rng.range(1, 3);
    const std::int64_t head = rng.range(1, 70);
    const mapper::SlotLayout layout{heads * head, head, rng.range(1, head),
                                    std::int64_t{8} << rng.range(0, 3)};
    const std::vector<std::uint8_t> all = codes(layout.channels, rng.uniform(), seed);
    StoredTensor tensor(layout, 1);
    ASSERT_TRUE(tensor.store(layout.channels, 0, all));
    EXPECT_EQ(tensor.traffic(0, 0, layout.channels),
              WrittenSlots(layout, 0, layout.channels).traffic(all))
        << "seed " << seed;
    EXPECT_LE(tensor.traffic(0, 0, layout.channels), layout.token_bytes());
  }
}

// No codes at all: as if none of them were zero.
TEST(StoredTensor, CodesThatNobodyComputesAreNotZero) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    base::Rng rng(seed);
    const std::int64_t head = rng.range(1, 200);
    const mapper::SlotLayout layout{2 * head, head, rng.range(1, head), 64};
    const std::vector<std::uint8_t> ones(static_cast<std::size_t>(3 * layout.channels), 1);
    StoredTensor with(layout, 3);
    StoredTensor without(layout, 3);
    ASSERT_TRUE(with.store(3 * layout.channels, 7, ones));
    ASSERT_TRUE(without.store(3 * layout.channels, 7, {}));
    const std::int64_t begin = rng.range(0, layout.channels - 1);
    const std::int64_t end = rng.range(begin + 1, layout.channels);
    EXPECT_EQ(without.traffic(1, begin, end), with.traffic(1, begin, end)) << "seed " << seed;
    EXPECT_EQ(WrittenSlots(layout, begin, end).traffic({}),
              WrittenSlots(layout, begin, end)
                  .traffic(std::span(ones).first(static_cast<std::size_t>(end - begin))))
        << "seed " << seed;
  }
}

TEST(CountNonzeros, AgreesWithCountingOneByOne) {
  for (const std::int64_t count : {0, 1, 127, 128, 129, 1000}) {
    const std::vector<std::uint8_t> all = codes(count, 0.9, 3);
    std::int64_t expected = 0;
    for (const std::uint8_t code : all) expected += code != 0;
    EXPECT_EQ(count_nonzeros(all.data(), count), expected);
  }
}

}  // namespace
}  // namespace lacuna::chip
