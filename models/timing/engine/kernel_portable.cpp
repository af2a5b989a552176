// SPDX-License-Identifier: Apache-2.0
//
// The vector versions for the baseline of the build: the compiler splits each vector into what the
// machine has.
#include "timing/engine/kernel.h"

namespace lacuna::timing::engine::portable {
// NOLINTNEXTLINE(bugprone-suspicious-include): one body per instruction set
#include "timing/engine/kernel_body.h"
}  // namespace lacuna::timing::engine::portable
