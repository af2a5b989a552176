// SPDX-License-Identifier: Apache-2.0
//
// A foreign weight tensor as the s8 codes of a layer, [n][k] with k in the engine's order (r, s,
// c). Real weights are quantized symmetrically with a scale per output channel (largest magnitude =
// 127, rounded to nearest, ties to even): zeros stay zeros, and what is below half a step becomes
// one. Codes (I8, matrices) are taken as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trace/import_map.h"
#include "trace/weight_source.h"

namespace lacuna::trace {

/// What a layer wants: `n` output channels, and k = rows * columns * channels.
struct WeightShape {
  std::int64_t n = 0;
  std::int64_t kernel_y = 1;
  std::int64_t kernel_x = 1;
  std::int64_t channels = 0;

  [[nodiscard]] std::int64_t k() const { return kernel_y * kernel_x * channels; }
};

struct WeightCodes {
  std::vector<std::int8_t> codes;  ///< n * k
  std::int64_t zeros = 0;
  std::int64_t sum_squares = 0;
  /// Weights that were not zero before they were quantized.
  std::int64_t lost = 0;
};

/// UserError (without a place) when the tensor's shape does not fit, or a value is not finite.
[[nodiscard]] WeightCodes weight_codes(const SourceTensor& source, const MapEntry& entry,
                                       const ImportMap& map, const WeightShape& shape);

}  // namespace lacuna::trace
