// SPDX-License-Identifier: Apache-2.0
//
// Scalars of the tree -> values, checked against their Field. Each returns whether it succeeded and
// otherwise adds one issue at the place of the value. The parts of the loader that are not
// templates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/issues.h"
#include "config/node.h"
#include "params/field.h"

namespace lacuna::config {

using params::Field;

std::optional<bool> read_bool(const Node& node, const std::string& path, Issues& issues);
/// Also checks that the value fits `lowest` .. `highest`, the limits of the member's type.
std::optional<std::int64_t> read_integer(const Node& node, const std::string& path,
                                         const Field& field, std::int64_t lowest,
                                         std::int64_t highest, Issues& issues);
std::optional<double> read_number(const Node& node, const std::string& path, const Field& field,
                                  Issues& issues);
/// With Field::is_path the result is resolved against the file in which the node stands; with
/// Field::preset_folder a bare name becomes <folder>/<name>.yaml, seen from that file or, for
/// --set, from `root_file`.
std::optional<std::string> read_string(const Node& node, const std::string& path,
                                       const Field& field, const std::string& root_file,
                                       Issues& issues);
/// The index of the node's word in `names`.
std::optional<std::size_t> read_name(const Node& node, const std::string& path,
                                     const std::vector<std::string>& names, Issues& issues);

/// "4 to 16", "at least 1 B", "" when unbounded.
[[nodiscard]] std::string describe_range(const Field& field, bool integer);

/// Adds "unknown key" issues for the members of `map` that are not in `known`.
void report_unknown_keys(const Node& map, const std::string& path,
                         const std::vector<std::string>& known, Issues& issues);

/// Adds a "missing key" issue at the place of the map that should have it.
void report_missing_key(const base::SourceLocation& map_place, const std::string& path,
                        const Field& field, Issues& issues);

/// "engine" + "pes" -> "engine.pes".
[[nodiscard]] std::string child_path(const std::string& path, std::string_view key);

}  // namespace lacuna::config
