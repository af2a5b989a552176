// SPDX-License-Identifier: Apache-2.0
//
// A Verilated engine in this process: the shared object of one parameter set, and instances of the
// RTL inside it (rtl_abi.h). An instance runs one pass at a time, alone: it loads what it does not
// hold yet, starts, and is clocked until the last drain is over.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cosim/harness/rtl_test_abi.h"
#include "cosim/plugin_cache.h"
#include "cosim/rtl_abi.h"
#include "params/chip_params.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

/// What the RTL did, in the model's terms. The trace has no positions and groups.
struct RtlPassResult {
  timing::engine::PassResult result;
  /// Cycles from the first beat of a load to the first cycle of a start; 0 if nothing was loaded.
  base::Cycle weight_load_cycles = 0;
  base::Cycle block_load_cycles = 0;
  std::uint64_t rtl_cycles = 0;  ///< clocks spent, loads included
  /// Why the RTL did not finish the pass; everything else is then meaningless.
  std::string error;
  base::Cycle error_cycle = -1;  ///< of the pass; -1: no cycle is to blame (it hangs)
};

/// When the outside lets things happen to a pass of a sequence (rtl_test_abi.h). Cycles.
struct RtlSchedule {
  std::uint32_t load_wait = 0;
  std::uint32_t load_gaps = 0;  ///< of 256, at most kMaxLoadGaps
  std::uint32_t start_wait = 0;
  bool start_early = false;
  bool release_weights = false;
  bool release_block = false;
};
inline constexpr std::uint32_t kMaxLoadGaps = 250;

/// A pass of a sequence on one live engine; everything must live during the call.
struct RtlJob {
  const timing::engine::Tile* tile = nullptr;
  const timing::engine::Block* block = nullptr;
  timing::engine::PassCommand command;  ///< hold1 and hold2 are normally 0
  std::span<const std::int32_t> psum_in;
  std::uint32_t psum_base = 0;
  bool chain = false;  ///< reads what passes before wrote at psum_base instead of psum_in
  RtlSchedule schedule;
};

struct RtlSequenceResult {
  std::vector<RtlPassResult> passes;  ///< without those that a reset cut off
  std::vector<base::Cycle> starts;    ///< of each, counted from the first
  std::string error;                  ///< as in RtlPassResult; then there are no passes
  /// The pass that was started last before the error, its start, and the cycle of it; -1: unknown.
  int error_pass = -1;
  base::Cycle error_start = 0;
  base::Cycle error_cycle = -1;
};

/// Cycles since the instance was made.
struct RtlPosition {
  base::Cycle first_start = 0;  ///< of the last call
  base::Cycle now = 0;
};

class RtlPlugin;

/// One RTL engine. One thread at a time; different instances are independent.
class RtlInstance {
 public:
  explicit RtlInstance(std::shared_ptr<const RtlPlugin> plugin);
  RtlInstance(const RtlInstance&) = delete;
  RtlInstance& operator=(const RtlInstance&) = delete;
  ~RtlInstance();

  /// Runs a pass. `psum_in` as for timing::engine::evaluate().
  [[nodiscard]] RtlPassResult run(const timing::engine::Tile& tile,
                                  const timing::engine::Block& block,
                                  const timing::engine::PassCommand& command,
                                  std::span<const std::int32_t> psum_in, bool want_trace);

  /// Runs passes back to back on the live engine: loads, passes and drains overlap. With
  /// `reset_after` the engine is reset so many cycles after the first cycle of the call.
  [[nodiscard]] RtlSequenceResult run_sequence(std::span<const RtlJob> jobs, int reset_after,
                                               bool want_trace);

  [[nodiscard]] RtlPosition position() const;

  /// Writes cycles first .. last (RtlPosition's) of what is run from now on to an FST file,
  /// complete when the instance ends. UserError if the plug-in was built without tracing.
  void trace(const std::string& file, base::Cycle first, base::Cycle last);

  /// Writes what was covered so far to a file in Verilator's format. InternalError if the plug-in
  /// was built without coverage.
  void write_coverage(const std::string& file) const;

  /// Key of the tile that was loaded last, 0 before the first: a pass with the same tile need not
  /// load it again.
  [[nodiscard]] std::uint64_t tile_key() const { return tile_key_; }

 private:
  [[nodiscard]] std::string failure() const;

  std::shared_ptr<const RtlPlugin> plugin_;
  lacuna_rtl_instance* instance_;
  std::vector<std::uint8_t> tile_image_;
  std::uint64_t tile_key_ = 0;
};

class RtlPlugin : public std::enable_shared_from_this<RtlPlugin> {
 public:
  /// Loads a shared object and compares its ABI version, parameters and latencies with what the
  /// model uses. UserError if it cannot be loaded; InternalError if it is another engine.
  [[nodiscard]] static std::shared_ptr<const RtlPlugin> open(const std::string& path,
                                                             const params::EngineParams& engine);

  [[nodiscard]] std::unique_ptr<RtlInstance> create() const;
  [[nodiscard]] const params::EngineParams& engine() const { return engine_; }

 private:
  friend class RtlInstance;
  RtlPlugin() = default;

  params::EngineParams engine_;
  decltype(&lacuna_rtl_create) create_ = nullptr;
  decltype(&lacuna_rtl_destroy) destroy_ = nullptr;
  decltype(&lacuna_rtl_get_parameters) get_parameters_ = nullptr;
  decltype(&lacuna_rtl_run_pass) run_pass_ = nullptr;
  decltype(&lacuna_rtl_error) error_ = nullptr;
  decltype(&lacuna_rtl_test_run_jobs) run_jobs_ = nullptr;
  decltype(&lacuna_rtl_position) position_ = nullptr;
  decltype(&lacuna_rtl_trace) trace_ = nullptr;
  decltype(&lacuna_rtl_failure) failure_ = nullptr;
  decltype(&lacuna_rtl_coverage) coverage_ = nullptr;
};

/// Finds or builds the shared object for `engine` and loads it; a file that cannot be loaded is
/// made anew once.
[[nodiscard]] std::shared_ptr<const RtlPlugin> load_rtl(const params::EngineParams& engine,
                                                        const PluginCacheOptions& options);

/// "a is 3 in the RTL, 4 in the model; ..." for parameters and latencies that differ, else empty.
[[nodiscard]] std::string parameter_differences(const lacuna_rtl_parameters& rtl,
                                                const params::EngineParams& engine);

}  // namespace lacuna::cosim
