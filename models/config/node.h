// SPDX-License-Identifier: Apache-2.0
//
// A configuration text as a tree that remembers where everything was written. Scalars stay text:
// their meaning is decided by the parameter that reads them, not by YAML's guess ("1:30", "no").
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lacuna::config {

/// A place; cheaper than base::SourceLocation because nodes share the name of their file.
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  [[nodiscard]] base::SourceLocation location() const {
    return {file == nullptr ? std::string{} : *file, line, column};
  }
};

struct Member;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Place place;
  std::string scalar;           ///< kScalar
  std::vector<Node> items;      ///< kList
  std::vector<Member> members;  ///< kMap, in the order written, keys unique

  [[nodiscard]] const Member* find(std::string_view key) const;
  [[nodiscard]] Member* find(std::string_view key);
};

struct Member {
  std::string key;
  Place key_place;
  Node value;
};

/// "a map", "a list", "the value 'x'", "nothing".
[[nodiscard]] std::string describe_kind(const Node& node);

}  // namespace lacuna::config
