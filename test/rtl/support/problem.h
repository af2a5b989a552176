// SPDX-License-Identifier: Apache-2.0
//
// A pass as the tests of the RTL describe it: dense operands, how K is cut, which PE holds which
// channel. From it come the images of the load port (images.h) and what must be observed
// (oracle.h). Written from docs/reference/engine.md alone, without anything of the simulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lacuna::test::rtl {

/// Parameters of the engine under test; names and defaults as in engine.md, section 1.
struct Shape {
  int pes = 2, k_ways = 2, rows_per_pe = 4, lanes = 1, fifo_depth = 2, scan_width = 8,
      skip_empty = 1;
  int drain_width = 2, load_width = 8, weight_word = 4, max_k = 256, act_block = 8;
  int weight_buffer = 4096, activation_buffer = 2048;
  [[nodiscard]] int max_windows() const {
    const int k = k_ways * scan_width;
    const int windows = 2 * ((max_k + k - 1) / k);
    return windows > 16 ? windows : 16;
  }
  [[nodiscard]] int act_slots() const {
    const int slots = 2 * activation_buffer / (k_ways * lanes * scan_width);
    return slots > 64 ? slots : 64;
  }
};

struct Problem {
  int segments = 1, segment_channels = 8;    // K = segments * segment_channels
  int channels = 4, tokens = 3;              // N, M
  std::vector<int> weights;                  // [n][k]
  std::vector<int> acts;                     // [m][k]
  std::vector<std::vector<int>> order;       // [row][place] -> PE
  std::vector<int> bias, multiplier, shift;  // per channel
  bool act_signed = true, in_place = false, post = true;
  bool skip_weights = true, skip_acts = true;
  bool psum_read = false, psum_write = false;
  int clamp_lo = -128, clamp_hi = 127, gate = 0;
  std::uint32_t hold1 = 0, hold2 = 0;
  std::vector<std::int32_t> psum_in;

  [[nodiscard]] int k() const { return segments * segment_channels; }
  [[nodiscard]] int weight(int n, int index) const {
    return weights[static_cast<std::size_t>(n) * static_cast<std::size_t>(k()) +
                   static_cast<std::size_t>(index)];
  }
  [[nodiscard]] int act(int m, int index) const {
    return acts[static_cast<std::size_t>(m) * static_cast<std::size_t>(k()) +
                static_cast<std::size_t>(index)];
  }
};

/// Where a problem's operands lie in the engine: positions, windows, rows.
struct Layout {
  Layout(const Shape& s, const Problem& p)
      : shape(s),
        problem(p),
        per_segment((p.segment_channels + s.k_ways - 1) / s.k_ways),
        positions(p.segments * per_segment),
        rows((p.channels + s.pes - 1) / s.pes),
        groups((p.tokens + s.lanes - 1) / s.lanes),
        beats((s.pes * rows + s.drain_width - 1) / s.drain_width) {
    for (int segment = 0; segment < p.segments; ++segment) {
      for (int first = 0; first < per_segment; first += s.scan_width) {
        base.push_back(segment * per_segment + first);
      }
    }
    for (int size = 1; size * 8 < rows; size *= 2) ++mask_log;
  }

  /// k of a position of a way, or -1.
  [[nodiscard]] int k_of(int way, int position) const {
    const int segment = position / per_segment;
    const int channel = position % per_segment * shape.k_ways + way;
    return channel < problem.segment_channels ? segment * problem.segment_channels + channel : -1;
  }
  /// Channel of a row of a PE, or -1.
  [[nodiscard]] int channel_of(int pe, int row) const {
    for (int place = 0; place < shape.pes; ++place) {
      if (problem.order[static_cast<std::size_t>(row)][static_cast<std::size_t>(place)] == pe) {
        const int n = row * shape.pes + place;
        return n < problem.channels ? n : -1;
      }
    }
    return -1;
  }
  /// Mask of the weights of a PE at a position, bit = row.
  [[nodiscard]] std::uint64_t weight_mask(int way, int pe, int position) const {
    std::uint64_t mask = 0;
    const int k = k_of(way, position);
    if (k < 0) return 0;
    for (int row = 0; row < rows; ++row) {
      const int n = channel_of(pe, row);
      if (n >= 0 && (!problem.skip_weights || problem.weight(n, k) != 0)) {
        mask |= std::uint64_t{1} << row;
      }
    }
    return mask;
  }
  /// Value of a token (0 if it does not exist) at a position.
  [[nodiscard]] int act_value(int way, int position, int token) const {
    const int k = k_of(way, position);
    return k < 0 || token >= problem.tokens ? 0 : problem.act(token, k);
  }
  /// Whether any token of the group has a value at the position.
  [[nodiscard]] bool act_bit(int way, int position, int group) const {
    if (k_of(way, position) < 0) return false;
    if (!problem.skip_acts) return true;
    for (int lane = 0; lane < shape.lanes; ++lane) {
      if (act_value(way, position, group * shape.lanes + lane) != 0) return true;
    }
    return false;
  }
  [[nodiscard]] bool present(int way, int position) const {
    for (int pe = 0; pe < shape.pes; ++pe) {
      if (weight_mask(way, pe, position) != 0) return true;
    }
    return false;
  }
  [[nodiscard]] int window_end(std::size_t window) const {
    return window + 1 < base.size() ? base[window + 1] : positions;
  }

  Shape shape;
  const Problem& problem;
  int per_segment, positions, rows, groups, beats;
  int mask_log = 0;
  std::vector<int> base;
};

}  // namespace lacuna::test::rtl
