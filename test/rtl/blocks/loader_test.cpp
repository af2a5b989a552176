// SPDX-License-Identifier: Apache-2.0
// Loader: where each byte of an image goes, pointers and value addresses it makes, one beat a cycle
// with random gaps of the sender (engine.md, section 9).

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <map>
#include <vector>

#include "Vloader.h"
#include "rtl/support/bench.h"
#include "rtl/support/images.h"

namespace lacuna::test::rtl {
namespace {

Shape loader_shape() {
  Shape s;
  s.pes = 3;
  s.k_ways = 2;
  s.rows_per_pe = 20;
  s.lanes = 2;
  s.scan_width = 16;
  s.load_width = 8;
  s.max_k = 80;
  s.drain_width = 3;
  s.weight_buffer = 512 * 6;
  s.activation_buffer = 512 * 2;
  return s;
}

constexpr std::size_t kElement = 10 + 20;  // pointer, mask

/// What the loader wrote, by place.
struct Seen {
  std::map<std::size_t, std::uint64_t> base, present, order, bias, multiplier, shift;
  std::map<std::size_t, std::uint64_t> slot[2], slot_value[2], act[2];
  std::map<std::size_t, std::uint64_t> mask[2][3], pointer[2][3], value[2][3];
};

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() : random_(7), shape_(loader_shape()) {
    top_->start_i = 0;
    top_->valid_i = 0;
    top_.reset();
  }

  /// Sends a load; the last beat must be the one with done_o.
  void send(const lacuna_rtl_load& load, Seen& seen) {
    const auto half = static_cast<CData>(random_.range(0, 1));
    top_->start_i = 1;
    top_->kind_i = static_cast<CData>(load.kind);
    top_->half_i = half;
    top_->windows_i = static_cast<SData>(load.windows);
    top_->positions_i = static_cast<SData>(load.positions);
    top_->rows_i = static_cast<SData>(load.rows);
    top_->groups_i = static_cast<SData>(load.groups);
    top_->mask_log_i = static_cast<CData>(load.mask_log);
    top_->in_place_i = load.in_place != 0;
    top_->post_i = load.post != 0;
    top_.settle();
    ASSERT_EQ(top_->idle_o, 1);
    top_.edge();
    top_->start_i = 0;
    for (std::size_t at = 0; at < load.image_bytes;) {
      const bool valid = random_.chance(0.8);
      top_->valid_i = valid;
      clear(top_->data_i);
      for (std::size_t b = 0; valid && b < 8; ++b) {
        set_bits(top_->data_i, 8 * b, 8, load.image[at + b]);
      }
      top_.settle();
      ASSERT_EQ(top_->ready_o, 1) << "byte " << at << " of " << load.image_bytes;
      ASSERT_EQ(top_->half_o, half);
      at += valid ? 8 : 0;
      ASSERT_EQ(top_->done_o, valid && at == load.image_bytes) << "byte " << at;
      watch(seen);
      top_.edge();
    }
    top_->valid_i = 0;
    top_.settle();
    ASSERT_EQ(top_->idle_o, 1);
    watch(seen);  // words for the PEs come a cycle later
    top_.edge();
    top_.settle();
    ASSERT_EQ(top_->meta_write_o, 0);
    ASSERT_EQ(top_->value_write_o, 0);
  }

  void watch(Seen& seen) {
    const std::uint64_t data = bits(top_->data_i, 0, 64);
    const auto elements = [&](std::map<std::size_t, std::uint64_t>& map, std::size_t word,
                              std::size_t per_word, std::size_t width) {
      for (std::size_t i = 0; i < per_word; ++i) {
        map[word * per_word + i] = bits(data, i * width, width);
      }
    };
    if (top_->base_write_o != 0) elements(seen.base, top_->base_addr_o, 4, 16);
    if (top_->present_write_o != 0) elements(seen.present, top_->present_addr_o, 4, 16);
    const std::size_t channel = top_->table_channel_o;
    if (top_->order_write_o != 0) elements(seen.order, channel / 8, 8, 8);
    if (top_->shift_write_o != 0) elements(seen.shift, channel / 8, 8, 8);
    if (top_->post_write_o != 0) {
      seen.bias[channel] = data & 0xffffffffU;
      seen.multiplier[channel] = data >> 32;
    }
    for (std::size_t way = 0; way < 2; ++way) {
      if (((top_->slot_write_o >> way) & 1) != 0) {
        elements(seen.slot[way], top_->slot_addr_o, 4, 16);
        seen.slot_value[way][top_->slot_addr_o * 4U] = top_->slot_values_o;
      }
      if (((top_->act_write_o >> way) & 1) != 0) elements(seen.act[way], top_->act_addr_o, 4, 16);
      const std::size_t pe = top_->pe_index_o;
      if (((top_->meta_write_o >> way) & 1) != 0) {
        for (std::size_t e = 0; e < 8; ++e) {
          const std::size_t x = top_->meta_addr_o * 8U + e;
          seen.mask[way][pe][x] = bits(top_->meta_data_o, e * kElement, 20);
          seen.pointer[way][pe][x] = bits(top_->meta_data_o, e * kElement + 20, 10);
        }
      }
      if (((top_->value_write_o >> way) & 1) != 0) {
        for (std::size_t b = 0; b < 8; ++b) {
          seen.value[way][pe][top_->value_addr_o * 8U + b] = bits(top_->value_data_o, 8 * b, 8);
        }
      }
    }
  }

