// SPDX-License-Identifier: Apache-2.0
//
// A stable 64-bit hash (XXH64, the published algorithm): the same bytes give the same value on
// every machine, so it may appear in result files and cache names. Not cryptographic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lacuna::base {

[[nodiscard]] std::uint64_t hash_bytes(const void* data, std::size_t size, std::uint64_t seed = 0);

[[nodiscard]] inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  return hash_bytes(text.data(), text.size(), seed);
}

/// Order-dependent combination of two hashes.
[[nodiscard]] inline std::uint64_t hash_combine(std::uint64_t first, std::uint64_t second) {
  std::uint64_t z = first * 0x9E3779B97F4A7C15ULL + second;
  z = (z ^ (z >> 32U)) * 0xD6E8FEB86659FD93ULL;
  z = (z ^ (z >> 32U)) * 0xD6E8FEB86659FD93ULL;
  return z ^ (z >> 32U);
}

}  // namespace lacuna::base
