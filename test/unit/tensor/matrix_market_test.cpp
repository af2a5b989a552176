// SPDX-License-Identifier: Apache-2.0
#include "tensor/matrix_market.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "support/temp_dir.h"

namespace lacuna::tensor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SparsePattern parse(std::string_view text) { return parse_matrix_market(text, "m.mtx"); }

std::string error_of(std::string_view text) {
  try {
    (void)parse(text);
  } catch (const base::UserError& error) {
    return error.what();
  }
  return {};
}

TEST(MatrixMarket, CoordinatePattern) {
  const SparsePattern pattern = parse(
      "%%MatrixMarket matrix coordinate pattern general\n% a comment\n\n%another\n2 3 3\n2 3\n1 1\n"
      "2 1\n");
  EXPECT_EQ(pattern.rows, 2);
  EXPECT_EQ(pattern.columns, 3);
  EXPECT_THAT(pattern.row_offsets, ElementsAre(0, 1, 3));
  EXPECT_THAT(pattern.column_indices, ElementsAre(0, 0, 2));
  EXPECT_THAT(pattern.values, IsEmpty());
}

TEST(MatrixMarket, CoordinateIntegerKeepsValuesAndDropsZeros) {
  const SparsePattern pattern =
      parse("%%matrixmarket MATRIX Coordinate Integer General\n2 2 3\n1 2 -128\n2 1 127\n2 2 0\n");
  EXPECT_THAT(pattern.values, ElementsAre(-128, 127));
  EXPECT_THAT(pattern.row_offsets, ElementsAre(0, 1, 2));
  const CodeMatrix codes = to_codes(pattern, CodeKind::kS8, 0, "m.mtx");
  EXPECT_EQ(codes.at(0, 1), -128);
  EXPECT_EQ(codes.at(1, 0), 127);
  EXPECT_EQ(codes.non_zeros(), 2);
  EXPECT_THROW((void)to_codes(pattern, CodeKind::kU8, 0, "m.mtx"), base::UserError);
}

TEST(MatrixMarket, RealCountsOnlyWhereItIsNotZero) {
  const SparsePattern pattern = parse(
      "%%MatrixMarket matrix coordinate real general\n2 2 4\n1 1 1e-9\n1 2 0.0\n2 1 -3\n2 2 "
      "+1.5e3\n");
  EXPECT_THAT(pattern.column_indices, ElementsAre(0, 0, 1));
  EXPECT_THAT(pattern.values, IsEmpty());
}

TEST(MatrixMarket, SymmetryIsUnfolded) {
  const SparsePattern pattern =
      parse("%%MatrixMarket matrix coordinate integer symmetric\n2 2 2\n1 1 5\n2 1 7\n");
  EXPECT_THAT(pattern.column_indices, ElementsAre(0, 1, 0));
  EXPECT_THAT(pattern.values, ElementsAre(5, 7, 7));
  const SparsePattern skew =
      parse("%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n2 1 7\n");
  EXPECT_THAT(skew.values, ElementsAre(-7, 7));
}

TEST(MatrixMarket, ArraysRunDownTheColumns) {
  const SparsePattern pattern =
      parse("%%MatrixMarket matrix array integer general\n2 3\n1\n2\n0\n4\n5\n0\n");
  const CodeMatrix codes = to_codes(pattern, CodeKind::kS8, 0, "m.mtx");
  EXPECT_EQ(codes.at(0, 0), 1);
  EXPECT_EQ(codes.at(1, 0), 2);
  EXPECT_EQ(codes.at(0, 1), 0);
  EXPECT_EQ(codes.at(1, 1), 4);
  EXPECT_EQ(codes.at(0, 2), 5);
  const SparsePattern symmetric =
      parse("%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n3\n");
  EXPECT_THAT(symmetric.values, ElementsAre(1, 2, 2, 3));
  const SparsePattern skew = parse("%%MatrixMarket matrix array integer skew-symmetric\n2 2\n3\n");
  EXPECT_THAT(skew.values, ElementsAre(-3, 3));
}

