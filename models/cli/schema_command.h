// SPDX-License-Identifier: Apache-2.0
//
// `lacuna schema [KIND]`: what the files that users write may contain, as JSON Schema for editors
// or as the table in docs/reference/parameters.md.
#pragma once

#include <memory>
#include <string>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_schema_command();

/// The text of docs/reference/parameters.md.
[[nodiscard]] std::string parameter_reference();

}  // namespace lacuna::cli
