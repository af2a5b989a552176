// SPDX-License-Identifier: Apache-2.0
#include "timing/vector/vector_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/rng.h"

namespace lacuna::timing::vector {
namespace {

using params::Op;
using params::VectorParams;
using params::VectorWork;

/// Clocks the row schedule of docs/reference/vector.md beat by beat: groups of rows, pass by pass,
/// a pass of a row not before the reduction of its pass before is known.
struct Played {
  base::Cycle cycles = 0;
  base::Cycle stalled = 0;
};
Played play_rows(std::int64_t rows, std::int64_t beats, const std::vector<base::Cycle>& gaps) {
  Played played;
  base::Cycle now = 0;
  for (std::int64_t first = 0; first < rows; first += kVectorRowsInFlight) {
    const std::int64_t size = std::min(kVectorRowsInFlight, rows - first);
    std::vector<base::Cycle> ready(static_cast<std::size_t>(size), now);
    for (std::size_t pass = 0; pass <= gaps.size(); ++pass) {
      for (auto& row_ready : ready) {
        while (now < row_ready) {
          ++now;
          ++played.stalled;
        }
        now += beats;
        if (pass < gaps.size()) row_ready = now + gaps[pass];
      }
    }
  }
  played.cycles = now;
  return played;
}

TEST(VectorModel, ElementWiseTakesOnePass) {
  const VectorTime time = vector_time({Op::kAdd, 1, 100, 1}, VectorParams{.lanes = 16});
  EXPECT_EQ(time.cycles, 7 + kVectorPipeline);
  EXPECT_EQ(time.activity.beats, 7);
  EXPECT_EQ(time.activity.element_ops, 100);
  EXPECT_EQ(time.activity.codes_read, 200);
  EXPECT_EQ(time.activity.codes_written, 100);
  EXPECT_EQ(time.activity.table_lookups, 0);
  EXPECT_EQ(vector_time({Op::kLookup, 1, 100, 1}, {.lanes = 16}).activity.table_lookups, 100);
}

TEST(VectorModel, PartialSumsTakeABeatAPartAndOneToRequantize) {
  const VectorTime time = partial_sum_time(3, 20, 4, VectorParams{.lanes = 16});
  EXPECT_EQ(time.activity.beats, 3 * (4 + 1) * 2);
  EXPECT_EQ(time.cycles, 30 + kVectorPipeline);
  EXPECT_EQ(time.activity.element_ops, 60 * 5);
  EXPECT_EQ(time.activity.codes_read, 60 * 4 * 4);
  EXPECT_EQ(time.activity.codes_written, 60);
}

TEST(VectorModel, PoolsTakeACyclePerWindowElement) {
  const VectorTime pooled = vector_time({Op::kMaxPool, 16, 32, 4}, VectorParams{.lanes = 16});
  EXPECT_EQ(pooled.activity.beats, 16 * 4 * 2);
  EXPECT_EQ(pooled.cycles, 128 + kVectorPipeline);
  EXPECT_EQ(pooled.activity.codes_read, 16 * 32 * 4);
  const VectorTime average = vector_time({Op::kAveragePool, 1, 64, 16}, VectorParams{.lanes = 16});
  EXPECT_EQ(average.activity.beats, 17 * 4);
  EXPECT_EQ(average.activity.codes_written, 64);
}

TEST(VectorModel, WorkedExampleOfTheDocument) {
  const VectorTime time = vector_time({Op::kLayerNorm, 16, 64, 1}, VectorParams{.lanes = 16});
  EXPECT_EQ(time.activity.beats, 192);
  EXPECT_EQ(time.stalled, 176);
  EXPECT_EQ(time.cycles, 394);
  EXPECT_EQ(time.activity.divisions, 16 * 64 + 16);
  EXPECT_EQ(time.activity.square_roots, 16);
}

TEST(VectorModel, NoWorkTakesNoTime) {
  EXPECT_EQ(vector_time({Op::kFlatten, 0, 0, 0}, {}).cycles, 0);
  EXPECT_EQ(vector_time({Op::kSoftmax, 0, 16, 1}, {}).cycles, 0);
}

TEST(VectorModel, EngineOpsAreRefused) {
  EXPECT_THROW((void)vector_time({Op::kLinear, 1, 1, 1}, {}), base::InternalError);
}

TEST(VectorModel, ReductionGrowsWithTheTree) {
  EXPECT_EQ(vector_reduction_latency({.lanes = 1}), kVectorPipeline);
  EXPECT_EQ(vector_reduction_latency({.lanes = 16}), kVectorPipeline + 4);
  EXPECT_EQ(vector_reduction_latency({.lanes = 17}), kVectorPipeline + 5);
}

/// The closed form against the played schedule, for random jobs.
TEST(VectorModel, RowScheduleEqualsThePlayedOne) {
  base::Rng rng(20261121);
  for (int trial = 0; trial < 3000; ++trial) {
    const VectorParams params{.lanes = static_cast<int>(rng.range(1, 64))};
    const std::int64_t rows = rng.range(1, 40);
    const std::int64_t columns = rng.range(1, 300);
    const std::int64_t beats = (columns + params.lanes - 1) / params.lanes;
    const base::Cycle reduction = vector_reduction_latency(params);
    const bool norm = rng.bernoulli(0.5);
    const Played played = play_rows(
        rows, beats,
        norm ? std::vector<base::Cycle>{reduction, reduction + kVectorDivider + kVectorSqrt}
             : std::vector<base::Cycle>{reduction, reduction});
    const VectorTime time =
        vector_time({norm ? Op::kLayerNorm : Op::kSoftmax, rows, columns, 1}, params);
    ASSERT_EQ(time.cycles, played.cycles + kVectorPipeline + kVectorDivider)
        << "trial " << trial << ": " << rows << " x " << columns << ", lanes " << params.lanes;
    ASSERT_EQ(time.stalled, played.stalled);
    ASSERT_EQ(time.activity.beats, 3 * rows * beats);
  }
}

TEST(VectorModel, ActivityAddsUp) {
  const VectorParams params{.lanes = 8};
  VectorActivity sum = vector_time({Op::kSoftmax, 8, 20, 1}, params).activity;
  sum += vector_time({Op::kSoftmax, 4, 20, 1}, params).activity;
  EXPECT_EQ(sum, vector_time({Op::kSoftmax, 12, 20, 1}, params).activity);
}

TEST(VectorModel, CopiesAndProductsOfTheNewOps) {
  const VectorParams lanes16{.lanes = 16};
  for (const Op op : {Op::kConcat, Op::kSlice, Op::kUpsample, Op::kEmbedding, Op::kMultiply}) {
    const VectorTime time = vector_time({op, 1, 100, 1}, lanes16);
    EXPECT_EQ(time.cycles, 7 + kVectorPipeline);
    EXPECT_EQ(time.activity.codes_read, op == Op::kMultiply ? 200 : 100);
  }
  EXPECT_EQ(vector_time({Op::kRotary, 1, 100, 1}, lanes16).cycles, 13 + kVectorPipeline);
  EXPECT_EQ(vector_time({Op::kDepthwise, 10, 40, 9}, lanes16).cycles,
            10 * (9 + 1) * 3 + kVectorPipeline);
}

TEST(VectorModel, RmsNormIsTwoPasses) {
  const VectorParams lanes16{.lanes = 16};
  const base::Cycle gap = vector_reduction_latency(lanes16) + kVectorDivider + kVectorSqrt;
  for (const std::int64_t rows : {1, 4, 5, 9}) {
    const VectorTime time = vector_time({Op::kRmsNorm, rows, 80, 1}, lanes16);
    const Played played = play_rows(rows, 5, {gap});
    EXPECT_EQ(time.cycles, played.cycles + kVectorPipeline + kVectorDivider) << rows;
    EXPECT_EQ(time.stalled, played.stalled) << rows;
    EXPECT_EQ(time.activity.square_roots, rows);
  }
}

TEST(VectorModel, CausalSoftmaxGoesThroughWhatItSees) {
  const VectorParams lanes16{.lanes = 16};
  const base::Cycle reduction = vector_reduction_latency(lanes16);
  // 3 tokens of 6 heads; they see 31, 32 and (of 33 possible) 32 columns.
  const VectorWork work{Op::kSoftmax, 18, 32, 1, 31, 6};
  Played sum;
  for (const std::int64_t beats : {2, 2, 2}) {
    const Played played = play_rows(6, beats, {reduction, reduction});
    sum.cycles += played.cycles;
    sum.stalled += played.stalled;
  }
  const VectorTime time = vector_time(work, lanes16);
  EXPECT_EQ(time.cycles, sum.cycles + kVectorPipeline + kVectorDivider);
  EXPECT_EQ(time.stalled, sum.stalled);
  EXPECT_EQ(time.activity.element_ops, 3 * 6 * (31 + 32 + 32));
  EXPECT_EQ(time.activity.codes_written, 18 * 32);
  // One visible column costs one beat a pass.
  EXPECT_EQ(vector_time({Op::kSoftmax, 6, 1000, 1, 1, 6}, lanes16).activity.beats, 3 * 6);
}

}  // namespace
}  // namespace lacuna::timing::vector
