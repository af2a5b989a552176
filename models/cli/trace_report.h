// SPDX-License-Identifier: Apache-2.0
//
// What `lacuna trace` prints, as text and as JSON (schemas lacuna-trace-info-1,
// lacuna-trace-import-1, lacuna-trace-generate-1; docs/guide/import.md).
#pragma once

#include <string>

#include "trace/generate.h"
#include "trace/import_weights.h"
#include "trace/inventory.h"

namespace lacuna::cli {

[[nodiscard]] std::string inventory_text(const trace::Inventory& inventory);
[[nodiscard]] std::string inventory_json(const trace::Inventory& inventory);

/// `folder`: where the trace was written.
[[nodiscard]] std::string import_text(const trace::ImportReport& report, const std::string& folder);
[[nodiscard]] std::string import_json(const trace::ImportReport& report, const std::string& folder);

[[nodiscard]] std::string generate_text(const trace::GenerateReport& report,
                                        const std::string& folder);
[[nodiscard]] std::string generate_json(const trace::GenerateReport& report,
                                        const std::string& folder);

}  // namespace lacuna::cli
