// SPDX-License-Identifier: Apache-2.0
#include "workload/vector_ops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/error.h"
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
    const std::int64_t y0 = (row / out_width) * window.stride_y;
    const std::int64_t x0 = (row % out_width) * window.stride_x;
    for (std::int64_t c = 0; c < channels; ++c) {
      int best = -128;
      for (std::int64_t r = 0; r < window.kernel_y; ++r) {
        for (std::int64_t s = 0; s < window.kernel_x; ++s) {
          best = std::max(best, view.input(((y0 + r) * in_width + x0 + s) * channels + c));
        }
      }
      view.store(row * channels + c, best);
    }
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

void softmax_row(std::span<const int> codes, std::span<const std::uint16_t> table,
                 const OutputRange& range, std::span<int> out) {
  const int top = *std::max_element(codes.begin(), codes.end());
  std::int64_t total = 0;
  for (const int code : codes) total += table[static_cast<std::size_t>(top - code)];
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::int64_t e = table[static_cast<std::size_t>(top - codes[i])];
    out[i] = static_cast<int>(finish((e * 255 + total / 2) / total, range));
  }
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

void run_vector_rows(const Layer& layer, TensorStore& store, std::int64_t sample,
                     std::int64_t row_begin, std::int64_t row_end) {
  LACUNA_CHECK(!layer.on_engine(), "layer {} runs on the engine", layer.name);
  if (layer.is_view() || row_begin == row_end) return;
  const Graph& graph = store.graph();
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
    case Op::kSoftmax:
      for_slices(view, row_begin * channels, rows * layer.heads, channels / layer.heads,
                 [&](std::span<const int> codes, std::span<int> out) {
                   softmax_row(codes, layer.exp_table, layer.range, out);
                 });
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
