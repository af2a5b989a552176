// SPDX-License-Identifier: Apache-2.0
#include "verify/operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "timing/engine/balance.h"
#include "timing/engine/windows.h"

namespace lacuna::verify {

namespace engine = timing::engine;

namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

double draw_density(base::Rng& rng) {
  constexpr std::array kDensities{0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 1.0};
  return rng.bernoulli(0.7) ? kDensities[rng.below(kDensities.size())] : rng.uniform();
}

ValueRange draw_range(base::Rng& rng) {
  const double choice = rng.uniform();
  if (choice < 0.7) return ValueRange::kAny;
  if (choice < 0.85) return ValueRange::kExtreme;
  if (choice < 0.9) return ValueRange::kHighest;
  return choice < 0.95 ? ValueRange::kLowest : ValueRange::kSmall;
}

std::string_view range_name(ValueRange range) {
  constexpr std::array<std::string_view, 5> kNames{"", ", extreme values", ", highest value",
                                                   ", lowest value", ", small values"};
  return kNames[static_cast<std::size_t>(range)];
}

std::int8_t draw_weight(base::Rng& rng, ValueRange range) {
  constexpr std::array<std::int8_t, 4> kExtreme{-128, 127, -1, 1};
  switch (range) {
    case ValueRange::kExtreme:
      return kExtreme[rng.below(kExtreme.size())];
    case ValueRange::kHighest:
      return 127;
    case ValueRange::kLowest:
      return -128;
    case ValueRange::kSmall:
      return rng.bernoulli(0.5) ? std::int8_t{1} : std::int8_t{-1};
    case ValueRange::kAny:
      break;
  }
  const auto value = static_cast<std::int8_t>(rng.range(-128, 126));
  return value < 0 ? value : static_cast<std::int8_t>(value + 1);
}

std::uint8_t draw_code(base::Rng& rng, ValueRange range) {
  constexpr std::array<std::uint8_t, 4> kExtreme{1, 127, 128, 255};
  switch (range) {
    case ValueRange::kExtreme:
      return kExtreme[rng.below(kExtreme.size())];
    case ValueRange::kHighest:
      return 255;
    case ValueRange::kLowest:
      return 128;
    case ValueRange::kSmall:
      return static_cast<std::uint8_t>(rng.range(1, 3));
    case ValueRange::kAny:
      break;
  }
  return static_cast<std::uint8_t>(rng.range(1, 255));
}

std::vector<WindowMode> draw_modes(base::Rng& rng, int windows, double closed) {
  std::vector<WindowMode> modes(size_of(windows), WindowMode::kOpen);
  if (closed == 0) return modes;
  for (WindowMode& mode : modes) {
    if (!rng.bernoulli(closed)) continue;
    mode = rng.bernoulli(0.4) ? WindowMode::kClosed : static_cast<WindowMode>(rng.range(2, 5));
  }
  return modes;
}

/// Where a k lies: its window in the layer, its place in the window, and the window's length.
struct Place {
  int window = 0;
  int index = 0;
  int length = 0;
};

class Places {
 public:
  Places(const params::EngineParams& params, const Shape& shape)
      : table_(params, shape.segments), ways_(params.k_ways), width_(params.scan_width) {}

  [[nodiscard]] const engine::WindowTable& table() const { return table_; }
  [[nodiscard]] Place of(int segment, int channel) const {
    const int x = channel / ways_;
    const int within = x / width_;
    const int begin = within * width_;
    return {segment * table_.segment_windows() + within, x - begin,
            std::min(width_, table_.segment_positions() - begin)};
  }

