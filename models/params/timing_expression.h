// SPDX-License-Identifier: Apache-2.0
//
// Latencies in a memory description are written as the standard writes them, "WL + BURST + WTR",
// and evaluated once against the table of named values. Grammar: integers, names, + - *,
// parentheses, max(a, b, ...) and min(a, b, ...). Whole clock cycles only; nothing here knows what
// a name means.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lacuna::params {

struct TimingValue {
  std::optional<std::int64_t> cycles;  ///< empty if the text is wrong
  std::string error;                   ///< what is wrong, a sentence without a full stop
};

/// Evaluates `text`. Names are case sensitive. Any value, also in between, beyond +-1e12 is an
/// error.
[[nodiscard]] TimingValue evaluate_timing(std::string_view text,
                                          const std::map<std::string, std::int64_t>& names);

}  // namespace lacuna::params
