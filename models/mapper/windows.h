// SPDX-License-Identifier: Apache-2.0
//
// How the K of a layer falls into positions and windows (docs/reference/engine.md, section 2), for
// the mapper's arithmetic: which k a window holds, how many of them each way owns. Windows are the
// same in all ways and never cross a segment.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/cycles.h"

namespace lacuna::mapper {

class Windows {
 public:
  /// `segments` of `channels` consecutive k, Q ways, windows of up to S positions.
  Windows(int segments, std::int64_t channels, int ways, int scan_width)
      : segments_(segments), channels_(channels), ways_(ways), scan_width_(scan_width) {
    positions_per_segment_ = base::ceil_div<std::int64_t>(channels, ways);
    windows_per_segment_ =
        static_cast<int>(base::ceil_div<std::int64_t>(positions_per_segment_, scan_width));
  }

  [[nodiscard]] int segments() const { return segments_; }
  [[nodiscard]] std::int64_t channels() const { return channels_; }
  [[nodiscard]] int count() const { return segments_ * windows_per_segment_; }
  [[nodiscard]] int per_segment() const { return windows_per_segment_; }
  [[nodiscard]] std::int64_t k_total() const { return segments_ * channels_; }
  [[nodiscard]] int segment_of(int window) const { return window / windows_per_segment_; }

  /// Positions (per way) of a window.
  [[nodiscard]] std::int64_t positions(int window) const {
    const std::int64_t first = first_position(window);
    return std::min<std::int64_t>(scan_width_, positions_per_segment_ - first);
  }
  /// Positions of the windows [begin, end).
  [[nodiscard]] std::int64_t positions(int begin, int end) const {
    return position_prefix(end) - position_prefix(begin);
  }
  /// Channels [first, last) of its segment that a window holds.
  [[nodiscard]] std::int64_t first_channel(int window) const {
    return first_position(window) * ways_;
  }
  [[nodiscard]] std::int64_t last_channel(int window) const {
    return std::min<std::int64_t>(channels_, first_channel(window) + positions(window) * ways_);
  }
  /// k that exist in the windows [begin, end).
  [[nodiscard]] std::int64_t k(int begin, int end) const { return k_prefix(end) - k_prefix(begin); }

 private:
  [[nodiscard]] std::int64_t first_position(int window) const {
    return static_cast<std::int64_t>(window % windows_per_segment_) * scan_width_;
  }
  [[nodiscard]] std::int64_t position_prefix(int window) const {
    return static_cast<std::int64_t>(window / windows_per_segment_) * positions_per_segment_ +
           first_position(window);
  }
  [[nodiscard]] std::int64_t k_prefix(int window) const {
    return static_cast<std::int64_t>(window / windows_per_segment_) * channels_ +
           std::min<std::int64_t>(channels_, first_position(window) * ways_);
  }

  int segments_;
  std::int64_t channels_;
  int ways_;
  int scan_width_;
  std::int64_t positions_per_segment_ = 0;
  int windows_per_segment_ = 0;
};

}  // namespace lacuna::mapper
