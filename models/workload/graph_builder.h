// SPDX-License-Identifier: Apache-2.0
//
// From what a workload file says to a Graph: names are resolved, shapes inferred and checked
// against the tensors, types and value ranges checked, statistics drawn. Every complaint is a
// base::UserError whose place is the key at fault; unknown names come with the nearest known one.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "params/workload_params.h"
#include "workload/graph.h"

namespace lacuna::workload {

/// Place of a dotted key such as "layers[2].weights.tensor" in the file. For a key that is not
/// written it answers with the nearest enclosing one, or a location that only has the file's name.
using Locate = std::function<base::SourceLocation(const std::string& key)>;

/// `params` has passed its own validate() (config/ sees to it; broken rules are reported here again
/// as UserError, first one only). File names in it are resolved: relative to the working directory
/// or absolute.
[[nodiscard]] Graph build_graph(const params::WorkloadParams& params, const Locate& locate);

}  // namespace lacuna::workload
