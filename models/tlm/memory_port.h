// SPDX-License-Identifier: Apache-2.0
//
// What a unit that moves data sees of the memory system: transfers by address and length. The chip
// puts a TLM-2.0 initiator behind it; tests of a single unit an ideal memory.
#pragma once

#include <cstdint>
#include <span>

namespace lacuna::tlm {

/// Consecutive bytes. Contents are not moved (docs/decisions/0003): addresses and lengths make the
/// timing.
struct Transfer {
  std::uint64_t address = 0;
  std::int64_t bytes = 0;
  /// DRAM reads of a near-memory unit: so many of the bytes leave the memory dies. Negative: an
  /// ordinary transfer.
  std::int64_t crossing = -1;
};

class MemoryPort {
 public:
  virtual ~MemoryPort() = default;
  /// For threads: starts all transfers in order and returns when the last byte of the last one has
  /// arrived (read) or is accepted by the memory (write). At most one call at a time.
  virtual void move(std::span<const Transfer> transfers, bool write) = 0;
};

}  // namespace lacuna::tlm
