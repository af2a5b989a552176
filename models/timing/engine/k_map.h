// SPDX-License-Identifier: Apache-2.0
//
// Which k each position of a K tile holds. Internal to the engine model.
#pragma once

#include <cstdint>
#include <vector>

#include "timing/engine/windows.h"

namespace lacuna::timing::engine {

/// Calls f(way, position, k) for every existing k of the windows; positions count from 0 in the
/// tile, k in the whole K.
template <class Function>
void for_each_k(const WindowTable& table, WindowRange range, Function&& f) {
  const int first_position = table.base(range.begin);
  const int ways = table.k_ways();
  for (int w = range.begin; w < range.end; ++w) {
    const std::int64_t k_begin = table.k_range({w, w + 1}).begin;
    const int count = static_cast<int>(table.k_range({w, w + 1}).count());
    const int base = table.base(w) - first_position;
    for (int i = 0; i < count; ++i) f(i % ways, base + i / ways, k_begin + i);
  }
}

}  // namespace lacuna::timing::engine
