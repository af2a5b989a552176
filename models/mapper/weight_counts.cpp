// SPDX-License-Identifier: Apache-2.0
#include "mapper/weight_counts.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::mapper {
namespace {

/// Bits 0, step, 2*step ... of a word.
std::uint64_t every(int step) {
  std::uint64_t bits = 0;
  for (int bit = 0; bit < 64; bit += step) bits |= std::uint64_t{1} << bit;
  return bits;
}

/// Of to[i] - from[i], at least 0.
std::int32_t largest_difference(const std::int32_t* from, const std::int32_t* to,
                                std::int64_t count) {
  using Four = std::int32_t __attribute__((vector_size(16)));
  Four most{};
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    Four a;
    Four b;
    std::memcpy(&a, from + i, sizeof(a));
    std::memcpy(&b, to + i, sizeof(b));
    const Four difference = b - a;
    most = difference > most ? difference : most;
  }
  std::int32_t largest = std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
  for (; i < count; ++i) largest = std::max(largest, to[i] - from[i]);
  return largest;
}

}  // namespace

WeightCounts::WeightCounts(const tensor::MaskMatrix& mask, const WindowTable& windows,
                           const params::EngineParams& engine)
    : windows_(windows),
      pes_(engine.pes),
      ways_(engine.k_ways),
      count_(windows.windows()),
      n_(mask.rows),
      in_place_(false) {
  const std::int64_t k_total = windows.segments().k();
  LACUNA_CHECK(mask.columns == k_total, "weights have {} k, {} expected", mask.columns, k_total);
  prefix_.assign(static_cast<std::size_t>(ways_) * (static_cast<std::size_t>(count_) + 1) *
                     static_cast<std::size_t>(n_),
                 0);
  // Windows begin at multiples of the number of ways, counted from their segment.
  const int piece = ways_ * (64 / ways_);
  const std::uint64_t pattern = every(ways_);
  for (int window = 0; window < count_; ++window) {
    const timing::engine::KRange range = windows.k_range({window, window + 1});
    for (std::int64_t channel = 0; channel < n_; ++channel) {
      for (int way = 0; way < ways_; ++way) {
        cell(way, window + 1, channel) = cell(way, window, channel);
      }
      for (std::int64_t k = range.begin; k < range.end; k += piece) {
        const int length = static_cast<int>(std::min<std::int64_t>(piece, range.end - k));
        const std::uint64_t bits = engine.skip_weights
                                       ? tensor::row_bits(mask.row(channel), k, length)
                                       : base::low_mask(length);
        for (int way = 0; way < ways_; ++way) {
          const int found = base::popcount(bits >> static_cast<unsigned>(way) & pattern);
          cell(way, window + 1, channel) += found;
          nonzeros_ += found;
        }
      }
    }
  }
}

WeightCounts::WeightCounts(std::span<const std::int8_t> codes, std::int64_t n,
                           const WindowTable& windows, const params::EngineParams& engine)
    : WeightCounts(tensor::mask_of(reinterpret_cast<const std::uint8_t*>(codes.data()), n,
                                   static_cast<std::int64_t>(codes.size()) / n),
                   windows, engine) {}

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
    const std::int32_t* from = row(way, begin);
    const std::int32_t* to = row(way, end);
    std::int64_t sum = 0;
    for (std::int64_t first = n_begin; first < n_end; first += pes_) {
      sum +=
          largest_difference(from + first, to + first, std::min<std::int64_t>(pes_, n_end - first));
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
      sum += row(way, end)[channel] - row(way, begin)[channel];
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
  const std::int64_t capacity =
      engine.weight_buffer / (static_cast<std::int64_t>(engine.pes) * engine.k_ways);
  const std::int64_t metadata = positions * (mask_bytes(rows) + 2);
  if (metadata > capacity) return false;
  const std::int64_t values = base::round_up<std::int64_t>(
      counts.worst_values(n_begin, n_end, begin, end), engine.weight_word);
  return metadata + values <= capacity;
}

bool tiles_fit(const WeightCounts& counts, const WindowTable& windows,
               const params::EngineParams& engine, std::int64_t tile_channels, int begin, int end) {
  return counts.remembered({tile_channels, begin, end}, [&] {
    for (std::int64_t n = 0; n < counts.n(); n += tile_channels) {
      if (!tile_fits(counts, windows, engine, n, std::min(n + tile_channels, counts.n()), begin,
                     end)) {
        return false;
      }
    }
    return true;
  });
}

}  // namespace lacuna::mapper
