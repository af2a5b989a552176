// SPDX-License-Identifier: Apache-2.0
//
// The vector versions for the baseline of the build.
#include "timing/engine/kernel.h"

#define LACUNA_INLINE __attribute__((always_inline)) inline
#define LACUNA_UNROLL _Pragma("GCC unroll 16")
#define LACUNA_UNROLL_BLOCKS 0  // pays where all of a block's state fits the registers
#define LACUNA_PAIRS 0

namespace lacuna::timing::engine::portable {
using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;
// NOLINTBEGIN(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/simd_portable.h"
//
#include "timing/engine/simd_bits.h"
//
#include "timing/engine/kernel_body.h"
// NOLINTEND(bugprone-suspicious-include)
}  // namespace lacuna::timing::engine::portable
