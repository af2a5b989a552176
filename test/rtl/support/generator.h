// SPDX-License-Identifier: Apache-2.0
//
// Random passes that keep the capacity rules of an engine. The same seed gives the same pass
// everywhere.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "rtl/support/problem.h"

namespace lacuna::test::rtl {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  int range(int low, int high) {
    return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

inline bool fits(const Shape& shape, const Problem& problem) {
  const Layout layout(shape, problem);
  if (layout.positions > shape.max_k / shape.k_ways || layout.rows > shape.rows_per_pe)
    return false;
  if (static_cast<int>(layout.base.size()) > shape.max_windows()) return false;
  if (layout.groups * static_cast<int>(layout.base.size()) > shape.act_slots()) return false;
  const int bytes = shape.weight_buffer / (shape.pes * shape.k_ways);
  for (int way = 0; way < shape.k_ways; ++way) {
    int set_bits = 0;
    for (int x = 0; x < layout.positions; ++x) {
      for (int group = 0; group < layout.groups; ++group) set_bits += layout.act_bit(way, x, group);
    }
    if (set_bits * shape.lanes > shape.activation_buffer / shape.k_ways) return false;
    for (int pe = 0; pe < shape.pes; ++pe) {
      int values = problem.in_place ? layout.positions * layout.rows : 0;
      for (int x = 0; x < layout.positions && !problem.in_place; ++x) {
        values += std::popcount(layout.weight_mask(way, pe, x));
      }
      const int rounded = (values + shape.weight_word - 1) / shape.weight_word * shape.weight_word;
      if (layout.positions * ((1 << layout.mask_log) + 2) + rounded > bytes) return false;
    }
  }
  return true;
}

/// Fills operands and tables of a problem whose sizes are set.
inline void fill(Random& random, const Shape& shape, Problem& p, double weight_density,
                 double act_density, bool clustered) {
  const auto k = static_cast<std::size_t>(p.k());
  p.weights.assign(static_cast<std::size_t>(p.channels) * k, 0);
  p.acts.assign(static_cast<std::size_t>(p.tokens) * k, 0);
  // Clustered: whole stretches of k without weights, or without activations, make empty windows
  // and groups without any entry.
  std::vector<bool> dead(k);
  if (clustered) {
    bool state = false;
    for (std::size_t i = 0; i < k; ++i) {
      if (random.chance(0.15)) state = !state;
      dead[i] = state;
    }
  }
  for (std::size_t i = 0; i < p.weights.size(); ++i) {
    if (dead[i % k] || !random.chance(weight_density)) continue;
    p.weights[i] = random.range(-128, 127);
  }
  for (std::size_t m = 0; m < static_cast<std::size_t>(p.tokens); ++m) {
    const double density = clustered && random.chance(0.3) ? 0.02 : act_density;
    for (std::size_t i = 0; i < k; ++i) {
      if (!random.chance(density)) continue;
      p.acts[m * k + i] = p.act_signed ? random.range(-128, 127) : random.range(0, 255);
    }
  }
  p.order.clear();
  for (int row = 0; row < (p.channels + shape.pes - 1) / shape.pes; ++row) {
    std::vector<int> order(static_cast<std::size_t>(shape.pes));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1],
                order[static_cast<std::size_t>(random.range(0, static_cast<int>(i) - 1))]);
    }
    p.order.push_back(order);
  }
  for (int n = 0; n < p.channels; ++n) {
    p.bias.push_back(random.chance(0.1) ? static_cast<int>(random.next())
                                        : random.range(-5000, 5000));
    p.multiplier.push_back(random.chance(0.1) ? static_cast<int>(random.next())
                                              : random.range(-1 << 20, 1 << 20));
    p.shift.push_back(random.chance(0.1) ? random.range(1, 62) : random.range(24, 32));
  }
}

/// A random pass that fits.
inline Problem random_problem(Random& random, const Shape& shape) {
  for (;;) {
    Problem p;
    const int positions = random.range(1, std::min(shape.max_k / shape.k_ways, 80));
    p.segments = random.chance(0.4) ? random.range(1, std::min(positions, 6)) : 1;
    p.segment_channels =
        std::max(1, positions / p.segments * shape.k_ways - random.range(0, shape.k_ways - 1));
    p.channels = random.chance(0.3)
                     ? random.range(1, shape.pes * shape.rows_per_pe)
                     : random.range(1, std::min(shape.pes * shape.rows_per_pe, shape.pes * 3));
    p.tokens = random.range(1, random.chance(0.5) ? 3 * shape.lanes : 9 * shape.lanes);
    p.act_signed = random.chance(0.5);
    p.in_place = random.chance(0.2);
    p.skip_weights = !random.chance(0.15);
    p.skip_acts = !random.chance(0.15);
    p.psum_read = random.chance(0.25);
    p.psum_write = random.chance(0.25);
    p.post = !p.psum_write || random.chance(0.3);
    const double densities[] = {0.03, 0.15, 0.3, 0.6, 1.0};
    fill(random, shape, p, densities[random.range(0, 4)], densities[random.range(0, 4)],
         random.chance(0.4));
    const bool u8 = random.chance(0.5);
    p.clamp_lo = u8 ? 0 : random.range(-128, 0);
    p.clamp_hi = u8 ? random.range(10, 255) : random.range(1, 127);
    p.gate = random.chance(0.5) ? 0 : random.range(1, 30);
    if (random.chance(0.4)) {
      p.hold1 = static_cast<std::uint32_t>(random.range(0, 120));
      p.hold2 = static_cast<std::uint32_t>(random.range(0, static_cast<int>(p.hold1)));
    }
    if (!fits(shape, p)) continue;
    if (p.psum_read) {
      const Layout layout(shape, p);
      p.psum_in.resize(static_cast<std::size_t>(layout.groups) *
                       static_cast<std::size_t>(layout.beats * shape.drain_width * shape.lanes));
      // Places that do not exist hold 0, as every pass before would have left them.
      for (std::size_t i = 0; i < p.psum_in.size(); ++i) {
        const auto lanes = static_cast<std::size_t>(shape.lanes);
        const auto width = static_cast<std::size_t>(shape.drain_width);
        const auto beats = static_cast<std::size_t>(layout.beats);
        const std::size_t token = i / (beats * width * lanes) * lanes + i % lanes;
        const std::size_t channel = i / (width * lanes) % beats * width + i / lanes % width;
        if (token < static_cast<std::size_t>(p.tokens) &&
            channel < static_cast<std::size_t>(p.channels)) {
          p.psum_in[i] = random.chance(0.1) ? static_cast<std::int32_t>(random.next())
                                            : random.range(-100000, 100000);
        }
      }
    }
    return p;
  }
}

}  // namespace lacuna::test::rtl
