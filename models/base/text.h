// SPDX-License-Identifier: Apache-2.0
//
// Text helpers for messages: the nearest known name for a typo, lists in a sentence, padding.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::base {

/// Damerau-Levenshtein distance (insert, delete, replace, swap of neighbours), case ignored.
[[nodiscard]] std::size_t edit_distance(std::string_view first, std::string_view second);

/// The candidate nearest to `word`, or an empty string when none is near enough to be a likely typo
/// (distance at most a third of the longer word, at least 1; or one is a prefix of the other). Ties
/// go to the earlier candidate.
[[nodiscard]] std::string nearest_name(std::string_view word,
                                       std::span<const std::string> candidates);

/// " (did you mean 'x'?)" or an empty string.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates);

[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);

/// "a", "a or b", "a, b or c".
[[nodiscard]] std::string list_in_words(std::span<const std::string> parts,
                                        std::string_view last_separator);

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text);

/// `text` made safe to show inside a one-line message: control characters as \xNN, cut with "..."
/// after `max_length` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_length = 80);

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string with_thousands(long long value);

}  // namespace lacuna::base
