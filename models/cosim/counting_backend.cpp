// SPDX-License-Identifier: Apache-2.0
#include "cosim/counting_backend.h"

#include <utility>

#include "timing/engine/pass.h"

namespace lacuna::cosim {

CountingBackend::CountingBackend(std::unique_ptr<EngineBackend> inner) : inner_(std::move(inner)) {}

timing::engine::PassResult CountingBackend::run(const PassRequest& request) {
  auto at = counts_.find(request.layer);
  if (at == counts_.end()) at = counts_.emplace(std::string(request.layer), 0).first;
  at->second += request.block->nonzeros * request.tile->channels;
  return inner_->run(request);
}

}  // namespace lacuna::cosim
