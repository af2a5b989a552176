// SPDX-License-Identifier: Apache-2.0
#include "tensor/mask_generator.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/hash.h"

namespace lacuna::tensor {
namespace {

CodeMatrix draw(std::int64_t rows, std::int64_t columns, const MaskSpec& spec,
                CodeKind kind = CodeKind::kS8) {
  return draw_codes(rows, columns, kind, spec, "test");
}

std::int64_t count(const CodeMatrix& matrix, std::int64_t row, std::int64_t begin,
                   std::int64_t end) {
  std::int64_t found = 0;
  for (std::int64_t column = begin; column < std::min(end, matrix.columns); ++column) {
    found += matrix.at(row, column) != 0 ? 1 : 0;
  }
  return found;
}

TEST(MaskGenerator, DenseHasNoZeros) {
  EXPECT_EQ(draw(7, 9, {.kind = PatternKind::kDense, .seed = 3}).non_zeros(), 63);
}

TEST(MaskGenerator, UnstructuredReachesTheCountExactly) {
  for (const double density : {0.0, 0.001, 0.3, 0.5, 0.999, 1.0}) {
    const CodeMatrix matrix =
        draw(40, 50, {.kind = PatternKind::kUnstructured, .density = density, .seed = 4});
    EXPECT_EQ(matrix.non_zeros(), std::llround(density * 2000)) << density;
  }
}

TEST(MaskGenerator, BernoulliVariesAroundTheDensity) {
  MaskSpec spec{.kind = PatternKind::kUnstructured, .density = 0.3, .exact = false};
  bool differs = false;
  for (spec.seed = 1; spec.seed <= 5; ++spec.seed) {
    const std::int64_t found = draw(100, 100, spec).non_zeros();
    EXPECT_NEAR(static_cast<double>(found), 3000.0, 5 * std::sqrt(2100.0));
    differs = differs || found != 3000;
  }
  EXPECT_TRUE(differs);
}

TEST(MaskGenerator, UnstructuredIsSpreadEvenly) {
  // Each position is set equally often over many seeds; 5 sigma.
  std::array<int, 20> set{};
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const CodeMatrix matrix =
        draw(4, 5, {.kind = PatternKind::kUnstructured, .density = 0.25, .seed = seed});
    for (std::size_t i = 0; i < set.size(); ++i) set[i] += matrix.codes[i] != 0 ? 1 : 0;
  }
  for (const int times : set) EXPECT_NEAR(times, 1000, 5 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(MaskGenerator, NOfMKeepsNInEveryGroup) {
  const CodeMatrix matrix = draw(16, 70, {.kind = PatternKind::kNOfM, .n = 2, .m = 4, .seed = 5});
  for (std::int64_t row = 0; row < 16; ++row) {
    for (std::int64_t k = 0; k + 4 <= 70; k += 4) EXPECT_EQ(count(matrix, row, k, k + 4), 2);
    EXPECT_EQ(count(matrix, row, 68, 70), 1);  // half of what is left
  }
}

TEST(MaskGenerator, BanksHoldTheSameCount) {
  const CodeMatrix matrix =
      draw(8, 80, {.kind = PatternKind::kBank, .density = 0.3, .bank = 32, .seed = 6});
  for (std::int64_t row = 0; row < 8; ++row) {
    EXPECT_EQ(count(matrix, row, 0, 32), 10);  // round(9.6)
    EXPECT_EQ(count(matrix, row, 32, 64), 10);
    EXPECT_EQ(count(matrix, row, 64, 80), 5);  // round(4.8)
  }
}

TEST(MaskGenerator, SmallGroupsAreSpreadEvenly) {
  // Each of the 10 pairs of 5 places equally often; 5 sigma.
  std::map<std::uint64_t, int> found;
  const MaskMatrix mask = draw_mask(
      100, 500, {.kind = PatternKind::kBank, .density = 0.4, .bank = 5, .seed = 11}, "test");
  for (std::int64_t row = 0; row < 100; ++row) {
    for (std::int64_t k = 0; k < 500; k += 5) ++found[row_bits(mask.row(row), k, 5)];
  }
  EXPECT_EQ(found.size(), 10U);
  for (const auto& [pair, times] : found) {
    EXPECT_EQ(base::popcount(pair), 2);
    EXPECT_NEAR(times, 1000, 5 * std::sqrt(10000 * 0.1 * 0.9));
  }
}

TEST(MaskGenerator, LargeGroupsHoldTheirCountToo) {
  const MaskMatrix mask = draw_mask(
      3, 250, {.kind = PatternKind::kBank, .density = 0.25, .bank = 100, .seed = 12}, "test");
  for (std::int64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(count_row_bits(mask.row(row), 0, 100), 25);
    EXPECT_EQ(count_row_bits(mask.row(row), 100, 200), 25);
    EXPECT_EQ(count_row_bits(mask.row(row), 200, 250), 13);  // round(12.5)
  }
}

TEST(MaskMatrix, SaysWhatTheCodesSay) {
  for (const std::int64_t columns : {1, 7, 63, 64, 65, 200}) {
    const CodeMatrix codes =
        draw(19, columns, {.kind = PatternKind::kUnstructured, .density = 0.4, .exact = false});
    const MaskMatrix mask = mask_of(codes.codes.data(), 19, columns);
    EXPECT_EQ(mask.non_zeros(), codes.non_zeros());
    const std::vector<std::int32_t> counts = mask.column_counts();
    for (std::int64_t c = 0; c < columns; ++c) {
      std::int32_t expected = 0;
      for (std::int64_t r = 0; r < 19; ++r) {
        EXPECT_EQ(mask.test(r, c), codes.at(r, c) != 0);
        expected += codes.at(r, c) != 0 ? 1 : 0;
      }
      EXPECT_EQ(counts[static_cast<std::size_t>(c)], expected);
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(19 * columns), 7);
    copy_as_bytes(mask, bytes.data());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      EXPECT_EQ(bytes[i], codes.codes[i] != 0 ? 1 : 0);
    }
    for (std::int64_t from = 0; from < columns; from += 3) {
      const int length = static_cast<int>(std::min<std::int64_t>(64, columns - from));
      const std::uint64_t bits = row_bits(mask.row(5), from, length);
      for (int i = 0; i < length; ++i) {
        EXPECT_EQ((bits >> i & 1U) != 0, mask.test(5, from + i));
      }
      EXPECT_EQ(count_row_bits(mask.row(5), from, columns), count(codes, 5, from, columns));
    }
  }
}

TEST(MaskMatrix, ValuesCanBeDrawnLater) {
  const MaskSpec spec{.kind = PatternKind::kNOfM, .n = 3, .m = 8, .seed = 5};
  const MaskMatrix mask = draw_mask(20, 90, spec, "test");
  EXPECT_EQ(draw_values(mask, CodeKind::kS8, 5), draw(20, 90, spec));
  EXPECT_EQ(mask_of(draw(20, 90, spec).codes.data(), 20, 90), mask);
}

TEST(MaskMatrix, ValuesCanBeDrawnRowByRow) {
  const MaskMatrix mask =
      draw_mask(20, 90, {.kind = PatternKind::kUnstructured, .density = 0.4, .seed = 6}, "test");
  ValueDraw draw(mask, CodeKind::kS8, 6);
  std::vector<std::uint8_t> all;
  for (const std::int64_t rows : {1, 7, 0, 12}) {
    const std::vector<std::uint8_t> piece = draw.next(rows);
    EXPECT_EQ(piece.size(), static_cast<std::size_t>(rows * 90));
    all.insert(all.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(all, draw_values(mask, CodeKind::kS8, 6).codes);
  EXPECT_THROW((void)draw.next(1), base::InternalError);
}

TEST(MaskGenerator, BlocksAreFullOrEmpty) {
  const CodeMatrix matrix = draw(
      10, 22, {.kind = PatternKind::kBlock, .density = 0.5, .block_k = 4, .block_n = 3, .seed = 7});
  int full = 0;
  for (std::int64_t row = 0; row < 10; row += 3) {
    for (std::int64_t k = 0; k < 22; k += 4) {
      std::int64_t found = 0;
      std::int64_t size = 0;
      for (std::int64_t r = row; r < std::min<std::int64_t>(10, row + 3); ++r) {
        found += count(matrix, r, k, k + 4);
        size += std::min<std::int64_t>(22, k + 4) - k;
      }
      EXPECT_TRUE(found == 0 || found == size) << row << " " << k;
      full += found == size ? 1 : 0;
    }
  }
  EXPECT_EQ(full, 12);  // of 4 x 6 blocks
}

TEST(MaskGenerator, ValuesCoverTheirRangeWithoutZero) {
  std::array<int, 256> s8{};
  for (const std::uint8_t code : draw(200, 200, {.seed = 8}).codes) ++s8[code];
  EXPECT_EQ(s8[0], 0);
  EXPECT_EQ(s8[0x80], 0);  // -128 is not drawn
  for (int code = 1; code < 256; ++code) {
    if (code == 0x80) continue;
    EXPECT_GT(s8[static_cast<std::size_t>(code)], 0) << code;
  }
  std::array<int, 256> u8{};
  for (const std::uint8_t code : draw(200, 200, {.seed = 8}, CodeKind::kU8).codes) ++u8[code];
  EXPECT_EQ(u8[0], 0);
  for (int code = 1; code < 256; ++code) EXPECT_GT(u8[static_cast<std::size_t>(code)], 0) << code;
}

TEST(MaskGenerator, TheMaskDoesNotDependOnTheValues) {
  const MaskSpec spec{.kind = PatternKind::kUnstructured, .density = 0.4, .seed = 9};
  const CodeMatrix s8 = draw(30, 30, spec);
  const CodeMatrix u8 = draw(30, 30, spec, CodeKind::kU8);
  for (std::size_t i = 0; i < s8.codes.size(); ++i) {
    EXPECT_EQ(s8.codes[i] != 0, u8.codes[i] != 0);
  }
}

/// Seeds in workload files mean the same bytes everywhere and for ever; a change here changes
/// results.
TEST(MaskGenerator, BytesAreFixed) {
  const auto hash = [](const MaskSpec& spec) {
    const CodeMatrix matrix = draw(33, 65, spec);
    return base::hash_bytes(matrix.codes.data(), matrix.codes.size());
  };
  EXPECT_EQ(hash({.kind = PatternKind::kDense, .seed = 1}), 4018004816794445763ULL);
  EXPECT_EQ(hash({.kind = PatternKind::kUnstructured, .density = 0.3, .seed = 1}),
            16192544602366514932ULL);
  EXPECT_EQ(hash({.kind = PatternKind::kNOfM, .n = 1, .m = 4, .seed = 1}), 15835183258289861576ULL);
  EXPECT_EQ(hash({.kind = PatternKind::kBank, .density = 0.5, .bank = 32, .seed = 1}),
            653962855248396151ULL);
  EXPECT_EQ(
      hash({.kind = PatternKind::kBlock, .density = 0.5, .block_k = 4, .block_n = 4, .seed = 1}),
      16442782734012849922ULL);
}

TEST(MaskGenerator, SizesAreBounded) {
  EXPECT_THROW((void)draw(0, 5, {}), base::UserError);
  EXPECT_THROW((void)draw(std::int64_t{1} << 40, std::int64_t{1} << 40, {}), base::UserError);
}

TEST(MaskGenerator, InconsistentSpecsAreOurBug) {
  EXPECT_THROW((void)draw(2, 2, {.kind = PatternKind::kNOfM, .n = 3, .m = 2}), base::InternalError);
  EXPECT_THROW((void)draw(2, 2, {.kind = PatternKind::kBank, .density = 0.5}), base::InternalError);
  EXPECT_THROW((void)draw(2, 2, {.kind = PatternKind::kUnstructured, .density = 1.5}),
               base::InternalError);
}

TEST(MaskGenerator, SpecsDescribeThemselves) {
  EXPECT_EQ((MaskSpec{.kind = PatternKind::kUnstructured, .density = 0.3, .seed = 1}).text(),
            "unstructured, density 0.3, seed 1");
  EXPECT_EQ((MaskSpec{.kind = PatternKind::kNOfM, .n = 2, .m = 4, .seed = 1}).text(),
            "2:4, seed 1");
}

}  // namespace
}  // namespace lacuna::tensor
