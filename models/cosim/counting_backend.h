// SPDX-License-Identifier: Apache-2.0
//
// Counts, while passes go by to another backend, how many dense MACs had a non-zero activation:
// what an engine would do that skips zero activations only. Padding counts as zero, as the engine
// sees it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cosim/backend.h"

namespace lacuna::cosim {

/// By layer name.
using MacCounts = std::map<std::string, std::int64_t, std::less<>>;

class CountingBackend : public EngineBackend {
 public:
  explicit CountingBackend(std::unique_ptr<EngineBackend> inner);

  void foresee(const PassRequest& request) override { inner_->foresee(request); }
  timing::engine::PassResult run(const PassRequest& request) override;
  VerificationSummary finish() override { return inner_->finish(); }

  [[nodiscard]] const MacCounts& activation_macs() const { return counts_; }

 private:
  std::unique_ptr<EngineBackend> inner_;
  MacCounts counts_;
};

}  // namespace lacuna::cosim
