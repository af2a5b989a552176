// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/scanner.h"

#include "base/bits.h"

namespace lacuna::timing::engine {

void scan_group(const Tile& tile, const Block& block, int way, int group, ScannedGroup& result) {
  const std::size_t words = static_cast<std::size_t>(tile.window_words);
  const std::size_t windows = static_cast<std::size_t>(tile.windows);
  const std::uint64_t* present =
      tile.present.data() + static_cast<std::size_t>(way) * windows * words;
  const std::uint64_t* masks =
      block.masks.data() + (static_cast<std::size_t>(way) * static_cast<std::size_t>(block.groups) +
                            static_cast<std::size_t>(group)) *
                               windows * words;
  result.entries.clear();
  result.windows_visited = 0;
  result.windows_empty = 0;
  int empty = 0;  // empty windows since the last entry
  for (std::size_t w = 0; w < windows; ++w) {
    std::uint64_t mask_any = 0;
    std::uint64_t present_any = 0;
    bool hit = false;
    for (std::size_t i = 0; i < words; ++i) {
      const std::uint64_t mask = masks[w * words + i];
      const std::uint64_t row = present[w * words + i];
      mask_any |= mask;
      present_any |= row;
      for (std::uint64_t hits = mask & row; hits != 0; hits &= hits - 1) {
        const int bit = static_cast<int>(i) * 64 + base::lowest_bit(hits);
        result.entries.push_back({tile.base[w] + bit, empty});
        empty = 0;
        hit = true;
      }
    }
    if (mask_any == 0 || present_any == 0) continue;
    ++result.windows_visited;
    if (hit) continue;
    ++empty;
    ++result.windows_empty;
  }
  if (result.windows_visited == 0) {
    result.entries.push_back({-1, 0});
  } else if (empty > 0) {
    // The last visited window has no hits: it sends the entry without k in its own cycle.
    --result.windows_empty;
    result.entries.push_back({-1, empty - 1});
  }
}

}  // namespace lacuna::timing::engine
