// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/wish_scan.h"

namespace lacuna::timing::dram {

LeastKey pick_least_key() {
#ifdef LACUNA_DRAM_VECTORS
  if (__builtin_cpu_supports("avx512f") != 0) return avx512::least_key;
  if (__builtin_cpu_supports("avx2") != 0) return avx2::least_key;
#endif
  return nullptr;
}

}  // namespace lacuna::timing::dram