 private:
  engine::WindowTable table_;
  int ways_;
  int width_;
};

bool passes(WindowMode mode, const Place& place) {
  switch (mode) {
    case WindowMode::kOpen:
      return true;
    case WindowMode::kClosed:
      return false;
    case WindowMode::kEven:
      return place.index % 2 == 0;
    case WindowMode::kOdd:
      return place.index % 2 == 1;
    case WindowMode::kFirst:
      return place.index == 0;
    case WindowMode::kLast:
      return place.index == place.length - 1;
  }
  return true;
}

/// Marks `count` random places of [begin, end).
void mark_some(base::Rng& rng, std::vector<bool>& row, std::int64_t begin, std::int64_t end,
               std::int64_t count) {
  for (std::int64_t at = begin; at < end; ++at) {
    const auto left = static_cast<std::uint64_t>(end - at);
    if (count > 0 && rng.below(left) < static_cast<std::uint64_t>(count)) {
      row[size_of(at)] = true;
      --count;
    }
  }
}

/// Which weights of the layer's channels are not zero.
class WeightMask {
 public:
  WeightMask(base::Rng& rng, const params::EngineParams& params, int channels, std::int64_t k,
             const WeightRecipe& recipe)
      : rng_(rng), params_(params), channels_(channels), k_(k), recipe_(recipe) {
    chunk_ = std::int64_t{1} << rng.range(2, 5);
    block_channels_ = static_cast<int>(std::int64_t{1} << rng.below(4));
    heavy_pe_ = static_cast<int>(rng.below(static_cast<std::uint64_t>(params.pes)));
    single_ = rng.range(0, channels * k - 1);
    const std::int64_t blocks =
        ((channels + block_channels_ - 1) / block_channels_) * ((k + chunk_ - 1) / chunk_);
    if (recipe.pattern == WeightPattern::kBlock) {
      for (std::int64_t i = 0; i < blocks; ++i) blocks_.push_back(rng.bernoulli(recipe.density));
    }
  }

  [[nodiscard]] std::vector<bool> row(int channel) {
    std::vector<bool> row(size_of(k_), false);
    if (recipe_.empty_channels > 0 && rng_.bernoulli(recipe_.empty_channels)) return row;
    switch (recipe_.pattern) {
      case WeightPattern::kUniform:
        bernoulli(row, recipe_.density);
        break;
      case WeightPattern::kChannelSkew:
        bernoulli(row, recipe_.density * rng_.uniform());
        break;
      case WeightPattern::kPeSkew:
        bernoulli(row, channel % params_.pes == heavy_pe_ ? 0.9 : 0.1 * recipe_.density);
        break;
      case WeightPattern::kNOfM:
      case WeightPattern::kBank:
        chunks(row);
        break;
      case WeightPattern::kBlock:
        blocks(row, channel);
        break;
      case WeightPattern::kSingle:
        if (single_ / k_ == channel) row[size_of(single_ % k_)] = true;
        break;
    }
    return row;
  }

 private:
  void bernoulli(std::vector<bool>& row, double density) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = rng_.bernoulli(density);
  }
  void chunks(std::vector<bool>& row) {
    // N:M has short chunks of a fixed count, banks are longer and shared by the whole channel.
    const std::int64_t length = recipe_.pattern == WeightPattern::kNOfM ? chunk_ / 2 : 4 * chunk_;
    const std::int64_t step = std::max<std::int64_t>(1, length);
    for (std::int64_t at = 0; at < k_; at += step) {
      const std::int64_t end = std::min(k_, at + step);
      const double share = recipe_.density * static_cast<double>(end - at);
      mark_some(rng_, row, at, end, std::llround(share));
    }
  }
  void blocks(std::vector<bool>& row, int channel) const {
    const std::int64_t per_row = (k_ + chunk_ - 1) / chunk_;
    for (std::int64_t i = 0; i < k_; ++i) {
      row[size_of(i)] = blocks_[size_of(channel / block_channels_ * per_row + i / chunk_)];
    }
  }

  base::Rng& rng_;
  const params::EngineParams& params_;
  int channels_;
  std::int64_t k_;
  const WeightRecipe& recipe_;
  std::int64_t chunk_ = 4;
  int block_channels_ = 1;
  int heavy_pe_ = 0;
  std::int64_t single_ = 0;
  std::vector<bool> blocks_;
};

