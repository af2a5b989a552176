// SPDX-License-Identifier: Apache-2.0
//
// `lacuna rtl`: the cache of Verilated engines: what is there, building ahead, cleaning up.
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_rtl_command();

}  // namespace lacuna::cli
