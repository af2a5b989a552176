// SPDX-License-Identifier: Apache-2.0
//
// What is in a trace: layers, shapes, and how many zeros there really are, counted, not believed.
// Weights also say how evenly their non-zeros lie: per bank of 32 consecutive k of an output
// channel, against what independent draws of the same density would give.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workload/graph.h"

namespace lacuna::trace {

/// Non-zeros per bank of kBank consecutive k (cut-off banks left out).
struct BankSpread {
  std::int64_t banks = 0;
  double mean = 0;
  double deviation = 0;           ///< standard deviation over the banks
  double binomial_deviation = 0;  ///< of independent draws with this density
  std::int64_t most = 0;
};
inline constexpr int kBank = 32;

struct ZeroCount {
  std::int64_t zeros = 0;
  std::int64_t all = 0;
  [[nodiscard]] double share() const {
    return all > 0 ? static_cast<double>(zeros) / static_cast<double>(all) : 0.0;
  }
};

struct LayerInventory {
  std::string name;
  std::string op;
  workload::Shape input;
  workload::Shape output;
  std::optional<workload::GemmShape> gemm;  ///< engine layers
  std::int64_t macs = 0;                    ///< dense, of one sample
  std::string weights_origin;               ///< "captured" or "statistic"; empty: none
  std::string weights_text;
  std::optional<ZeroCount> weights;
  std::optional<BankSpread> spread;
  std::string activations_origin;
  /// Zeros of the input over all samples, where the trace has it: an input, a statistic, or a layer
  /// with a reference output.
  std::optional<ZeroCount> activations;
  bool expected = false;  ///< has a reference output
};

struct Inventory {
  std::string name;
  std::map<std::string, std::string> provenance;
  std::int64_t samples = 0;
  std::vector<std::string> files;  ///< tensor files, without folders
  std::int64_t file_bytes = 0;
  std::vector<LayerInventory> layers;
  std::int64_t macs = 0;
  ZeroCount weights;      ///< over all layers with weights
  ZeroCount activations;  ///< over all engine layers whose input is known
};

/// Everything was checked when the graph was built; this only counts. Memory: one sample of one
/// value.
[[nodiscard]] Inventory take_inventory(const workload::Graph& graph);

[[nodiscard]] BankSpread bank_spread(const workload::WeightMatrix& weights);

}  // namespace lacuna::trace
