// SPDX-License-Identifier: Apache-2.0
#ifdef __AVX512F__
#include <immintrin.h>

#include "timing/dram/wish_scan.h"

namespace lacuna::timing::dram::avx512 {

std::uint64_t least_key(const WishScan& scan) {
  constexpr int kLanes = 8;
  const __m512i floor = _mm512_set1_epi64(scan.floor);
  const __m512i longest = _mm512_set1_epi64(scan.longest_wait);
  __m512i best = _mm512_set1_epi64(static_cast<long long>(kNoWish));
  const std::int64_t* ready = scan.ready;
  const std::uint64_t* tags = scan.tags;
  for (int rank = 0; rank < scan.ranks; ++rank) {
    const __m512i rank_floor = _mm512_max_epi64(_mm512_set1_epi64(scan.rank_ready[rank]), floor);
    for (int bank = 0; bank < scan.banks_per_rank; bank += kLanes) {
      const __m512i time = _mm512_max_epi64(_mm512_loadu_si512(ready), rank_floor);
      const __m512i wait = _mm512_min_epi64(_mm512_sub_epi64(time, floor), longest);
      // Without a wish all bits are set, and stay so.
      const __m512i key =
          _mm512_or_si512(_mm512_slli_epi64(wait, kTagBits), _mm512_loadu_si512(tags));
      best = _mm512_min_epi64(best, key);
      ready += kLanes;
      tags += kLanes;
    }
  }
  return static_cast<std::uint64_t>(_mm512_reduce_min_epi64(best));
}

}  // namespace lacuna::timing::dram::avx512
#endif
