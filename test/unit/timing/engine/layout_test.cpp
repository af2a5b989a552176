// SPDX-License-Identifier: Apache-2.0
//
// Windows, K tiles, images, capacity rules, load times, balance: what mapper, RTL harness and chip
// build on.
#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "support/random_pass.h"
#include "timing/engine/balance.h"
#include "timing/engine/capacity.h"
#include "timing/engine/image.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

TEST(WindowTable, OfAConvolutionNeverCrossesSegments) {
  params::EngineParams params;  // Q = 4, S = 32
  const WindowTable table(params, {9, 150});
  EXPECT_EQ(table.segment_positions(), 38);  // ceil(150/4)
  EXPECT_EQ(table.segment_windows(), 2);     // 32 + 6
  EXPECT_EQ(table.windows(), 18);
  EXPECT_EQ(table.positions(), 9 * 38);
  EXPECT_EQ(table.base(1), 32);
  EXPECT_EQ(table.base(2), 38);
  EXPECT_EQ(table.base(18), 9 * 38);
  EXPECT_EQ(table.k_range({0, 1}), (KRange{0, 128}));
  EXPECT_EQ(table.k_range({1, 2}), (KRange{128, 150}));
  EXPECT_EQ(table.k_range({1, 4}), (KRange{128, 450 - 150}));
  EXPECT_EQ(table.k_range(table.all()), (KRange{0, 1350}));
}

TEST(WindowTable, FindsTheWindowsOfAKRange) {
  base::Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    params::EngineParams params;
    params.k_ways = static_cast<int>(rng.range(1, 7));
    params.scan_width = 8 << rng.range(0, 5);
    const Segments segments{static_cast<int>(rng.range(1, 9)), static_cast<int>(rng.range(1, 700))};
    const WindowTable table(params, segments);
    const std::int64_t begin = rng.range(0, segments.k() - 1);
    const KRange range{begin, rng.range(begin + 1, segments.k())};
    const WindowRange windows = table.windows_of(range);
    EXPECT_LE(table.k_range(windows).begin, range.begin);
    EXPECT_GE(table.k_range(windows).end, range.end);
    EXPECT_GT(table.k_range({windows.begin, windows.begin + 1}).end, range.begin);
    EXPECT_LT(table.k_range({windows.end - 1, windows.end}).begin, range.end);
    EXPECT_EQ(table.windows_of(table.k_range(windows)), windows);
  }
}

