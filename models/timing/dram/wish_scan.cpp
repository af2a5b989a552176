// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/wish_scan.h"

namespace lacuna::timing::dram {

#ifdef LACUNA_DRAM_AVX2
bool can_scan() {
  static const bool supported = __builtin_cpu_supports("avx2") != 0;
  return supported;
}
#else
bool can_scan() { return false; }
namespace avx2 {
std::uint64_t least_key(const WishScan&) { return kNoWish; }
}  // namespace avx2
#endif

}  // namespace lacuna::timing::dram
