// SPDX-License-Identifier: Apache-2.0
#include "workload/vector_ops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "tensor/mask_generator.h"
#include "workload/requantize.h"

namespace lacuna::workload {

namespace {

int as_number(std::uint8_t code, bool is_signed) {
  return is_signed ? static_cast<std::int8_t>(code) : code;
}

/// Everything an op needs to see of one sample.
struct View {
  const Layer& layer;
  const Value& in_value;
  const Value& out_value;
  std::span<const std::uint8_t> in;
  std::span<std::uint8_t> out;

  [[nodiscard]] int input(std::int64_t index) const {
    return as_number(in[static_cast<std::size_t>(index)], in_value.is_signed());
  }
  void store(std::int64_t index, std::int64_t code) const {
    out[static_cast<std::size_t>(index)] = static_cast<std::uint8_t>(code);
  }
};

/// Calls at(y, x, tap) for every position of the window that lies in the map.
template <class At>
void for_window(const Window2d& window, std::int64_t y0, std::int64_t x0, const Shape& map,
                const At& at) {
  for (std::int64_t r = 0; r < window.kernel_y; ++r) {
    if (y0 + r < 0 || y0 + r >= map[0]) continue;
    for (std::int64_t s = 0; s < window.kernel_x; ++s) {
      if (x0 + s < 0 || x0 + s >= map[1]) continue;
      at(y0 + r, x0 + s, r * window.kernel_x + s);
    }
  }
}

void run_add(const View& view, const TensorStore& stored, std::int64_t sample, std::int64_t begin,
             std::int64_t end) {
  const Layer& layer = view.layer;
  const std::span<const std::uint8_t> right = stored.codes(layer.right, sample);
  const bool right_signed = stored.graph().value(layer.right).is_signed();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t a = view.input(i);
    const std::int64_t b = as_number(right[static_cast<std::size_t>(i)], right_signed);
    const std::int64_t sum = a * layer.multiplier_left + b * layer.multiplier_right;
    view.store(i, finish(round_shift(sum, layer.shift), layer.range));
  }
}

/// A right operand of one token is there for every token.
void run_multiply(const View& view, const TensorStore& stored, std::int64_t sample,
                  std::int64_t begin, std::int64_t end) {
  const Layer& layer = view.layer;
  const std::span<const std::uint8_t> right = stored.codes(layer.right, sample);
  const bool right_signed = stored.graph().value(layer.right).is_signed();
  const auto period = static_cast<std::int64_t>(right.size());
  const bool for_all = period < view.out_value.elements();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t product =
        std::int64_t{view.input(i)} *
        as_number(right[static_cast<std::size_t>(for_all ? i % period : i)], right_signed);
    view.store(i, finish(round_shift(product * layer.multiplier_left, layer.shift), layer.range));
  }
}

void run_lookup(const View& view, std::int64_t begin, std::int64_t end) {
  const int offset = view.in_value.is_signed() ? 128 : 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto index = static_cast<std::size_t>(view.input(i) + offset);
    view.store(i, finish(view.layer.code_table[index], view.layer.range));
  }
}

void run_max_pool(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const Window2d& window = view.layer.window;
  const std::int64_t channels = view.in_value.channels();
  const std::int64_t in_width = view.in_value.shape[1];
  const std::int64_t out_width = view.out_value.shape[1];
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::int64_t y0 = (row / out_width) * window.stride_y - window.padding_y;
    const std::int64_t x0 = (row % out_width) * window.stride_x - window.padding_x;
    for (std::int64_t c = 0; c < channels; ++c) {
      int best = -128;  // padding is smaller than everything
      for_window(window, y0, x0, view.in_value.shape, [&](std::int64_t y, std::int64_t x, auto) {
        best = std::max(best, view.input((y * in_width + x) * channels + c));
      });
      view.store(row * channels + c, best);
    }
  }
}

void run_depthwise(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const Layer& layer = view.layer;
  const std::int64_t channels = view.in_value.channels();
  const std::int64_t in_width = view.in_value.shape[1];
  const std::int64_t out_width = view.out_value.shape[1];
  std::vector<std::int32_t> sums(static_cast<std::size_t>(channels));
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::int64_t y0 = (row / out_width) * layer.window.stride_y - layer.window.padding_y;
    const std::int64_t x0 = (row % out_width) * layer.window.stride_x - layer.window.padding_x;
    std::fill(sums.begin(), sums.end(), 0);
    for_window(layer.window, y0, x0, view.in_value.shape,
               [&](std::int64_t y, std::int64_t x, std::int64_t tap) {
                 for (std::int64_t c = 0; c < channels; ++c) {
                   std::int32_t& sum = sums[static_cast<std::size_t>(c)];
                   sum = wrap_add(sum, view.input((y * in_width + x) * channels + c) *
                                           layer.weights.at(c, tap));
                 }
               });
    for (std::int64_t c = 0; c < channels; ++c) {
      view.store(row * channels + c,
                 requantize(sums[static_cast<std::size_t>(c)], layer.requantize, c, layer.range));
    }
  }
}

