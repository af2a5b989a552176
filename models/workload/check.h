// SPDX-License-Identifier: Apache-2.0
//
// What a run is judged by: reference outputs of the trace (`expect:`) and the class (`result:`),
// plus a plain dense execution of the whole network that shares nothing with the engine's models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workload/graph.h"
#include "workload/tensor_store.h"

namespace lacuna::workload {

/// Computes an engine layer for one sample the plain way, token by token. An oracle: it knows
/// nothing of tiles, ways or masks.
void run_dense_gemm(const Layer& layer, TensorStore& store, std::int64_t sample);

/// Runs all layers for one sample: engine layers densely, vector layers by vector_ops.
void run_dense(TensorStore& store, std::int64_t sample);

struct ExpectMismatch {
  int layer = 0;
  std::int64_t sample = 0;  ///< in the workload
  std::int64_t index = 0;   ///< of the first difference in the sample, row-major
  int expected = 0;
  int computed = 0;
  std::int64_t differences = 0;  ///< in this layer and sample
};

/// "layer conv1, sample 3: 2 of 512 codes differ, first at [0, 1, 4]: 7 expected, 9 computed".
[[nodiscard]] std::string describe(const Graph& graph, const ExpectMismatch& mismatch);

struct ExpectResult {
  std::int64_t compared = 0;  ///< (layer, sample) pairs
  std::vector<ExpectMismatch> mismatches;
};
/// Compares all samples of the store with every `expect:` tensor of the graph, in order of layers.
/// A layer whose input a statistic replaced, and all that depends on it, can still carry `expect`;
/// it is compared like any other.
[[nodiscard]] ExpectResult check_expected(const TensorStore& store);

/// Index of the largest code of the result layer, the first of equals.
[[nodiscard]] int classify(const TensorStore& store, std::int64_t sample);

struct Accuracy {
  std::int64_t samples = 0;
  std::int64_t correct = 0;
};
/// The graph must have a result.
[[nodiscard]] Accuracy accuracy(const TensorStore& store);

}  // namespace lacuna::workload
