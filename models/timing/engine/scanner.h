// SPDX-License-Identifier: Apache-2.0
//
// What the scanner of a way sends for one group, in order, without its cycles (docs/reference/
// engine.md, section 4). Cycles follow from the FIFOs; the order of entries and the empty cycles
// between them do not depend on anything but the masks. Internal to the engine model.
#pragma once

#include <vector>

#include "timing/engine/block.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// One entry. `position` -1: without k. `empty`: empty cycles since the entry before.
struct ScannedEntry {
  int position = -1;
  int empty = 0;
};

/// Entries of one way and group; the last one carries `last`.
struct ScannedGroup {
  std::vector<ScannedEntry> entries;
  int windows_visited = 0;
  int windows_empty = 0;
};

/// Fills `result` (reused to save allocations).
void scan_group(const Tile& tile, const Block& block, int way, int group, ScannedGroup& result);

}  // namespace lacuna::timing::engine
