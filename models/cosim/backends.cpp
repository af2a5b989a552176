// SPDX-License-Identifier: Apache-2.0
#include "cosim/backends.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/hash.h"
#include "cosim/compare.h"
#include "cosim/evaluator.h"
#include "cosim/plugin.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

namespace {

using timing::engine::PassResult;

PassResult evaluate(const params::EngineParams& engine, const PassRequest& request) {
  return timing::engine::evaluate(engine, *request.tile, *request.block, request.command,
                                  request.psum_in);
}

class ModelBackend : public EngineBackend {
 public:
  ModelBackend(const params::EngineParams& engine, int threads) : evaluator_(engine, threads) {}

  void foresee(const PassRequest& request) override { evaluator_.foresee(request, request.ticket); }
  PassResult run(const PassRequest& request) override {
    ++summary_.passes;
    return evaluator_.evaluate(request, request.ticket);
  }
  VerificationSummary finish() override { return summary_; }

 private:
  Evaluator evaluator_;
  VerificationSummary summary_;
};

/// A few engines of one thread, so that passes of different cores do not throw each other's weight
/// tiles out: a pass runs on the engine that holds its tile, else on the one idle longest.
class RtlPool {
 public:
  explicit RtlPool(std::shared_ptr<const RtlPlugin> plugin) : plugin_(std::move(plugin)) {}

  RtlPassResult run(const timing::engine::Tile& tile, const timing::engine::Block& block,
                    const timing::engine::PassCommand& command,
                    std::span<const std::int32_t> psum_in, bool want_trace) {
    Slot& slot = choose(tile.key);
    slot.used = ++clock_;
    return slot.instance->run(tile, block, command, psum_in, want_trace);
  }

 private:
  struct Slot {
    std::unique_ptr<RtlInstance> instance;
    std::uint64_t used = 0;
  };
  static constexpr std::size_t kInstances = 4;

  Slot& choose(std::uint64_t tile_key) {
    Slot* oldest = nullptr;
    for (Slot& slot : slots_) {
      if (tile_key != 0 && slot.instance->tile_key() == tile_key) return slot;
      if (oldest == nullptr || slot.used < oldest->used) oldest = &slot;
    }
    if (slots_.size() < kInstances) return slots_.emplace_back(Slot{plugin_->create(), 0});
    return *oldest;
  }

  std::shared_ptr<const RtlPlugin> plugin_;
  std::vector<Slot> slots_;
  std::uint64_t clock_ = 0;
};

class RtlBackend : public EngineBackend {
 public:
  explicit RtlBackend(std::shared_ptr<const RtlPlugin> plugin)
      : engine_(plugin->engine()), pool_(std::move(plugin)) {
    summary_.engine = EngineKind::kRtl;
  }

  PassResult run(const PassRequest& request) override {
    ++summary_.passes;
    RtlPassResult rtl =
        pool_.run(*request.tile, *request.block, request.command, request.psum_in, false);
    if (!rtl.error.empty()) {
      throw RtlFailure(fmt::format("layer {}, core {}, pass {}: the RTL fails: {}\n  {}",
                                   request.layer, request.core, request.pass_index, rtl.error,
                                   describe_pass(*request.tile, *request.block, request.command)));
    }
    return std::move(rtl.result);
  }
  VerificationSummary finish() override { return summary_; }

 private:
  params::EngineParams engine_;
  RtlPool pool_;
  VerificationSummary summary_;
};

class CheckingBackend : public EngineBackend {
 public:
  CheckingBackend(const params::EngineParams& engine, const BackendOptions& options,
                  RtlRunnerFactory factory)
      : engine_(engine),
        share_(options.kind == EngineKind::kLockstep ? 1.0 : options.shadow_share),
        seed_(options.seed),
        checker_(engine, std::move(factory), options.threads) {
    summary_.engine = options.kind;
  }

  PassResult run(const PassRequest& request) override {
    ++summary_.passes;
    PassResult result = evaluate(engine_, request);
    if (is_shadowed(request.pass_index, share_, seed_)) {
      checker_.check(CheckJob{request.tile,
                              request.block,
                              request.command,
                              {request.psum_in.begin(), request.psum_in.end()},
                              result,
                              request.core,
                              std::string(request.layer),
                              request.pass_index});
    }
    return result;
  }

  VerificationSummary finish() override {
    const CheckTotals totals = checker_.finish();
    summary_.shadowed = totals.checked;
    summary_.shadowed_cycles = totals.cycles;
    summary_.mismatches = totals.mismatches;
    summary_.gave_up = totals.gave_up;
    summary_.first_mismatch = totals.first_mismatch;
    return summary_;
  }

 private:
  params::EngineParams engine_;
  double share_;
  std::uint64_t seed_;
  PassChecker checker_;
  VerificationSummary summary_;
};

}  // namespace

std::string_view engine_kind_name(EngineKind kind) {
  switch (kind) {
    case EngineKind::kModel:
      return "model";
    case EngineKind::kRtl:
      return "rtl";
    case EngineKind::kLockstep:
      return "lockstep";
    case EngineKind::kShadow:
      return "shadow";
  }
  return "?";
}

bool is_shadowed(std::int64_t pass_index, double share, std::uint64_t seed) {
  // splitmix-like finaliser of base/hash.h; 53 bits of it as a number in [0, 1).
  const std::uint64_t hash = base::hash_combine(seed, static_cast<std::uint64_t>(pass_index));
  return static_cast<double>(hash >> 11U) * 0x1.0p-53 < share;
}

std::unique_ptr<EngineBackend> make_checking_backend(const params::EngineParams& engine,
                                                     const BackendOptions& options,
                                                     RtlRunnerFactory factory) {
  return std::make_unique<CheckingBackend>(engine, options, std::move(factory));
}

std::unique_ptr<EngineBackend> make_backend(const params::EngineParams& engine,
                                            const BackendOptions& options) {
  if (options.kind == EngineKind::kModel) {
    return std::make_unique<ModelBackend>(engine, options.threads);
  }
  std::shared_ptr<const RtlPlugin> plugin = load_rtl(engine, options.cache);
  if (options.kind == EngineKind::kRtl) return std::make_unique<RtlBackend>(std::move(plugin));
  return make_checking_backend(engine, options, [plugin]() -> RtlRunner {
    auto pool = std::make_shared<RtlPool>(plugin);
    return [pool](const CheckJob& job) {
      return pool->run(*job.tile, *job.block, job.command, job.psum_in, true);
    };
  });
}

}  // namespace lacuna::cosim
