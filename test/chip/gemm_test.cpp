// SPDX-License-Identifier: Apache-2.0
//
// One matrix product on a whole chip: are its outputs those of plain arithmetic, however it is cut?
#include <gtest/gtest.h>

#include "support.h"

namespace lacuna::chip {
namespace {

TEST(Gemm, OneTileOneBlock) {
  const RunResult result = run_model(tiny_chip(), gemm(4, 8, 16, 0.5, 0.5));
  EXPECT_EQ(result.layers[0].reference_mismatches, 0);
  EXPECT_GT(result.cycles, 0);
}

TEST(Gemm, SplitInEveryDirection) {
  const RunResult result = run_model(tiny_chip(), gemm(37, 29, 301, 0.6, 0.5));
  const LayerResult& layer = result.layers[0];
  EXPECT_EQ(layer.reference_mismatches, 0);
  EXPECT_GT(layer.splits_m, 1);
  EXPECT_GT(layer.splits_k, 1);
  EXPECT_GT(layer.splits_n, 1);
  EXPECT_GT(result.met.at("partial_sums"), 0);
}

TEST(Gemm, OnTheReferenceChip) {
  const RunResult result = run_model(params::ChipParams{}, gemm(128, 256, 1152, 0.2, 0.4));
  EXPECT_EQ(result.layers[0].reference_mismatches, 0);
}

}  // namespace
}  // namespace lacuna::chip
