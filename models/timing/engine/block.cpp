// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "tensor/mask_matrix.h"
#include "timing/engine/image_layout.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

/// A window of all ways, in order of k: S*Q bits at most.
constexpr int kMaxWindowWords = 256 * 16 / 64;
using RawMask = std::array<std::uint64_t, kMaxWindowWords>;

/// Every step-th bit of word, packed downwards; step a power of two up to 16.
std::uint64_t every_bit(std::uint64_t word, int step) {
  switch (step) {
    case 1:
      return word;
    case 2:
      word &= 0x5555555555555555ULL;
      break;
    case 4:
      word &= 0x1111111111111111ULL;
      break;
    case 8:
      word &= 0x0101010101010101ULL;
      return (word * 0x0102040810204080ULL) >> 56U;
    default:
      word &= 0x0001000100010001ULL;
      return (word * 0x0001000200040008ULL >> 48U) & 0xFU;
  }
  // Halve the gaps between the wanted bits until there are none.
  if (step == 4) {
    word = (word | (word >> 3U)) & 0x0303030303030303ULL;
    word = (word | (word >> 6U)) & 0x000F000F000F000FULL;
    word = (word | (word >> 12U)) & 0x000000FF000000FFULL;
    return (word | (word >> 24U)) & 0xFFFFU;
  }
  word = (word | (word >> 1U)) & 0x3333333333333333ULL;
  word = (word | (word >> 2U)) & 0x0F0F0F0F0F0F0F0FULL;
  word = (word | (word >> 4U)) & 0x00FF00FF00FF00FFULL;
  word = (word | (word >> 8U)) & 0x0000FFFF0000FFFFULL;
  return (word | (word >> 16U)) & 0xFFFFFFFFULL;
}

class BlockBuilder {
 public:
  BlockBuilder(const params::EngineParams& params, const BlockSource& source)
      : source_(source), table_(params, source.segments) {
    check();
    block_.k_ways = params.k_ways;
    block_.lanes = params.lanes;
    block_.scan_width = params.scan_width;
    block_.tokens = source.tokens;
    block_.groups = (source.tokens + params.lanes - 1) / params.lanes;
    block_.positions = table_.positions(source.windows);
    block_.windows = source.windows.count();
    block_.window_words = (params.scan_width + 63) / 64;
    const std::size_t ways = size_of(block_.k_ways);
    const std::size_t slots = size_of(block_.groups) * size_of(block_.windows);
    block_.masks.assign(ways * slots * size_of(block_.window_words), 0);
    block_.values.resize(ways);
    block_.slot_base.resize(ways);
    for (auto& bases : block_.slot_base) {
      bases.reserve(slots + 1);
      bases.push_back(0);
    }
    block_.set_groups.assign(ways * size_of(block_.positions), 0);
    block_.nonzero_lanes.assign(ways * size_of(block_.positions), 0);
    first_segment_ = table_.first_segment(source.windows);
    touched_ = table_.last_segment(source.windows) - first_segment_;
    power_of_two_ways_ = std::has_single_bit(static_cast<unsigned>(block_.k_ways));
    simple_ = power_of_two_ways_ && block_.lanes == 1;
    counts_only_ = simple_ && !source.keep_values;
  }

  Block build(const params::EngineParams& params) {
    used_.assign(size_of(block_.k_ways), 0);
    // Room for the worst case, kept between blocks; what was used is copied.
    thread_local std::vector<std::uint8_t> room;
    const std::size_t way_room =
        counts_only_ ? 0
                     : size_of(block_.groups) * size_of(block_.positions) * size_of(block_.lanes);
    if (room.size() < size_of(block_.k_ways) * way_room) {
      room.resize(size_of(block_.k_ways) * way_room);
    }
    for (int q = 0; q < block_.k_ways; ++q) room_[size_of(q)] = room.data() + size_of(q) * way_room;
    for (int g = 0; g < block_.groups; ++g) {
      for (int w = 0; w < block_.windows; ++w) add_window(g, w);
    }
    for (int w = 0; simple_ && w < block_.windows; ++w) simple_counts(w);
    for (int q = 0; !counts_only_ && q < block_.k_ways; ++q) {
      block_.values[size_of(q)].assign(room_[size_of(q)], room_[size_of(q)] + used_[size_of(q)]);
    }
    block_.image_bytes = block_image_bytes(params, block_);
    block_.nonzeros =
        std::accumulate(block_.nonzero_lanes.begin(), block_.nonzero_lanes.end(), std::int64_t{0});
    block_.key = hash();
    return std::move(block_);
  }

 private:
  void check() const {
    LACUNA_CHECK(source_.tokens >= 1, "{} tokens", source_.tokens);
    LACUNA_CHECK(source_.windows.begin >= 0 && source_.windows.count() >= 1 &&
                     source_.windows.end <= table_.windows(),
                 "windows {}..{} of {}", source_.windows.begin, source_.windows.end,
                 table_.windows());
    const int touched =
        table_.last_segment(source_.windows) - table_.first_segment(source_.windows);
    LACUNA_CHECK(source_.rows.size() == size_of(source_.tokens) * size_of(touched),
                 "{} rows for {} tokens of {} segments", source_.rows.size(), source_.tokens,
                 touched);
  }

