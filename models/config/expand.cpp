// SPDX-License-Identifier: Apache-2.0
#include "config/expand.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "config/expression.h"

namespace lacuna::config {

namespace {

using base::UserError;

constexpr std::string_view kParameters = "parameters";
constexpr std::string_view kRepeat = "repeat";
constexpr std::string_view kIndex = "index";
constexpr std::string_view kItems = "items";
constexpr std::string_view kWhen = "when";
constexpr std::string_view kUse = "use";

class Expander {
 public:
  void define(const Node& parameters) {
    if (parameters.kind != Node::Kind::kMap) {
      throw UserError(parameters.place.location(),
                      "parameters: expected a map, found " + describe_kind(parameters));
    }
    for (const Member& member : parameters.members) {
      bool word = !member.key.empty();
      for (std::size_t i = 0; i < member.key.size(); ++i) {
        word = word && is_name_letter(member.key[i], i == 0);
      }
      if (!word) {
        throw UserError(member.key_place.location(),
                        fmt::format("'{}' cannot be the name of a parameter: letters, digits and _",
                                    base::printable(member.key)));
      }
      if (member.value.kind == Node::Kind::kMap) {
        fragments_.emplace_back(member.key, &member.value);
        continue;
      }
      if (member.value.kind != Node::Kind::kScalar) {
        throw UserError(member.value.place.location(),
                        fmt::format("parameters.{}: expected a value or a map, found {}",
                                    member.key, describe_kind(member.value)));
      }
      names_.emplace_back(member.key, substitute(member.value));
    }
  }

  void expand(Node& node) {
    switch (node.kind) {
      case Node::Kind::kScalar:
        node.scalar = substitute(node);
        break;
      case Node::Kind::kList:
        expand_list(node);
        break;
      case Node::Kind::kMap:
        expand_map(node);
        break;
      case Node::Kind::kNull:
        break;
    }
  }

 private:
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
    for (auto entry = names_.rbegin(); entry != names_.rend(); ++entry) {  // the innermost first
      if (entry->first == name) return entry->second;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::int64_t evaluate(std::string_view text, const Place& place) const {
    try {
      return evaluate_expression(text, [this](std::string_view name) { return find(name); });
    } catch (const UserError& error) {
      throw UserError(place.location(), error.what());
    }
  }

  /// The number that a scalar, after substitution, says.
  std::int64_t number(const Node& node, std::string_view key) const {
    if (node.kind != Node::Kind::kScalar) {
      throw UserError(node.place.location(),
                      fmt::format("{}: expected a number, found {}", key, describe_kind(node)));
    }
    return evaluate(substitute(node), node.place);
  }

  [[nodiscard]] std::string substitute(const Node& node) const {
    const std::string& text = node.scalar;
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$') {
        result += text[at++];
        continue;
      }
      ++at;
      if (at < text.size() && text[at] == '(') {
        std::size_t end = at;
        int open = 0;
        do {
          open += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
          ++end;
        } while (open > 0 && end < text.size());
        if (open > 0) {
          throw UserError(node.place.location(),
                          fmt::format("'{}': a ')' is missing", base::printable(text)));
        }
        result += std::to_string(
            evaluate(std::string_view(text).substr(at + 1, end - at - 2), node.place));
        at = end;
        continue;
      }
      std::size_t end = at;
      while (end < text.size() && is_name_letter(text[end], end == at)) ++end;
      const std::string name = text.substr(at, end - at);
      const auto value = find(name);
      if (!value) {
        std::vector<std::string> known;
        for (const auto& [each, unused] : names_) known.push_back(each);
        throw UserError(node.place.location(),
                        name.empty()
                            ? fmt::format("'{}': a '$' must be followed by a parameter or by '('",
                                          base::printable(text))
                            : fmt::format("there is no parameter '{}'{}", name,
                                          base::did_you_mean(name, known)));
      }
      result += *value;
      at = end;
    }
    return result;
  }

