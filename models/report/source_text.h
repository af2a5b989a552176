// SPDX-License-Identifier: Apache-2.0
//
// Where the zeros of a run come from: what the workload's provenance says, and, counted over the
// engine's layers, what of it is captured, drawn from a statistic or computed.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "workload/graph.h"

namespace lacuna::report {

/// One operand of all engine layers.
struct OperandSummary {
  std::int64_t captured = 0;  ///< layers
  std::int64_t drawn = 0;
  std::int64_t computed = 0;
  std::int64_t distinct = 0;  ///< weights: different matrices among those not computed
  double least = 1;           ///< share of zeros of the captured and drawn weights, drawn inputs
  double most = 0;
  double zeros = 0;               ///< over all their elements
  std::set<std::string> sources;  ///< named by statistics ("source:")
};

struct SourceSummary {
  OperandSummary weights;  ///< right operands; computed ones are those of matmul
  OperandSummary inputs;   ///< left operands
};

[[nodiscard]] SourceSummary summarize_sources(const workload::Graph& graph);

/// The lines "Source", "Weights" and "Activations" of a report, each "label, text".
struct SourceLine {
  std::string label;  ///< empty: goes on with the line before
  std::string text;
};
[[nodiscard]] std::vector<SourceLine> source_lines(const workload::Graph& graph);

}  // namespace lacuna::report
