// SPDX-License-Identifier: Apache-2.0
//
// The engine backends of `--engine model|rtl|lockstep` and `--shadow F`.
//   model     the cycle model alone
//   rtl       the Verilated RTL alone; its cycles and outputs drive the simulation
//   lockstep  the model drives, every pass also runs on the RTL and is compared
//   shadow    the same for a share of the passes, chosen by a hash of pass index and seed
// The model may evaluate passes ahead, lockstep and shadow may run the RTL, on several threads; no
// result depends on how many.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>

#include "cosim/backend.h"
#include "cosim/checker.h"
#include "cosim/plugin_cache.h"
#include "params/chip_params.h"

namespace lacuna::cosim {

/// The RTL did not finish a pass (it hangs, or broke a rule of its own); cli/ turns it into exit
/// status 1, like a mismatch.
class RtlFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct BackendOptions {
  EngineKind kind = EngineKind::kModel;
  double shadow_share = 0;  ///< 0..1, kShadow
  std::uint64_t seed = 0;   ///< kShadow
  int threads = 1;          ///< kModel: that evaluate passes; kLockstep, kShadow: that run RTL
  PluginCacheOptions cache;
};

/// Builds and loads the RTL where it is needed (UserError: see PluginCache).
[[nodiscard]] std::unique_ptr<EngineBackend> make_backend(const params::EngineParams& engine,
                                                          const BackendOptions& options);

/// The checking backends on any RTL; make_backend() gives the plug-in's.
[[nodiscard]] std::unique_ptr<EngineBackend> make_checking_backend(
    const params::EngineParams& engine, const BackendOptions& options, RtlRunnerFactory factory);

/// Whether the pass is among the share: the same for every run with this seed.
[[nodiscard]] bool is_shadowed(std::int64_t pass_index, double share, std::uint64_t seed);

}  // namespace lacuna::cosim
