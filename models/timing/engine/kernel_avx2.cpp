// SPDX-License-Identifier: Apache-2.0
//
// The vector versions for AVX2. The only translation unit compiled with these flags: it includes no
// header with inline functions that the linker could hand to code that must run everywhere.
#include "timing/engine/kernel.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace lacuna::timing::engine::avx2 {
// NOLINTNEXTLINE(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/kernel_body.h"
}  // namespace lacuna::timing::engine::avx2
#else
namespace lacuna::timing::engine::avx2 {
bool timing_16(const KernelInput&, unsigned char*, KernelOutput&) { return false; }
bool timing_32(const KernelInput&, unsigned char*, KernelOutput&) { return false; }
void sum_products(const std::int8_t* const*, const std::int16_t*, int, int, std::int32_t*) {}
}  // namespace lacuna::timing::engine::avx2
#endif
