// SPDX-License-Identifier: Apache-2.0
//
// Loads a workload file: like load(), with `parameters:`, `repeat:` and `when:` expanded.
#pragma once

#include <string>
#include <vector>

#include "config/loader.h"
#include "params/workload_params.h"

namespace lacuna::config {

/// `parameters`: "name=value" in place of what the file says. UserError: see load().
[[nodiscard]] inline Loaded<params::WorkloadParams> load_workload(
    const std::string& path, const std::vector<std::string>& parameters = {}) {
  LoadOptions options;
  options.parameters = parameters;
  options.expand = true;
  return load<params::WorkloadParams>(path, options);
}

}  // namespace lacuna::config