  /// The k of a window, and how far into a row of its segment they begin.
  struct Place {
    int segment;
    std::int64_t channel;
    int count;
  };
  [[nodiscard]] Place place_of(int window) const {
    const int global = source_.windows.begin + window;
    const int segment = global / table_.segment_windows();
    const KRange range = table_.k_range({global, global + 1});
    return {segment, range.begin - std::int64_t{segment} * source_.segments.channels,
            static_cast<int>(range.count())};
  }
  [[nodiscard]] const std::uint8_t* codes_of(int token, const Place& place) const {
    const std::uint8_t* row =
        source_.rows[size_of(token) * size_of(touched_) + size_of(place.segment - first_segment_)];
    return row == nullptr ? nullptr : row + place.channel;
  }

  void add_window(int group, int window) {
    const int global = source_.windows.begin + window;
    const Place place = place_of(window);
    const int count = place.count;
    const int words = (count + 63) / 64;

    RawMask any;
    std::fill_n(any.begin(), words, 0);
    std::array<const std::uint8_t*, 16> lane_codes{};
    for (int v = 0; v < block_.lanes; ++v) {
      const int token = group * block_.lanes + v;
      if (token >= block_.tokens) break;
      const std::uint8_t* row = codes_of(token, place);
      if (row == nullptr) continue;
      lane_codes[size_of(v)] = row;
      for (int i = 0; i < words; ++i) {
        any[size_of(i)] |=
            tensor::nonzero_bits(row + std::int64_t{64} * i, std::min(64, count - 64 * i));
      }
    }
    if (!source_.skip_activations) {
      for (int i = 0; i < words; ++i) {
        any[size_of(i)] = base::low_mask(std::min(64, count - 64 * i));
      }
    }

    const int position = table_.base(global) - table_.base(source_.windows.begin);
    split_mask(any, words, group, window);
    if (counts_only_) {
      count_values(group, window);
    } else if (simple_) {
      add_values(lane_codes[0], any, words);
    } else {
      for (int i = 0; i < words; ++i) {
        for (std::uint64_t bits = any[size_of(i)]; bits != 0; bits &= bits - 1) {
          add_value(lane_codes, 64 * i + base::lowest_bit(bits), position);
        }
      }
    }
    for (int q = 0; q < block_.k_ways; ++q) {
      block_.slot_base[size_of(q)].push_back(
          static_cast<std::uint32_t>(used_[size_of(q)] / size_of(block_.lanes)));
    }
  }

  [[nodiscard]] std::uint64_t* mask_of(int way, int group, int window) {
    return block_.masks.data() +
           ((size_of(way) * size_of(block_.groups) + size_of(group)) * size_of(block_.windows) +
            size_of(window)) *
               size_of(block_.window_words);
  }

  /// The window's bits in order of k -> the masks of the ways.
  void split_mask(const RawMask& any, int words, int group, int window) {
    const auto way_mask = [&](int q) { return mask_of(q, group, window); };
    const int ways = block_.k_ways;
    if (power_of_two_ways_) {
      const int bits_per_word = 64 / ways;
      for (int q = 0; q < ways; ++q) {
        std::uint64_t* mask = way_mask(q);
        for (int i = 0; i < words; ++i) {
          const int at = i * bits_per_word;
          mask[at / 64] |= every_bit(any[size_of(i)] >> static_cast<unsigned>(q), ways)
                           << static_cast<unsigned>(at % 64);
        }
      }
      return;
    }
    for (int i = 0; i < words; ++i) {
      for (std::uint64_t bits = any[size_of(i)]; bits != 0; bits &= bits - 1) {
        const int k = 64 * i + base::lowest_bit(bits);
        way_mask(k % ways)[k / ways / 64] |= std::uint64_t{1}
                                             << static_cast<unsigned>(k / ways % 64);
      }
    }
  }

  /// How many values one token has.
  void count_values(int group, int window) {
    for (int q = 0; q < block_.k_ways; ++q) {
      const std::uint64_t* mask = mask_of(q, group, window);
      for (int i = 0; i < block_.window_words; ++i) {
        used_[size_of(q)] += size_of(base::popcount(mask[i]));
      }
    }
  }

  /// One token's values. What counts them is simple_counts().
  void add_values(const std::uint8_t* codes, const RawMask& any, int words) {
    const auto last_way = static_cast<unsigned>(block_.k_ways - 1);
    std::array<std::uint8_t*, 16> next{};
    for (std::size_t q = 0; q <= last_way; ++q) next[q] = room_[q] + used_[q];
    for (int i = 0; i < words; ++i) {
      for (std::uint64_t bits = any[size_of(i)]; bits != 0; bits &= bits - 1) {
        const auto k = static_cast<unsigned>(64 * i + base::lowest_bit(bits));
        *next[k & last_way]++ = codes == nullptr ? std::uint8_t{0} : codes[k];
      }
    }
    for (std::size_t q = 0; q <= last_way; ++q) {
      used_[q] = static_cast<std::size_t>(next[q] - room_[q]);
    }
  }

