// SPDX-License-Identifier: Apache-2.0
//
// `lacuna gemm CHIP`: one matrix product, and how near the chip and its engine come to the ideal
// dual-sparse count (docs/guide/gemm.md).
#pragma once

#include <memory>

#include "cli/command.h"

namespace lacuna::cli {

[[nodiscard]] std::unique_ptr<Command> make_gemm_command();

}  // namespace lacuna::cli
