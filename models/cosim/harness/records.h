// SPDX-License-Identifier: Apache-2.0
//
// What the driver of an engine hands out.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "cosim/rtl_abi.h"

namespace lacuna::cosim::harness {

/// What one pass produced; lacuna_rtl_result points into it.
struct PassRecord {
  std::vector<std::uint64_t> group_end, drain_end;
  std::vector<std::uint32_t> issue, mask, mac;
  std::vector<std::uint64_t> issue_offset, mask_offset, mac_offset;
  std::vector<std::uint8_t> outputs;
  std::vector<std::int32_t> psum_out;
  std::uint64_t length = 0;
  std::uint64_t start = 0;  // absolute
  std::uint64_t load_weights = 0, load_block = 0;
  std::uint64_t cycles = 0;
  lacuna_rtl_counters counters{};
};

/// Where a call failed: in which cycle of the pass that was started last.
struct FailurePlace {
  bool known = false;
  std::uint64_t pass = 0;   // of the call
  std::uint64_t start = 0;  // of the pass, counted from the first
  std::uint64_t cycle = 0;  // of the pass
};

/// A call that failed because nothing came, not because of what came: no cycle is to blame.
class Hang : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace lacuna::cosim::harness
