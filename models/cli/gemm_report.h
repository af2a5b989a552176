// SPDX-License-Identifier: Apache-2.0
//
// What `lacuna gemm` prints: the operands, the ideal, and a line per variant of balancing.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workload/graph.h"

namespace lacuna::cli {

/// One simulation of the product.
struct GemmVariant {
  std::string balance;
  nlohmann::ordered_json run;  ///< its report, lacuna-run-1
};

struct GemmOperands {
  std::int64_t m = 0, n = 0, k = 0;
  double weight_density = 0;
  double activation_density = 0;
  workload::Provenance weights;
  workload::Provenance activations;
};

/// Shapes and densities of the one layer of a graph made by build_gemm().
[[nodiscard]] GemmOperands gemm_operands(const workload::Graph& graph);

/// Schema lacuna-gemm-1. `macs`: MACs of the chip.
[[nodiscard]] nlohmann::ordered_json gemm_json(const GemmOperands& operands,
                                               const std::vector<GemmVariant>& variants);

[[nodiscard]] std::string gemm_text(const nlohmann::ordered_json& report);

}  // namespace lacuna::cli