TEST(WindowTable, CutsAreCompleteFewAndEven) {
  params::EngineParams params;  // Q = 4, S = 32
  const WindowTable table(params, {1, 4096});
  const auto tiles = table.cut(100, 400);  // 32 windows of 32 positions; 12 fit
  ASSERT_EQ(tiles.size(), 3U);
  EXPECT_EQ(tiles.front().begin, 0);
  EXPECT_EQ(tiles.back().end, table.windows());
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (i > 0) {
      EXPECT_EQ(tiles[i].begin, tiles[i - 1].end);
    }
    EXPECT_LE(table.positions(tiles[i]), 352);  // 11 windows: ceil(32/3)
  }
  EXPECT_EQ(table.cut(100, 100'000).size(), 1U);
  EXPECT_TRUE(table.cut(100, 31).empty());  // not even one window
  EXPECT_EQ(table.cut(1, 100'000).size(), 32U);
}

/// Reads an image section by section, as the loader of the engine does.
class ImageReader {
 public:
  ImageReader(std::vector<std::uint8_t> bytes, int load_width)
      : bytes_(std::move(bytes)), load_width_(size_of(load_width)) {}
  std::uint64_t bytes(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) {
      value |= std::uint64_t{bytes_.at(at_)} << (8 * i);
      ++at_;
    }
    return value;
  }
  std::vector<bool> bits(int count) {
    std::vector<bool> result;
    for (int i = 0; i < count; i += 8) {
      const std::uint64_t byte = bytes(1);
      for (int b = 0; b < 8; ++b) result.push_back(((byte >> b) & 1U) != 0);
    }
    return result;
  }
  void end_section() {
    while (at_ % load_width_ != 0) EXPECT_EQ(bytes(1), 0U) << "padding";
  }
  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t load_width_;
  std::size_t at_ = 0;
};

/// k of (way, position) of the tile, -1 if there is none; from the text of section 2.
std::vector<std::vector<std::int64_t>> k_of_positions(const test::RawPass& pass) {
  const WindowTable table(pass.params, pass.segments);
  const int ways = pass.params.k_ways;
  std::vector<std::vector<std::int64_t>> result(size_of(ways));
  const int first = table.base(pass.windows.begin);
  for (int x = first; x < table.base(pass.windows.end); ++x) {
    const int segment = x / table.segment_positions();
    const int index = x % table.segment_positions();
    for (int q = 0; q < ways; ++q) {
      const int channel = index * ways + q;
      result[size_of(q)].push_back(channel < pass.segments.channels
                                       ? std::int64_t{segment} * pass.segments.channels + channel
                                       : -1);
    }
  }
  return result;
}

TEST(Image, OfAWeightTileDecodesToTheWeights) {
  for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    const test::RawPass pass = test::random_pass(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + pass.describe());
    const auto& params = pass.params;
    const Tile tile = pass.tile();
    ImageReader image(weight_image(params, tile), params.load_width);
    const auto k_at = k_of_positions(pass);
    const int rows = (pass.channels + params.pes - 1) / params.pes;
    const int positions = static_cast<int>(k_at[0].size());
    std::vector<int> base;
    for (int w = 0; w < pass.windows.count(); ++w) base.push_back(static_cast<int>(image.bytes(2)));
    base.push_back(positions);
    image.end_section();
    std::vector<std::vector<bool>> present;  // [way*windows + w]
    for (int i = 0; i < params.k_ways * pass.windows.count(); ++i) {
      present.push_back(image.bits(params.scan_width));
    }
    image.end_section();
    std::vector<std::uint8_t> order;
    for (int i = 0; i < params.pes * rows; ++i) {
      order.push_back(static_cast<std::uint8_t>(image.bytes(1)));
    }
    if (!pass.order.empty()) {
      EXPECT_EQ(order, pass.order);
    }
    image.end_section();
    for (int n = 0; n < params.pes * rows; ++n) {
      const bool real = n < pass.channels;
      EXPECT_EQ(static_cast<std::int32_t>(image.bytes(4)), real ? pass.bias[size_of(n)] : 0);
      EXPECT_EQ(static_cast<std::int32_t>(image.bytes(4)), real ? pass.multiplier[size_of(n)] : 0);
    }
    image.end_section();
    for (int n = 0; n < params.pes * rows; ++n) {
      EXPECT_EQ(image.bytes(1), n < pass.channels ? pass.shift[size_of(n)] : 1U);
    }
    image.end_section();
    const int mask_bytes = rows <= 8 ? 1 : rows <= 16 ? 2 : rows <= 32 ? 4 : 8;
    EXPECT_EQ(tile.mask_bytes, mask_bytes);
    std::vector<std::vector<bool>> any(size_of(params.k_ways),
                                       std::vector<bool>(size_of(positions), false));
    for (int q = 0; q < params.k_ways; ++q) {
      for (int p = 0; p < params.pes; ++p) {
        std::vector<std::uint64_t> masks;
        for (int x = 0; x < positions; ++x) masks.push_back(image.bytes(mask_bytes));
        image.end_section();
        for (int x = 0; x < positions; ++x) {
          for (int r = 0; r < rows; ++r) {
            const bool set = ((masks[size_of(x)] >> r) & 1U) != 0;
            std::int64_t n = -1;
            for (int i = 0; i < params.pes; ++i) {
              if (order[size_of(r * params.pes + i)] == p) n = r * params.pes + i;
            }
            const std::int64_t k = k_at[size_of(q)][size_of(x)];
            const bool exists = n < pass.channels && k >= 0;
            const int code = exists ? pass.weights[size_of(n * pass.segments.k() + k)] : 0;
            EXPECT_EQ(set, exists && (code != 0 || !params.skip_weights));
            if (set) any[size_of(q)][size_of(x)] = true;
            if (set || pass.in_place) {
              EXPECT_EQ(static_cast<std::int8_t>(image.bytes(1)), set ? code : 0);
            }
          }
          EXPECT_EQ(masks[size_of(x)] >> (rows - 1) >> 1, 0U) << "rows that do not exist";
        }
        image.end_section();
      }
    }
    EXPECT_TRUE(image.done());
    for (int q = 0; q < params.k_ways; ++q) {
      for (int w = 0; w < pass.windows.count(); ++w) {
        const auto& bits = present[size_of(q * pass.windows.count() + w)];
        const int length = base[size_of(w) + 1] - base[size_of(w)];
        for (int i = 0; i < params.scan_width; ++i) {
          const bool expected = i < length && any[size_of(q)][size_of(base[size_of(w)] + i)];
          EXPECT_EQ(bits[size_of(i)], expected);
        }
      }
    }
  }
}

TEST(Image, OfABlockDecodesToTheActivations) {
  for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    const test::RawPass pass = test::random_pass(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + pass.describe());
    const auto& params = pass.params;
    const Block block = pass.block();
    ImageReader image(block_image(params, block), params.load_width);
    const WindowTable table(params, pass.segments);
    const auto k_at = k_of_positions(pass);
    const int groups = (pass.tokens + params.lanes - 1) / params.lanes;
    const int first = table.base(pass.windows.begin);
    for (int q = 0; q < params.k_ways; ++q) {
      std::vector<std::vector<bool>> slots;
      for (int i = 0; i < groups * pass.windows.count(); ++i) {
        slots.push_back(image.bits(params.scan_width));
      }
      image.end_section();
      for (int g = 0; g < groups; ++g) {
        for (int w = 0; w < pass.windows.count(); ++w) {
          const int base = table.base(pass.windows.begin + w) - first;
          const int length = table.base(pass.windows.begin + w + 1) - first - base;
          for (int i = 0; i < params.scan_width; ++i) {
            const std::int64_t k = i < length ? k_at[size_of(q)][size_of(base + i)] : -1;
            std::vector<std::uint8_t> codes;
            bool any = k >= 0 && !params.skip_activations;
            for (int v = 0; v < params.lanes; ++v) {
              const int token = g * params.lanes + v;
              const bool exists = k >= 0 && token < pass.tokens;
              codes.push_back(exists ? pass.activations[size_of(token * pass.segments.k() + k)]
                                     : std::uint8_t{0});
              any = any || codes.back() != 0;
            }
            EXPECT_EQ(slots[size_of(g * pass.windows.count() + w)][size_of(i)], any);
            if (!any) continue;
            for (const std::uint8_t code : codes) EXPECT_EQ(image.bytes(1), code);
          }
        }
      }
      image.end_section();
    }
    EXPECT_TRUE(image.done());
  }
}