  Bench<Vloader> top_;
  Random random_;
  Shape shape_;
};

TEST_F(LoaderTest, EveryByteGoesToItsPlace) {
  int logs[4] = {}, without_values = 0;
  for (int run = 0; run < 200; ++run) {
    SCOPED_TRACE(run);
    const Problem problem = random_problem(random_, shape_);
    const Layout layout(shape_, problem);
    const Images images(shape_, problem);
    Seen tile, block;
    ASSERT_NO_FATAL_FAILURE(send(images.tile_load, tile));
    ASSERT_NO_FATAL_FAILURE(send(images.block_load, block));
    ++logs[layout.mask_log];

    const std::size_t windows = layout.base.size();
    for (std::size_t w = 0; w < windows; ++w) {
      ASSERT_EQ(tile.base[w], static_cast<std::uint64_t>(layout.base[w]));
      for (int way = 0; way < 2; ++way) {
        std::uint64_t mask = 0;
        for (int x = layout.base[w]; x < layout.window_end(w); ++x) {
          mask |= std::uint64_t{layout.present(way, x)} << (x - layout.base[w]);
        }
        ASSERT_EQ(tile.present[static_cast<std::size_t>(way) * windows + w], mask);
      }
    }
    for (int row = 0; row < layout.rows; ++row) {
      for (int place = 0; place < shape_.pes; ++place) {
        ASSERT_EQ(
            tile.order[static_cast<std::size_t>(row * shape_.pes + place)],
            static_cast<std::uint64_t>(
                problem.order[static_cast<std::size_t>(row)][static_cast<std::size_t>(place)]));
      }
    }
    ASSERT_EQ(tile.bias.empty(), !problem.post);
    for (std::size_t n = 0; problem.post && n < static_cast<std::size_t>(problem.channels); ++n) {
      ASSERT_EQ(tile.bias[n], static_cast<std::uint32_t>(problem.bias[n]));
      ASSERT_EQ(tile.multiplier[n], static_cast<std::uint32_t>(problem.multiplier[n]));
      ASSERT_EQ(tile.shift[n], static_cast<std::uint64_t>(problem.shift[n]));
    }
    for (int way = 0; way < 2; ++way) {
      for (int pe = 0; pe < shape_.pes; ++pe) {
        std::uint64_t pointer = 0;
        for (int x = 0; x < layout.positions; ++x) {
          const std::uint64_t mask = layout.weight_mask(way, pe, x);
          ASSERT_EQ(tile.mask[way][pe][static_cast<std::size_t>(x)], mask) << "position " << x;
          ASSERT_EQ(tile.pointer[way][pe][static_cast<std::size_t>(x)], pointer)
              << "position " << x;
          std::uint64_t address = pointer;
          for (int row = 0; row < layout.rows; ++row) {
            if (((mask >> row) & 1) == 0) continue;
            const std::uint64_t at =
                problem.in_place ? pointer + static_cast<unsigned>(row) : address++;
            ASSERT_EQ(static_cast<std::int8_t>(tile.value[way][pe][at]),
                      problem.weight(layout.channel_of(pe, row), layout.k_of(way, x)));
          }
          pointer += static_cast<unsigned>(problem.in_place ? layout.rows : std::popcount(mask));
        }
        without_values += pointer == 0;
      }
      std::size_t values = 0;
      for (int group = 0; group < layout.groups; ++group) {
        for (std::size_t w = 0; w < windows; ++w) {
          const std::size_t slot = static_cast<std::size_t>(group) * windows + w;
          if (slot % 4 == 0) {
            ASSERT_EQ(block.slot_value[way][slot], values);
          }
          std::uint64_t mask = 0;
          for (int x = layout.base[w]; x < layout.window_end(w); ++x) {
            if (!layout.act_bit(way, x, group)) continue;
            mask |= std::uint64_t{1} << (x - layout.base[w]);
            for (int lane = 0; lane < 2; ++lane) {
              ASSERT_EQ((block.act[way][values] >> (8 * lane)) & 0xff,
                        static_cast<std::uint8_t>(layout.act_value(way, x, group * 2 + lane)));
            }
            ++values;
          }
          ASSERT_EQ(block.slot[way][slot], mask);
        }
      }
    }
  }
  EXPECT_GT(logs[0], 10);
  EXPECT_GT(logs[1], 10);
  EXPECT_GT(logs[2], 5);
  EXPECT_GT(without_values, 5);
}

}  // namespace
}  // namespace lacuna::test::rtl
