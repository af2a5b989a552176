// SPDX-License-Identifier: Apache-2.0
//
// Between the model's terms and the structures of rtl_abi.h. Internal to cosim/.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cosim/plugin.h"
#include "cosim/rtl_abi.h"
#include "params/chip_params.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

[[nodiscard]] lacuna_rtl_load weight_load(const timing::engine::Tile& tile,
                                          const std::vector<std::uint8_t>& image);
[[nodiscard]] lacuna_rtl_load block_load(const timing::engine::Block& block,
                                         const std::vector<std::uint8_t>& image);

/// Partial sums are checked for their number; null if the pass takes none or `chain` is set.
[[nodiscard]] lacuna_rtl_pass pass_call(const params::EngineParams& engine,
                                        const timing::engine::Tile& tile,
                                        const timing::engine::Block& block,
                                        const timing::engine::PassCommand& command,
                                        std::span<const std::int32_t> psum_in, bool chain,
                                        bool want_trace);

[[nodiscard]] RtlPassResult take_result(const params::EngineParams& engine,
                                        const timing::engine::Tile& tile,
                                        const timing::engine::Block& block, bool traced,
                                        const lacuna_rtl_result& rtl);

}  // namespace lacuna::cosim
