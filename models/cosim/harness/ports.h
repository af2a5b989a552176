// SPDX-License-Identifier: Apache-2.0
//
// Access to the ports of a Verilated class, whose C++ types depend on the width: 8 to 64-bit
// integers, or arrays of 32-bit words, little-endian. Verilator does not mask what C++ writes, so
// set() does; a port with dirty upper bits could read beyond a memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace lacuna::cosim::harness {

/// Writes the low `bits` bits of value to an integer port.
template <typename Port>
void set(Port& port, std::uint64_t value, unsigned bits) {
  static_assert(std::is_integral_v<Port>);
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  port = static_cast<Port>(value & mask);
}

/// Copies `bytes` bytes into a port that is exactly that wide.
template <typename Port>
void set_bytes(Port& port, const void* source, std::size_t bytes) {
  std::memcpy(static_cast<void*>(&port), source, bytes < sizeof(Port) ? bytes : sizeof(Port));
}

/// Copies the bytes of a port into a buffer of `bytes` bytes; what the port does not cover is
/// left alone.
template <typename Port>
void get_bytes(const Port& port, void* target, std::size_t bytes) {
  std::memcpy(target, static_cast<const void*>(&port), bytes < sizeof(Port) ? bytes : sizeof(Port));
}

/// Bit i of a packed little-endian vector.
inline bool test_bit(const std::uint8_t* bytes, std::size_t i) {
  return ((bytes[i / 8] >> (i % 8)) & 1) != 0;
}

}  // namespace lacuna::cosim::harness