TEST(Image, LoadTimesFollowFromItsBeats) {
  const test::RawPass pass = test::random_pass(5);
  const Tile tile = pass.tile();
  EXPECT_EQ(
      weight_load_cycles(pass.params, tile),
      static_cast<base::Cycle>(weight_image(pass.params, tile).size()) / pass.params.load_width);
  params::EngineParams params;  // 16 B, blocks of 64 channels
  EXPECT_EQ(stored_bytes(params, 64, 10), 8 + 10);
  EXPECT_EQ(stored_bytes(params, 65, 10), 16 + 10);
  EXPECT_EQ(stored_slot_bytes(params, 65), 2 * 72);
}

TEST(Image, GroupLoadTakesBytesSegmentsOrUnion) {
  params::EngineParams params;
  params.k_ways = 2;
  params.lanes = 2;
  params.drain_width = params.pes;
  const Segments segments{1, 64};
  const std::vector<std::uint8_t> even = [] {
    std::vector<std::uint8_t> codes(64, 0);
    for (std::size_t i = 0; i < 64; i += 2) codes[i] = 1;
    return codes;
  }();
  const std::vector<const std::uint8_t*> rows{even.data(), even.data(), even.data(), nullptr};
  BlockSource source;
  source.tokens = 4;
  source.segments = segments;
  source.windows = WindowTable(params, segments).all();
  source.rows = rows;
  const Block block = make_block(params, source);
  EXPECT_EQ(block.set_bits(0, 0), 32);  // even k are way 0's
  EXPECT_EQ(block.set_bits(1, 0), 0);
  const std::int64_t bytes = 2 * stored_bytes(params, 64, 32);
  EXPECT_EQ(bytes, 80);
  EXPECT_EQ(group_load_cycles(params, block, 0, bytes, 1), 32);   // the union of way 0
  EXPECT_EQ(group_load_cycles(params, block, 0, 1000, 1), 63);    // ceil(1000/16)
  EXPECT_EQ(group_load_cycles(params, block, 0, bytes, 40), 40);  // segments
  params.lanes = 1;
  const Block single = make_block(params, source);
  EXPECT_EQ(group_load_cycles(params, single, 0, 40, 1), 3);
}