std::vector<std::uint8_t> draw_order(base::Rng& rng, const params::EngineParams& params,
                                     WeightRecipe::Order order, int rows,
                                     const engine::TileSource& source) {
  if (order == WeightRecipe::Order::kInOrder) return {};
  if (order == WeightRecipe::Order::kBalanced) {
    return engine::balance_order(params, source, params::Balance::kGreedy);
  }
  std::vector<std::uint8_t> result;
  std::vector<std::uint8_t> places(size_of(params.pes));
  for (int row = 0; row < rows; ++row) {
    std::iota(places.begin(), places.end(), std::uint8_t{0});
    if (order == WeightRecipe::Order::kReversed) std::reverse(places.begin(), places.end());
    if (order == WeightRecipe::Order::kRandom) {
      for (std::size_t i = places.size(); i > 1; --i)
        std::swap(places[i - 1], places[rng.below(i)]);
    }
    result.insert(result.end(), places.begin(), places.end());
  }
  return result;
}

}  // namespace

WeightRecipe draw_weight_recipe(base::Rng& rng) {
  WeightRecipe recipe;
  recipe.pattern = static_cast<WeightPattern>(
      rng.bernoulli(0.35) ? 0 : rng.range(1, rng.bernoulli(0.1) ? 6 : 5));
  recipe.density = draw_density(rng);
  recipe.values = draw_range(rng);
  recipe.closed_windows = rng.bernoulli(0.35) ? rng.uniform() : 0;
  recipe.empty_channels = rng.bernoulli(0.15) ? rng.uniform() : 0;
  recipe.skip = !rng.bernoulli(0.1);
  recipe.order = static_cast<WeightRecipe::Order>(rng.below(4));
  return recipe;
}

std::string WeightRecipe::text() const {
  constexpr std::array<std::string_view, 7> kNames{"uniform",        "n:m",       "bank",  "block",
                                                   "channel-skewed", "PE-skewed", "single"};
  return fmt::format("{} {:.2f}{}{}{}{}", kNames[static_cast<std::size_t>(pattern)], density,
                     range_name(values), closed_windows > 0 ? ", closed windows" : "",
                     empty_channels > 0 ? ", empty channels" : "", skip ? "" : ", zeros kept");
}

ActivationRecipe draw_activation_recipe(base::Rng& rng) {
  ActivationRecipe recipe;
  recipe.pattern = static_cast<ActivationPattern>(
      rng.bernoulli(0.35) ? 0 : rng.range(1, rng.bernoulli(0.1) ? 5 : 4));
  recipe.density = draw_density(rng);
  recipe.values = draw_range(rng);
  recipe.closed_windows = rng.bernoulli(0.35) ? rng.uniform() : 0;
  recipe.empty_tokens = rng.bernoulli(0.2) ? rng.uniform() : 0;
  recipe.padding = rng.bernoulli(0.25) ? 0.4 * rng.uniform() : 0;
  recipe.skip = !rng.bernoulli(0.1);
  return recipe;
}

std::string ActivationRecipe::text() const {
  constexpr std::array<std::string_view, 6> kNames{
      "uniform", "token-skewed", "alternating groups", "lanes apart", "lanes alike", "single"};
  return fmt::format("{} {:.2f}{}{}{}{}{}", kNames[static_cast<std::size_t>(pattern)], density,
                     range_name(values), closed_windows > 0 ? ", closed windows" : "",
                     empty_tokens > 0 ? ", empty tokens" : "", padding > 0 ? ", padding" : "",
                     skip ? "" : ", zeros kept");
}

std::shared_ptr<const engine::Tile> draw_tile(base::Rng& rng, const params::EngineParams& params,
                                              const Shape& shape, const WeightRecipe& recipe,
                                              const PostVectors* post) {
  const Places places(params, shape);
  const std::int64_t k = shape.segments.k();
  const int all = shape.first_channel + shape.channels;
  const std::vector<WindowMode> modes =
      draw_modes(rng, places.table().windows(), recipe.closed_windows);
  std::vector<bool> open(size_of(k));
  for (std::int64_t i = 0; i < k; ++i) {
    const Place place = places.of(static_cast<int>(i / shape.segments.channels),
                                  static_cast<int>(i % shape.segments.channels));
    open[size_of(i)] = passes(modes[size_of(place.window)], place);
  }
  std::vector<std::int8_t> weights(size_of(all * k));
  WeightMask mask(rng, params, all, k, recipe);
  for (int n = 0; n < all; ++n) {
    const std::vector<bool> row = mask.row(n);
    for (std::int64_t i = 0; i < k; ++i) {
      if (!row[size_of(i)] || !open[size_of(i)]) continue;
      weights[size_of(n * k + i)] = draw_weight(rng, recipe.values);
    }
  }
  engine::TileSource source;
  source.weights = {weights.data(), k, 1};
  source.segments = shape.segments;
  source.windows = shape.windows;
  source.first_channel = shape.first_channel;
  source.channels = shape.channels;
  source.skip_weights = recipe.skip;
  source.in_place = shape.in_place;
  source.order = draw_order(rng, params, recipe.order, shape.rows(params), source);
  if (post != nullptr) {
    source.bias = post->bias;
    source.multiplier = post->multiplier;
    source.shift = post->shift;
  }
  return std::make_shared<engine::Tile>(engine::make_tile(params, source));
}

