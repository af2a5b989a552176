// SPDX-License-Identifier: Apache-2.0
//
// How work is mapped onto a chip: what the mapper minimises and how weights lie in memory (the
// chip's `mapper:`), and what a user fixes for one layer of a workload (its `mapping:`). Plain
// data; the rules that need the chip are checked by the mapper.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "params/field.h"

namespace lacuna::params {

/// What a layer's split is chosen for, both predicted: fewest cycles or least energy (among equals
/// the fewest cycles). Among equals again, the fewest bytes through the SRAM ports.
enum class Objective { kTime, kEnergy };
constexpr auto enum_names(Objective) {
  return std::array{EnumName{Objective::kTime, "time"}, EnumName{Objective::kEnergy, "energy"}};
}

/// Which core takes a task: the first one with room in its queue, or one fixed by the mapper (round
/// robin within a layer).
enum class Dispatch { kDynamic, kStatic };
constexpr auto enum_names(Dispatch) {
  return std::array{EnumName{Dispatch::kDynamic, "dynamic"}, EnumName{Dispatch::kStatic, "static"}};
}

/// Order of a layer's tasks: all rows of a weight tile before the next tile (weights stay in the
/// buffer, and leave the SRAM ring soon), or all tiles of some rows before the next rows (work
/// begins when the first rows are there, cores of a port share their loads). Auto: as is predicted
/// to be better, by what cores find in their buffers and what they load together.
enum class Ordering { kAuto, kTileMajor, kRowMajor };
constexpr auto enum_names(Ordering) {
  return std::array{EnumName{Ordering::kAuto, "auto"}, EnumName{Ordering::kTileMajor, "tile_major"},
                    EnumName{Ordering::kRowMajor, "row_major"}};
}

/// How a task goes through its K tiles: from the first to the last, or, every other task of a core,
/// from the last to the first, so that it begins with what the task before has left in the buffers.
/// Auto: as is predicted to be better.
enum class KOrder { kAuto, kForward, kAlternate };
constexpr auto enum_names(KOrder) {
  return std::array{EnumName{KOrder::kAuto, "auto"}, EnumName{KOrder::kForward, "forward"},
                    EnumName{KOrder::kAlternate, "alternate"}};
}

/// How a weight tile lies in memory: as the image that the engine's load port takes, or k by k, so
/// that only rows whose activation is somewhere non-zero need to be fetched.
enum class WeightLayout { kTile, kRow };
constexpr auto enum_names(WeightLayout) {
  return std::array{EnumName{WeightLayout::kTile, "tile"}, EnumName{WeightLayout::kRow, "row"}};
}

/// Where the output of a layer lives until it has been read. Auto: in SRAM if there is room.
enum class Place { kAuto, kSram, kDram };
constexpr auto enum_names(Place) {
  return std::array{EnumName{Place::kAuto, "auto"}, EnumName{Place::kSram, "sram"},
                    EnumName{Place::kDram, "dram"}};
}

/// `mapper:` of a chip.
struct MapperParams {
  Objective objective = Objective::kTime;
  Ordering order = Ordering::kAuto;
  KOrder k_order = KOrder::kAuto;
  WeightLayout layout = WeightLayout::kTile;
  std::optional<std::int64_t> ring;    ///< bytes; searched where not given
  std::optional<std::int64_t> pinned;  ///< bytes; searched where not given
  std::int64_t tasks_ahead = 2;

  friend bool operator==(const MapperParams&, const MapperParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    constexpr double kMaxSize = 1LL << 40;
    visitor(field("objective", "what a layer's split is chosen for, by prediction").optional(),
            self.objective);
    visitor(field("order", "order of a layer's tasks").optional(), self.order);
    visitor(field("k_order",
                  "how tasks go through their K tiles: forward, or every other one of a core "
                  "backwards (alternate)")
                .optional(),
            self.k_order);
    visitor(field("layout",
                  "how weights lie in memory: tile images, or k by k (row) to fetch only those "
                  "that the activations ask for")
                .optional(),
            self.layout);
    visitor(field("ring",
                  "SRAM that weights on their way from DRAM have, where not all fit; searched if "
                  "not given",
                  Unit::kBytes)
                .range(0, kMaxSize),
            self.ring);
    visitor(field("pinned",
                  "SRAM where weights stay for the next run of a program, where not all fit; "
                  "searched if not given",
                  Unit::kBytes)
                .range(0, kMaxSize),
            self.pinned);
    visitor(field("tasks_ahead",
                  "engine tasks that a core has at once: one under way, the others ahead of it")
                .range(1, 64)
                .optional(),
            self.tasks_ahead);
  }
};

/// `mapping:` of an engine layer: what is given is kept, the rest is searched.
struct LayerMapping {
  std::optional<std::int64_t> tile_m;  ///< rows of a block
  std::optional<std::int64_t> tile_n;  ///< output channels of a weight tile
  std::optional<std::int64_t> tile_k;  ///< at most so many k in a weight tile
  std::optional<std::int64_t> task_blocks;
  std::optional<std::int64_t> k_parts;  ///< runs of K tiles that are tasks of their own
  std::optional<Ordering> order;
  std::optional<KOrder> k_order;
  std::optional<WeightLayout> layout;
  std::optional<Place> output;

  friend bool operator==(const LayerMapping&, const LayerMapping&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    constexpr double kMaxDim = 1 << 24;
    visitor(
        field("tile_m", "rows (tokens, output pixels) of an activation block").range(1, kMaxDim),
        self.tile_m);
    visitor(field("tile_n", "output channels of a weight tile").range(1, kMaxDim), self.tile_n);
    visitor(field("tile_k", "at most so many k in a weight tile, in whole scanner windows")
                .range(1, kMaxDim),
            self.tile_k);
    visitor(field("task_blocks", "consecutive blocks that one core computes").range(1, kMaxDim),
            self.task_blocks);
    visitor(field("k_parts",
                  "parts of K that are tasks of their own, on any core; the vector unit adds their "
                  "partial sums. 1: a task does all K")
                .range(1, kMaxDim),
            self.k_parts);
    visitor(field("order", "order of the layer's tasks, in place of the chip's"), self.order);
    visitor(field("k_order", "how the layer's tasks go through their K tiles"), self.k_order);
    visitor(field("layout", "how the layer's weights lie in memory, in place of the chip's"),
            self.layout);
    visitor(field("output", "where the layer's output lives until it has been read"), self.output);
  }
};

}  // namespace lacuna::params
