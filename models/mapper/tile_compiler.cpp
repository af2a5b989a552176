// SPDX-License-Identifier: Apache-2.0
#include "mapper/tile_compiler.h"

#include <algorithm>

#include "base/error.h"
#include "encoding/encoding.h"
#include "timing/engine/balance.h"
#include "timing/engine/capacity.h"

namespace lacuna::mapper {

namespace engine_model = timing::engine;

engine_model::Segments segments_of(const workload::Layer& layer) {
  return {layer.gemm.segments, static_cast<int>(layer.gemm.segment_channels)};
}

engine_model::WeightView run_time_weights(const workload::Layer& layer, const std::uint8_t* right,
                                          std::int64_t right_channels, int head) {
  const auto* codes = reinterpret_cast<const std::int8_t*>(right);
  const workload::GemmShape& shape = layer.gemm;
  head /= shape.heads_per_right;
  if (layer.transpose_right) return {codes + head * shape.k, right_channels, 1};  // W[n][k]
  return {codes + head * shape.n, 1, right_channels};                             // W[k][n]
}

std::shared_ptr<const engine_model::Tile> compile_tile(const params::EngineParams& engine,
                                                       const workload::Layer& layer,
                                                       const GemmPlan& plan,
                                                       const TileOperand& operand, int n_tile,
                                                       int k_tile) {
  const Split& split = plan.split;
  const KTile& k = split.k_tiles[static_cast<std::size_t>(k_tile)];
  engine_model::TileSource source;
  source.weights = operand.weights;
  source.mask = operand.mask;
  source.keep_codes = operand.keep_codes;
  source.segments = segments_of(layer);
  source.windows = {k.window_begin, k.window_end};
  source.first_channel = std::int64_t{n_tile} * split.tile_channels;
  source.channels = static_cast<int>(
      std::min<std::int64_t>(split.tile_channels, layer.gemm.n - source.first_channel));
  source.skip_weights = engine.skip_weights;
  source.in_place = plan.run_time;
  if (!plan.run_time) {  // what is made at run time cannot be dealt beforehand
    std::span<const float> density;
    if (!plan.k_density.empty()) {
      const engine_model::KRange range =
          engine_model::WindowTable(engine, source.segments).k_range(source.windows);
      density = std::span(plan.k_density)
                    .subspan(static_cast<std::size_t>(range.begin),
                             static_cast<std::size_t>(range.count()));
    }
    source.order = engine_model::balance_order(engine, source, engine.balance, density);
  }
  // The K tile that comes last gives outputs: of tasks that go backwards that is the first one.
  if (split.k_parts == 1 &&
      (k_tile + 1 == static_cast<int>(split.k_tiles.size()) || (split.alternate && k_tile == 0))) {
    const auto first = static_cast<std::size_t>(source.first_channel);
    const auto count = static_cast<std::size_t>(source.channels);
    source.bias = std::span(layer.requantize.bias).subspan(first, count);
    source.multiplier = std::span(layer.requantize.multiplier).subspan(first, count);
    source.shift = std::span(layer.requantize.shift).subspan(first, count);
  }
  auto tile = std::make_shared<engine_model::Tile>(engine_model::make_tile(engine, source));
  const auto broken = engine_model::capacity_violations(engine, *tile);
  LACUNA_CHECK(broken.empty(), "layer {}, n tile {}, k tile {}: {}", layer.name, n_tile, k_tile,
               broken.front());
  return tile;
}

std::int64_t encoded_tile_bytes(const params::CompressParams& compress,
                                const tensor::MaskMatrix& mask, const engine_model::KRange& k,
                                std::int64_t first_channel, const engine_model::Tile& tile) {
  if (compress.weights == params::WeightFormat::kImage) return tile.image_bytes;
  std::vector<std::uint8_t> set(static_cast<std::size_t>(tile.channels * k.count()));
  auto out = set.begin();
  for (int channel = 0; channel < tile.channels; ++channel) {
    for (std::int64_t i = k.begin; i < k.end; ++i) *out++ = mask.test(first_channel + channel, i);
  }
  const encoding::Grid grid{set.data(), tile.channels, k.count(), k.count(), 1};
  const std::int64_t places = std::int64_t{tile.pes} * tile.rows;
  const std::int64_t header =
      2 * std::int64_t{tile.windows} + places + (tile.has_post ? kRequantizeBytes * places : 0);
  return header + encoding::choose(grid, compress, compress.weights).bytes;
}

}  // namespace lacuna::mapper
