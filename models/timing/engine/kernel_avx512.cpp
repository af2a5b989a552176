// SPDX-License-Identifier: Apache-2.0
//
// The vector versions for AVX-512: as for AVX2, and two ways of 16 PEs at once. Compiled with flags
// of its own, so it includes no header with inline functions that the linker could hand to code
// that must run everywhere.
#include "timing/engine/kernel.h"

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>

#define LACUNA_INLINE __attribute__((always_inline)) inline
#define LACUNA_UNROLL _Pragma("GCC unroll 16")
#define LACUNA_UNROLL_BLOCKS 1  // pays where all of a block's state fits the registers
#define LACUNA_PAIRS 1

namespace lacuna::timing::engine::avx512 {
using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;
// NOLINTBEGIN(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/simd_avx2.h"
//
#include "timing/engine/simd_avx512.h"
//
#include "timing/engine/kernel_body.h"
// NOLINTEND(bugprone-suspicious-include)
}  // namespace lacuna::timing::engine::avx512
#else
namespace lacuna::timing::engine::avx512 {
bool timing_16(const KernelInput&, unsigned char*, KernelOutput&) { return false; }
bool timing_32(const KernelInput&, unsigned char*, KernelOutput&) { return false; }
}  // namespace lacuna::timing::engine::avx512
#endif
