// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/tile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "timing/engine/capacity.h"
#include "timing/engine/image_layout.h"
#include "timing/engine/k_map.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

void check_source(const params::EngineParams& params, const WindowTable& table,
                  const TileSource& source) {
  LACUNA_CHECK(source.weights.data != nullptr || source.mask != nullptr);
  LACUNA_CHECK(
      source.mask == nullptr || (source.mask->columns == source.segments.k() &&
                                 source.mask->rows >= source.first_channel + source.channels),
      "mask of {} x {}", source.mask == nullptr ? 0 : source.mask->rows,
      source.mask == nullptr ? 0 : source.mask->columns);
  LACUNA_CHECK(source.channels >= 1 && source.channels <= params.max_channels(),
               "{} channels on {} PEs of {} rows", source.channels, params.pes, params.rows_per_pe);
  LACUNA_CHECK(source.windows.begin >= 0 && source.windows.count() >= 1 &&
                   source.windows.end <= table.windows(),
               "windows {}..{} of {}", source.windows.begin, source.windows.end, table.windows());
  LACUNA_CHECK(table.positions(source.windows) <= 65536, "{} positions per way",
               table.positions(source.windows));
  const std::size_t channels = size_of(source.channels);
  const bool post = !source.bias.empty() || !source.multiplier.empty() || !source.shift.empty();
  if (post) {
    LACUNA_CHECK(source.bias.size() == channels && source.multiplier.size() == channels &&
                     source.shift.size() == channels,
                 "requantization of {}/{}/{} channels, tile has {}", source.bias.size(),
                 source.multiplier.size(), source.shift.size(), channels);
    for (const std::uint8_t shift : source.shift) {
      LACUNA_CHECK(shift >= 1 && shift <= 62, "shift {}", shift);
    }
  }
}

/// The order as given, or the identity; checks that each row is a permutation.
std::vector<std::uint8_t> make_order(const TileSource& source, int pes, int rows) {
  std::vector<std::uint8_t> order = source.order;
  if (order.empty()) {
    order.resize(size_of(pes) * size_of(rows));
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<std::uint8_t>(i % size_of(pes));
    }
    return order;
  }
  LACUNA_CHECK(order.size() == size_of(pes) * size_of(rows), "order of {} places, tile has {} x {}",
               order.size(), rows, pes);
  for (int r = 0; r < rows; ++r) {
    std::vector<bool> used(size_of(pes), false);
    for (int i = 0; i < pes; ++i) {
      const std::size_t pe = order[size_of(r) * size_of(pes) + size_of(i)];
      LACUNA_CHECK(pe < used.size() && !used[pe], "order of row {} is no permutation", r);
      used[pe] = true;
    }
  }
  return order;
}

/// Copies the codes; a block of channels at a time keeps both sides in cache.
void fill_codes(Tile& tile, const WindowTable& table, const TileSource& source) {
  constexpr int kChannelBlock = 64;
  for (int n0 = 0; n0 < tile.channels; n0 += kChannelBlock) {
    const int n1 = std::min(tile.channels, n0 + kChannelBlock);
    for_each_k(table, source.windows, [&](int way, int x, std::int64_t k) {
      std::int8_t* codes = tile.codes.data() + tile.code_index(way, x);
      const std::int8_t* from = source.weights.from(source.first_channel + n0, k);
      for (int n = n0; n < n1; ++n, from += source.weights.n_stride) codes[4 * n] = *from;
    });
  }
}

/// Bit j of word i becomes bit i of word j: halves, quarters ... of the square change places.
void transpose(std::array<std::uint64_t, 64>& square) {
  std::uint64_t low = 0x00000000FFFFFFFFULL;
  for (unsigned size = 32; size != 0; size /= 2, low ^= low << size) {
    for (unsigned i = 0; i < 64; i = (i + size + 1) & ~size) {
      const std::uint64_t change = ((square[i] >> size) ^ square[i + size]) & low;
      square[i] ^= change << size;
      square[i + size] ^= change;
    }
  }
}

