// SPDX-License-Identifier: Apache-2.0
//
// Foreign weights into a known network: the workload says the layers and their shapes, a source
// (weight_source.h) holds the weights, a map (import_map.h) says which is which. The result is a
// trace whose masks, and values where the source has any, are the real ones. Inputs and drawn
// activations stay as the workload has them; bias, multiplier and shift are chosen as for a
// statistic (docs/reference/workload.md), because foreign weights come without activation scales.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lacuna::trace {

struct ImportOptions {
  std::string workload;                 ///< file
  std::vector<std::string> parameters;  ///< of the workload: "name=value"
  std::string weights;                  ///< file or folder
  std::string map;         ///< file, or empty: layer `x` takes the tensor `x` or `x.weight`
  std::string out;         ///< folder
  std::uint64_t seed = 0;  ///< of values that a mask does not have
  bool partial = false;    ///< layers without a foreign tensor keep their weights
};

struct ImportedLayer {
  std::string layer;
  std::string source;  ///< name of the foreign tensor
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t zeros = 0;
  std::int64_t lost = 0;  ///< became zero by quantization
};

struct ImportReport {
  std::string name;  ///< of the workload
  std::vector<ImportedLayer> layers;
  std::vector<std::string> kept;    ///< layers with weights that were not replaced
  std::vector<std::string> unused;  ///< tensors of the source that no layer took
};

/// UserError for every kind of wrong input, with the place in the map or the workload where there
/// is one.
ImportReport import_weights(const ImportOptions& options);

}  // namespace lacuna::trace