void run_rotary(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const RotaryTable& table = *view.layer.rotary;
  const std::int64_t channels = view.in_value.channels();
  const std::int64_t width = channels / view.layer.heads;
  const std::int64_t pairs = table.channels / 2;
  constexpr int kAngleBits = 14;
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    for (std::int64_t head = 0; head < view.layer.heads; ++head) {
      const std::int64_t base = row * channels + head * width;
      for (std::int64_t pair = 0; pair < pairs; ++pair) {
        const std::int64_t first = base + (table.interleaved ? 2 * pair : pair);
        const std::int64_t second = first + (table.interleaved ? 1 : pairs);
        const std::int64_t a = view.input(first);
        const std::int64_t b = view.input(second);
        const auto angle = static_cast<std::size_t>(row * pairs + pair);
        const std::int64_t cosine = table.cosine[angle];
        const std::int64_t sine = table.sine[angle];
        view.store(first, finish(round_shift(a * cosine - b * sine, kAngleBits), view.layer.range));
        view.store(second,
                   finish(round_shift(a * sine + b * cosine, kAngleBits), view.layer.range));
      }
      for (std::int64_t c = table.channels; c < width; ++c) {
        view.store(base + c, finish(view.input(base + c), view.layer.range));
      }
    }
  }
}

void run_embedding(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t channels = view.out_value.channels();
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::vector<std::int8_t> codes =
        embedding_row(view.layer, embedding_index(view.layer, view.in, row));
    for (std::int64_t c = 0; c < channels; ++c) {
      view.store(row * channels + c, finish(codes[static_cast<std::size_t>(c)], view.layer.range));
    }
  }
}

void run_concat(const View& view, const TensorStore& stored, std::int64_t sample,
                std::int64_t row_begin, std::int64_t row_end) {
  const Graph& graph = stored.graph();
  const std::int64_t channels = view.out_value.channels();
  const bool tokens = view.layer.axis == params::Axis::kTokens;
  std::int64_t before = 0;  // tokens or channels of the operands before
  const auto copy = [&](int operand) {
    const Value& value = graph.value(operand);
    const std::span<const std::uint8_t> codes = stored.codes(operand, sample);
    const std::int64_t width = value.channels();
    const std::int64_t first = tokens ? std::max(row_begin, before) : row_begin;
    const std::int64_t last = tokens ? std::min(row_end, before + value.tokens()) : row_end;
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t from = (tokens ? row - before : row) * width;
      std::copy_n(codes.data() + from, width,
                  view.out.data() + row * channels + (tokens ? 0 : before));
    }
    before += tokens ? value.tokens() : width;
  };
  copy(view.layer.input);
  for (const int other : view.layer.others) copy(other);
}

void run_slice(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t channels = view.out_value.channels();
  std::copy(view.in.begin() + (view.layer.begin + row_begin) * channels,
            view.in.begin() + (view.layer.begin + row_end) * channels,
            view.out.begin() + row_begin * channels);
}

void run_upsample(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t channels = view.out_value.channels();
  const std::int64_t width = view.out_value.shape[1];
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::int64_t y = row / width / view.layer.factor;
    const std::int64_t x = row % width / view.layer.factor;
    std::copy_n(view.in.data() + (y * view.in_value.shape[1] + x) * channels, channels,
                view.out.data() + row * channels);
  }
}

void run_average_pool(const View& view) {
  const std::int64_t channels = view.in_value.channels();
  const std::int64_t tokens = view.in_value.tokens();
  for (std::int64_t c = 0; c < channels; ++c) {
    std::int64_t sum = 0;
    for (std::int64_t t = 0; t < tokens; ++t) sum += view.input(t * channels + c);
    view.store(c, finish(round_shift(sum * view.layer.multiplier_left, view.layer.shift),
                         view.layer.range));
  }
}

void run_softmax(const View& view, std::int64_t row_begin, std::int64_t row_end) {
  const Layer& layer = view.layer;
  const std::int64_t width = view.out_value.channels() / layer.heads;
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const std::int64_t seen = layer.causal ? std::min(width, layer.position + row + 1) : width;
    for (std::int64_t head = 0; head < layer.heads; ++head) {
      const auto first = static_cast<std::size_t>((row * layer.heads + head) * width);
      const std::span<std::uint8_t> out = view.out.subspan(first, static_cast<std::size_t>(width));
      softmax_row(view.in.subspan(first, static_cast<std::size_t>(seen)), view.in_value.is_signed(),
                  layer.exp_table, layer.range, out.first(static_cast<std::size_t>(seen)));
      std::fill(out.begin() + seen, out.end(), std::uint8_t{0});
    }
  }
}