/// Sets the mask bits. An entry's masks are one string of bits, R bits (rounded up to whole bytes)
/// for each PE; 64 of them and 64 k are turned at a time from a row per channel to a row per k.
/// `bits_of(channel, k, count)` gives the bits of one channel at count <= 64 consecutive k.
template <class BitsOf>
void fill_masks(Tile& tile, const WindowTable& table, const TileSource& source,
                const BitsOf& bits_of) {
  const int bits_of_pe = 8 * tile.mask_bytes;
  std::vector<int> channel_at(size_of(tile.mask_stride) * 8, -1);
  for (int n = 0; n < tile.channels; ++n) {
    channel_at[size_of(tile.order[size_of(n)] * bits_of_pe + n / tile.pes)] = n;
  }
  const int first_position = table.base(source.windows.begin);
  const int piece = tile.k_ways * (64 / tile.k_ways);  // windows begin with way 0
  const int strings = (tile.pes * bits_of_pe + 63) / 64;
  for (int w = source.windows.begin; w < source.windows.end; ++w) {
    const KRange range = table.k_range({w, w + 1});
    int position = table.base(w) - first_position;
    for (std::int64_t k = range.begin; k < range.end; k += piece) {
      const int count = static_cast<int>(std::min<std::int64_t>(piece, range.end - k));
      for (int string = 0; string < strings; ++string) {
        std::array<std::uint64_t, 64> square{};
        bool any = false;
        for (int i = 0; i < 64; ++i) {
          const int channel = channel_at[size_of(64 * string + i)];
          if (channel < 0) continue;
          square[size_of(i)] = bits_of(channel, k, count);
          any = any || square[size_of(i)] != 0;
        }
        if (!any) continue;
        transpose(square);
        std::uint8_t* masks = tile.masks.data() + 8 * size_of(string);
        for (int j = 0; j < count; ++j) {
          std::uint64_t bits = square[size_of(j)];
          if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
          const std::size_t entry = tile.entry(j % tile.k_ways, position + j / tile.k_ways);
          std::memcpy(masks + entry * size_of(tile.mask_stride), &bits, 8);
        }
      }
      position += piece / tile.k_ways;
    }
  }
}

void fill_masks(Tile& tile, const WindowTable& table, const TileSource& source) {
  if (!source.skip_weights) {
    fill_masks(tile, table, source,
               [](int, std::int64_t, int count) { return base::low_mask(count); });
  } else if (source.mask != nullptr) {
    fill_masks(tile, table, source, [&](int channel, std::int64_t k, int count) {
      return tensor::row_bits(source.mask->row(source.first_channel + channel), k, count);
    });
  } else {
    const WeightView& weights = source.weights;
    fill_masks(tile, table, source, [&](int channel, std::int64_t k, int count) {
      const std::int8_t* from = weights.from(source.first_channel + channel, k);
      if (weights.k_stride == 1) {
        return tensor::nonzero_bits(reinterpret_cast<const std::uint8_t*>(from), count);
      }
      std::uint64_t bits = 0;
      for (int j = 0; j < count; ++j, from += weights.k_stride) {
        bits |= std::uint64_t{*from != 0} << static_cast<unsigned>(j);
      }
      return bits;
    });
  }
}

int popcount_bytes(const std::uint8_t* bytes, int count) {
  // Copies of a constant length are single loads.
  const auto bits = [bytes](auto word) {
    std::memcpy(&word, bytes, sizeof(word));
    return std::popcount(word);
  };
  switch (count) {
    case 1:
      return bits(std::uint8_t{});
    case 2:
      return bits(std::uint16_t{});
    case 4:
      return bits(std::uint32_t{});
    case 8:
      return bits(std::uint64_t{});
    default:
      break;
  }
  int total = 0;
  for (int i = 0; i < count; ++i) total += std::popcount(bytes[i]);
  return total;
}

/// Distinct value memory words that hold the values of an in-place (PE, position).
int words_in_place(const Tile& tile, const std::uint8_t* mask, std::int64_t pointer) {
  const int width = tile.weight_word;
  const auto first = static_cast<int>(pointer & (width - 1));
  if (std::endian::native == std::endian::little && tile.mask_bytes <= 8 &&
      8 * tile.mask_bytes + first <= 64) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, mask, size_of(tile.mask_bytes));
    bits <<= static_cast<unsigned>(first);
    std::uint64_t word_begins = 1;  // every width-th bit
    for (int step = width; step < 64; step *= 2) {
      word_begins |= word_begins << static_cast<unsigned>(step);
    }
    for (int step = 1; step < std::min(width, 64); step *= 2) {
      bits |= bits >> static_cast<unsigned>(step);
    }
    return base::popcount(bits & word_begins);
  }
  int words = 0;
  std::int64_t last = -1;
  for (int r = 0; r < tile.rows; ++r) {
    if (((mask[r / 8] >> (r % 8)) & 1U) == 0) continue;
    const std::int64_t word = (pointer + r) / width;
    words += word != last ? 1 : 0;
    last = word;
  }
  return words;
}

