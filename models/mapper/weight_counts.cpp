// SPDX-License-Identifier: Apache-2.0
#include "mapper/weight_counts.h"

#include <algorithm>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::mapper {

WeightCounts::WeightCounts(std::span<const std::int8_t> codes, std::int64_t n,
                           const WindowTable& windows, const params::EngineParams& engine)
    : windows_(windows),
      pes_(engine.pes),
      ways_(engine.k_ways),
      count_(windows.windows()),
      n_(n),
      in_place_(false) {
  const std::int64_t k_total = windows.segments().k();
  LACUNA_CHECK(static_cast<std::int64_t>(codes.size()) == n * k_total,
               "weights have {} codes, {} x {} expected", codes.size(), n, k_total);
  const std::size_t row_length = static_cast<std::size_t>(count_) + 1;
  prefix_.assign(static_cast<std::size_t>(ways_) * n_ * row_length, 0);
  const bool skip = engine.skip_weights;
  for (std::int64_t channel = 0; channel < n_; ++channel) {
    const std::int8_t* row = codes.data() + channel * k_total;
    for (int window = 0; window < count_; ++window) {
      const std::int64_t segment_begin =
          window / windows.segment_windows() * std::int64_t{windows.segments().channels};
      const timing::engine::KRange range = windows.k_range({window, window + 1});
      for (std::int64_t k = range.begin; k < range.end; ++k) {
        if (skip && row[k] == 0) continue;
        const auto way = static_cast<std::size_t>((k - segment_begin) % ways_);
        ++prefix_[(way * n_ + channel) * row_length + window + 1];
        ++nonzeros_;
      }
    }
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(ways_) * n_; ++row) {
    for (int window = 0; window < count_; ++window) {
      prefix_[row * row_length + window + 1] += prefix_[row * row_length + window];
    }
  }
}

WeightCounts::WeightCounts(std::int64_t n, const WindowTable& windows,
                           const params::EngineParams& engine)
    : windows_(windows),
      pes_(engine.pes),
      ways_(engine.k_ways),
      count_(windows.windows()),
      n_(n),
      in_place_(true),
      nonzeros_(n * windows.segments().k()) {}

double WeightCounts::density() const {
  const std::int64_t all = n_ * windows_.segments().k();
  return all > 0 ? static_cast<double>(nonzeros_) / static_cast<double>(all) : 0.0;
}

std::int64_t WeightCounts::worst_values(std::int64_t n_begin, std::int64_t n_end, int begin,
                                        int end) const {
  if (in_place_) {
    return std::int64_t{windows_.positions({begin, end})} *
           base::ceil_div<std::int64_t>(n_end - n_begin, pes_);
  }
  std::int64_t worst = 0;
  for (int way = 0; way < ways_; ++way) {
    std::int64_t sum = 0;
    for (std::int64_t row = n_begin; row < n_end; row += pes_) {
      std::int64_t most = 0;
      const std::int64_t row_end = std::min<std::int64_t>(row + pes_, n_end);
      for (std::int64_t channel = row; channel < row_end; ++channel) {
        most = std::max(most, at(way, channel, begin, end));
      }
      sum += most;
    }
    worst = std::max(worst, sum);
  }
  return worst;
}

std::int64_t WeightCounts::values(std::int64_t n_begin, std::int64_t n_end, int begin,
                                  int end) const {
  if (in_place_) return windows_.k_range({begin, end}).count() * (n_end - n_begin);
  std::int64_t sum = 0;
  for (int way = 0; way < ways_; ++way) {
    for (std::int64_t channel = n_begin; channel < n_end; ++channel) {
      sum += at(way, channel, begin, end);
    }
  }
  return sum;
}

std::int64_t mask_bytes(int rows) {
  std::int64_t bytes = 1;
  while (bytes * 8 < rows) bytes *= 2;
  return bytes;
}

bool tile_fits(const WeightCounts& counts, const WindowTable& windows,
               const params::EngineParams& engine, std::int64_t n_begin, std::int64_t n_end,
               int begin, int end) {
  const std::int64_t positions = windows.positions({begin, end});
  if (positions > engine.max_k / engine.k_ways) return false;
  if (end - begin > engine.max_windows()) return false;
  const auto rows = static_cast<int>(base::ceil_div<std::int64_t>(n_end - n_begin, engine.pes));
  if (rows > engine.rows_per_pe) return false;
  const std::int64_t values = base::round_up<std::int64_t>(
      counts.worst_values(n_begin, n_end, begin, end), engine.weight_word);
  return positions * (mask_bytes(rows) + 2) + values <=
         engine.weight_buffer / (static_cast<std::int64_t>(engine.pes) * engine.k_ways);
}

}  // namespace lacuna::mapper
