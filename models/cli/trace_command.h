// SPDX-License-Identifier: Apache-2.0
//
// `lacuna trace info|import|generate` (docs/guide/import.md).
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_trace_command();

}  // namespace lacuna::cli
