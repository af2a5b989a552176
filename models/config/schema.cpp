// SPDX-License-Identifier: Apache-2.0
#include "config/schema.h"

#include <cmath>

#include "base/text.h"
#include "base/units.h"

namespace lacuna::config::detail {

Json number_schema(const Field& field, bool integer) {
  const std::vector<std::string> units = base::unit_spellings(field.unit);
  Json text{{"type", "string"}};
  if (!units.empty()) {
    text["pattern"] = fmt::format("^[+-]?[0-9.]+([eE][+-]?[0-9]+)? *({})$", base::join(units, "|"));
    const std::string range = describe_range(field, integer);
    if (!range.empty()) text["$comment"] = "range: " + range;
  }
  if (!base::bare_number_allowed(field.unit)) return text;
  Json number{{"type", integer ? "integer" : "number"}};
  const auto bound = [&](double value) -> Json {
    if (integer) return static_cast<std::int64_t>(value);
    return value;
  };
  if (std::isfinite(field.minimum)) number["minimum"] = bound(field.minimum);
  if (std::isfinite(field.maximum)) number["maximum"] = bound(field.maximum);
  if (units.empty()) return number;
  return Json{{"anyOf", Json::array({number, text})}};
}

std::string number_kind(const Field& field, bool integer) {
  if (field.unit == base::Unit::kNone) return integer ? "whole number" : "number";
  std::string kind(base::unit_name(field.unit));
  return fmt::format("{} ({})", kind, base::join(base::unit_spellings(field.unit), ", "));
}

}  // namespace lacuna::config::detail
