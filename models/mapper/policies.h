// SPDX-License-Identifier: Apache-2.0
//
// Choices of the mapper that a user may make by name. (How channels are dealt to PEs is an engine
// parameter: params::Balance.)
#pragma once

#include <array>

#include "params/field.h"

namespace lacuna::mapper {

/// Which core takes a task: the first one with room in its queue, or one fixed by the mapper (round
/// robin within a layer).
enum class Dispatch { kDynamic, kStatic };
constexpr auto enum_names(Dispatch) {
  return std::array{params::EnumName{Dispatch::kDynamic, "dynamic"},
                    params::EnumName{Dispatch::kStatic, "static"}};
}

/// Order of a layer's tasks: all rows of a weight tile before the next tile (weights stay in the
/// buffer, and leave the SRAM ring soon), or all tiles of some rows before the next rows (work
/// begins when the first rows are there, cores of a port share their loads). Auto: row major where
/// a task has several K tiles, so that none stays in the buffer anyway, and weights stay in SRAM.
enum class Ordering { kAuto, kTileMajor, kRowMajor };
constexpr auto enum_names(Ordering) {
  return std::array{params::EnumName{Ordering::kAuto, "auto"},
                    params::EnumName{Ordering::kTileMajor, "tile_major"},
                    params::EnumName{Ordering::kRowMajor, "row_major"}};
}

struct MapOptions {
  int batch = 1;  ///< samples of a program
  Dispatch dispatch = Dispatch::kDynamic;
  Ordering ordering = Ordering::kAuto;
};

}  // namespace lacuna::mapper
