// SPDX-License-Identifier: Apache-2.0
//
// What a file of a kind may contain, made from the visitors: as JSON Schema (draft 2020-12) for
// editors, and as rows of the reference table. Rules between keys (validate()) are not in either.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "config/scalars.h"
#include "config/values.h"
#include "params/field.h"

namespace lacuna::config {

using Json = nlohmann::ordered_json;

struct ReferenceRow {
  std::string key;       ///< dotted; [] for elements of a list, <name> for free keys of a map
  std::string kind;      ///< "size", "list of numbers", ...
  std::string range;     ///< allowed values, empty when all
  std::string presence;  ///< "required", "optional", or the default
  std::string doc;
};

namespace detail {

Json number_schema(const Field& field, bool integer);
std::string number_kind(const Field& field, bool integer);

template <class T>
Json type_schema(const T& sample, const Field& field, bool in_list);

class SchemaWriter {
 public:
  explicit SchemaWriter(bool in_list) : in_list_(in_list) {}

  template <class T>
  void operator()(const Field& field, const T& value) {
    Json schema = type_schema(value, field, in_list_);
    schema["description"] = std::string(field.doc);
    properties_[std::string(field.name)] = std::move(schema);
    if (!field.is_optional && !params::kIsOptional<T> && !conditional_) {
      required_.push_back(std::string(field.name));
    }
  }
  template <class Body>
  void group(std::string_view name, std::string_view doc, Body&& body) {
    SchemaWriter inner(in_list_);
    body(inner);
    Json schema = inner.take();
    schema["description"] = std::string(doc);
    properties_[std::string(name)] = std::move(schema);
    required_.push_back(std::string(name));
  }
  template <class Body>
  void when(bool, std::string_view, Body&& body) {
    const bool outer = std::exchange(conditional_, true);
    body(*this);
    conditional_ = outer;
  }

  [[nodiscard]] const Json& required() const { return required_; }
  [[nodiscard]] Json take() {
    Json schema{{"type", "object"}, {"additionalProperties", false}};
    schema["properties"] = std::move(properties_);
    // Outside lists a key may come from the file that this one extends.
    if (in_list_ && !required_.empty()) schema["required"] = required_;
    return schema;
  }

 private:
  bool in_list_;
  bool conditional_ = false;
  Json properties_ = Json::object();
  Json required_ = Json::array();
};

template <class Variant, std::size_t... Index>
Json variant_schema(const Field& field, bool in_list, std::index_sequence<Index...>) {
  Json choices = Json::array();
  (choices.push_back(type_schema(std::variant_alternative_t<Index, Variant>{}, field, in_list)),
   ...);
  return Json{{"anyOf", choices}};
}

template <class T>
Json type_schema(const T& sample, const Field& field, bool in_list) {
  if constexpr (std::is_same_v<T, bool>) {
    return Json{{"type", "boolean"}};
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_schema(field, std::is_integral_v<T>);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return Json{{"type", Json::array({"string", "number"})}};
  } else if constexpr (params::NamedEnum<T>) {
    return Json{{"enum", params::enum_spellings<T>()}};
  } else if constexpr (params::kIsOptional<T>) {
    return type_schema(typename T::value_type{}, field, in_list);
  } else if constexpr (params::kIsVariant<T>) {
    return variant_schema<T>(field, in_list, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (params::kIsVector<T> || params::kIsArray<T>) {
    return Json{{"type", "array"}, {"items", type_schema(typename T::value_type{}, field, true)}};
  } else if constexpr (params::kIsMap<T>) {
    return Json{{"type", "object"},
                {"additionalProperties", type_schema(typename T::mapped_type{}, field, in_list)}};
  } else {
    SchemaWriter writer(in_list);
    T::visit(sample, writer);
    return writer.take();
  }
}

template <class T>
std::string kind_of(const Field& field) {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_kind(field, std::is_integral_v<T>);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return field.preset_folder.empty() ? (field.is_path ? "path" : "text") : "name or path";
  } else if constexpr (params::NamedEnum<T>) {
    return "name";
  } else if constexpr (params::kIsOptional<T>) {
    return kind_of<typename T::value_type>(field);
  } else if constexpr (params::kIsVariant<T>) {
    return []<class... Choice>(const Field& f, std::type_identity<std::variant<Choice...>>) {
      return base::list_in_words(std::vector<std::string>{kind_of<Choice>(f)...}, "or");
    }(field, std::type_identity<T>{});
  } else if constexpr (params::kIsVector<T> || params::kIsArray<T>) {
    return "list of: " + kind_of<typename T::value_type>(field);
  } else if constexpr (params::kIsMap<T>) {
    return "map of: " + kind_of<typename T::mapped_type>(field);
  } else {
    return "map";
  }
}

template <class T>
std::string range_of(const Field& field) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    return {};
  } else if constexpr (std::is_arithmetic_v<T>) {
    return describe_range(field, std::is_integral_v<T>);
  } else if constexpr (params::NamedEnum<T>) {
    return base::join(params::enum_spellings<T>(), ", ");
  } else if constexpr (params::kIsOptional<T> || params::kIsVector<T> || params::kIsArray<T>) {
    return range_of<typename T::value_type>(field);
  } else if constexpr (params::kIsMap<T>) {
    return range_of<typename T::mapped_type>(field);
  } else {
    return {};
  }
}

class ReferenceCollector {
 public:
  ReferenceCollector(std::vector<ReferenceRow>& rows, std::string path)
      : rows_(rows), path_(std::move(path)) {}

