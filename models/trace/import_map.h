// SPDX-License-Identifier: Apache-2.0
//
// Which foreign tensor becomes the weights of which layer: the file behind `lacuna trace import
// --map`. A key of `layers` is the name of a layer of the workload, or a pattern in which {word}
// stands for a number and stands for the same number in the foreign name:
//
//   schema: lacuna-import-map-1
//   layout: hwio                          # axes of 4-D tensors
//   layers:
//     stem: initial_conv
//     layer{g}_{b}_conv1: bottleneck_1_block_group{g}_{b}_1
//     layer{i}_query: {name: "h.{i}.attn.c_attn.weight", transpose: true, rows: [0, 768]}
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "params/field.h"

namespace lacuna::trace {

using params::Unit;

inline constexpr std::string_view kMapSchema = "lacuna-import-map-1";

/// Axes of a 4-D weight tensor: o output channels, i input channels, h rows, w columns.
enum class Layout { kOihw, kOhwi, kHwio };
constexpr auto enum_names(Layout) {
  return std::array{params::EnumName{Layout::kOihw, "oihw"},
                    params::EnumName{Layout::kOhwi, "ohwi"},
                    params::EnumName{Layout::kHwio, "hwio"}};
}

/// Columns of a 2-D matrix that holds a convolution: r rows, s columns of the kernel, c channels;
/// the last one runs fastest.
enum class ColumnOrder { kRsc, kCrs };
constexpr auto enum_names(ColumnOrder) {
  return std::array{params::EnumName{ColumnOrder::kRsc, "rsc"},
                    params::EnumName{ColumnOrder::kCrs, "crs"}};
}

/// A foreign tensor, or a part of it.
struct MapEntry {
  std::string name;
  bool transpose = false;                         ///< the matrix is [k][n]
  std::optional<std::vector<std::int64_t>> rows;  ///< {first, end} of its output channels

  [[nodiscard]] std::vector<params::Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(params::field("name", "name of the foreign tensor; {word} as in the key"), self.name);
    visitor(params::field("transpose", "the matrix has a row per k, a column per output channel")
                .optional(),
            self.transpose);
    visitor(params::field("rows", "[first, end) of its output channels").range(0, 1LL << 40),
            self.rows);
  }
};

struct ImportMap {
  std::string schema = std::string(kMapSchema);
  Layout layout = Layout::kOihw;
  ColumnOrder columns = ColumnOrder::kRsc;
  std::map<std::string, std::string> provenance;
  std::map<std::string, std::variant<std::string, MapEntry>> layers;

  [[nodiscard]] std::vector<params::Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(params::field("schema", "version of this format: lacuna-import-map-1"), self.schema);
    visitor(params::field("layout", "axes of 4-D tensors: oihw, ohwi or hwio").optional(),
            self.layout);
    visitor(params::field("columns", "columns of 2-D convolution weights: rsc or crs").optional(),
            self.columns);
    visitor(params::field("provenance", "what the trace's provenance says").optional(),
            self.provenance);
    visitor(params::field("layers", "layer of the workload: foreign tensor"), self.layers);
  }
};

/// The entry for a layer with all numbers filled in, and the key it stands under; nullopt if there
/// is none. An exact key goes before a pattern, a pattern with fewer {word} before one with more.
struct FoundEntry {
  MapEntry entry;
  std::string key;
};
[[nodiscard]] std::optional<FoundEntry> find_entry(const ImportMap& map, std::string_view layer);

}  // namespace lacuna::trace
