// SPDX-License-Identifier: Apache-2.0
#include "chip/result.h"

namespace lacuna::chip {

std::int64_t RunResult::expect_mismatches() const {
  std::int64_t sum = 0;
  for (const LayerResult& layer : layers) sum += layer.expect_mismatches;
  return sum;
}

}  // namespace lacuna::chip
