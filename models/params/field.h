// SPDX-License-Identifier: Apache-2.0
//
// What a parameter is, said once. A struct describes its members in one static function
//
//   template <class Self, class Visitor>
//   static void visit(Self& self, Visitor& visitor) {
//     visitor(field("banks", "independent banks of the SRAM").range(1, 1024), self.banks);
//     visitor(field("capacity", "bytes on chip", Unit::kBytes).range(1, kMax), self.capacity);
//   }
//
// and the loader, the dump, `lacuna describe`, the JSON schema, the reference table and the range
// check are visitors over it. visitor.group(name, doc, body) is a nested map whose keys are members
// of the same struct; visitor.when(condition, "op is conv2d", body) holds keys that exist only
// under a condition on members visited before. Self is const or not. Member types: bool, int,
// std::int64_t, double, std::string, enums with enum_names(), structs with visit(), std::vector<T>,
// std::array<T, N>, std::map<std::string, T>, std::optional<T>, and std::variant of alternatives
// that differ in shape (scalar, list, map). docs/developer/add_a_parameter.md has the rules. No I/O
// here.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/units.h"

namespace lacuna::params {

using base::Unit;

/// Name, unit, range and doc of one member.
struct Field {
  std::string_view name;
  std::string_view doc;
  Unit unit = Unit::kNone;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool power_of_two = false;
  bool is_optional = false;
  bool is_path = false;
  std::string_view preset_folder;

  /// Smallest and largest allowed value, in base units, both included.
  [[nodiscard]] constexpr Field range(double low, double high) const {
    Field copy = *this;
    copy.minimum = low;
    copy.maximum = high;
    return copy;
  }
  [[nodiscard]] constexpr Field at_least(double low) const { return range(low, maximum); }
  /// An integer that must be a power of two.
  [[nodiscard]] constexpr Field power_of_2() const {
    Field copy = *this;
    copy.power_of_two = true;
    return copy;
  }
  /// May be left out; the member then keeps its default. Without this a missing key is an error.
  /// std::optional members are always optional.
  [[nodiscard]] constexpr Field optional() const {
    Field copy = *this;
    copy.is_optional = true;
    return copy;
  }
  /// A string that names a file: relative to the file in which it is written; the loader stores it
  /// resolved.
  [[nodiscard]] constexpr Field path() const {
    Field copy = *this;
    copy.is_path = true;
    return copy;
  }
  /// A path, or the bare name of a preset: "x" means <folder>/x.yaml, seen from the file in which
  /// it is written. The loader stores the path.
  [[nodiscard]] constexpr Field preset_in(std::string_view folder) const {
    Field copy = path();
    copy.preset_folder = folder;
    return copy;
  }
};

[[nodiscard]] constexpr Field field(std::string_view name, std::string_view doc,
                                    Unit unit = Unit::kNone) {
  Field made;
  made.name = name;
  made.doc = doc;
  made.unit = unit;
  return made;
}

/// One broken rule. `keys` are the dotted keys involved, relative to the struct that reports it;
/// the message is shown at the place of the first one, and not at all if the value of any of them
/// could not be read. The message is a sentence without a full stop.
struct Violation {
  std::vector<std::string> keys;
  std::string message;
};

/// Enum members need, in the enum's namespace,
///   constexpr auto enum_names(Balance) {
///     return std::array{EnumName{Balance::kNone, "none"}, ...};
///   }
template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};
template <class Enum>
EnumName(Enum, const char*) -> EnumName<Enum>;

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
  enum_names(value);
};

template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view enum_name(Enum value) {
  for (const auto& entry : enum_names(value)) {
    if (entry.value == value) return entry.name;
  }
  return "?";
}

template <NamedEnum Enum>
[[nodiscard]] std::vector<std::string> enum_spellings() {
  std::vector<std::string> result;
  for (const auto& entry : enum_names(Enum{})) result.emplace_back(entry.name);
  return result;
}

/// A visitor that does nothing, to recognise structs with visit().
struct NullVisitor {
  template <class T>
  void operator()(const Field&, T&) {}
  template <class Body>
  void group(std::string_view, std::string_view, Body&& body) {
    body(*this);
  }
  template <class Body>
  void when(bool, std::string_view, Body&& body) {
    body(*this);
  }
};

template <class T>
concept Described = requires(T& value, NullVisitor& visitor) {
  T::visit(value, visitor);
};

template <class T>
concept SelfValidating = requires(const T& value) {
  { value.validate() } -> std::convertible_to<std::vector<Violation>>;
};

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsArray = false;
template <class T, std::size_t Size>
inline constexpr bool kIsArray<std::array<T, Size>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVariant = false;
template <class... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;

/// The YAML shape of a member type; the alternatives of a variant must differ in it.
enum class Shape { kScalar, kList, kMap };

template <class T>
[[nodiscard]] constexpr Shape shape_of() {
  if constexpr (kIsVector<T> || kIsArray<T>) {
    return Shape::kList;
  } else if constexpr (kIsMap<T> || Described<T>) {
    return Shape::kMap;
  } else {
    return Shape::kScalar;
  }
}

}  // namespace lacuna::params
