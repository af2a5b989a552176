// SPDX-License-Identifier: Apache-2.0
//
// From what the user names to one tree: reads a file, follows its `extends:` chain, applies --set.
// Maps merge key by key, lists and values replace. Every node keeps the place where it was written,
// which is also what relative paths inside it refer to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/node.h"

namespace lacuna::config {

/// What --set nodes have for a file name in messages.
inline constexpr const char* kSetOrigin = "--set";
inline constexpr const char* kParameterOrigin = "--param";
inline constexpr int kMaxExtends = 16;

struct LoadOptions {
  /// "dotted.key=value"; list elements as key[2]. The value is YAML ("{weights: false}").
  std::vector<std::string> sets;
  /// Workload files: "name=value" in place of what `parameters:` says, then repeats and references
  /// are expanded (config/expand.h).
  std::vector<std::string> parameters = {};
  bool expand = false;
  std::size_t max_bytes = std::size_t{16} << 20U;  ///< of each file
};

struct Source {
  Node root;                       ///< a map
  std::string name;                ///< of the text that the user named
  std::vector<std::string> files;  ///< everything that was read, the named file first
};

/// UserError: unreadable or malformed file, missing or cyclic `extends`, malformed --set.
[[nodiscard]] Source read_source(const std::string& path, const LoadOptions& options);

/// The same for a text that did not come from a file; `extends` is relative to `name`.
[[nodiscard]] Source read_source_text(const std::string& text, const std::string& name,
                                      const LoadOptions& options);

}  // namespace lacuna::config
