// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic in workload files: whole numbers, names of parameters, + - * / % (rounding down),
// comparisons (1 or 0), parentheses, max(a, b, ...), min(a, b, ...), ceil_div(a, b).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lacuna::config {

/// The text that a name stands for, or nothing if there is no such name.
using NameLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Evaluates `text`. base::UserError without a place, one sentence: what is wrong with it. Values
/// beyond +-2^53, also in between, are errors.
[[nodiscard]] std::int64_t evaluate_expression(std::string_view text, const NameLookup& lookup);

/// Whether `letter` may stand in the name of a parameter; digits not at its beginning.
[[nodiscard]] bool is_name_letter(char letter, bool first);

}  // namespace lacuna::config
