// SPDX-License-Identifier: Apache-2.0
#include "config/scalars.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/cycles.h"
#include "base/file.h"
#include "base/text.h"
#include "config/source.h"

namespace lacuna::config {

namespace {

std::string format_bound(double bound, const Field& field, bool integer) {
  if (integer && std::abs(bound) < 0x1.0p62) {
    return base::format_quantity(static_cast<std::int64_t>(bound), field.unit);
  }
  return base::format_quantity(bound, field.unit);
}

void add(const Node& node, const std::string& path, const std::string& message, Issues& issues) {
  issues.add(node.place.location(), path, path + ": " + message);
}

/// Reports lists, maps and nothing where one value belongs.
bool is_scalar(const Node& node, const std::string& path, const std::string& expected,
               Issues& issues) {
  if (node.kind == Node::Kind::kScalar) return true;
  if (node.kind == Node::Kind::kNull) {
    add(node, path, "has no value; expected " + expected, issues);
  } else {
    add(node, path, fmt::format("expected {}, found {}", expected, describe_kind(node)), issues);
  }
  return false;
}

std::optional<base::Quantity> read_quantity(const Node& node, const std::string& path,
                                            const Field& field, bool integer, Issues& issues) {
  const std::string expected = integer && field.unit == base::Unit::kNone
                                   ? "a whole number"
                                   : base::describe_expected(field.unit);
  if (!is_scalar(node, path, expected, issues)) return std::nullopt;
  base::Quantity quantity;
  try {
    quantity = base::parse_quantity(node.scalar, field.unit);
  } catch (const base::UserError& error) {
    add(node, path, error.what(), issues);
    return std::nullopt;
  }
  if (quantity.value < field.minimum || quantity.value > field.maximum) {
    add(node, path,
        fmt::format("{} is out of range; expected {}", base::printable(node.scalar),
                    describe_range(field, integer)),
        issues);
    return std::nullopt;
  }
  return quantity;
}

std::string in_map(const std::string& path) {
  return path.empty() ? std::string{} : fmt::format(" in {}", path);
}

}  // namespace

std::string child_path(const std::string& path, std::string_view key) {
  std::string result = path;
  if (!result.empty()) result += '.';
  result += base::printable(key, 60);
  return result;
}

std::string describe_range(const Field& field, bool integer) {
  const bool low = std::isfinite(field.minimum);
  const bool high = std::isfinite(field.maximum);
  std::string text;
  if (low && high) {
    text = fmt::format("{} to {}", format_bound(field.minimum, field, integer),
                       format_bound(field.maximum, field, integer));
  } else if (low) {
    text = "at least " + format_bound(field.minimum, field, integer);
  } else if (high) {
    text = "at most " + format_bound(field.maximum, field, integer);
  }
  if (field.power_of_two) text += text.empty() ? "a power of two" : ", a power of two";
  return text;
}

std::optional<bool> read_bool(const Node& node, const std::string& path, Issues& issues) {
  if (!is_scalar(node, path, "true or false", issues)) return std::nullopt;
  if (node.scalar == "true") return true;
  if (node.scalar == "false") return false;
  add(node, path, fmt::format("'{}' is not true or false", base::printable(node.scalar)), issues);
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Node& node, const std::string& path,
                                         const Field& field, std::int64_t lowest,
                                         std::int64_t highest, Issues& issues) {
  const auto quantity = read_quantity(node, path, field, true, issues);
  if (!quantity) return std::nullopt;
  const std::string shown = base::printable(node.scalar);
  const bool fits =
      quantity->is_integer && quantity->integer >= lowest && quantity->integer <= highest;
  if (!fits) {
    const bool whole = quantity->value == std::trunc(quantity->value);
    const std::string unit(base::unit_name(field.unit));
    add(node, path,
        whole ? fmt::format("{} is too large", shown)
              : fmt::format("{} is not a whole number{}", shown, unit.empty() ? "" : " of " + unit),
        issues);
    return std::nullopt;
  }
  if (field.power_of_two && !base::is_power_of_two(quantity->integer)) {
    add(node, path,
        fmt::format("{} is not a power of two; expected {}", shown, describe_range(field, true)),
        issues);
    return std::nullopt;
  }
  return quantity->integer;
}

std::optional<double> read_number(const Node& node, const std::string& path, const Field& field,
                                  Issues& issues) {
  const auto quantity = read_quantity(node, path, field, false, issues);
  if (!quantity) return std::nullopt;
  return quantity->value;
}

std::optional<std::string> read_string(const Node& node, const std::string& path,
                                       const Field& field, const std::string& root_file,
                                       Issues& issues) {
  if (!is_scalar(node, path, field.is_path ? "the path of a file" : "a text", issues)) {
    return std::nullopt;
  }
  if (!field.is_path) return node.scalar;
  if (node.scalar.empty()) {
    add(node, path, "has no value; expected the path of a file", issues);
    return std::nullopt;
  }
  const std::string from = node.place.file == nullptr ? std::string{} : *node.place.file;
  const bool bare_name = node.scalar.find('/') == std::string::npos &&
                         !node.scalar.ends_with(".yaml") && !node.scalar.ends_with(".yml");
  if (!field.preset_folder.empty() && bare_name) {
    const std::string file = fmt::format("{}/{}.yaml", field.preset_folder, node.scalar);
    return base::resolve_path(file, from == kSetOrigin ? root_file : from);
  }
  return base::resolve_path(node.scalar, from);
}

std::optional<std::size_t> read_name(const Node& node, const std::string& path,
                                     const std::vector<std::string>& names, Issues& issues) {
  const std::string expected = "one of " + base::list_in_words(names, "or");
  if (!is_scalar(node, path, expected, issues)) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), node.scalar);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  add(node, path,
      fmt::format("'{}' is not {}{}", base::printable(node.scalar), expected,
                  base::did_you_mean(node.scalar, names)),
      issues);
  return std::nullopt;
}

void report_unknown_keys(const Node& map, const std::string& path,
                         const std::vector<std::string>& known, Issues& issues) {
  for (const Member& member : map.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    std::string hint = base::did_you_mean(member.key, known);
    if (hint.empty() && known.size() <= 8 && !known.empty()) {
      hint = "; known keys: " + base::join(known, ", ");
    }
    issues.add(
        member.key_place.location(), child_path(path, member.key),
        fmt::format("unknown key '{}'{}{}", base::printable(member.key), in_map(path), hint));
  }
}

void report_missing_key(const base::SourceLocation& map_place, const std::string& path,
                        const Field& field, Issues& issues) {
  issues.add(map_place, child_path(path, field.name),
             fmt::format("missing key '{}'{}: {}", field.name, in_map(path), field.doc));
}

}  // namespace lacuna::config