/// Applies row(codes, out) to slices of `width` codes, `slices` of them from `first` on.
template <class Row>
void for_slices(const View& view, std::int64_t first, std::int64_t slices, std::int64_t width,
                const Row& row) {
  std::vector<int> codes(static_cast<std::size_t>(width));
  std::vector<int> results(static_cast<std::size_t>(width));
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    const std::int64_t base = first + slice * width;
    for (std::int64_t i = 0; i < width; ++i) {
      codes[static_cast<std::size_t>(i)] = view.input(base + i);
    }
    row(std::span<const int>(codes), std::span<int>(results));
    for (std::int64_t i = 0; i < width; ++i) {
      view.store(base + i, results[static_cast<std::size_t>(i)]);
    }
  }
}

}  // namespace

std::uint64_t integer_sqrt(std::uint64_t x) {
  // Digit by digit, as the hardware does it; no rounding of floating point to worry about.
  std::uint64_t root = 0;
  std::uint64_t bit = std::uint64_t{1} << 62;
  while (bit > x) bit >>= 2;
  while (bit != 0) {
    if (x >= root + bit) {
      x -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
    bit >>= 2;
  }
  return root;
}

namespace {

/// The smallest and the largest of `code ^ flip`.
std::pair<unsigned, unsigned> extremes(std::span<const std::uint8_t> codes, unsigned flip) {
  using Bytes = std::uint8_t __attribute__((vector_size(16)));
  Bytes low = Bytes{} + static_cast<std::uint8_t>(0xFF);
  Bytes high{};
  const Bytes flips = Bytes{} + static_cast<std::uint8_t>(flip);
  std::size_t i = 0;
  for (; i + 16 <= codes.size(); i += 16) {
    Bytes part;
    std::memcpy(&part, codes.data() + i, sizeof(part));
    part ^= flips;
    low = part < low ? part : low;
    high = part > high ? part : high;
  }
  unsigned bottom = 255;
  unsigned top = 0;
  for (int lane = 0; lane < 16; ++lane) {
    bottom = std::min<unsigned>(bottom, low[lane]);
    top = std::max<unsigned>(top, high[lane]);
  }
  for (; i < codes.size(); ++i) {
    bottom = std::min(bottom, codes[i] ^ flip);
    top = std::max(top, codes[i] ^ flip);
  }
  return {bottom, top};
}

}  // namespace

void softmax_row(std::span<const std::uint8_t> codes, bool is_signed,
                 std::span<const std::uint16_t> table, const OutputRange& range,
                 std::span<std::uint8_t> out) {
  // A code with its highest bit turned is in order as an unsigned number. Rows are longer than
  // there are different codes, so what each code becomes is worked out once.
  const unsigned flip = is_signed ? 0x80U : 0U;
  const auto [bottom, top] = extremes(codes, flip);
  std::int64_t total = 0;
  for (const std::uint8_t code : codes) total += table[top - (code ^ flip)];
  std::array<std::uint8_t, 256> becomes;
  const auto zero = static_cast<std::uint8_t>(finish(0, range));
  const std::int64_t half = total / 2;
  for (unsigned below = 0; below <= top - bottom; ++below) {
    const std::int64_t scaled = table[below] * std::int64_t{255} + half;
    becomes[below] =
        scaled < total ? zero : static_cast<std::uint8_t>(finish(scaled / total, range));
  }
  for (std::size_t i = 0; i < codes.size(); ++i) out[i] = becomes[top - (codes[i] ^ flip)];
}

void layer_norm_row(std::span<const int> codes, std::span<const std::int32_t> gamma,
                    std::span<const std::int32_t> beta, int shift, const OutputRange& range,
                    std::span<int> out) {
  const auto channels = static_cast<std::int64_t>(codes.size());
  std::int64_t sum = 0;
  for (const int code : codes) sum += code;
  std::int64_t squares = 0;
  for (const int code : codes) {
    const std::int64_t d = channels * code - sum;
    squares += d * d;
  }
  const auto variance = static_cast<std::uint64_t>(squares / channels);
  const auto root =
      static_cast<std::int64_t>(std::max<std::uint64_t>(1, integer_sqrt(variance << 8)));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::int64_t d = channels * codes[i] - sum;
    const std::int64_t z = floor_divide(d * 65536, root);
    const std::int64_t y = z * gamma[i] + beta[i];
    out[i] = static_cast<int>(finish(round_shift(y, shift), range));
  }
}

