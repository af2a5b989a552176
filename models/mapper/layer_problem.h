// SPDX-License-Identifier: Apache-2.0
//
// What the search for a layer's split needs to know, taken from the graph; and the search laid
// open: what was chosen, what else there was.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/activation_statistics.h"
#include "mapper/policies.h"
#include "mapper/search.h"
#include "tensor/mask_matrix.h"
#include "workload/graph.h"

namespace lacuna::mapper {

struct LayerProblem {
  ActivationStatistics statistics;
  std::shared_ptr<const tensor::MaskMatrix> mask;  ///< of the weights; null: made at run time
  WindowTable windows;
  WeightCounts counts;
  SplitProblem problem;
};

/// All that the search depends on but the weights, the chip and the options: cheap to make.
struct LayerQuestion {
  ActivationStatistics statistics;
  SplitProblem problem;
};

/// Of an engine layer.
[[nodiscard]] LayerQuestion layer_question(const workload::Graph& graph,
                                           const params::ChipParams& chip,
                                           const MapOptions& options, const workload::Layer& layer);

/// Whether layers `a` and `b` with these questions have equal weights, shapes and searches: then
/// one split is the best of both, and tiles differ in requantization at most.
[[nodiscard]] bool same_search(const workload::Layer& a, const LayerQuestion& question_a,
                               const workload::Layer& b, const LayerQuestion& question_b);

/// The question with the weights counted.
[[nodiscard]] LayerProblem layer_problem(const params::ChipParams& chip,
                                         const workload::Layer& layer, LayerQuestion question);
[[nodiscard]] LayerProblem layer_problem(const workload::Graph& graph,
                                         const params::ChipParams& chip, const MapOptions& options,
                                         const workload::Layer& layer);

/// The candidates of one layer, the chosen one first, then by prediction.
struct LayerStudy {
  int layer = kNone;
  SplitProblem problem;
  double weight_density = 1.0;
  std::int64_t considered = 0;
  std::vector<Candidate> ranked;
};

/// Keeps the best `keep` of the fine grid; or, on the coarse grid, the choice and all candidates.
/// UserError as choose_split().
[[nodiscard]] LayerStudy study_layer(const workload::Graph& graph, const params::ChipParams& chip,
                                     const MapOptions& options, const workload::Layer& layer,
                                     Grid grid, std::size_t keep);

}  // namespace lacuna::mapper
