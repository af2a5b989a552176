// SPDX-License-Identifier: Apache-2.0
//
// Load images of a problem (engine.md, section 9).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cosim/rtl_abi.h"
#include "rtl/support/problem.h"

namespace lacuna::test::rtl {

/// Bytes in which every section begins at a multiple of the load width.
class ImageWriter {
 public:
  explicit ImageWriter(int load_width) : width_(static_cast<std::size_t>(load_width)) {}
  void bytes(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) image_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void bits(const std::vector<bool>& mask) {
    for (std::size_t i = 0; i < mask.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t b = 0; b < 8 && i + b < mask.size(); ++b) byte |= unsigned{mask[i + b]} << b;
      image_.push_back(static_cast<std::uint8_t>(byte));
    }
  }
  void section() { image_.resize((image_.size() + width_ - 1) / width_ * width_, 0); }
  std::vector<std::uint8_t> take() {
    section();
    return std::move(image_);
  }

 private:
  std::size_t width_;
  std::vector<std::uint8_t> image_;
};

struct Images {
  std::vector<std::uint8_t> tile, block;
  lacuna_rtl_load tile_load{}, block_load{};
  lacuna_rtl_pass pass{};

  Images(const Shape& shape, const Problem& problem, std::uint64_t tile_key = 0,
         std::uint64_t block_key = 0) {
    const Layout layout(shape, problem);
    write_tile(shape, problem, layout);
    write_block(shape, layout);
    tile_load.kind = 0;
    tile_load.windows = static_cast<std::uint32_t>(layout.base.size());
    tile_load.positions = static_cast<std::uint32_t>(layout.positions);
    tile_load.rows = static_cast<std::uint32_t>(layout.rows);
    tile_load.mask_log = static_cast<std::uint32_t>(layout.mask_log);
    tile_load.in_place = problem.in_place;
    tile_load.post = problem.post;
    tile_load.image = tile.data();
    tile_load.image_bytes = tile.size();
    tile_load.key = tile_key;
    block_load.kind = 1;
    block_load.windows = tile_load.windows;
    block_load.groups = static_cast<std::uint32_t>(layout.groups);
    block_load.image = block.data();
    block_load.image_bytes = block.size();
    block_load.key = block_key;
    pass.groups = static_cast<std::uint32_t>(layout.groups);
    pass.tokens = static_cast<std::uint32_t>(problem.tokens);
    pass.channels = static_cast<std::uint32_t>(problem.channels);
    pass.act_signed = problem.act_signed;
    pass.psum_read = problem.psum_read;
    pass.psum_write = problem.psum_write;
    pass.clamp_lo = problem.clamp_lo;
    pass.clamp_hi = problem.clamp_hi;
    pass.gate = static_cast<std::uint32_t>(problem.gate);
    pass.hold1 = problem.hold1;
    pass.hold2 = problem.hold2;
    pass.psum_in = problem.psum_in.empty() ? nullptr : problem.psum_in.data();
    pass.want_trace = 1;
    pass.cycle_limit = 1000000;
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

 private:
  void write_tile(const Shape& shape, const Problem& problem, const Layout& layout) {
    ImageWriter out(shape.load_width);
    for (int base : layout.base) out.bytes(static_cast<std::uint64_t>(base), 2);
    out.section();
    for (int way = 0; way < shape.k_ways; ++way) {
      for (std::size_t w = 0; w < layout.base.size(); ++w) {
        std::vector<bool> mask(static_cast<std::size_t>(shape.scan_width));
        for (int x = layout.base[w]; x < layout.window_end(w); ++x) {
          mask[static_cast<std::size_t>(x - layout.base[w])] = layout.present(way, x);
        }
        out.bits(mask);
      }
    }
    out.section();
    for (int row = 0; row < layout.rows; ++row) {
      for (int place = 0; place < shape.pes; ++place) {
        out.bytes(
            static_cast<std::uint64_t>(
                problem.order[static_cast<std::size_t>(row)][static_cast<std::size_t>(place)]),
            1);
      }
    }
    out.section();
    if (problem.post) {
      const auto n_all = static_cast<std::size_t>(shape.pes * layout.rows);
      const auto n_used = static_cast<std::size_t>(problem.channels);
      for (std::size_t n = 0; n < n_all; ++n) {
        out.bytes(n < n_used ? static_cast<std::uint32_t>(problem.bias[n]) : 0, 4);
        out.bytes(n < n_used ? static_cast<std::uint32_t>(problem.multiplier[n]) : 0, 4);
      }
      out.section();
      for (std::size_t n = 0; n < n_all; ++n) {
        out.bytes(n < n_used ? static_cast<std::uint64_t>(problem.shift[n]) : 1, 1);
      }
      out.section();
    }
    for (int way = 0; way < shape.k_ways; ++way) {
      for (int pe = 0; pe < shape.pes; ++pe) {
        std::vector<int> values;
        for (int x = 0; x < layout.positions; ++x) {
          const std::uint64_t mask = layout.weight_mask(way, pe, x);
          out.bytes(mask, 1 << layout.mask_log);
          for (int row = 0; row < layout.rows; ++row) {
            const bool set = ((mask >> row) & 1) != 0;
            if (set) {
              values.push_back(problem.weight(layout.channel_of(pe, row), layout.k_of(way, x)));
            } else if (problem.in_place) {
              values.push_back(0);
            }
          }
        }
        out.section();
        for (int value : values) out.bytes(static_cast<std::uint64_t>(value), 1);
        out.section();
      }
    }
    tile = out.take();
  }

  void write_block(const Shape& shape, const Layout& layout) {
    ImageWriter out(shape.load_width);
    for (int way = 0; way < shape.k_ways; ++way) {
      std::vector<int> values;
      for (int group = 0; group < layout.groups; ++group) {
        for (std::size_t w = 0; w < layout.base.size(); ++w) {
          std::vector<bool> mask(static_cast<std::size_t>(shape.scan_width));
          for (int x = layout.base[w]; x < layout.window_end(w); ++x) {
            if (!layout.act_bit(way, x, group)) continue;
            mask[static_cast<std::size_t>(x - layout.base[w])] = true;
            for (int lane = 0; lane < shape.lanes; ++lane) {
              values.push_back(layout.act_value(way, x, group * shape.lanes + lane));
            }
          }
          out.bits(mask);
        }
      }
      out.section();
      for (int value : values) out.bytes(static_cast<std::uint64_t>(value), 1);
      out.section();
    }
    block = out.take();
  }
};

}  // namespace lacuna::test::rtl