TEST(MatrixMarket, BannerErrors) {
  EXPECT_THAT(error_of("2 2 1\n"), HasSubstr("m.mtx:1:1: not a MatrixMarket file"));
  EXPECT_THAT(error_of(""), HasSubstr("not a MatrixMarket file"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate real\n"),
              HasSubstr("the first line must be"));
  EXPECT_THAT(error_of("%%MatrixMarket vector coordinate real general\n"),
              HasSubstr("the first line must be"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix sparse real general\n"),
              HasSubstr("format 'sparse' is not coordinate or array"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate complex general\n"),
              HasSubstr("values 'complex' are not supported"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate real hermitian\n"),
              HasSubstr("symmetry 'hermitian' is not supported"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix array pattern general\n1 1\n"),
              HasSubstr("an array of pattern values does not exist"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate pattern skew-symmetric\n1 1 0\n"),
              HasSubstr("a skew-symmetric pattern does not exist"));
}

TEST(MatrixMarket, EntryErrorsHaveAPlace) {
  const std::string integer = "%%MatrixMarket matrix coordinate integer general\n";
  EXPECT_EQ(error_of(integer + "2 2 1\n3 1 4\n"), "m.mtx:3:1: a row index is 3, outside 1..2");
  EXPECT_EQ(error_of(integer + "2 2 1\n1 0 4\n"), "m.mtx:3:3: a column index is 0, outside 1..2");
  EXPECT_EQ(error_of(integer + "2 2 1\n1 1 200\n"),
            "m.mtx:3:5: an integer value (an int8 code) is 200, outside -128..127");
  EXPECT_EQ(error_of(integer + "2 2 1\n1 1 1.5\n"),
            "m.mtx:3:5: '1.5' is not an integer; an integer value (an int8 code) is expected");
  EXPECT_EQ(error_of(integer + "2 2 2\n1 1 1\n1 1 2\n"), "m.mtx: entry (1, 1) appears twice");
  EXPECT_EQ(error_of(integer + "2 2 1\n1 1 1\n2 2 2\n"),
            "m.mtx:4:1: there is more in the file than the header says");
  EXPECT_THAT(error_of(integer + "2 2 2\n1 1 1\n"), HasSubstr("the file is too short for that"));
  const std::string symmetric = "%%MatrixMarket matrix coordinate real symmetric\n";
  EXPECT_THAT(error_of(symmetric + "2 3 0\n"), HasSubstr("must be square, not 2 x 3"));
  EXPECT_THAT(error_of(symmetric + "2 2 1\n1 2 1\n"), HasSubstr("lies above the diagonal"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 1\n"),
              HasSubstr("the diagonal of a skew-symmetric matrix is not stored"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 nan\n"),
              HasSubstr("is not a number (nan)"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1,5\n"),
              HasSubstr("'1,5' is not a number"));
}

TEST(MatrixMarket, WildClaimsAreRefusedBeforeAllocating) {
  EXPECT_THAT(
      error_of("%%MatrixMarket matrix coordinate pattern general\n2 2 1000000000000\n1 1\n"),
      HasSubstr("the header claims 1000000000000 entries, but the file is too short"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix array real general\n2000000 2000000\n1\n"),
              HasSubstr("needs 4000000000000 values, but the file is too short"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate pattern general\n2147483647 2 0\n"),
              HasSubstr("rows are more than the"));
  EXPECT_THAT(error_of("%%MatrixMarket matrix coordinate pattern general\n99999999999 2 0\n"),
              HasSubstr("outside 1..2147483647"));
}

TEST(MatrixMarket, ReadsFiles) {
  const test::TempDir folder;
  const std::string path =
      folder.write("a.mtx", "%%MatrixMarket matrix coordinate pattern general\r\n1 1 1\r\n1 1\r\n");
  EXPECT_EQ(read_matrix_market(path).non_zeros(), 1);
  EXPECT_THROW((void)read_matrix_market(folder.file("none.mtx")), base::UserError);
}

TEST(MatrixMarket, RandomDamageNeverCrashes) {
  const std::string good =
      "%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 1 4\n2 3 5\n";
  base::Rng rng(13);
  int refused = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    std::string bad = good;
    const std::uint64_t edits = 1 + rng.below(3);
    for (std::uint64_t i = 0; i < edits; ++i) {
      bad[49 + rng.below(bad.size() - 49)] = "0123456789 -%.\nx"[rng.below(16)];
    }
    refused += error_of(bad).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace lacuna::tensor
