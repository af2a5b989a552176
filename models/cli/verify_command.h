// SPDX-License-Identifier: Apache-2.0
//
// `lacuna verify`: constrained-random regression of the RTL against the model.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_verify_command();

}  // namespace lacuna::cli
