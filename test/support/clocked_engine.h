// SPDX-License-Identifier: Apache-2.0
//
// The sparse engine simulated clock by clock, register by register, straight from sections 2 and 4
// to 6 of docs/reference/engine.md: FIFOs with credits, mask and MAC stages, accumulator banks, the
// drain's state machine. It knows no recurrence and shares no code with models/timing/engine; it
// starts from matrices and builds its own masks and memories. Slow: the oracle of the model's
// tests.
#pragma once

#include <cstdint>
#include <vector>

#include "support/random_pass.h"

namespace lacuna::test {

struct ClockedResult {
  std::int64_t length = 0;
  std::vector<std::int64_t> group_end;
  std::vector<std::int64_t> drain_end;
  std::vector<std::vector<std::int64_t>> issue;       // [way]
  std::vector<std::vector<int>> position;             // [way]
  std::vector<std::vector<int>> group;                // [way]
  std::vector<std::vector<std::int64_t>> mask_stage;  // [way*P + pe]
  std::vector<std::vector<std::int64_t>> mac_stage;   // [way*P + pe]
  timing::engine::Counters counters;
  std::vector<std::uint8_t> outputs;
  std::vector<std::int32_t> psum_out;
  std::vector<std::vector<std::int32_t>> accumulators;  // [token][channel], ways added
};

[[nodiscard]] ClockedResult run_clocked(const RawPass& pass);

}  // namespace lacuna::test
