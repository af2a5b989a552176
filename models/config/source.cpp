// SPDX-License-Identifier: Apache-2.0
#include "config/source.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "config/expand.h"
#include "config/yaml_parser.h"

namespace lacuna::config {

namespace {

using base::UserError;

constexpr std::string_view kExtends = "extends";

/// Puts `over` on top of `under`.
void merge_into(Node& under, Node over) {
  if (under.kind != Node::Kind::kMap || over.kind != Node::Kind::kMap) {
    under = std::move(over);
    return;
  }
  under.place = over.place;  // missing keys are reported where the user's own map stands
  for (Member& member : over.members) {
    Member* existing = under.find(member.key);
    if (existing == nullptr) {
      under.members.push_back(std::move(member));
    } else {
      existing->key_place = member.key_place;
      merge_into(existing->value, std::move(member.value));
    }
  }
}

class Reader {
 public:
  explicit Reader(const LoadOptions& options) : options_(options) {}

  Node read(const std::string& path) {
    files_.push_back(path);
    return assemble(base::read_text_file(path, options_.max_bytes), path);
  }

  Node assemble(const std::string& text, const std::string& name) {
    Node own = parse_yaml(text, name);
    if (own.kind == Node::Kind::kNull) throw UserError({name, 0, 0}, "is empty");
    if (own.kind != Node::Kind::kMap) {
      throw UserError(own.place.location(),
                      "expected a map of keys at the top, found " + describe_kind(own));
    }
    const auto extends = std::find_if(own.members.begin(), own.members.end(),
                                      [](const Member& m) { return m.key == kExtends; });
    if (extends == own.members.end()) return own;

    const Node target = extends->value;
    const base::SourceLocation where = target.place.location();
    if (target.kind != Node::Kind::kScalar || target.scalar.empty()) {
      throw UserError(where,
                      "extends: expected the path of a file, found " + describe_kind(target));
    }
    own.members.erase(extends);
    chain_.push_back(identity(name));
    if (chain_.size() > kMaxExtends) {
      throw UserError(where, fmt::format("extends: more than {} files in a chain", kMaxExtends));
    }
    const std::string base_path = base::resolve_path(target.scalar, name);
    if (std::find(chain_.begin(), chain_.end(), identity(base_path)) != chain_.end()) {
      throw UserError(
          where, fmt::format("extends: '{}' extends itself", base::printable(target.scalar, 200)));
    }
    Node result;
    try {
      result = read(base_path);
    } catch (const UserError& error) {
      if (!error.where().file.empty()) throw;
      throw UserError(where, std::string("extends: ") + error.what());
    }
    chain_.pop_back();
    merge_into(result, std::move(own));
    return result;
  }

  [[nodiscard]] std::vector<std::string> take_files() { return std::move(files_); }

 private:
  static std::string identity(const std::string& path) {
    std::error_code ignored;
    const auto canonical = std::filesystem::weakly_canonical(path, ignored);
    return ignored ? path : canonical.string();
  }

  const LoadOptions& options_;
  std::vector<std::string> files_;
  std::vector<std::string> chain_;
};

/// One step of a --set key: a map key, or an index into a list.
struct Step {
  std::string key;
  std::size_t index = 0;
  bool is_index = false;
};

std::vector<Step> parse_key(const std::string& key) {
  const auto malformed = [&]() -> UserError {
    return UserError(
        {kSetOrigin, 0, 0},
        fmt::format("'{}' is not a key; expected words with dots between, such as engine.pes or "
                    "layers[2].weights",
                    base::printable(key)));
  };
  std::vector<Step> steps;
  for (const std::string& part : base::split(key, '.')) {
    const std::size_t bracket = part.find('[');
    const std::string word = part.substr(0, bracket);
    if (word.empty()) throw malformed();
    for (const char letter : word) {
      if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '_' && letter != '-') {
        throw malformed();
      }
    }
    steps.push_back({word, 0, false});
    std::size_t at = bracket;
    while (at != std::string::npos && at < part.size()) {
      const std::size_t close = part.find(']', at);
      if (part[at] != '[' || close == std::string::npos || close == at + 1 || close > at + 8) {
        throw malformed();
      }
      const std::string digits = part.substr(at + 1, close - at - 1);
      if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        throw malformed();
      }
      steps.push_back({"", static_cast<std::size_t>(std::stoul(digits)), true});
      at = close + 1;
    }
  }
  if (steps.size() > kMaxDepth) throw malformed();
  return steps;
}

