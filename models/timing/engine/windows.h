// SPDX-License-Identifier: Apache-2.0
//
// How K is laid out over ways, positions and windows (docs/reference/engine.md, section 2), and how
// a range of whole windows is cut out as a K tile. Pure arithmetic; no weights or activations here.
#pragma once

#include <cstdint>
#include <vector>

#include "params/chip_params.h"

namespace lacuna::timing::engine {

/// K = count * channels. A matrix product has one segment; an R x S convolution R*S segments of its
/// C input channels, each of which begins at a window boundary.
struct Segments {
  int count = 1;
  int channels = 1;

  [[nodiscard]] std::int64_t k() const { return std::int64_t{count} * channels; }
  friend bool operator==(const Segments&, const Segments&) = default;
};

/// Windows [begin, end) of a WindowTable.
struct WindowRange {
  int begin = 0;
  int end = 0;

  [[nodiscard]] int count() const { return end - begin; }
  friend bool operator==(const WindowRange&, const WindowRange&) = default;
};

/// k indices [begin, end) of the whole K.
struct KRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  [[nodiscard]] std::int64_t count() const { return end - begin; }
  friend bool operator==(const KRange&, const KRange&) = default;
};

/// The windows of one K. Ways all have the same windows, so positions and windows are per way. The
/// k of consecutive windows are consecutive (over all ways together): window `w` of a segment holds
/// its channels w*S*Q .. (w+1)*S*Q-1, as far as they exist.
class WindowTable {
 public:
  WindowTable(const params::EngineParams& params, Segments segments);

  [[nodiscard]] const Segments& segments() const { return segments_; }
  [[nodiscard]] int k_ways() const { return k_ways_; }
  [[nodiscard]] int scan_width() const { return scan_width_; }
  /// Windows and positions of one segment, and of the whole K.
  [[nodiscard]] int segment_windows() const { return segment_windows_; }
  [[nodiscard]] int segment_positions() const { return segment_positions_; }
  [[nodiscard]] int windows() const { return segments_.count * segment_windows_; }
  [[nodiscard]] int positions() const { return segments_.count * segment_positions_; }
  [[nodiscard]] WindowRange all() const { return {0, windows()}; }

  /// First position of window w; base(windows()) is the number of positions.
  [[nodiscard]] int base(int window) const;
  /// Positions of the windows in the range.
  [[nodiscard]] int positions(WindowRange range) const {
    return base(range.end) - base(range.begin);
  }
  /// The k that the windows hold: a consecutive range.
  [[nodiscard]] KRange k_range(WindowRange range) const {
    return {k_of(range.begin), k_of(range.end)};
  }
  /// The smallest range of whole windows that holds all of `range` (empty for an empty one).
  [[nodiscard]] WindowRange windows_of(KRange range) const;
  /// Segments touched by a range of windows: [first_segment, last_segment).
  [[nodiscard]] int first_segment(WindowRange range) const {
    return range.begin / segment_windows_;
  }
  [[nodiscard]] int last_segment(WindowRange range) const {
    return (range.end + segment_windows_ - 1) / segment_windows_;
  }

  /// Cuts all windows into the fewest K tiles of at most `max_windows` windows and `max_positions`
  /// positions, as even as whole windows allow. Empty if a single window exceeds the limits.
  [[nodiscard]] std::vector<WindowRange> cut(int max_windows, int max_positions) const;

 private:
  [[nodiscard]] std::int64_t k_of(int window) const;

  Segments segments_;
  int k_ways_;
  int scan_width_;
  int segment_positions_;
  int segment_windows_;
};

}  // namespace lacuna::timing::engine
