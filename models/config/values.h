// SPDX-License-Identifier: Apache-2.0
//
// A struct back to text: the list of its keys with values, docs and origins (`lacuna describe`),
// and a complete YAML file that loads to the same struct again.
#pragma once

#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/units.h"
#include "config/provenance.h"
#include "config/scalars.h"
#include "params/field.h"

namespace lacuna::config {

/// `text` as a YAML scalar that the loader reads back as the same string.
[[nodiscard]] std::string quote(const std::string& text);

struct ValueRow {
  std::string key;     ///< dotted
  std::string value;   ///< as it would be written in YAML
  std::string origin;  ///< "file:line:column", "--set", "default"
  std::string doc;
};

namespace detail {

/// Paths are written as seen from `target_file`, or as they are when that is empty.
std::string format_path(const std::string& path, const std::string& target_file);

template <class T>
std::string format_value(const T& value, const Field& field, const std::string& target_file);

/// Whether a member says nothing, so that leaving its key out means the same.
template <class T>
bool is_absent(const T& value, const Field& field) {
  if constexpr (params::kIsOptional<T>) {
    return !value.has_value();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return field.is_optional && value.empty();
  } else {
    return false;
  }
}

/// "{a: 1, b: [2, 3]}".
class FlowWriter {
 public:
  explicit FlowWriter(const std::string& target_file) : target_file_(target_file) {}
  template <class T>
  void operator()(const Field& field, const T& value) {
    if (is_absent(value, field)) return;
    next() += fmt::format("{}: {}", field.name, format_value(value, field, target_file_));
  }
  template <class Body>
  void group(std::string_view name, std::string_view, Body&& body) {
    FlowWriter inner(target_file_);
    body(inner);
    next() += fmt::format("{}: {}", name, inner.text());
  }
  template <class Body>
  void when(bool condition, std::string_view, Body&& body) {
    if (condition) body(*this);
  }
  [[nodiscard]] std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string& next() {
    if (!text_.empty()) text_ += ", ";
    return text_;
  }
  const std::string& target_file_;
  std::string text_;
};

template <class List>
std::string format_list(const List& values, const Field& field, const std::string& target_file) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ", ";
    text += format_value<typename List::value_type>(values[i], field, target_file);
  }
  return text + "]";
}

template <class T>
std::string format_value(const T& value, const Field& field, const std::string& target_file) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    return base::format_quantity(static_cast<std::int64_t>(value), field.unit);
  } else if constexpr (std::is_floating_point_v<T>) {
    return base::format_quantity(static_cast<double>(value), field.unit);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return quote(field.is_path ? format_path(value, target_file) : value);
  } else if constexpr (params::NamedEnum<T>) {
    return std::string(params::enum_name(value));
  } else if constexpr (params::kIsOptional<T>) {
    return value ? format_value(*value, field, target_file) : "null";
  } else if constexpr (params::kIsVariant<T>) {
    return std::visit([&](const auto& v) { return format_value(v, field, target_file); }, value);
  } else if constexpr (params::kIsVector<T> || params::kIsArray<T>) {
    return format_list(value, field, target_file);
  } else if constexpr (params::kIsMap<T>) {
    std::string text = "{";
    for (const auto& [key, item] : value) {
      if (text.size() > 1) text += ", ";
      text += quote(key) + ": " + format_value(item, field, target_file);
    }
    return text + "}";
  } else {
    FlowWriter writer(target_file);
    T::visit(value, writer);
    return writer.text();
  }
}

/// Structs and groups as indented blocks, lists of maps as "- {...}" lines.
class BlockWriter {
 public:
  BlockWriter(std::string& text, int indent, const std::string& target_file)
      : text_(text), indent_(indent), target_file_(target_file) {}

  template <class T>
  void operator()(const Field& field, const T& value) {
    if (is_absent(value, field)) return;
    if constexpr (params::kIsOptional<T>) {
      (*this)(field, *value);
    } else if constexpr (params::Described<T>) {
      nested(field.name, [&](auto& inner) { T::visit(value, inner); });
    } else if constexpr (params::kIsVector<T>) {
      if constexpr (params::shape_of<typename T::value_type>() == params::Shape::kMap) {
        line(field.name, value.empty() ? "[]" : "");
        for (const auto& item : value) {
          text_ +=
              fmt::format("{:{}}- {}\n", "", indent_ + 2, format_value(item, field, target_file_));
        }
      } else {
        line(field.name, format_value(value, field, target_file_));
      }
    } else if constexpr (params::kIsMap<T>) {
      if (value.empty()) {
        line(field.name, "{}");
        return;
      }
      line(field.name, "");
      for (const auto& [key, item] : value) {
        text_ += fmt::format("{:{}}{}: {}\n", "", indent_ + 2, quote(key),
                             format_value(item, field, target_file_));
      }
    } else {
      line(field.name, format_value(value, field, target_file_));
    }
  }
  template <class Body>
  void group(std::string_view name, std::string_view, Body&& body) {
    nested(name, body);
  }
  template <class Body>
  void when(bool condition, std::string_view, Body&& body) {
    if (condition) body(*this);
  }

 private:
  template <class Body>
  void nested(std::string_view name, Body&& body) {
    std::string inner_text;
    BlockWriter inner(inner_text, indent_ + 2, target_file_);
    body(inner);
    line(name, inner_text.empty() ? "{}" : "");
    text_ += inner_text;
  }
  void line(std::string_view name, const std::string& value) {
    text_ += fmt::format("{:{}}{}:{}{}\n", "", indent_, name, value.empty() ? "" : " ", value);
  }

  std::string& text_;
  int indent_;
  const std::string& target_file_;
};

class RowCollector {
 public:
  RowCollector(std::vector<ValueRow>& rows, std::string path, const Provenance& provenance)
      : rows_(rows), path_(std::move(path)), provenance_(provenance) {}

  template <class T>
  void operator()(const Field& field, const T& value) {
    const std::string key = child_path(path_, field.name);
    if constexpr (params::Described<T>) {
      RowCollector inner(rows_, key, provenance_);
      T::visit(value, inner);
    } else {
      rows_.push_back({key, format_value(value, field, std::string{}), provenance_.origin(key),
                       std::string(field.doc)});
    }
  }
  template <class Body>
  void group(std::string_view name, std::string_view, Body&& body) {
    RowCollector inner(rows_, child_path(path_, name), provenance_);
    body(inner);
  }
  template <class Body>
  void when(bool condition, std::string_view, Body&& body) {
    if (condition) body(*this);
  }

 private:
  std::vector<ValueRow>& rows_;
  std::string path_;
  const Provenance& provenance_;
};

}  // namespace detail

/// A complete YAML text. Paths are written as seen from `target_file` (the file that will hold the
/// text), or as they are, relative to the working folder, when it is empty.
template <class T>
[[nodiscard]] std::string dump(const T& value, const std::string& target_file = {}) {
  std::string text;
  detail::BlockWriter writer(text, 0, target_file);
  T::visit(value, writer);
  return text;
}

/// Every key of the struct, nested ones dotted, in the order of the visitors.
template <class T>
[[nodiscard]] std::vector<ValueRow> list_values(const T& value, const Provenance& provenance) {
  std::vector<ValueRow> rows;
  detail::RowCollector collector(rows, "", provenance);
  T::visit(value, collector);
  return rows;
}

}  // namespace lacuna::config
