// SPDX-License-Identifier: Apache-2.0
//
// The implementations of the recurrence (docs/reference/engine.md, section 7) behind evaluate().
// Each fills length, group_end, drain_end and the counters that depend on cycles or on the order of
// entries. Internal to the engine model.
#pragma once

#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

struct PassInputs {
  const params::EngineParams& params;
  const Tile& tile;
  const Block& block;
  const PassCommand& command;
};

/// One PE and one entry at a time, in 64 bits; records every event if `trace`.
void evaluate_plain(const PassInputs& inputs, bool trace, PassResult& result);

/// Vectors of lags; reads result.counters.acc_writes. False if a lag left the range of every vector
/// version: use evaluate_plain().
[[nodiscard]] bool evaluate_vector(const PassInputs& inputs, Kernel kernel, PassResult& result);

/// Counters that follow from tile and block alone.
void count_structure(const PassInputs& inputs, Kernel kernel, Counters& counters);

/// Counters that follow from the others.
void finish_counters(const PassInputs& inputs, PassResult& result);

/// Outputs and outputs_nonzero of sums that lie as in psum_out.
void post_process(const PassInputs& inputs, std::span<const std::int32_t> sums, Kernel kernel,
                  PassResult& result);

/// Sums of products, post-processing: outputs or psum_out, and outputs_nonzero.
void evaluate_function(const PassInputs& inputs, std::span<const std::int32_t> psum_in,
                       Kernel kernel, PassResult& result);

}  // namespace lacuna::timing::engine
