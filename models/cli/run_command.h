// SPDX-License-Identifier: Apache-2.0
//
// `lacuna run CHIP WORKLOAD`: simulates a network on a chip and reports (docs/guide/run.md).
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_run_command();

}  // namespace lacuna::cli
