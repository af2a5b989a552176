// SPDX-License-Identifier: Apache-2.0
//
// layers.csv: one line per layer, every figure of it a column, for spreadsheets and scripts.
#pragma once

#include <string>

#include "report/summary.h"

namespace lacuna::report {

/// RFC 4180: quoted where needed; lines end with a plain newline.
[[nodiscard]] std::string layers_csv(const ReportInput& input, const Summary& summary);

/// A line for each requester of the crossbar: cores, then the chip DMA.
[[nodiscard]] std::string requesters_csv(const ReportInput& input);

}  // namespace lacuna::report