TEST(Capacity, EveryRuleCanBeBroken) {
  params::EngineParams params;
  params.pes = 4;
  params.k_ways = 2;
  params.rows_per_pe = 4;
  params.drain_width = 4;
  params.max_k = 4096;
  const Segments segments{1, 256};
  std::vector<std::int8_t> weights(256 * 16, 1);
  std::vector<std::uint8_t> acts(256 * 8, 1);
  TileSource source;
  source.weights = {weights.data(), 256, 1};
  source.segments = segments;
  source.windows = WindowTable(params, segments).all();
  source.channels = 16;
  std::vector<const std::uint8_t*> rows;
  for (std::size_t t = 0; t < 8; ++t) rows.push_back(acts.data() + 256 * t);
  BlockSource block_source;
  block_source.tokens = 8;
  block_source.segments = segments;
  block_source.windows = source.windows;
  block_source.rows = rows;
  const Tile tile = make_tile(params, source);
  const Block block = make_block(params, block_source);

  // 128 positions: masks 1 B + pointers 2 B each, 4 values each.
  const std::int64_t per_pe = 128 * 3 + 128 * 4;
  EXPECT_EQ(pe_weight_bytes(params, 128, 4, 512), per_pe);
  params.weight_buffer = per_pe * 8;
  params.activation_buffer = 8 * 128 * 2;
  params.psum_buffer = 4 * 8 * 16;
  params.output_buffer = 8 * 72;
  EXPECT_TRUE(capacity_violations(params, tile).empty());
  EXPECT_TRUE(capacity_violations(params, block).empty());
  EXPECT_TRUE(capacity_violations(params, tile, block, true, true).empty());

  const auto broken = [&](auto change) {
    params::EngineParams tight = params;
    change(tight);
    std::vector<std::string> all = capacity_violations(tight, tile);
    for (const auto& more :
         {capacity_violations(tight, block), capacity_violations(tight, tile, block, true, true)}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  };
  using P = params::EngineParams;
  EXPECT_EQ(broken([](P& p) { p.weight_buffer -= 1; }),
            std::vector<std::string>{"weight bytes of a PE: 896, at most 895"});
  EXPECT_EQ(broken([](P& p) { p.max_k = 254; }),
            std::vector<std::string>{"positions per way: 128, at most 127"});
  EXPECT_EQ(broken([](P& p) { p.rows_per_pe = 3; }),
            std::vector<std::string>{"rows per PE: 4, at most 3"});
  EXPECT_EQ(broken([](P& p) { p.activation_buffer -= 2; }).size(), 2U);  // both ways
  EXPECT_EQ(broken([](P& p) { p.psum_buffer -= 1; }),
            std::vector<std::string>{"partial sum bytes: 512, at most 511"});
  EXPECT_EQ(broken([](P& p) { p.output_buffer -= 1; }),
            std::vector<std::string>{"output bytes: 576, at most 575"});
}

TEST(Capacity, SlotsAndWindowsAreLimited) {
  params::EngineParams params;
  params.pes = 1;
  params.k_ways = 1;
  params.rows_per_pe = 1;
  params.drain_width = 1;
  params.max_k = 128;            // 16 windows
  params.activation_buffer = 8;  // 64 slots
  const Segments segments{17, 1};
  const std::vector<std::int8_t> weights(17, 1);
  TileSource source;
  source.weights = {weights.data(), 17, 1};
  source.segments = segments;
  source.windows = WindowTable(params, segments).all();
  source.channels = 1;
  EXPECT_EQ(capacity_violations(params, make_tile(params, source)),
            std::vector<std::string>{"windows: 17, at most 16"});
  const std::vector<const std::uint8_t*> rows(17 * 4, nullptr);
  BlockSource block;
  block.tokens = 4;
  block.segments = segments;
  block.windows = source.windows;
  block.rows = rows;
  EXPECT_EQ(capacity_violations(params, make_block(params, block)),
            std::vector<std::string>{"activation slots (groups x windows): 68, at most 64"});
}

TEST(Keys, AreEqualExactlyForEqualContents) {
  test::RawPass pass = test::random_pass(11);
  const std::uint64_t tile = pass.tile().key;
  const std::uint64_t block = pass.block().key;
  EXPECT_EQ(pass.tile().key, tile);
  EXPECT_EQ(pass.block().key, block);
  const WindowTable table(pass.params, pass.segments);
  const auto k = size_of(table.k_range(pass.windows).begin);
  pass.weights[k] = static_cast<std::int8_t>(pass.weights[k] + 1);
  pass.activations[k] = static_cast<std::uint8_t>(pass.activations[k] + 1);
  EXPECT_NE(pass.tile().key, tile);
  EXPECT_NE(pass.block().key, block);
}

TEST(Balance, GreedyEvensOutTheLoads) {
  params::EngineParams params;
  params.pes = 16;
  base::Rng rng(4);
  const int k = 512;
  const int channels = 300;  // the last row is not full
  std::vector<std::int8_t> weights(size_of(k * channels), 0);
  for (int n = 0; n < channels; ++n) {
    const double density = 0.5 * rng.uniform();
    for (int i = 0; i < k; ++i) {
      weights[size_of(n * k + i)] = rng.bernoulli(density) ? std::int8_t{1} : std::int8_t{0};
    }
  }
  TileSource source;
  source.weights = {weights.data(), k, 1};
  source.segments = {1, k};
  source.windows = WindowTable(params, source.segments).all();
  source.channels = channels;
  const auto spread = [&](params::Balance balance, std::span<const float> density, int until) {
    const std::vector<std::uint8_t> order = balance_order(params, source, balance, density);
    EXPECT_EQ(order.size(), 19U * 16U);
    std::vector<double> load(16, 0);
    for (int r = 0; r < 19; ++r) {
      std::vector<bool> used(16, false);
      for (int i = 0; i < 16; ++i) {
        const std::size_t pe = order[size_of(r * 16 + i)];
        EXPECT_FALSE(used.at(pe));
        used[pe] = true;
        const int n = r * 16 + i;
        for (int x = 0; n < channels && x < until; ++x) load[pe] += weights[size_of(n * k + x)];
      }
    }
    return *std::max_element(load.begin(), load.end()) * 16 /
           std::accumulate(load.begin(), load.end(), 0.0);
  };
  const double none = spread(params::Balance::kNone, {}, k);
  const double greedy = spread(params::Balance::kGreedy, {}, k);
  EXPECT_GT(none, 1.05);
  EXPECT_LT(greedy, 1.02);
  // Activations only in the first quarter of K: that quarter is what has to be even.
  std::vector<float> density(size_of(k), 0.0F);
  std::fill_n(density.begin(), k / 4, 0.5F);
  EXPECT_LT(spread(params::Balance::kActivation, density, k / 4), 1.03);
}

// A mask alone gives the same tile, but for the codes: the same time, the same image size.
TEST(MakeTile, OfAMaskIsThatOfTheCodes) {
  for (std::uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    const test::RawPass raw = test::random_pass(seed);
    TileSource source;
    const std::int64_t k = raw.segments.k();
    source.weights = {raw.weights.data(), k, 1};
    source.segments = raw.segments;
    source.windows = raw.windows;
    source.channels = raw.channels;
    source.order = raw.order;
    source.skip_weights = raw.params.skip_weights;
    source.in_place = raw.in_place;
    const Tile with_codes = make_tile(raw.params, source);
    TileSource later = source;  // the channels of a layer from the fourth on
    later.weights.first = later.first_channel = 3;
    EXPECT_EQ(make_tile(raw.params, later).key, with_codes.key) << raw.describe();
    const tensor::MaskMatrix mask =
        tensor::mask_of(reinterpret_cast<const std::uint8_t*>(raw.weights.data()), raw.channels, k);
    source.mask = &mask;
    EXPECT_EQ(make_tile(raw.params, source).key, with_codes.key) << raw.describe();
    source.weights = {};
    const Tile of_mask = make_tile(raw.params, source);
    EXPECT_FALSE(of_mask.has_codes());
    EXPECT_EQ(of_mask.masks, with_codes.masks) << raw.describe();
    EXPECT_EQ(of_mask.present, with_codes.present);
    EXPECT_EQ(of_mask.image_bytes, with_codes.image_bytes);
    EXPECT_EQ(of_mask.word_sum, with_codes.word_sum);
    source.order.clear();
    const std::vector<std::uint8_t> order =
        balance_order(raw.params, source, params::Balance::kGreedy);
    source.weights = {raw.weights.data(), k, 1};
    source.mask = nullptr;
    EXPECT_EQ(balance_order(raw.params, source, params::Balance::kGreedy), order);
    EXPECT_THROW((void)evaluate(raw.params, of_mask, raw.block(), raw.command, raw.psum_in),
                 base::InternalError);
  }
}

// Without values (where the builder can leave them out) a block takes the same time to load and to
// run, and nobody can compute with it.
TEST(MakeBlock, WithoutValuesTakesTheSameTime) {
  int left_out = 0;
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    const test::RawPass raw = test::random_pass(seed);
    const Tile tile = raw.tile();
    const Block whole = raw.block();
    const Block bare = raw.block(false);
    EXPECT_EQ(bare.masks, whole.masks) << raw.describe();
    EXPECT_EQ(bare.slot_base, whole.slot_base) << raw.describe();
    EXPECT_EQ(bare.set_groups, whole.set_groups) << raw.describe();
    EXPECT_EQ(bare.nonzero_lanes, whole.nonzero_lanes) << raw.describe();
    EXPECT_EQ(bare.nonzeros, whole.nonzeros) << raw.describe();
    EXPECT_EQ(bare.image_bytes, whole.image_bytes) << raw.describe();
    EXPECT_TRUE(whole.has_values());
    if (bare.has_values()) {
      EXPECT_EQ(bare.values, whole.values) << raw.describe();
      continue;
    }
    ++left_out;
    EXPECT_NE(bare.key, whole.key) << raw.describe();
    EvaluateOptions cycles;
    cycles.functional = false;
    EXPECT_EQ(evaluate(raw.params, tile, bare, raw.command, {}, cycles).drain_end,
              evaluate(raw.params, tile, whole, raw.command, {}, cycles).drain_end)
        << raw.describe();
    EXPECT_THROW((void)evaluate(raw.params, tile, bare, raw.command, raw.psum_in),
                 base::InternalError);
  }
  EXPECT_GT(left_out, 20);
}