  /// Takes `when:` out of a map; whether the map stays.
  bool stays(Node& node) {
    if (node.kind != Node::Kind::kMap) return true;
    for (auto member = node.members.begin(); member != node.members.end(); ++member) {
      if (member->key != kWhen) continue;
      const bool wanted = number(member->value, kWhen) != 0;
      node.members.erase(member);
      return wanted;
    }
    return true;
  }

  /// `use: name`: the members of that parameter, as far as the map does not have them itself. The
  /// name may have parameters in it.
  void insert_fragment(Node& node) const {
    const Member* use = node.find(kUse);
    if (use == nullptr) return;
    const std::string name = use->value.kind == Node::Kind::kScalar ? substitute(use->value) : "";
    std::vector<std::string> known;
    for (const auto& [each, fragment] : fragments_) {
      known.push_back(each);
      if (each != name) continue;
      std::erase_if(node.members, [](const Member& member) { return member.key == kUse; });
      for (const Member& member : fragment->members) {
        if (node.find(member.key) == nullptr) node.members.push_back(member);
      }
      return;
    }
    throw UserError(use->value.place.location(),
                    fmt::format("use: there is no map '{}' among the parameters{}",
                                base::printable(name), base::did_you_mean(name, known)));
  }

  void expand_map(Node& node) {
    insert_fragment(node);
    std::vector<Member> members;
    for (Member& member : node.members) {
      if (!stays(member.value)) continue;
      expand(member.value);
      members.push_back(std::move(member));
    }
    node.members = std::move(members);
  }

  void expand_list(Node& node) {
    std::vector<Node> items;
    for (Node& item : node.items) {
      if (!stays(item)) continue;
      if (item.kind == Node::Kind::kMap && item.find(kRepeat) != nullptr) {
        repeat(item, items);
        continue;
      }
      expand(item);
      add(std::move(item), items);
    }
    node.items = std::move(items);
  }

  void add(Node item, std::vector<Node>& items) {
    if (++count_ > kMaxExpandedItems) {
      throw UserError(item.place.location(),
                      fmt::format("the file expands to more than {} items", kMaxExpandedItems));
    }
    items.push_back(std::move(item));
  }

  void repeat(const Node& item, std::vector<Node>& items) {
    const Node* body = nullptr;
    const Node* index = nullptr;
    for (const Member& member : item.members) {
      if (member.key == kItems) {
        body = &member.value;
      } else if (member.key == kIndex) {
        index = &member.value;
      } else if (member.key != kRepeat) {
        throw UserError(member.key_place.location(),
                        fmt::format("'{}' has no meaning beside 'repeat'; known are index, items "
                                    "and when",
                                    base::printable(member.key)));
      }
    }
    if (body == nullptr || body->kind != Node::Kind::kList) {
      throw UserError(item.place.location(), "'repeat' needs 'items', a list");
    }
    if (index == nullptr || index->kind != Node::Kind::kScalar) {
      throw UserError(item.place.location(), "'repeat' needs 'index', the name of its counter");
    }
    if (find(index->scalar)) {
      throw UserError(index->place.location(),
                      fmt::format("'{}' is already a parameter", base::printable(index->scalar)));
    }
    const std::int64_t times = number(item.find(kRepeat)->value, kRepeat);
    if (times < 0 || times > kMaxExpandedItems) {
      throw UserError(item.find(kRepeat)->value.place.location(),
                      fmt::format("repeat: {} is outside 0..{}", times, kMaxExpandedItems));
    }
    for (std::int64_t i = 0; i < times; ++i) {
      names_.emplace_back(index->scalar, std::to_string(i));
      Node copy = *body;
      expand_list(copy);
      for (Node& each : copy.items) add(std::move(each), items);
      names_.pop_back();
    }
  }

  std::vector<std::pair<std::string, std::string>> names_;
  std::vector<std::pair<std::string, const Node*>> fragments_;
  std::int64_t count_ = 0;
};

}  // namespace

void expand_parameters(Node& root) {
  for (auto member = root.members.begin(); member != root.members.end(); ++member) {
    if (member->key != kParameters) continue;
    const Node parameters = std::move(member->value);
    root.members.erase(member);
    Expander expander;
    expander.define(parameters);
    expander.expand(root);
    return;
  }
}

}  // namespace lacuna::config