/// kMaskBytes: tile.mask_bytes if it is known, else 0. `counts`: those of the tile.
template <int kMaskBytes, bool kInPlace, class Count>
void fill_sums(Tile& tile, std::vector<Count>& counts) {
  const int mask_bytes = kMaskBytes != 0 ? kMaskBytes : tile.mask_bytes;
  std::vector<std::int64_t> pointer(size_of(tile.pes));
  const int word_log = std::countr_zero(static_cast<unsigned>(tile.weight_word));
  for (int q = 0; q < tile.k_ways; ++q) {
    std::fill(pointer.begin(), pointer.end(), 0);
    std::uint8_t* any = tile.any_masks.data() + size_of(q) * size_of(tile.mask_stride);
    int window = 0;
    for (int x = 0; x < tile.positions; ++x) {
      while (tile.base[size_of(window) + 1] <= x) ++window;
      const std::size_t entry = tile.entry(q, x);
      const std::uint8_t* masks = tile.masks.data() + entry * size_of(tile.mask_stride);
      for (int i = 0; i < tile.mask_stride; ++i) any[i] |= masks[i];
      Count* row = counts.data() + tile.count_row(q, x);
      Count* least_one = counts.data() + tile.count_row(q, tile.positions + 1 + x);
      int sum = 0;
      int words = 0;
      int empty = 0;
      for (int p = 0; p < tile.pes; ++p) {
        const std::uint8_t* mask = masks + p * mask_bytes;
        const int count = popcount_bytes(mask, mask_bytes);
        row[p] = static_cast<Count>(count);
        least_one[p] = static_cast<Count>(std::max(count, 1));
        if constexpr (kInPlace) {
          words += words_in_place(tile, mask, std::int64_t{x} * tile.rows);
        } else {
          const std::int64_t begin = pointer[size_of(p)];
          const std::int64_t touched = ((begin + count - 1) >> word_log) - (begin >> word_log) + 1;
          words += count != 0 ? static_cast<int>(touched) : 0;
          pointer[size_of(p)] += count;
        }
        sum += count;
        empty += count == 0 ? 1 : 0;
      }
      tile.count_sum[entry] = static_cast<std::uint32_t>(sum);
      tile.word_sum[entry] = static_cast<std::uint32_t>(words);
      tile.zero_pes[entry] = static_cast<std::uint32_t>(empty);
      tile.weights += sum;
      if (sum > 0) {
        const int bit = x - tile.base[size_of(window)];
        const std::size_t word =
            (size_of(q) * size_of(tile.windows) + size_of(window)) * size_of(tile.window_words) +
            size_of(bit / 64);
        tile.present[word] |= std::uint64_t{1} << (bit % 64);
      }
    }
    for (int p = 0; p < tile.pes; ++p) {
      const std::int64_t values =
          kInPlace ? std::int64_t{tile.positions} * tile.rows : pointer[size_of(p)];
      tile.pe_values[size_of(q) * size_of(tile.pes) + size_of(p)] =
          static_cast<std::uint32_t>(values);
    }
  }
}

template <int kMaskBytes, class Count>
void fill_sums(Tile& tile, std::vector<Count>& counts) {
  if (tile.in_place) {
    fill_sums<kMaskBytes, true>(tile, counts);
  } else {
    fill_sums<kMaskBytes, false>(tile, counts);
  }
}

void fill_sums(Tile& tile) {
  if (tile.wide_counts) return fill_sums<0>(tile, tile.counts16);
  switch (tile.mask_bytes) {  // the usual sizes
    case 2:
      return fill_sums<2>(tile, tile.counts8);
    case 4:
      return fill_sums<4>(tile, tile.counts8);
    default:
      return fill_sums<0>(tile, tile.counts8);
  }
}

template <class Element>
std::uint64_t hash_vector(const std::vector<Element>& values, std::uint64_t seed) {
  return base::hash_bytes(values.data(), values.size() * sizeof(Element), seed);
}

