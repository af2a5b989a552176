// SPDX-License-Identifier: Apache-2.0
//
// YAML -> any struct with a visitor (params/field.h). Strict: unknown keys, missing keys, wrong
// units, wrong shapes, values out of range and broken rules (validate()) are all errors, and all of
// them are reported by one UserError, a line each: "file:line:column: sentence (did you mean ..)".
//
//   const auto chip = config::load<params::ChipParams>(path, {.sets = {"engine.pes=8"}});
//   chip.value.engine.pes;  chip.provenance.locate("engine.pes");
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/issues.h"
#include "config/node.h"
#include "config/provenance.h"
#include "config/scalars.h"
#include "config/source.h"
#include "params/field.h"

namespace lacuna::config {

template <class T>
struct Loaded {
  T value;
  Provenance provenance;
  std::vector<std::string> files;  ///< read on the way, the named one first
};

namespace detail {

struct LoadState {
  Issues issues;
  Provenance provenance;
  base::SourceLocation map_place;  ///< of the struct being read: where missing keys are reported
  std::string root_file;           ///< what the user named; presets given by --set start from it
};

template <class T>
bool load_value(const Node& node, const std::string& path, const Field& field, T& target,
                LoadState& state);

/// Finds out whether a struct can be left out: whether it has a required key.
class RequiredProbe {
 public:
  template <class T>
  void operator()(const Field& field, T&) {
    if (!field.is_optional && !params::kIsOptional<std::remove_const_t<T>>) required_ = true;
  }
  template <class Body>
  void group(std::string_view, std::string_view, Body&& body) {
    body(*this);
  }
  template <class Body>
  void when(bool condition, std::string_view, Body&& body) {
    if (condition) body(*this);
  }
  [[nodiscard]] bool required() const { return required_; }

 private:
  bool required_ = false;
};

/// The visitor that fills one struct from one map.
class MapReader {
 public:
  /// `outer_place`: where to report missing keys if the map itself stands in a file that the named
  /// one only extends.
  MapReader(const Node& map, std::string path, const base::SourceLocation& outer_place,
            LoadState& state)
      : map_(map), path_(std::move(path)), place_(map.place.location()), state_(state) {
    if (!outer_place.file.empty() && place_.file != state.root_file) place_ = outer_place;
  }

  template <class T>
  void operator()(const Field& field, T& target) {
    known_.emplace_back(field.name);
    const Member* member = map_.find(field.name);
    const std::string path = child_path(path_, field.name);
    if (member == nullptr) {
      if (!field.is_optional && !can_be_left_out(target)) {
        report_missing_key(place_, path_, field, state_.issues);
      }
      return;
    }
    state_.provenance.record(path, member->value.place.location());
    load_value(member->value, path, field, target, state_);
  }

  /// A nested map whose keys are members of the same struct.
  template <class Body>
  void group(std::string_view name, std::string_view doc, Body&& body) {
    known_.emplace_back(name);
    const Member* member = map_.find(name);
    const std::string path = child_path(path_, name);
    if (member == nullptr) {
      RequiredProbe probe;
      body(probe);
      if (probe.required()) {
        report_missing_key(place_, path_, params::field(name, doc), state_.issues);
      }
      return;
    }
    state_.provenance.record(path, member->value.place.location());
    if (member->value.kind != Node::Kind::kMap) {
      state_.issues.add(
          member->value.place.location(), path,
          fmt::format("{}: expected a map, found {}", path, describe_kind(member->value)));
      return;
    }
    MapReader inner(member->value, path, place_, state_);
    body(inner);
    inner.finish();
  }

  /// Keys that exist only under a condition on members visited before.
  template <class Body>
  void when(bool condition, std::string_view, Body&& body) {
    if (condition) body(*this);
  }

  [[nodiscard]] const base::SourceLocation& place() const { return place_; }

  void finish() { report_unknown_keys(map_, path_, known_, state_.issues); }

 private:
  template <class T>
  static bool can_be_left_out(T& target) {
    if constexpr (params::kIsOptional<T>) {
      return true;
    } else if constexpr (params::Described<T>) {
      RequiredProbe probe;
      T::visit(target, probe);
      return !probe.required();
    } else {
      return false;
    }
  }

