// SPDX-License-Identifier: Apache-2.0
//
// Where the non-zero weights of a layer are, counted finely enough to know which tiles fit in the
// weight buffer: per way, channel and window. Run-time operands have no counts: their tiles hold
// values at dense places.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/windows.h"

namespace lacuna::mapper {

using timing::engine::WindowTable;

class WeightCounts {
 public:
  /// `codes` is [n][k], row-major, k in the order of engine.md. With skip.weights off every weight
  /// that exists counts.
  WeightCounts(std::span<const std::int8_t> codes, std::int64_t n, const WindowTable& windows,
               const params::EngineParams& engine);
  /// A run-time operand: values at dense places.
  WeightCounts(std::int64_t n, const WindowTable& windows, const params::EngineParams& engine);

  [[nodiscard]] bool in_place() const { return in_place_; }
  [[nodiscard]] std::int64_t n() const { return n_; }
  [[nodiscard]] std::int64_t nonzeros() const { return nonzeros_; }
  /// Share of weights that are there; 1 for a run-time operand.
  [[nodiscard]] double density() const;

  /// The most values that a PE can hold of channels [n_begin, n_end) and windows [begin, end),
  /// whichever way the mapper deals channels to PEs. Never less than the truth.
  [[nodiscard]] std::int64_t worst_values(std::int64_t n_begin, std::int64_t n_end, int begin,
                                          int end) const;
  /// Non-zeros of that range, all ways.
  [[nodiscard]] std::int64_t values(std::int64_t n_begin, std::int64_t n_end, int begin,
                                    int end) const;

 private:
  [[nodiscard]] std::int64_t at(int way, std::int64_t channel, int begin, int end) const {
    const std::size_t row =
        (static_cast<std::size_t>(way) * n_ + channel) * (static_cast<std::size_t>(count_) + 1);
    return prefix_[row + end] - prefix_[row + begin];
  }

  WindowTable windows_;
  int pes_;
  int ways_;
  int count_;
  std::int64_t n_;
  bool in_place_;
  std::int64_t nonzeros_ = 0;
  std::vector<std::int32_t> prefix_;  ///< [way][channel][window + 1]
};

/// Bytes that a row mask takes: the smallest of 1, 2, 4, 8 ... that holds `rows` bits.
[[nodiscard]] std::int64_t mask_bytes(int rows);

/// Whether a tile of these channels and windows keeps the capacity rules of engine.md.
[[nodiscard]] bool tile_fits(const WeightCounts& counts, const WindowTable& windows,
                             const params::EngineParams& engine, std::int64_t n_begin,
                             std::int64_t n_end, int begin, int end);

}  // namespace lacuna::mapper
