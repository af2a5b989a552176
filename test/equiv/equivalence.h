// SPDX-License-Identifier: Apache-2.0
//
// Runs random passes on the model and, through the plug-in, on the RTL, and compares everything.
// LACUNA_EQUIV_SEED replays one seed; LACUNA_EQUIV_PASSES sets how many passes (default: per set).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "cosim/plugin.h"
#include "params/chip_params.h"

namespace lacuna::test {

/// The RTL for `engine`, or null where none can be built (the test then skips with the reason).
[[nodiscard]] std::shared_ptr<const cosim::RtlPlugin> rtl_or_skip(
    const params::EngineParams& engine);

/// Adds a failure with seed and pass for the first pass that differs.
void compare_random_passes(const params::EngineParams& engine, std::uint64_t seed, int passes);

}  // namespace lacuna::test
