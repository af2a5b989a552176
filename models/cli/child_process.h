// SPDX-License-Identifier: Apache-2.0
//
// SystemC elaborates once per process, so a command that simulates several chips gives each a
// process of its own. The child is a copy of this one: what was loaded before need not be loaded
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lacuna::cli {

/// Runs each task in a child, at most `parallel` at a time, and returns what they returned, in
/// their order. The first exception (in that order) of a child comes out here as the same kind:
/// UserError, Interrupted, else InternalError. Ends all children when it throws. Call it while this
/// process has one thread. `report`, if any, is told how many have ended, each time one does.
[[nodiscard]] std::vector<std::string> run_in_children(
    const std::vector<std::function<std::string()>>& tasks, int parallel,
    const std::function<void(std::int64_t)>& report = {});

}  // namespace lacuna::cli
