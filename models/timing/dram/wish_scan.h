// SPDX-License-Identifier: Apache-2.0
//
// The look through all banks for the earliest wish of a kind, several banks at a time where the
// machine has AVX2 or AVX-512. Plain data only: their translation units are compiled with other
// flags than the rest, so they must not instantiate inline functions that others share.
#pragma once

#include <cstdint>

namespace lacuna::timing::dram {

struct WishScan {
  const std::int64_t* ready;       ///< by bank: earliest cycle
  const std::uint64_t* tags;       ///< by bank; kNoWish: none
  const std::int64_t* rank_ready;  ///< by rank: earliest cycle
  int ranks;
  int banks_per_rank;         ///< a multiple of kScanStep
  std::int64_t floor;         ///< earliest cycle of all
  std::int64_t longest_wait;  ///< waits from there on are cut here, below 2^15
};
inline constexpr int kTagBits = 48;  ///< a key is the wait above the tag
inline constexpr int kScanStep = 8;
inline constexpr std::uint64_t kNoWish = ~std::uint64_t{0} >> 1U;

/// The smallest key of all banks; kNoWish if none has a wish.
using LeastKey = std::uint64_t (*)(const WishScan&);
/// The fastest for this machine; null: none.
[[nodiscard]] LeastKey pick_least_key();

namespace avx2 {
[[nodiscard]] std::uint64_t least_key(const WishScan& scan);
}  // namespace avx2
namespace avx512 {
[[nodiscard]] std::uint64_t least_key(const WishScan& scan);
}  // namespace avx512

}  // namespace lacuna::timing::dram