std::shared_ptr<const engine::Block> draw_block(base::Rng& rng, const params::EngineParams& params,
                                                const Shape& shape,
                                                const ActivationRecipe& recipe) {
  const Places places(params, shape);
  const int first = places.table().first_segment(shape.windows);
  const int touched = places.table().last_segment(shape.windows) - first;
  const int channels = shape.segments.channels;
  const std::vector<WindowMode> modes =
      draw_modes(rng, places.table().windows(), recipe.closed_windows);
  const std::int64_t per_token = std::int64_t{touched} * channels;
  const std::int64_t single = rng.range(0, shape.tokens * per_token - 1);
  std::vector<std::uint8_t> codes(size_of(shape.tokens * per_token));
  std::vector<const std::uint8_t*> rows(size_of(std::int64_t{shape.tokens} * touched));
  std::vector<bool> alike(size_of(per_token));
  std::vector<bool> open(size_of(per_token));
  std::vector<int> apart(size_of(per_token));  // the lane that may have a value there
  for (std::int64_t i = 0; i < per_token; ++i) {
    const int segment = first + static_cast<int>(i / channels);
    const Place place = places.of(segment, static_cast<int>(i % channels));
    open[size_of(i)] = passes(modes[size_of(place.window)], place);
    apart[size_of(i)] = (place.index + segment) % params.lanes;
  }

  for (int token = 0; token < shape.tokens; ++token) {
    const int lane = token % params.lanes;
    double density = recipe.density;
    if (recipe.pattern == ActivationPattern::kTokenSkew) density = draw_density(rng);
    if (recipe.pattern == ActivationPattern::kAlternate) {
      density = token / params.lanes % 2 == 0 ? recipe.density : 0;
    }
    const bool empty = recipe.empty_tokens > 0 && rng.bernoulli(recipe.empty_tokens);
    const bool draws_places = recipe.pattern == ActivationPattern::kLanesAlike && lane == 0;
    for (std::int64_t i = 0; i < per_token; ++i) {
      if (draws_places) alike[size_of(i)] = rng.bernoulli(density);
      if (empty || !open[size_of(i)]) continue;
      bool set = false;
      switch (recipe.pattern) {
        case ActivationPattern::kLanesAlike:
          set = alike[size_of(i)];
          break;
        case ActivationPattern::kLanesApart:
          set = apart[size_of(i)] == lane && rng.bernoulli(density);
          break;
        case ActivationPattern::kSingle:
          set = token * per_token + i == single;
          break;
        default:
          set = rng.bernoulli(density);
      }
      if (set) codes[size_of(token * per_token + i)] = draw_code(rng, recipe.values);
    }
    for (int s = 0; s < touched; ++s) {
      const bool padded = recipe.padding > 0 && rng.bernoulli(recipe.padding);
      rows[size_of(std::int64_t{token} * touched + s)] =
          padded ? nullptr : codes.data() + token * per_token + std::int64_t{s} * channels;
    }
  }
  engine::BlockSource source;
  source.tokens = shape.tokens;
  source.segments = shape.segments;
  source.windows = shape.windows;
  source.rows = rows;
  source.skip_activations = recipe.skip;
  return std::make_shared<engine::Block>(engine::make_block(params, source));
}

}  // namespace lacuna::verify