TEST(MakeTile, RefusesContradictions) {
  const std::vector<std::int8_t> weights(64, 1);
  params::EngineParams params;
  TileSource good;
  good.weights = {weights.data(), 4, 1};
  good.segments = {1, 4};
  good.windows = {0, 1};
  good.channels = 16;
  EXPECT_NO_THROW((void)make_tile(params, good));
  const auto refused = [&](auto change) {
    TileSource source = good;
    change(source);
    EXPECT_THROW((void)make_tile(params, source), base::InternalError);
  };
  refused([](TileSource& s) { s.channels = 0; });
  refused([](TileSource& s) { s.channels = 513; });
  refused([](TileSource& s) { s.windows = {0, 2}; });
  refused([](TileSource& s) { s.windows = {0, 0}; });
  refused([](TileSource& s) { s.order.assign(16, 0); });
  refused([](TileSource& s) { s.order = {0, 1}; });
  const std::vector<std::int32_t> vector(16, 1);
  const std::vector<std::uint8_t> shift(16, 63);
  refused([&](TileSource& s) { s.bias = vector; });
  refused([&](TileSource& s) {
    s.bias = vector;
    s.multiplier = vector;
    s.shift = shift;
  });
}

TEST(CarryIn, FollowsFromTheDrainsBefore) {
  PassResult before;
  before.length = 50;
  before.drain_end = {30, 60, 75};
  EXPECT_EQ(carry_in(before, {}, 50).hold1, 25);
  EXPECT_EQ(carry_in(before, {}, 50).hold2, 10);
  EXPECT_EQ(carry_in(before, {}, 70).hold2, 0);
  EXPECT_EQ(carry_in(before, {}, 100).hold1, 0);
  // One group: the one before it belongs to the pass before.
  before.drain_end = {75};
  PassCommand command;
  command.hold1 = 55;
  EXPECT_EQ(carry_in(before, command, 50).hold2, 5);
}

}  // namespace
}  // namespace lacuna::timing::engine
