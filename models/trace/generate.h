// SPDX-License-Identifier: Apache-2.0
//
// A workload with other operands. Either statistics become tensors: what `lacuna run` would draw is
// written down, value for value, so that the trace runs to the same cycle. Or tensors become
// statistics of the same density (`match`): what a real network would cost if its zeros lay at
// random.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "params/workload_params.h"

namespace lacuna::trace {

struct GenerateOptions {
  std::string workload;                 ///< file
  std::vector<std::string> parameters;  ///< of the workload: "name=value"
  std::string out;                      ///< folder
  /// Statistic for the weights of all layers, "density=0.3,pattern=2:4" (gemm_source.h); each layer
  /// has a seed of its own, made of `seed` and its index.
  std::string weights;
  /// Statistic for the inputs of all engine layers: "density=0.5".
  std::string activations;
  /// Weights that are tensors become statistics of this pattern with the density that they have.
  std::optional<params::MaskPattern> match;  ///< unstructured, bank or magnitude
  std::uint64_t seed = 0;
  bool statistics_only = false;  ///< leave statistics in the file instead of drawing them
};

struct GeneratedLayer {
  std::string layer;
  std::string weights;  ///< "unstructured, density 0.1, seed 3"; empty: not changed
  double sparsity = 0;
};

struct GenerateReport {
  std::string name;
  std::vector<GeneratedLayer> layers;
};

GenerateReport generate_trace(const GenerateOptions& options);

}  // namespace lacuna::trace