  template <class T>
  void operator()(const Field& field, const T& value) {
    const std::string key = child_path(path_, field.name);
    std::string presence = field.is_optional || params::kIsOptional<T> ? "optional" : "required";
    if (!condition_.empty()) presence = condition_;
    if constexpr (!params::kIsOptional<T> && params::shape_of<T>() == params::Shape::kScalar &&
                  !params::kIsVariant<T>) {
      if (field.is_optional) {
        presence = "default " + format_value(value, field, std::string{});
      }
    }
    if constexpr (params::Described<T>) {
      rows_.push_back({key, "map", "", "", std::string(field.doc)});
    } else {
      rows_.push_back(
          {key, kind_of<T>(field), range_of<T>(field), presence, std::string(field.doc)});
    }
    descend(value, key);
  }
  template <class Body>
  void group(std::string_view name, std::string_view doc, Body&& body) {
    const std::string key = child_path(path_, name);
    rows_.push_back({key, "map", "", "", std::string(doc)});
    ReferenceCollector inner(rows_, key);
    body(inner);
  }
  template <class Body>
  void when(bool, std::string_view condition, Body&& body) {
    const std::string outer = std::exchange(condition_, "if " + std::string(condition));
    body(*this);
    condition_ = outer;
  }

 private:
  /// The keys inside a struct, or inside the elements of a list or map of structs.
  template <class T>
  void descend(const T& value, const std::string& key) {
    if constexpr (params::Described<T>) {
      ReferenceCollector inner(rows_, key);
      T::visit(value, inner);
    } else if constexpr (params::kIsOptional<T>) {
      descend(typename T::value_type{}, key);
    } else if constexpr (params::kIsVector<T>) {
      descend(typename T::value_type{}, key + "[]");
    } else if constexpr (params::kIsMap<T>) {
      descend(typename T::mapped_type{}, key + ".<name>");
    } else if constexpr (params::kIsVariant<T>) {
      [&]<class... Choice>(std::type_identity<std::variant<Choice...>>) {
        (descend(Choice{}, key), ...);
      }(std::type_identity<T>{});
    }
  }

  std::vector<ReferenceRow>& rows_;
  std::string path_;
  std::string condition_;
};

}  // namespace detail

/// JSON Schema of a file that loads as T.
template <class T>
[[nodiscard]] Json json_schema(const std::string& title) {
  detail::SchemaWriter writer(false);
  const T sample{};
  T::visit(sample, writer);
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  const Json required = writer.required();
  schema.update(writer.take());
  schema["properties"]["extends"] =
      Json{{"type", "string"}, {"description", "a file whose keys hold where this one has none"}};
  schema["anyOf"] =
      Json::array({Json{{"required", Json::array({"extends"})}}, Json{{"required", required}}});
  return schema;
}

/// Rows of the reference table, in the order of the visitors.
template <class T>
[[nodiscard]] std::vector<ReferenceRow> reference_rows() {
  std::vector<ReferenceRow> rows;
  detail::ReferenceCollector collector(rows, "");
  const T sample{};
  T::visit(sample, collector);
  return rows;
}

}  // namespace lacuna::config
