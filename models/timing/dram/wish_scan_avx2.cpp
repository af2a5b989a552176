// SPDX-License-Identifier: Apache-2.0
#ifdef __AVX2__
#include <immintrin.h>

#include "timing/dram/wish_scan.h"

namespace lacuna::timing::dram::avx2 {

std::uint64_t least_key(const WishScan& scan) {
  constexpr int kLanes = 4;
  const __m256i floor = _mm256_set1_epi64x(scan.floor);
  const __m256i longest = _mm256_set1_epi64x(scan.longest_wait);
  __m256i best = _mm256_set1_epi64x(static_cast<long long>(kNoWish));
  const std::int64_t* ready = scan.ready;
  const std::uint64_t* tags = scan.tags;
  for (int rank = 0; rank < scan.ranks; ++rank) {
    const std::int64_t rank_ready = scan.rank_ready[rank];
    const __m256i rank_floor =
        _mm256_set1_epi64x(rank_ready > scan.floor ? rank_ready : scan.floor);
    for (int bank = 0; bank < scan.banks_per_rank; bank += kLanes) {
      __m256i time = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ready));
      time = _mm256_blendv_epi8(time, rank_floor, _mm256_cmpgt_epi64(rank_floor, time));
      __m256i wait = _mm256_sub_epi64(time, floor);
      wait = _mm256_blendv_epi8(wait, longest, _mm256_cmpgt_epi64(wait, longest));
      // Without a wish all bits are set, and stay so.
      const __m256i key =
          _mm256_or_si256(_mm256_slli_epi64(wait, kTagBits),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tags)));
      best = _mm256_blendv_epi8(best, key, _mm256_cmpgt_epi64(best, key));
      ready += kLanes;
      tags += kLanes;
    }
  }
  std::uint64_t keys[kLanes];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(keys), best);
  std::uint64_t least = keys[0];
  for (int i = 1; i < kLanes; ++i) least = keys[i] < least ? keys[i] : least;
  return least;
}

}  // namespace lacuna::timing::dram::avx2
#endif
