// SPDX-License-Identifier: Apache-2.0
//
// XXH64 after its specification (Yann Collet, xxHash, doc/xxhash_spec.md).
#include "base/hash.h"

#include <bit>
#include <cstring>

namespace lacuna::base {

namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9ULL;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;

template <class Word>
Word read_little_endian(const unsigned char* bytes) {
  static_assert(std::endian::native == std::endian::little, "port: swap the bytes here");
  Word word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

std::uint64_t round_step(std::uint64_t accumulator, std::uint64_t lane) {
  return std::rotl(accumulator + lane * kPrime2, 31) * kPrime1;
}

std::uint64_t merge(std::uint64_t accumulator, std::uint64_t lane) {
  return (accumulator ^ round_step(0, lane)) * kPrime1 + kPrime4;
}

}  // namespace

std::uint64_t hash_bytes(const void* data, std::size_t size, std::uint64_t seed) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::size_t left = size;
  std::uint64_t hash = seed + kPrime5;
  if (left >= 32) {
    std::uint64_t lane1 = seed + kPrime1 + kPrime2;
    std::uint64_t lane2 = seed + kPrime2;
    std::uint64_t lane3 = seed;
    std::uint64_t lane4 = seed - kPrime1;
    for (; left >= 32; left -= 32, bytes += 32) {
      lane1 = round_step(lane1, read_little_endian<std::uint64_t>(bytes));
      lane2 = round_step(lane2, read_little_endian<std::uint64_t>(bytes + 8));
      lane3 = round_step(lane3, read_little_endian<std::uint64_t>(bytes + 16));
      lane4 = round_step(lane4, read_little_endian<std::uint64_t>(bytes + 24));
    }
    hash = std::rotl(lane1, 1) + std::rotl(lane2, 7) + std::rotl(lane3, 12) + std::rotl(lane4, 18);
    for (const std::uint64_t lane : {lane1, lane2, lane3, lane4}) hash = merge(hash, lane);
  }
  hash += size;
  for (; left >= 8; left -= 8, bytes += 8) {
    hash ^= round_step(0, read_little_endian<std::uint64_t>(bytes));
    hash = std::rotl(hash, 27) * kPrime1 + kPrime4;
  }
  if (left >= 4) {
    hash ^= read_little_endian<std::uint32_t>(bytes) * kPrime1;
    hash = std::rotl(hash, 23) * kPrime2 + kPrime3;
    left -= 4;
    bytes += 4;
  }
  for (; left > 0; --left, ++bytes) {
    hash ^= *bytes * kPrime5;
    hash = std::rotl(hash, 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33U)) * kPrime2;
  hash = (hash ^ (hash >> 29U)) * kPrime3;
  return hash ^ (hash >> 32U);
}

}  // namespace lacuna::base
