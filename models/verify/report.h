// SPDX-License-Identifier: Apache-2.0
//
// A regression's result as text for people, JSON for programs and JUnit XML for continuous
// integration. Everything but the times is the same for the same seed and number of passes.
#pragma once

#include <string>

#include "verify/runner.h"

namespace lacuna::verify {

/// A table of the sets, the mismatches, and how to repeat the run.
[[nodiscard]] std::string text_report(const RunResult& result);

/// Schema "lacuna-verify-1"; times are in the object "speed" only.
[[nodiscard]] std::string json_report(const RunResult& result);

/// One test suite, one test case per set.
[[nodiscard]] std::string junit_report(const RunResult& result);

}  // namespace lacuna::verify
