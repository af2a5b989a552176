// SPDX-License-Identifier: Apache-2.0
#include "tensor/smtx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "support/temp_dir.h"

namespace lacuna::tensor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    (void)parse_smtx(text, "m.smtx");
  } catch (const base::UserError& error) {
    return error.what();
  }
  return {};
}

TEST(Smtx, ReadsThePattern) {
  const SparsePattern pattern = parse_smtx("3, 4, 5\n0 2 2 5 \n3 0 1 2 3 \n", "m.smtx");
  EXPECT_EQ(pattern.rows, 3);
  EXPECT_EQ(pattern.columns, 4);
  EXPECT_THAT(pattern.row_offsets, ElementsAre(0, 2, 2, 5));
  EXPECT_THAT(pattern.column_indices, ElementsAre(0, 3, 1, 2, 3));  // sorted within rows
  EXPECT_TRUE(pattern.values.empty());
  EXPECT_DOUBLE_EQ(pattern.density(), 5.0 / 12.0);
}

TEST(Smtx, ReadsFilesAndWindowsLineEnds) {
  const test::TempDir folder;
  EXPECT_EQ(read_smtx(folder.write("a.smtx", "1,2,1\r\n0 1\r\n1\r\n")).non_zeros(), 1);
  EXPECT_THROW((void)read_smtx(folder.file("none.smtx")), base::UserError);
}

TEST(Smtx, AnEmptyMatrixIsFine) { EXPECT_EQ(parse_smtx("2, 2, 0\n0 0 0\n\n", "m").non_zeros(), 0); }

TEST(Smtx, ValuesAreDrawnByTheSeed) {
  const SparsePattern pattern = parse_smtx("2, 3, 3\n0 1 3\n2 0 1\n", "m.smtx");
  const CodeMatrix a = to_codes(pattern, CodeKind::kS8, 5, "m.smtx");
  EXPECT_EQ(a, to_codes(pattern, CodeKind::kS8, 5, "m.smtx"));
  EXPECT_NE(a, to_codes(pattern, CodeKind::kS8, 6, "m.smtx"));
  EXPECT_EQ(a.non_zeros(), 3);
  EXPECT_EQ(a.at(0, 0), 0);
  EXPECT_NE(a.at(0, 2), 0);
  EXPECT_NE(a.at(1, 0), 0);
}

TEST(Smtx, ErrorsHaveAPlace) {
  EXPECT_EQ(error_of(""), "m.smtx:1:1: the file ends where the number of rows is expected");
  EXPECT_EQ(error_of("x, 4, 5\n"),
            "m.smtx:1:1: 'x' is not an integer; the number of rows is "
            "expected");
  EXPECT_EQ(error_of("2, 4.5, 5\n"),
            "m.smtx:1:4: '4.5' is not an integer; the number of columns is "
            "expected");
  EXPECT_EQ(error_of("0, 4, 0\n0\n"), "m.smtx:1:1: the number of rows is 0, outside 1..2147483647");
  EXPECT_EQ(error_of("2, -4, 0\n0\n"),
            "m.smtx:1:4: the number of columns is -4, outside 1..2147483647");
  EXPECT_EQ(error_of("1, 2, 1\n1 1\n0\n"), "m.smtx:2:1: the first row offset must be 0");
  EXPECT_EQ(error_of("2, 2, 2\n0 2 1\n0 1\n"),
            "m.smtx:2:5: row offset 1 is less than the one before, 2");
  EXPECT_EQ(error_of("2, 2, 3\n0 3 3\n0 1 1\n"),
            "m.smtx:2:3: row 0 has 3 non-zeros, more than the 2 columns");
  EXPECT_EQ(error_of("2, 2, 2\n0 1 1\n0 1\n"),
            "m.smtx:2:5: the last row offset is 1, not the number of non-zeros, 2");
  EXPECT_EQ(error_of("1, 2, 1\n0 2\n0\n"), "m.smtx:2:3: a row offset is 2, outside 0..1");
  EXPECT_EQ(error_of("1, 2, 1\n0 1\n2\n"), "m.smtx:3:1: a column index is 2, outside 0..1");
  EXPECT_EQ(error_of("1, 3, 2\n0 2\n1 1\n"), "m.smtx:3:3: column 1 appears twice in row 0");
  EXPECT_EQ(error_of("1, 2, 2\n0 2\n0\n"),
            "m.smtx:4:1: the file ends where a column index is expected");
  EXPECT_EQ(error_of("1, 2, 1\n0 1\n0\n7\n"),
            "m.smtx:4:1: there is more in the file than the header says");
}

TEST(Smtx, WildClaimsAreRefusedBeforeAllocating) {
  EXPECT_THAT(error_of("2, 4, 1000000000000\n0 1 2\n0 1\n"),
              HasSubstr("the header claims 2 rows and 1000000000000 non-zeros, but the file is too "
                        "short for that: truncated?"));
  EXPECT_THAT(error_of("2000000000, 4, 1\n0\n"), HasSubstr("too short for that"));
  EXPECT_THAT(error_of("1, 4, 9223372036854775807\n0\n"), HasSubstr("too short for that"));
  EXPECT_THAT(error_of("1, 4, 9223372036854775808\n0\n"), HasSubstr("outside 0.."));
}

TEST(Smtx, AHugeDenseFormIsRefused) {
  const SparsePattern pattern = parse_smtx("2, 2147483647, 0\n0 0 0\n", "m.smtx");
  try {
    (void)to_codes(pattern, CodeKind::kS8, 0, "m.smtx");
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("m.smtx: a dense matrix of 2 x 2147483647 is more than"));
  }
}

TEST(Smtx, RandomDamageNeverCrashes) {
  const std::string good = "3, 4, 5\n0 2 2 5 \n0 3 1 2 3 \n";
  base::Rng rng(12);
  int refused = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    std::string bad = good;
    const std::uint64_t edits = 1 + rng.below(3);
    for (std::uint64_t i = 0; i < edits; ++i) {
      bad[rng.below(bad.size())] = "0123456789 -,.\nx"[rng.below(16)];
    }
    refused += error_of(bad).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace lacuna::tensor
