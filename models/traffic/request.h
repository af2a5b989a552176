// SPDX-License-Identifier: Apache-2.0
//
// What a memory is asked for, and where requests come from: one at a time, so that a trace of any
// length takes no memory.
#pragma once

#include <cstdint>

#include "base/cycles.h"

namespace lacuna::traffic {

using base::Cycle;

struct Request {
  Cycle scheduled = 0;        ///< when it should arrive, cycles of the memory's command clock
  std::uint64_t address = 0;  ///< inside the memory, with all its bytes
  std::int64_t bytes = 0;     ///< 1..kMaxRequestBytes
  bool is_write = false;

  friend bool operator==(const Request&, const Request&) = default;
};

inline constexpr std::int64_t kMaxRequestBytes = std::int64_t{1} << 24;
/// Times beyond this are refused: far from overflow whatever is added.
inline constexpr Cycle kMaxScheduled = std::int64_t{1} << 52;

class RequestSource {
 public:
  virtual ~RequestSource() = default;
  /// The next request, in order of `scheduled`; false at the end. UserError: bad input.
  virtual bool next(Request& request) = 0;
};

}  // namespace lacuna::traffic
