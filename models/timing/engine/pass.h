// SPDX-License-Identifier: Apache-2.0
//
// One engine pass: weight tile x activation block, as a pure function (docs/reference/engine.md,
// sections 4 to 8). Cycles count from the pass's start = 0. Nothing outside the engine can stall a
// pass, so the result holds wherever the pass is placed in simulated time; what precedes it enters
// through hold1 and hold2. Thread-safe: no state between calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cycles.h"
#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/counters.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// The start descriptor, as far as it influences the pass.
struct PassCommand {
  bool act_signed = false;  ///< activations are s8, else u8
  bool psum_read = false;   ///< add partial sums of an earlier K tile
  bool psum_write = false;  ///< write partial sums, no outputs
  int clamp_lo = 0;         ///< -128..255
  int clamp_hi = 255;
  int gate = 0;           ///< outputs with |y| <= gate become 0; 0..255
  base::Cycle hold1 = 0;  ///< E(-1): end of the last drain before this pass, 0 if over
  base::Cycle hold2 = 0;  ///< E(-2) <= hold1

  friend bool operator==(const PassCommand&, const PassCommand&) = default;
};

/// Which implementations of the recurrence and of the sums of products to run. All give the same
/// result.
enum class Kernel {
  kAuto,      ///< the fastest that this machine and this pass allow: up to AVX-512
  kPlain,     ///< scalar, one PE at a time; the only one that traces
  kPortable,  ///< vectors of 16-bit lags, compiled for the baseline
  kAvx2,      ///< the same for AVX2; falls back to kPortable where the machine has none
};

struct EvaluateOptions {
  bool timing = true;      ///< length, F, E and all counters except outputs_nonzero
  bool functional = true;  ///< outputs or psum_out, outputs_nonzero
  /// The function as far as it does not depend on earlier passes: psum_out holds the sums of this
  /// pass alone, whatever the command says; add_partial_sums() makes the rest of them.
  bool own_sums = false;
  bool trace = false;  ///< every I, M, S (implies timing with Kernel::kPlain)
  Kernel kernel = Kernel::kAuto;
};

/// Every event of a pass, for comparison with the RTL and for waveforms.
struct PassTrace {
  std::vector<std::vector<base::Cycle>> issue;       ///< [way]: I of each entry
  std::vector<std::vector<int>> position;            ///< [way]: x of each entry, -1 without k
  std::vector<std::vector<int>> group;               ///< [way]: group of each entry
  std::vector<std::vector<base::Cycle>> mask_stage;  ///< [way*P + pe]: M of each entry
  std::vector<std::vector<base::Cycle>> mac_stage;   ///< [way*P + pe]: S of each entry it takes
};

struct PassResult {
  base::Cycle length = 0;  ///< F of the last group
  /// False: with any hold1 and hold2 that are not larger everything here would be the same.
  bool carry_in_used = false;
  std::vector<base::Cycle> group_end;  ///< F(g)
  std::vector<base::Cycle> drain_end;  ///< E(g)
  Counters counters;
  std::vector<std::uint8_t> outputs;   ///< [token][channel] codes; empty if psum_write
  std::vector<std::int32_t> psum_out;  ///< psum memory words, see psum_words(); if psum_write
  PassTrace trace;                     ///< if asked for
};

/// Drain beats of a group: n_b = ceil(P*R_used/W).
[[nodiscard]] int drain_beats(const params::EngineParams& params, int rows);

/// 32-bit words of partial sums of a pass: groups*n_b*W*V. Channel c of beat b, lane v of group g
/// is word ((g*n_b + b)*W + c)*V + v.
[[nodiscard]] std::int64_t psum_words(const params::EngineParams& params, int rows, int groups);

/// Earliest cycle in which the next pass may start is `length`; its carry-in when it starts `start`
/// cycles after this pass's start.
struct CarryIn {
  base::Cycle hold1 = 0;
  base::Cycle hold2 = 0;
};
[[nodiscard]] CarryIn carry_in(const PassResult& before, const PassCommand& before_command,
                               base::Cycle start);

/// Evaluates a pass. `psum_in`: psum_words() words if command.psum_read, else unused. Tile and
/// block must be of the same windows and parameters (InternalError otherwise); a pass that gives
/// outputs needs a tile with requantize vectors.
[[nodiscard]] PassResult evaluate(const params::EngineParams& params, const Tile& tile,
                                  const Block& block, const PassCommand& command,
                                  std::span<const std::int32_t> psum_in = {},
                                  const EvaluateOptions& options = {});

/// Turns the sums of a pass evaluated with `own_sums` into what evaluate() gives: psum_out, or
/// outputs and outputs_nonzero.
void add_partial_sums(const params::EngineParams& params, const Tile& tile, const Block& block,
                      const PassCommand& command, std::span<const std::int32_t> psum_in,
                      PassResult& result);

/// A dense pass in closed form (section 7): all weights and activations non-zero, every way X
/// positions, N = P*rows, no carry-in, D*rows >= 3. Returns the pass length.
[[nodiscard]] base::Cycle dense_pass_length(const params::EngineParams& params, int positions,
                                            int rows, int groups);

}  // namespace lacuna::timing::engine
