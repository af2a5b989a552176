// SPDX-License-Identifier: Apache-2.0
//
// Where the mapper put things: how the SRAM is divided, and what else was considered. Part of the
// report of a run and of `lacuna describe --mapping`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "mapper/program.h"

namespace lacuna::report {

/// Bytes by use and, where weights stream, the considered divisions, the chosen one first
/// (docs/reference/report.md).
[[nodiscard]] nlohmann::ordered_json memory_plan_json(const mapper::MemoryPlan& plan);

/// A sentence: what is where.
[[nodiscard]] std::string memory_plan_text(const mapper::MemoryPlan& plan);

}  // namespace lacuna::report