/// Everything else in a tile follows from what is hashed here (absent codes are another tile).
std::uint64_t hash_tile(const Tile& tile) {
  const std::vector<int> shape{tile.pes,        tile.k_ways,   tile.scan_width, tile.weight_word,
                               tile.channels,   tile.rows,     tile.positions,  tile.windows,
                               tile.mask_bytes, tile.in_place, tile.has_post};
  std::uint64_t key = hash_vector(shape, 1);
  key = hash_vector(tile.base, key);
  key = hash_vector(tile.order, key);
  key = hash_vector(tile.bias, key);
  key = hash_vector(tile.multiplier, key);
  key = hash_vector(tile.shift, key);
  key = hash_vector(tile.masks, key);
  key = hash_vector(tile.codes, key);
  return key == 0 ? 1 : key;  // 0 means "no key" in the RTL interface
}

}  // namespace

int Tile::mask_log() const { return std::countr_zero(static_cast<unsigned>(mask_bytes)); }

Tile make_tile(const params::EngineParams& params, const TileSource& source) {
  const WindowTable table(params, source.segments);
  check_source(params, table, source);
  Tile tile;
  tile.pes = params.pes;
  tile.k_ways = params.k_ways;
  tile.scan_width = params.scan_width;
  tile.weight_word = params.weight_word;
  tile.channels = source.channels;
  tile.rows = (source.channels + params.pes - 1) / params.pes;
  tile.positions = table.positions(source.windows);
  tile.windows = source.windows.count();
  tile.mask_bytes = mask_bytes_for(tile.rows);
  tile.in_place = source.in_place;
  tile.has_post = !source.bias.empty();
  for (int w = source.windows.begin; w <= source.windows.end; ++w) {
    tile.base.push_back(table.base(w) - table.base(source.windows.begin));
  }
  tile.order = make_order(source, tile.pes, tile.rows);
  tile.bias.assign(source.bias.begin(), source.bias.end());
  tile.multiplier.assign(source.multiplier.begin(), source.multiplier.end());
  tile.shift.assign(source.shift.begin(), source.shift.end());

  const std::size_t entries = size_of(tile.k_ways) * size_of(tile.positions);
  tile.window_words = (tile.scan_width + 63) / 64;
  tile.present.assign(size_of(tile.k_ways) * size_of(tile.windows) * size_of(tile.window_words), 0);
  tile.mask_stride = (tile.pes * tile.mask_bytes + 31) / 32 * 32;
  tile.masks.assign(entries * size_of(tile.mask_stride), 0);
  tile.any_masks.assign(size_of(tile.k_ways) * size_of(tile.mask_stride), 0);
  if (source.weights.data != nullptr && source.keep_codes) {
    tile.codes.assign(tile.code_index(tile.k_ways, 0), 0);
    fill_codes(tile, table, source);
  }
  tile.count_stride = (tile.pes + 15) / 16 * 16;
  tile.wide_counts = tile.rows > 255;
  if (tile.wide_counts) {
    tile.counts16.assign(tile.count_row(tile.k_ways, 0), 0);
  } else {
    tile.counts8.assign(tile.count_row(tile.k_ways, 0), 0);
  }
  for (int q = 0; q < tile.k_ways; ++q) {  // the rows of at least 1, in lanes that are no PE too
    const auto begin = static_cast<std::ptrdiff_t>(tile.count_row(q, tile.positions + 1));
    const auto end = static_cast<std::ptrdiff_t>(tile.count_row(q, 2 * tile.positions + 2));
    if (tile.wide_counts) {
      std::fill(tile.counts16.begin() + begin, tile.counts16.begin() + end, std::uint16_t{1});
    } else {
      std::fill(tile.counts8.begin() + begin, tile.counts8.begin() + end, std::uint8_t{1});
    }
  }
  tile.count_sum.assign(entries, 0);
  tile.word_sum.assign(entries, 0);
  tile.zero_pes.assign(entries, 0);
  tile.pe_values.assign(size_of(tile.k_ways) * size_of(tile.pes), 0);

  fill_masks(tile, table, source);
  fill_sums(tile);
  tile.image_bytes = weight_image_bytes(params, tile);
  tile.key = hash_tile(tile);
  return tile;
}

}  // namespace lacuna::timing::engine
