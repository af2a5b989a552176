// SPDX-License-Identifier: Apache-2.0
//
// The look through all banks for the earliest wish of a kind, four banks at a time where the
// machine has AVX2. Plain data only: the AVX2 translation unit is compiled with other flags than
// the rest, so it must not instantiate inline functions that others share.
#pragma once

#include <cstdint>

namespace lacuna::timing::dram {

struct WishScan {
  const std::int64_t* ready;        ///< by bank: earliest cycle
  const std::uint64_t* tags;        ///< by bank; kNoWish: none
  const std::int64_t* rank_floors;  ///< by rank, at least `floor`
  int ranks;
  int banks_per_rank;  ///< a multiple of kScanStep
  std::int64_t floor;
  std::int64_t longest_wait;  ///< waits are cut here, below 2^15
  int tag_bits;               ///< a key is the wait above the tag
};
inline constexpr int kScanStep = 4;
inline constexpr std::uint64_t kNoWish = ~std::uint64_t{0} >> 1U;

/// Whether least_key() may be called.
[[nodiscard]] bool can_scan();

namespace avx2 {
/// The smallest key of all banks; kNoWish if none has a wish.
[[nodiscard]] std::uint64_t least_key(const WishScan& scan);
}  // namespace avx2

}  // namespace lacuna::timing::dram
