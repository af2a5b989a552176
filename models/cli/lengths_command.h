// SPDX-License-Identifier: Apache-2.0
//
// `lacuna lengths CHIP WORKLOAD --distribution FILE`: a network over sequences that differ in
// length, as those of a task do. A few lengths are simulated exactly, those between interpolated.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_lengths_command();

}  // namespace lacuna::cli
