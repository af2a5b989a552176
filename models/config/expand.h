// SPDX-License-Identifier: Apache-2.0
//
// Workload files are written once for a family of networks: `parameters:` at the top, values that
// refer to them, list items that repeat (docs/reference/workload.md, "Parameters"). This turns such
// a tree into the plain one that it stands for; every node keeps the place where it was written.
#pragma once

#include <cstdint>

#include "config/node.h"

namespace lacuna::config {

/// Items that one file may expand to.
inline constexpr std::int64_t kMaxExpandedItems = 200'000;

/// Takes `parameters:` out of the root and applies it everywhere else; nothing happens without it.
/// UserError at the place of the value at fault.
void expand_parameters(Node& root);

}  // namespace lacuna::config