  const Node& map_;
  std::string path_;
  base::SourceLocation place_;
  LoadState& state_;
  std::vector<std::string> known_;
};

inline void expect_shape(const Node& node, const std::string& path, std::string_view expected,
                         LoadState& state) {
  state.issues.add(node.place.location(), path,
                   fmt::format("{}: expected {}, found {}", path.empty() ? "top" : path, expected,
                               describe_kind(node)));
}

template <class T>
void check_rules(const T& value, const std::string& path, const Node& map, LoadState& state) {
  for (const params::Violation& violation : value.validate()) {
    bool readable = true;
    for (const std::string& key : violation.keys) {
      readable = readable && !state.issues.touches(child_path(path, key));
    }
    if (!readable) continue;
    base::SourceLocation where = map.place.location();
    if (!violation.keys.empty()) {
      // Point at what the user changed last: --set, else the named file, else a base.
      const std::string first = child_path(path, violation.keys.front());
      where = state.provenance.locate(first);
      for (const std::string& key : violation.keys) {
        const auto place = state.provenance.locate(child_path(path, key));
        const bool nearer = (place.file == kSetOrigin && where.file != kSetOrigin) ||
                            (place.file == state.root_file && where.file != kSetOrigin &&
                             where.file != state.root_file);
        if (nearer) where = place;
      }
    }
    state.issues.add(where, path.empty() ? violation.message : path + ": " + violation.message);
  }
}

template <class T>
bool load_struct(const Node& node, const std::string& path, T& target, LoadState& state) {
  if (node.kind != Node::Kind::kMap) {
    expect_shape(node, path, "a map", state);
    return false;
  }
  MapReader reader(node, path, state.map_place, state);
  const base::SourceLocation outer_place = std::exchange(state.map_place, reader.place());
  T::visit(target, reader);
  reader.finish();
  state.map_place = outer_place;
  if constexpr (params::SelfValidating<T>) check_rules(target, path, node, state);
  return true;
}

template <class Variant, std::size_t Index = 0>
bool load_variant(const Node& node, const std::string& path, const Field& field, Variant& target,
                  LoadState& state) {
  if constexpr (Index == std::variant_size_v<Variant>) {
    expect_shape(node, path, "a different kind of value", state);
    return false;
  } else {
    using Alternative = std::variant_alternative_t<Index, Variant>;
    constexpr params::Shape kShape = params::shape_of<Alternative>();
    const bool fits = (kShape == params::Shape::kScalar && node.kind == Node::Kind::kScalar) ||
                      (kShape == params::Shape::kList && node.kind == Node::Kind::kList) ||
                      (kShape == params::Shape::kMap && node.kind == Node::Kind::kMap);
    if (fits) {
      return load_value(node, path, field, target.template emplace<Alternative>(), state);
    }
    return load_variant<Variant, Index + 1>(node, path, field, target, state);
  }
}

template <class List>
bool load_items(const Node& node, const std::string& path, const Field& field, List& target,
                LoadState& state) {
  bool all = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item_path = fmt::format("{}[{}]", path, i);
    state.provenance.record(item_path, node.items[i].place.location());
    if constexpr (std::is_same_v<typename List::value_type, bool>) {
      bool item = false;
      all = load_value(node.items[i], item_path, field, item, state) && all;
      target[i] = item;
    } else {
      all = load_value(node.items[i], item_path, field, target[i], state) && all;
    }
  }
  return all;
}

template <class T>
bool store(const std::optional<T>& read, T& target) {
  if (read) target = *read;
  return read.has_value();
}

template <class T>
bool load_value(const Node& node, const std::string& path, const Field& field, T& target,
                LoadState& state) {
  if constexpr (std::is_same_v<T, bool>) {
    return store(read_bool(node, path, state.issues), target);
  } else if constexpr (std::is_integral_v<T>) {
    static_assert(std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t),
                  "use std::int64_t for wide integers");
    const auto read = read_integer(node, path, field, std::numeric_limits<T>::min(),
                                   std::numeric_limits<T>::max(), state.issues);
    if (read) target = static_cast<T>(*read);
    return read.has_value();
  } else if constexpr (std::is_floating_point_v<T>) {
    return store(read_number(node, path, field, state.issues), target);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return store(read_string(node, path, field, state.root_file, state.issues), target);
  } else if constexpr (params::NamedEnum<T>) {
    static const std::vector<std::string> names = params::enum_spellings<T>();
    const auto read = read_name(node, path, names, state.issues);
    if (read) target = enum_names(T{})[*read].value;
    return read.has_value();
  } else if constexpr (params::kIsOptional<T>) {
    if (node.kind == Node::Kind::kNull) {
      target.reset();
      return true;
    }
    return load_value(node, path, field, target.emplace(), state);
  } else if constexpr (params::kIsVariant<T>) {
    return load_variant(node, path, field, target, state);
  } else if constexpr (params::kIsVector<T>) {
    if (node.kind != Node::Kind::kList) {
      expect_shape(node, path, "a list", state);
      return false;
    }
    target.assign(node.items.size(), typename T::value_type{});
    return load_items(node, path, field, target, state);
  } else if constexpr (params::kIsArray<T>) {
    if (node.kind != Node::Kind::kList || node.items.size() != target.size()) {
      const std::string found = node.kind == Node::Kind::kList
                                    ? fmt::format("a list of {}", node.items.size())
                                    : describe_kind(node);
      state.issues.add(
          node.place.location(), path,
          fmt::format("{}: expected a list of {} values, found {}", path, target.size(), found));
      return false;
    }
    return load_items(node, path, field, target, state);
  } else if constexpr (params::kIsMap<T>) {
    if (node.kind != Node::Kind::kMap) {
      expect_shape(node, path, "a map", state);
      return false;
    }
    target.clear();
    bool all = true;
    for (const Member& member : node.members) {
      const std::string item_path = child_path(path, member.key);
      state.provenance.record(item_path, member.value.place.location());
      all = load_value(member.value, item_path, field, target[member.key], state) && all;
    }
    return all;
  } else {
    static_assert(params::Described<T>, "a member type that the loader does not know");
    return load_struct(node, path, target, state);
  }
}

template <class T>
Loaded<T> load_source(Source source) {
  LoadState state;
  state.root_file = source.name;
  Loaded<T> loaded;
  state.provenance.record("", source.root.place.location());
  load_struct(source.root, "", loaded.value, state);
  state.issues.throw_if_any();
  loaded.provenance = std::move(state.provenance);
  loaded.files = std::move(source.files);
  return loaded;
}

}  // namespace detail

/// Loads a file. UserError: see above.
template <class T>
[[nodiscard]] Loaded<T> load(const std::string& path, const LoadOptions& options = {}) {
  return detail::load_source<T>(read_source(path, options));
}

/// Loads a text; `name` is what messages call it and what relative paths in it start from.
template <class T>
[[nodiscard]] Loaded<T> load_text(const std::string& text, const std::string& name,
                                  const LoadOptions& options = {}) {
  return detail::load_source<T>(read_source_text(text, name, options));
}

}  // namespace lacuna::config
