// SPDX-License-Identifier: Apache-2.0
//
// What executes an engine pass: the cycle model, the Verilated RTL, or both against each other. The
// simulation hands over one pass at a time, in the order in which passes start; a pass is a pure
// function of its tile, block, command (with the carry-in hold1/hold2) and partial sums
// (docs/reference/engine.md, section 7), so a backend may also compute or check it on another
// thread. Does not model how tiles and blocks get into the buffers: loads are the simulation's
// business.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lacuna::timing::engine {
struct Tile;
struct Block;
struct PassCommand;
struct PassResult;
}  // namespace lacuna::timing::engine

namespace lacuna::cosim {

/// One pass. Tile and block are shared because a checking backend may still need them after run()
/// has returned; they must not change any more. The rest only needs to live during run().
struct PassRequest {
  std::shared_ptr<const timing::engine::Tile> tile;
  std::shared_ptr<const timing::engine::Block> block;
  const timing::engine::PassCommand& command;
  /// groups * beats * drain_width * lanes sums of the pass before it in K; empty unless the command
  /// reads partial sums.
  std::span<const std::int32_t> psum_in;
  int core = 0;
  std::string_view layer;
  /// Counts all passes of the run, in start order; with the seed it decides what is shadowed.
  std::int64_t pass_index = 0;
  /// Whether anybody looks at outputs or partial sums; if not, a backend need not compute them.
  bool compute = true;
  /// Names the pass between foresee() and run().
  std::uint64_t ticket = 0;
};

enum class EngineKind { kModel, kRtl, kLockstep, kShadow };

/// "model", "rtl", "lockstep", "shadow".
[[nodiscard]] std::string_view engine_kind_name(EngineKind kind);

/// What is known at the end of a run about model against RTL. The same for any number of threads.
struct VerificationSummary {
  EngineKind engine = EngineKind::kModel;
  std::int64_t passes = 0;           ///< executed
  std::int64_t shadowed = 0;         ///< of these, compared with the RTL
  std::int64_t shadowed_cycles = 0;  ///< sum of the lengths of the compared passes
  std::int64_t mismatches = 0;       ///< compared passes that differ in anything
  /// There were so many mismatches that later passes were not compared; the counts end there.
  bool gave_up = false;
  /// Report on the mismatch with the lowest pass index: layer, core, pass, first differing
  /// quantity, both values, parameters.
  std::optional<std::string> first_mismatch;
};

/// Not thread-safe: one simulation thread calls it.
class EngineBackend {
 public:
  virtual ~EngineBackend() = default;
  EngineBackend() = default;
  EngineBackend(const EngineBackend&) = delete;
  EngineBackend& operator=(const EngineBackend&) = delete;

  /// This pass will be run: tile, block and ticket are final, so is the command but for hold1 and
  /// hold2; the rest of the request is not there yet. A backend may begin with it.
  virtual void foresee(const PassRequest& request) { (void)request; }

  /// The result that drives the simulation. Mismatches do not stop the run; finish() tells them.
  virtual timing::engine::PassResult run(const PassRequest& request) = 0;

  /// Waits for checks that are still under way; called once, after the last run().
  virtual VerificationSummary finish() = 0;
};

}  // namespace lacuna::cosim
