// SPDX-License-Identifier: Apache-2.0
//
// Where the non-zero weights of a layer are, counted finely enough to know which tiles fit in the
// weight buffer: per way, channel and window. Run-time operands have no counts: their tiles hold
// values at dense places.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "params/chip_params.h"
#include "tensor/mask_matrix.h"
#include "timing/engine/windows.h"

namespace lacuna::mapper {

using timing::engine::WindowTable;

class WeightCounts {
 public:
  /// `mask` has a row per output channel, k in the order of engine.md. With skip.weights off every
  /// weight that exists counts.
  WeightCounts(const tensor::MaskMatrix& mask, const WindowTable& windows,
               const params::EngineParams& engine);
  /// The same of codes [n][k], row-major.
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

  /// compute(), but only once for each (tile channels, first window, last window): the search for
  /// a split asks again and again.
  template <class Compute>
  bool remembered(std::tuple<std::int64_t, int, int> question, const Compute& compute) const {
    const auto found = answers_.find(question);
    if (found != answers_.end()) return found->second;
    return answers_.emplace(question, compute()).first->second;
  }

 private:
  /// Counts of the windows before `window`, of all channels.
  [[nodiscard]] const std::int32_t* row(int way, int window) const {
    return prefix_.data() + (static_cast<std::int64_t>(way) * (count_ + 1) + window) * n_;
  }
  std::int32_t& cell(int way, int window, std::int64_t channel) {
    return prefix_[static_cast<std::size_t>(
        (static_cast<std::int64_t>(way) * (count_ + 1) + window) * n_ + channel)];
  }

  WindowTable windows_;
  int pes_;
  int ways_;
  int count_;
  std::int64_t n_;
  bool in_place_;
  std::int64_t nonzeros_ = 0;
  std::vector<std::int32_t> prefix_;  ///< [way][window + 1][channel]
  mutable std::map<std::tuple<std::int64_t, int, int>, bool> answers_;
};

/// Bytes that a row mask takes: the smallest of 1, 2, 4, 8 ... that holds `rows` bits.
[[nodiscard]] std::int64_t mask_bytes(int rows);

/// Whether a tile of these channels and windows keeps the capacity rules of engine.md.
[[nodiscard]] bool tile_fits(const WeightCounts& counts, const WindowTable& windows,
                             const params::EngineParams& engine, std::int64_t n_begin,
                             std::int64_t n_end, int begin, int end);

/// Whether all tiles of `tile_channels` channels of these windows do.
[[nodiscard]] bool tiles_fit(const WeightCounts& counts, const WindowTable& windows,
                             const params::EngineParams& engine, std::int64_t tile_channels,
                             int begin, int end);

}  // namespace lacuna::mapper