void relocate(Node& node, const Place& place) {
  node.place = place;
  for (Node& item : node.items) relocate(item, place);
  for (Member& member : node.members) {
    member.key_place = place;
    relocate(member.value, place);
  }
}

void apply_set(Node& root, const std::string& assignment) {
  const base::SourceLocation where{kSetOrigin, 0, 0};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    throw UserError(
        where, fmt::format("'{}' has no '='; expected key=value", base::printable(assignment)));
  }
  const std::string key(base::trim(assignment.substr(0, equals)));
  const std::vector<Step> steps = parse_key(key);
  if (steps.front().key == kExtends) {
    throw UserError(where, "'extends' cannot be set on the command line");
  }
  const Place place{std::make_shared<const std::string>(kSetOrigin), 0, 0};
  Node value;
  try {
    value = parse_yaml(assignment.substr(equals + 1), kSetOrigin);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{} (in '{}')", error.what(), base::printable(assignment)));
  }
  relocate(value, place);

  Node* at = &root;
  std::string walked;
  for (const Step& step : steps) {
    if (step.is_index) {
      if (at->kind != Node::Kind::kList || step.index >= at->items.size()) {
        throw UserError(where, at->kind != Node::Kind::kList
                                   ? fmt::format("'{}' is not a list", walked)
                                   : fmt::format("'{}' has {} elements, there is no [{}]", walked,
                                                 at->items.size(), step.index));
      }
      at = &at->items[step.index];
      walked += fmt::format("[{}]", step.index);
      continue;
    }
    if (at->kind == Node::Kind::kNull) {
      at->kind = Node::Kind::kMap;
      at->place = place;
    }
    if (at->kind != Node::Kind::kMap) {
      throw UserError(where, fmt::format("'{}' has no parts, so '{}' cannot be set", walked, key));
    }
    Member* member = at->find(step.key);
    if (member == nullptr) {
      at->members.push_back({step.key, place, Node{}});
      member = &at->members.back();
      member->value.place = place;
    }
    at = &member->value;
    walked += (walked.empty() ? "" : ".") + step.key;
  }
  merge_into(*at, std::move(value));
}

/// `--param name=value`: only parameters that the file has.
void apply_parameter(Node& root, const std::string& assignment) {
  const base::SourceLocation where{kParameterOrigin, 0, 0};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    throw UserError(
        where, fmt::format("'{}' has no '='; expected name=value", base::printable(assignment)));
  }
  const std::string name(base::trim(assignment.substr(0, equals)));
  Member* parameters = root.find("parameters");
  if (parameters == nullptr || parameters->value.kind != Node::Kind::kMap) {
    throw UserError(where, fmt::format("the workload has no parameters, so '{}' cannot be set",
                                       base::printable(name)));
  }
  Member* member = parameters->value.find(name);
  if (member == nullptr) {
    std::vector<std::string> known;
    for (const Member& each : parameters->value.members) known.push_back(each.key);
    throw UserError(where, fmt::format("there is no parameter '{}'{}; the workload has {}",
                                       base::printable(name), base::did_you_mean(name, known),
                                       base::list_in_words(known, "and")));
  }
  try {
    member->value = parse_yaml(assignment.substr(equals + 1), kParameterOrigin);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{} (in '{}')", error.what(), base::printable(assignment)));
  }
  relocate(member->value, {std::make_shared<const std::string>(kParameterOrigin), 0, 0});
}

Source finish(Reader& reader, Node root, const std::string& name, const LoadOptions& options) {
  for (const std::string& assignment : options.sets) apply_set(root, assignment);
  for (const std::string& assignment : options.parameters) apply_parameter(root, assignment);
  if (options.expand) expand_parameters(root);
  return {std::move(root), name, reader.take_files()};
}

}  // namespace

Source read_source(const std::string& path, const LoadOptions& options) {
  Reader reader(options);
  Node root = reader.read(path);
  return finish(reader, std::move(root), path, options);
}

Source read_source_text(const std::string& text, const std::string& name,
                        const LoadOptions& options) {
  Reader reader(options);
  Node root = reader.assemble(text, name);
  return finish(reader, std::move(root), name, options);
}

}  // namespace lacuna::config
