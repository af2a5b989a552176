// SPDX-License-Identifier: Apache-2.0
#include "timing/vector/vector_model.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace lacuna::timing::vector {

namespace {

using base::Cycle;
using params::Op;

/// How the rows of a reducing op run: passes over the row, and after each but the last how long its
/// result takes.
struct RowPlan {
  std::int64_t beats = 0;  ///< of a row and pass
  int passes = 1;
  Cycle gaps[2] = {0, 0};
};

/// Rows go through in groups of kVectorRowsInFlight, pass by pass: the first row of the group has
/// its reduction behind it, or the unit waits.
void run_rows(std::int64_t rows, const RowPlan& plan, VectorTime& time) {
  const auto add_groups = [&](std::int64_t groups, std::int64_t size) {
    if (groups == 0) return;
    Cycle stalled = 0;
    for (int pass = 0; pass + 1 < plan.passes; ++pass) {
      stalled += std::max<Cycle>(0, plan.gaps[pass] - (size - 1) * plan.beats);
    }
    const std::int64_t beats = size * plan.beats * plan.passes;
    time.activity.beats += groups * beats;
    time.stalled += groups * stalled;
    time.cycles += groups * (beats + stalled);
  };
  add_groups(rows / kVectorRowsInFlight, kVectorRowsInFlight);
  add_groups(rows % kVectorRowsInFlight > 0 ? 1 : 0, rows % kVectorRowsInFlight);
}

}  // namespace

VectorActivity& VectorActivity::operator+=(const VectorActivity& other) {
  beats += other.beats;
  element_ops += other.element_ops;
  codes_read += other.codes_read;
  row_reads += other.row_reads;
  codes_written += other.codes_written;
  table_lookups += other.table_lookups;
  divisions += other.divisions;
  square_roots += other.square_roots;
  return *this;
}

base::Cycle vector_reduction_latency(const params::VectorParams& vector) {
  const auto levels =
      static_cast<Cycle>(std::bit_width(static_cast<std::uint64_t>(std::max(1, vector.lanes) - 1)));
  return kVectorPipeline + levels;
}

VectorTime partial_sum_time(std::int64_t rows, std::int64_t columns, int parts,
                            const params::VectorParams& vector) {
  LACUNA_CHECK(rows >= 1 && columns >= 1 && parts >= 1, "{} x {} outputs of {} parts", rows,
               columns, parts);
  constexpr std::int64_t kSumBytes = 4;
  VectorTime time;
  const std::int64_t elements = rows * columns;
  time.activity.beats =
      rows * (parts + 1) * base::ceil_div(columns, static_cast<std::int64_t>(vector.lanes));
  time.activity.element_ops = elements * (parts + 1);
  time.activity.codes_read = kSumBytes * elements * parts;
  time.activity.codes_written = elements;
  time.cycles = time.activity.beats + kVectorPipeline;
  return time;
}

VectorTime vector_time(const params::VectorWork& work, const params::VectorParams& vector) {
  LACUNA_CHECK(vector.lanes >= 1, "{} lanes", vector.lanes);
  LACUNA_CHECK(work.rows >= 0 && work.columns >= 0 && work.window >= 0, "negative work");
  VectorTime time;
  if (work.op == Op::kFlatten || work.rows == 0 || work.columns == 0) return time;

  const std::int64_t elements = work.elements();
  const Cycle reduction = vector_reduction_latency(vector);
  const std::int64_t row_beats =
      base::ceil_div(work.columns, static_cast<std::int64_t>(vector.lanes));
  VectorActivity& activity = time.activity;
  activity.codes_read = work.codes_read();
  activity.codes_written = work.codes_written();

  switch (work.op) {
    case Op::kAdd:
    case Op::kMultiply:
    case Op::kLookup:
    case Op::kConcat:
    case Op::kSlice:
    case Op::kUpsample:
    case Op::kEmbedding:
      activity.beats = base::ceil_div(elements, static_cast<std::int64_t>(vector.lanes));
      activity.element_ops = elements;
      activity.table_lookups = work.op == Op::kLookup ? elements : 0;
      time.cycles = activity.beats + kVectorPipeline;
      break;
    case Op::kMaxPool:
      // A lane takes one window element of its channel per cycle.
      activity.beats = work.rows * work.window * row_beats;
      activity.element_ops = elements * work.window;
      time.cycles = activity.beats + kVectorPipeline;
      break;
    case Op::kRotary:
      // Two products for each element, one per beat of a lane.
      activity.beats = base::ceil_div(2 * elements, static_cast<std::int64_t>(vector.lanes));
      activity.element_ops = 2 * elements;
      activity.table_lookups = 2 * elements;
      time.cycles = activity.beats + kVectorPipeline;
      break;
    case Op::kAveragePool:
    case Op::kDepthwise:
      // Each window element as above, and then each sum once through the multiplier.
      activity.beats = work.rows * (work.window + 1) * row_beats;
      activity.element_ops = elements * (work.window + 1);
      time.cycles = activity.beats + kVectorPipeline;
      break;
    case Op::kSoftmax: {
      // Maximum; exponential by table, and sum; division.
      RowPlan plan{row_beats, 3, {reduction, reduction}};
      if (work.visible == 0) {
        run_rows(work.rows, plan, time);
      } else {
        // The rows of a token are equally long; a group does not go beyond a token.
        for (std::int64_t token = 0; token < work.rows / work.rows_per_token; ++token) {
          plan.beats = base::ceil_div(std::min(work.columns, work.visible + token),
                                      static_cast<std::int64_t>(vector.lanes));
          run_rows(work.rows_per_token, plan, time);
        }
      }
      time.cycles += kVectorPipeline + kVectorDivider;
      activity.element_ops = 3 * elements;
      activity.row_reads = 2 * elements;
      activity.table_lookups = elements;
      activity.divisions = elements;
      break;
    }
    case Op::kLayerNorm: {
      // Sum; squares of the differences, then mean and root; normalise, scale.
      const RowPlan plan{row_beats, 3, {reduction, reduction + kVectorDivider + kVectorSqrt}};
      run_rows(work.rows, plan, time);
      time.cycles += kVectorPipeline + kVectorDivider;
      activity.element_ops = 3 * elements;
      activity.row_reads = 2 * elements;
      activity.divisions = elements + work.rows;
      activity.square_roots = work.rows;
      break;
    }
    case Op::kRmsNorm: {
      // Squares, then mean and root; normalise, scale.
      const RowPlan plan{row_beats, 2, {reduction + kVectorDivider + kVectorSqrt, 0}};
      run_rows(work.rows, plan, time);
      time.cycles += kVectorPipeline + kVectorDivider;
      activity.element_ops = 2 * elements;
      activity.row_reads = elements;
      activity.divisions = elements + work.rows;
      activity.square_roots = work.rows;
      break;
    }
    default:
      LACUNA_CHECK(false, "{} is no vector op", params::enum_name(work.op));
  }
  return time;
}

}  // namespace lacuna::timing::vector
