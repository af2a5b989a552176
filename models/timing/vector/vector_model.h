// SPDX-License-Identifier: Apache-2.0
//
// Time and activity of the vector unit (docs/reference/vector.md): `lanes` lanes, one element each
// per cycle and pass, a table per lane, a pipelined divider per lane, a reduction tree. A job is a
// params::VectorWork (some output rows of one layer). A pure function of job and parameters.
//
// Timing contract: `cycles` counts from the first element that enters to the last code that leaves,
// operands being in the core's buffer. Moving operands is the DMA's time, not counted here. Jobs do
// not overlap in the unit.
#pragma once

#include <cstdint>

#include "base/cycles.h"
#include "params/chip_params.h"
#include "params/vector_work.h"

namespace lacuna::timing::vector {

/// Constants of the unit, cycles.
inline constexpr base::Cycle kVectorPipeline = 6;  ///< first element in -> first code out, one pass
inline constexpr base::Cycle kVectorDivider = 20;  ///< more for a pass that divides
inline constexpr base::Cycle kVectorSqrt = 26;     ///< integer square root of a row
inline constexpr std::int64_t kVectorRowsInFlight = 4;  ///< rows whose reductions overlap

/// Exact counts; what energy is charged for.
struct VectorActivity {
  std::int64_t beats = 0;          ///< cycles in which elements entered
  std::int64_t element_ops = 0;    ///< lane operations: one per element and pass
  std::int64_t codes_read = 0;     ///< bytes from the operand buffer (first pass; 4 a partial sum)
  std::int64_t row_reads = 0;      ///< bytes from the row buffer (later passes)
  std::int64_t codes_written = 0;  ///< bytes
  std::int64_t table_lookups = 0;
  std::int64_t divisions = 0;
  std::int64_t square_roots = 0;

  VectorActivity& operator+=(const VectorActivity& other);
  friend bool operator==(const VectorActivity&, const VectorActivity&) = default;
};

struct VectorTime {
  base::Cycle cycles = 0;
  base::Cycle stalled = 0;  ///< part of `cycles` in which a pass waited for a reduction
  VectorActivity activity;
};

/// Last element of a row in -> result of its reduction: the pipeline and ceil(log2(lanes)) tree
/// levels.
[[nodiscard]] base::Cycle vector_reduction_latency(const params::VectorParams& vector);

/// Partial sums of `parts` parts of an engine layer's K, for rows x columns outputs: added one part
/// a beat, then bias, multiply, round and clamp.
[[nodiscard]] VectorTime partial_sum_time(std::int64_t rows, std::int64_t columns, int parts,
                                          const params::VectorParams& vector);

/// LACUNA_CHECK for engine ops.
[[nodiscard]] VectorTime vector_time(const params::VectorWork& work,
                                     const params::VectorParams& vector);

}  // namespace lacuna::timing::vector
