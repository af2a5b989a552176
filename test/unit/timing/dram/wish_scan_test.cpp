// SPDX-License-Identifier: Apache-2.0
//
// Do the vector versions find what a plain loop finds?
#include "timing/dram/wish_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"

namespace lacuna::timing::dram {
namespace {

std::uint64_t plain(const WishScan& scan) {
  std::uint64_t least = kNoWish;
  for (int bank = 0; bank < scan.ranks * scan.banks_per_rank; ++bank) {
    if (scan.tags[bank] == kNoWish) continue;
    const std::int64_t time =
        std::max({scan.ready[bank], scan.rank_ready[bank / scan.banks_per_rank], scan.floor});
    const std::int64_t wait = std::min(time - scan.floor, scan.longest_wait);
    least = std::min(least, static_cast<std::uint64_t>(wait) << static_cast<unsigned>(kTagBits) |
                                scan.tags[bank]);
  }
  return least;
}

TEST(WishScan, VectorsFindWhatAPlainLoopFinds) {
  std::vector<LeastKey> versions;
  if (pick_least_key() != nullptr) versions.push_back(pick_least_key());
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") != 0) versions.push_back(avx2::least_key);
#endif
  if (versions.empty()) GTEST_SKIP() << "no vectors on this machine";
  base::Rng rng(5);
  for (int round = 0; round < 5000; ++round) {
    const int ranks = static_cast<int>(rng.range(1, 4));
    const int per_rank = 8 << rng.range(0, 2);
    const auto banks = static_cast<std::size_t>(ranks * per_rank);
    const std::int64_t floor = rng.range(0, 1'000'000'000'000);
    const double wished = round % 10 == 0 ? 0.0 : rng.uniform();
    const std::int64_t reach = round % 3 == 0 ? 4 : 100'000;  // ties; waits beyond the longest
    std::vector<std::int64_t> ready(banks);
    std::vector<std::uint64_t> tags(banks, kNoWish);
    std::vector<std::int64_t> rank_ready;
    for (std::size_t bank = 0; bank < banks; ++bank) {
      ready[bank] = floor + rng.range(-reach, reach);
      if (rng.bernoulli(wished)) {
        tags[bank] = rng.below(std::uint64_t{1} << (round % 2 == 0 ? 12 : 39)) << 9U | bank;
      }
    }
    for (int rank = 0; rank < ranks; ++rank) rank_ready.push_back(floor + rng.range(-reach, reach));
    const WishScan scan{ready.data(), tags.data(), rank_ready.data(), ranks, per_rank,
                        floor,        32'767};
    for (const LeastKey version : versions) ASSERT_EQ(version(scan), plain(scan)) << round;
  }
}

}  // namespace
}  // namespace lacuna::timing::dram