  /// set_groups and nonzero_lanes where a group is a token: 16 k at a time, down all tokens.
  void simple_counts(int window) {
    using Bytes = std::uint8_t __attribute__((vector_size(16)));
    const Place place = place_of(window);
    const int global = source_.windows.begin + window;
    const int position = table_.base(global) - table_.base(source_.windows.begin);
    std::array<std::uint32_t, 16> counts{};
    for (int k = 0; k < place.count; k += 16) {
      const int part = std::min(16, place.count - k);
      counts.fill(0);
      for (int begin = 0; begin < block_.tokens; begin += 255) {  // a byte can count so far
        Bytes sums{};
        for (int t = begin; t < std::min(begin + 255, block_.tokens); ++t) {
          const std::uint8_t* row = codes_of(t, place);
          if (row == nullptr) continue;
          Bytes codes{};
          if (part == 16) {
            std::memcpy(&codes, row + k, sizeof(codes));
          } else {
            std::memcpy(&codes, row + k, size_of(part));
          }
          sums -= reinterpret_cast<Bytes>(codes != Bytes{});  // true is -1
        }
        for (int i = 0; i < 16; ++i) counts[size_of(i)] += sums[i];
      }
      for (int i = 0; i < part; ++i) {
        const std::size_t column = size_of((k + i) % block_.k_ways) * size_of(block_.positions) +
                                   size_of(position + (k + i) / block_.k_ways);
        block_.nonzero_lanes[column] = counts[size_of(i)];
        block_.set_groups[column] = source_.skip_activations
                                        ? counts[size_of(i)]
                                        : static_cast<std::uint32_t>(block_.tokens);
      }
    }
  }

  void add_value(const std::array<const std::uint8_t*, 16>& lane_codes, int k, int position) {
    const int way = power_of_two_ways_ ? k & (block_.k_ways - 1) : k % block_.k_ways;
    const int index = power_of_two_ways_
                          ? k >> std::countr_zero(static_cast<unsigned>(block_.k_ways))
                          : k / block_.k_ways;
    std::size_t& used = used_[size_of(way)];
    std::uint8_t* values = room_[size_of(way)] + used;
    used += size_of(block_.lanes);
    const std::size_t column = size_of(way) * size_of(block_.positions) + size_of(position + index);
    std::uint32_t nonzeros = 0;
    for (int v = 0; v < block_.lanes; ++v) {
      const std::uint8_t* codes = lane_codes[size_of(v)];
      values[v] = codes == nullptr ? std::uint8_t{0} : codes[k];
      nonzeros += values[v] != 0 ? 1 : 0;
    }
    block_.set_groups[column] += 1;
    block_.nonzero_lanes[column] += nonzeros;
  }

  [[nodiscard]] std::uint64_t hash() const {
    const std::array<int, 7> shape{block_.k_ways, block_.lanes,     block_.scan_width,
                                   block_.tokens, block_.positions, block_.windows,
                                   block_.groups};
    std::uint64_t key = base::hash_bytes(shape.data(), sizeof(shape), counts_only_ ? 3 : 2);
    for (int w = source_.windows.begin; w <= source_.windows.end; ++w) {
      const int base = table_.base(w) - table_.base(source_.windows.begin);
      key = base::hash_combine(key, static_cast<std::uint64_t>(base));
    }
    key = base::hash_bytes(block_.masks.data(), block_.masks.size() * sizeof(std::uint64_t), key);
    for (const auto& values : block_.values) {
      key = base::hash_bytes(values.data(), values.size(), key);
    }
    return key == 0 ? 1 : key;  // 0 means "no key" in the RTL interface
  }

  const BlockSource& source_;
  WindowTable table_;
  Block block_;
  std::array<std::uint8_t*, 16> room_{};  // for each way's values
  std::vector<std::size_t> used_;         // bytes of each way's values
  int first_segment_ = 0;
  int touched_ = 0;
  bool power_of_two_ways_ = false;
  bool simple_ = false;       ///< that, and one lane
  bool counts_only_ = false;  ///< that, and nobody wants the values
};

}  // namespace

bool Block::has_values() const {
  for (std::size_t way = 0; way < values.size(); ++way) {
    if (values[way].empty() && slot_base[way].back() != 0) return false;
  }
  return true;
}

std::int64_t Block::set_bits(int way, int group) const {
  const auto& bases = slot_base[size_of(way)];
  return std::int64_t{bases[size_of(group + 1) * size_of(windows)]} -
         bases[size_of(group) * size_of(windows)];
}

Block make_block(const params::EngineParams& params, const BlockSource& source) {
  return BlockBuilder(params, source).build(params);
}

}  // namespace lacuna::timing::engine
