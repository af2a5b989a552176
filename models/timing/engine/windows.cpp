// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/windows.h"

#include <algorithm>

#include "base/error.h"

namespace lacuna::timing::engine {
namespace {

int ceil_div(int value, int divisor) { return (value + divisor - 1) / divisor; }

/// As many windows as fit into each tile, one tile after the other.
std::vector<WindowRange> fill(const WindowTable& table, int max_windows, int max_positions) {
  std::vector<WindowRange> tiles;
  for (int begin = 0; begin < table.windows();) {
    int end = begin;
    while (end < table.windows() && end - begin < max_windows &&
           table.base(end + 1) - table.base(begin) <= max_positions) {
      ++end;
    }
    if (end == begin) return {};
    tiles.push_back({begin, end});
    begin = end;
  }
  return tiles;
}

}  // namespace

WindowTable::WindowTable(const params::EngineParams& params, Segments segments)
    : segments_(segments),
      k_ways_(params.k_ways),
      scan_width_(params.scan_width),
      segment_positions_(ceil_div(segments.channels, params.k_ways)),
      segment_windows_(ceil_div(segment_positions_, params.scan_width)) {
  LACUNA_CHECK(segments.count >= 1 && segments.channels >= 1, "segments {} x {}", segments.count,
               segments.channels);
}

int WindowTable::base(int window) const {
  return window / segment_windows_ * segment_positions_ + window % segment_windows_ * scan_width_;
}

std::int64_t WindowTable::k_of(int window) const {
  const std::int64_t channel = std::int64_t{window % segment_windows_} * scan_width_ * k_ways_;
  return std::int64_t{window / segment_windows_} * segments_.channels + channel;
}

WindowRange WindowTable::windows_of(KRange range) const {
  if (range.count() <= 0) return {};
  const auto window_of = [this](std::int64_t k) {
    const std::int64_t segment = k / segments_.channels;
    const std::int64_t channel = k % segments_.channels;
    return static_cast<int>(segment * segment_windows_ +
                            channel / (std::int64_t{scan_width_} * k_ways_));
  };
  return {window_of(range.begin), window_of(range.end - 1) + 1};
}

std::vector<WindowRange> WindowTable::cut(int max_windows, int max_positions) const {
  std::vector<WindowRange> best = fill(*this, max_windows, max_positions);
  if (best.size() <= 1) return best;
  // The smallest position limit that needs no more tiles makes them even.
  int low = 1;
  int high = max_positions;
  while (low < high) {
    const int limit = low + (high - low) / 2;
    std::vector<WindowRange> tiles = fill(*this, max_windows, limit);
    if (!tiles.empty() && tiles.size() == best.size()) {
      best = std::move(tiles);
      high = limit;
    } else {
      low = limit + 1;
    }
  }
  return best;
}

}  // namespace lacuna::timing::engine