void rms_norm_row(std::span<const int> codes, std::span<const std::int32_t> gamma, int shift,
                  const OutputRange& range, std::span<int> out) {
  const auto channels = static_cast<std::uint64_t>(codes.size());
  std::uint64_t squares = 0;
  for (const int code : codes) squares += static_cast<std::uint64_t>(code * code);
  const auto root = static_cast<std::int64_t>(
      std::max<std::uint64_t>(1, integer_sqrt((squares << 16) / channels)));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::int64_t z = floor_divide(std::int64_t{codes[i]} * (1 << 20), root);
    out[i] = static_cast<int>(finish(round_shift(z * gamma[i], shift), range));
  }
}

std::int64_t embedding_index(const Layer& layer, std::span<const std::uint8_t> codes,
                             std::int64_t token) {
  std::int64_t number = 0;
  for (std::int64_t byte = 3; byte >= 0; --byte) {
    number = number * 256 + codes[static_cast<std::size_t>(token * 4 + byte)];
  }
  return number % layer.vocabulary;
}

std::vector<std::int8_t> embedding_row(const Layer& layer, std::int64_t row) {
  const std::int64_t channels = layer.weights.k;
  std::vector<std::int8_t> result(static_cast<std::size_t>(channels));
  if (!layer.table_codes.empty()) {
    std::copy_n(layer.table_codes.begin() + row * channels, channels, result.begin());
    return result;
  }
  tensor::MaskSpec spec = layer.table_drawn;
  spec.seed = base::hash_combine(spec.seed, static_cast<std::uint64_t>(row));
  const tensor::CodeMatrix drawn =
      tensor::draw_codes(1, channels, tensor::CodeKind::kS8, spec, layer.name);
  std::transform(drawn.codes.begin(), drawn.codes.end(), result.begin(),
                 [](std::uint8_t code) { return static_cast<std::int8_t>(code); });
  return result;
}

void run_vector_rows(const Layer& layer, TensorStore& store, std::int64_t sample,
                     std::int64_t row_begin, std::int64_t row_end) {
  LACUNA_CHECK(!layer.on_engine(), "layer {} runs on the engine", layer.name);
  if (layer.is_view() || row_begin == row_end) return;
  const Graph& graph = store.graph();
  if (graph.output_of(layer).output_drawn) return;  // there already
  const View view{layer, graph.input_of(layer), graph.output_of(layer),
                  store.codes(layer.input, sample), store.mutable_codes(layer.output, sample)};
  const std::int64_t channels = view.out_value.channels();
  LACUNA_CHECK(row_begin >= 0 && row_begin <= row_end && row_end <= view.out_value.tokens(),
               "rows [{}, {}) of layer {}", row_begin, row_end, layer.name);
  const std::int64_t rows = row_end - row_begin;
  switch (layer.op) {
    case Op::kAdd:
      run_add(view, store, sample, row_begin * channels, row_end * channels);
      break;
    case Op::kLookup:
      run_lookup(view, row_begin * channels, row_end * channels);
      break;
    case Op::kMaxPool:
      run_max_pool(view, row_begin, row_end);
      break;
    case Op::kAveragePool:
      run_average_pool(view);
      break;
    case Op::kMultiply:
      run_multiply(view, store, sample, row_begin * channels, row_end * channels);
      break;
    case Op::kRotary:
      run_rotary(view, row_begin, row_end);
      break;
    case Op::kEmbedding:
      run_embedding(view, row_begin, row_end);
      break;
    case Op::kDepthwise:
      run_depthwise(view, row_begin, row_end);
      break;
    case Op::kConcat:
      run_concat(view, store, sample, row_begin, row_end);
      break;
    case Op::kSlice:
      run_slice(view, row_begin, row_end);
      break;
    case Op::kUpsample:
      run_upsample(view, row_begin, row_end);
      break;
    case Op::kRmsNorm:
      for_slices(view, row_begin * channels, rows, channels,
                 [&](std::span<const int> codes, std::span<int> out) {
                   rms_norm_row(codes, layer.gamma, layer.shift, layer.range, out);
                 });
      break;
    case Op::kSoftmax:
      run_softmax(view, row_begin, row_end);
      break;
    case Op::kLayerNorm:
      for_slices(view, row_begin * channels, rows, channels,
                 [&](std::span<const int> codes, std::span<int> out) {
                   layer_norm_row(codes, layer.gamma, layer.beta, layer.shift, layer.range, out);
                 });
      break;
    default:
      LACUNA_CHECK(false, "layer {} is no vector op", layer.name);
  }
}

void run_vector_layer(const Layer& layer, TensorStore& store, std::int64_t sample) {
  if (layer.is_view()) return;
  run_vector_rows(layer, store, sample, 0, store.graph().output_of(layer).tokens());
}

}  // namespace lacuna::workload
