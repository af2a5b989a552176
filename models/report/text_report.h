// SPDX-License-Identifier: Apache-2.0
//
// The report for people.
#pragma once

#include <string>

#include "report/summary.h"

namespace lacuna::report {

/// Plain ASCII; with `colour` also ANSI emphasis (for terminals only).
[[nodiscard]] std::string run_text(const ReportInput& input, const Summary& summary, bool colour);

/// The lines of it that say where the zeros come from.
[[nodiscard]] std::string source_text(const workload::Graph& graph);

}  // namespace lacuna::report
