// SPDX-License-Identifier: Apache-2.0
#include "config/node.h"

#include "base/text.h"

namespace lacuna::config {

const Member* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

Member* Node::find(std::string_view key) {
  return const_cast<Member*>(static_cast<const Node*>(this)->find(key));
}

std::string describe_kind(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "the value '" + base::printable(node.scalar) + "'";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return {};
}

}  // namespace lacuna::config
