// SPDX-License-Identifier: Apache-2.0
//
// `lacuna tokens CHIP WORKLOAD`: a language model answers a prompt. Prefill and decode steps are
// separate simulations of the same workload file (its parameters decode, tokens and context); the
// decode steps that are simulated are exact, those between them are interpolated.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_tokens_command();

}  // namespace lacuna::cli
