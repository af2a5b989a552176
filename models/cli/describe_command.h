// SPDX-License-Identifier: Apache-2.0
//
// `lacuna describe CHIP`: the resolved chip, where each value came from, and what follows from it.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_describe_command();

}  // namespace lacuna::cli
