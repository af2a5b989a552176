// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/image.h"

#include <algorithm>

#include "base/error.h"
#include "timing/engine/image_layout.h"
#include "timing/engine/latencies.h"

namespace lacuna::timing::engine {
namespace {

/// Appends sections that each start in a new beat.
class ImageWriter {
 public:
  ImageWriter(const params::EngineParams& params, std::int64_t expected) : params_(params) {
    bytes_.reserve(static_cast<std::size_t>(expected));
  }

  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::uint32_t value) {
    u8(static_cast<std::uint8_t>(value));
    u8(static_cast<std::uint8_t>(value >> 8U));
  }
  void s32(std::int32_t value) {
    u16(static_cast<std::uint32_t>(value) & 0xFFFFU);
    u16(static_cast<std::uint32_t>(value) >> 16U);
  }
  /// The lowest `bits` bits of a window's mask words; a multiple of 8.
  void mask(const std::uint64_t* words, int bits) {
    for (int bit = 0; bit < bits; bit += 8) {
      u8(static_cast<std::uint8_t>(words[bit / 64] >> (bit % 64)));
    }
  }
  void end_section() {
    bytes_.resize(
        static_cast<std::size_t>(to_beats(params_, static_cast<std::int64_t>(bytes_.size()))));
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  const params::EngineParams& params_;
  std::vector<std::uint8_t> bytes_;
};

bool mask_bit(const std::uint8_t* mask, int row) {
  return ((mask[row / 8] >> (row % 8)) & 1U) != 0;
}

/// Values of one PE: packed, or in place with a zero wherever there is no weight.
void write_values(ImageWriter& image, const Tile& tile, int way, int pe) {
  std::vector<int> channel_of_row(static_cast<std::size_t>(tile.rows), tile.channels);
  for (int n = 0; n < tile.channels; ++n) {
    if (tile.order[static_cast<std::size_t>(n)] == pe) {
      channel_of_row[static_cast<std::size_t>(n / tile.pes)] = n;
    }
  }
  for (int x = 0; x < tile.positions; ++x) {
    const std::size_t entry = tile.entry(way, x);
    const std::uint8_t* mask =
        tile.masks.data() + entry * static_cast<std::size_t>(tile.mask_stride) +
        static_cast<std::size_t>(pe) * static_cast<std::size_t>(tile.mask_bytes);
    const std::int8_t* codes = tile.codes.data() + tile.code_index(way, x);
    for (int r = 0; r < tile.rows; ++r) {
      const bool set = mask_bit(mask, r);
      if (set) {
        image.u8(static_cast<std::uint8_t>(codes[4 * channel_of_row[static_cast<std::size_t>(r)]]));
      } else if (tile.in_place) {
        image.u8(0);
      }
    }
  }
}

}  // namespace

std::int64_t weight_image_bytes(const params::EngineParams& params, const Tile& tile) {
  const std::int64_t slots = std::int64_t{tile.pes} * tile.rows;
  std::int64_t bytes =
      to_beats(params, 2 * std::int64_t{tile.windows}) +
      to_beats(params, std::int64_t{tile.k_ways} * tile.windows * (tile.scan_width / 8)) +
      to_beats(params, slots);
  if (tile.has_post) bytes += to_beats(params, 8 * slots) + to_beats(params, slots);
  const std::int64_t masks = to_beats(params, std::int64_t{tile.positions} * tile.mask_bytes);
  for (const std::uint32_t values : tile.pe_values) bytes += masks + to_beats(params, values);
  return bytes;
}

std::int64_t block_image_bytes(const params::EngineParams& params, const Block& block) {
  const std::int64_t masks = std::int64_t{block.groups} * block.windows * (block.scan_width / 8);
  std::int64_t bytes = 0;
  for (int q = 0; q < block.k_ways; ++q) {
    bytes += to_beats(params, masks) + to_beats(params, block.lanes * block.set_bits(q));
  }
  return bytes;
}

std::vector<std::uint8_t> weight_image(const params::EngineParams& params, const Tile& tile) {
  LACUNA_CHECK(tile.has_codes(), "a tile without codes has no image");
  ImageWriter image(params, tile.image_bytes);
  for (int w = 0; w < tile.windows; ++w) {
    image.u16(static_cast<std::uint32_t>(tile.base[static_cast<std::size_t>(w)]));
  }
  image.end_section();
  const std::size_t window_count =
      static_cast<std::size_t>(tile.k_ways) * static_cast<std::size_t>(tile.windows);
  for (std::size_t w = 0; w < window_count; ++w) {
    image.mask(tile.present.data() + w * static_cast<std::size_t>(tile.window_words),
               tile.scan_width);
  }
  image.end_section();
  for (const std::uint8_t pe : tile.order) image.u8(pe);
  image.end_section();
  if (tile.has_post) {
    const int slots = tile.pes * tile.rows;
    for (int n = 0; n < slots; ++n) {
      const auto at = static_cast<std::size_t>(n);
      image.s32(n < tile.channels ? tile.bias[at] : 0);
      image.s32(n < tile.channels ? tile.multiplier[at] : 0);
    }
    image.end_section();
    for (int n = 0; n < slots; ++n) {
      image.u8(n < tile.channels ? tile.shift[static_cast<std::size_t>(n)] : 1);
    }
    image.end_section();
  }
  for (int q = 0; q < tile.k_ways; ++q) {
    for (int p = 0; p < tile.pes; ++p) {
      for (int x = 0; x < tile.positions; ++x) {
        const std::uint8_t* mask =
            tile.masks.data() + tile.entry(q, x) * static_cast<std::size_t>(tile.mask_stride) +
            static_cast<std::size_t>(p) * static_cast<std::size_t>(tile.mask_bytes);
        for (int byte = 0; byte < tile.mask_bytes; ++byte) image.u8(mask[byte]);
      }
      image.end_section();
      write_values(image, tile, q, p);
      image.end_section();
    }
  }
  std::vector<std::uint8_t> bytes = image.take();
  LACUNA_CHECK(static_cast<std::int64_t>(bytes.size()) == tile.image_bytes, "{} bytes, expected {}",
               bytes.size(), tile.image_bytes);
  return bytes;
}

std::vector<std::uint8_t> block_image(const params::EngineParams& params, const Block& block) {
  ImageWriter image(params, block.image_bytes);
  const std::size_t slots =
      static_cast<std::size_t>(block.groups) * static_cast<std::size_t>(block.windows);
  for (int q = 0; q < block.k_ways; ++q) {
    const auto way = static_cast<std::size_t>(q);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      image.mask(
          block.masks.data() + (way * slots + slot) * static_cast<std::size_t>(block.window_words),
          block.scan_width);
    }
    image.end_section();
    for (const std::uint8_t value : block.values[way]) image.u8(value);
    image.end_section();
  }
  std::vector<std::uint8_t> bytes = image.take();
  LACUNA_CHECK(static_cast<std::int64_t>(bytes.size()) == block.image_bytes,
               "{} bytes, expected {}", bytes.size(), block.image_bytes);
  return bytes;
}

base::Cycle weight_load_cycles(const params::EngineParams& params, const Tile& tile) {
  return tile.image_bytes / params.load_width + kLoadLatency - 1;
}

std::int64_t stored_bytes(const params::EngineParams& params, int channels, std::int64_t nonzeros) {
  return (channels + params.act_block - 1) / params.act_block * (params.act_block / 8) + nonzeros;
}

std::int64_t stored_slot_bytes(const params::EngineParams& params, int channels) {
  const int blocks = (channels + params.act_block - 1) / params.act_block;
  return std::int64_t{blocks} * (params.act_block + params.act_block / 8);
}

base::Cycle group_load_cycles(const params::EngineParams& params, const Block& block, int group,
                              std::int64_t bytes, int segments) {
  base::Cycle cycles =
      std::max<base::Cycle>((bytes + params.load_width - 1) / params.load_width, segments);
  if (block.lanes > 1) {
    for (int q = 0; q < block.k_ways; ++q) cycles = std::max(cycles, block.set_bits(q, group));
  }
  return cycles;
}

}  // namespace lacuna::timing::engine
