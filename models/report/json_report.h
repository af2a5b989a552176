// SPDX-License-Identifier: Apache-2.0
//
// The JSON form of a report, schema "lacuna-run-1" (docs/reference/report.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "report/summary.h"

namespace lacuna::report {

inline constexpr std::string_view kRunSchema = "lacuna-run-1";

/// Keys keep the order in which they are documented.
[[nodiscard]] nlohmann::ordered_json run_json(const ReportInput& input, const Summary& summary);

/// Indented, with a newline at the end.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& json);

}  // namespace lacuna::report
