// SPDX-License-Identifier: Apache-2.0
//
// YAML text -> Node tree, with bounds that no input can get around. Refused, each with one message
// that has a place: syntax errors, duplicate keys, keys that are not scalars, tags, several
// documents, nesting deeper than kMaxDepth, maps of more than kMaxKeys, more than kMaxNodes nodes
// after aliases are expanded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/node.h"

namespace lacuna::config {

inline constexpr int kMaxDepth = 64;
inline constexpr std::size_t kMaxNodes = 500'000;
inline constexpr std::size_t kMaxKeys = 10'000;  ///< of one map

/// `file_name` is what messages call the text. An empty text gives a kNull node.
[[nodiscard]] Node parse_yaml(std::string_view text, const std::string& file_name);

}  // namespace lacuna::config
