// SPDX-License-Identifier: Apache-2.0
#include "workload/lowering.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace lacuna::workload {

Left::Left(const Layer& layer, const TensorStore& store, std::int64_t sample, int head) {
  LACUNA_CHECK(layer.on_engine(), "layer {}", layer.name);
  LACUNA_CHECK(head >= 0 && head < layer.gemm.heads, "head {} of layer {}", head, layer.name);
  const Value& input = store.graph().input_of(layer);
  codes_ = store.codes(layer.input, sample).data();
  is_signed_ = input.is_signed();
  token_stride_ = input.channels();
  convolution_ = layer.op == Op::kConv2d;
  window_ = layer.window;
  if (convolution_) {
    segments_ = static_cast<int>(window_.kernel_y * window_.kernel_x);
    width_ = input.channels();
    column_ = 0;
    height_ = input.shape[0];
    width_px_ = input.shape[1];
    out_width_ = store.graph().output_of(layer).shape[1];
  } else {
    segments_ = 1;
    width_ = layer.gemm.k;
    column_ = head * layer.gemm.k;
  }
}

std::int64_t Left::token(std::int64_t m, int segment) const {
  if (!convolution_) return m;
  const std::int64_t r = segment / window_.kernel_x;
  const std::int64_t s = segment % window_.kernel_x;
  const std::int64_t y = (m / out_width_) * window_.stride_y + r - window_.padding_y;
  const std::int64_t x = (m % out_width_) * window_.stride_x + s - window_.padding_x;
  if (y < 0 || y >= height_ || x < 0 || x >= width_px_) return -1;
  return y * width_px_ + x;
}

const std::uint8_t* Left::segment(std::int64_t m, int segment) const {
  const std::int64_t index = token(m, segment);
  return index < 0 ? nullptr : codes_ + index * token_stride_ + column_;
}

void Left::gather(std::int64_t m, std::int64_t k_begin, std::int64_t k_end,
                  std::uint8_t* out) const {
  while (k_begin < k_end) {
    const std::int64_t index = k_begin / width_;
    const std::int64_t first = k_begin % width_;
    const std::int64_t count = std::min(width_ - first, k_end - k_begin);
    const std::uint8_t* from = segment(m, static_cast<int>(index));
    if (from == nullptr) {
      std::memset(out, 0, static_cast<std::size_t>(count));
    } else {
      std::memcpy(out, from + first, static_cast<std::size_t>(count));
    }
    out += count;
    k_begin += count;
  }
}

Right::Right(const Layer& layer)
    : weights_(layer.weights.with_codes()),
      codes_(weights_.codes.data()),
      n_(layer.gemm.n),
      k_(layer.gemm.k),
      n_stride_(layer.gemm.k),
      k_stride_(1) {
  LACUNA_CHECK(layer.on_engine() && !layer.run_time_weights(), "layer {}", layer.name);
}

Right::Right(const Layer& layer, const TensorStore& store, std::int64_t sample, int head)
    : weights_(layer.weights.with_codes()),
      codes_(weights_.codes.data()),
      n_(layer.gemm.n),
      k_(layer.gemm.k),
      n_stride_(layer.gemm.k),
      k_stride_(1) {
  LACUNA_CHECK(layer.on_engine(), "layer {}", layer.name);
  if (!layer.run_time_weights()) return;
  LACUNA_CHECK(head >= 0 && head < layer.gemm.heads, "head {} of layer {}", head, layer.name);
  const std::int64_t stored_width = store.graph().value(layer.right).channels();
  const std::int64_t head_width = layer.transpose_right ? k_ : n_;
  const std::uint8_t* codes =
      store.codes(layer.right, sample).data() + head / layer.gemm.heads_per_right * head_width;
  codes_ = reinterpret_cast<const std::int8_t*>(codes);
  n_stride_ = layer.transpose_right ? stored_width : 1;
  k_stride_ = layer.transpose_right ? 1 : stored_width;
}

void Right::gather(std::int64_t n, std::int64_t k_begin, std::int64_t k_end,
                   std::int8_t* out) const {
  const std::int8_t* from = codes_ + n * n_stride_ + k_begin * k_stride_;
  if (k_stride_ == 1) {
    std::memcpy(out, from, static_cast<std::size_t>(k_end - k_begin));
    return;
  }
  for (std::int64_t k = k_begin; k < k_end; ++k, from += k_stride_) *out++ = *from;
}

std::int64_t effective_macs(const Layer& layer, const TensorStore& store, std::int64_t sample) {
  // sum over k of (rows m with A[m][k] != 0) * (channels n with W[n][k] != 0).
  const GemmShape& gemm = layer.gemm;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(gemm.k));
  std::vector<std::int64_t> weights_at(static_cast<std::size_t>(gemm.k));
  std::vector<std::int64_t> tokens_at(static_cast<std::size_t>(gemm.k));
  std::int64_t total = 0;
  for (int head = 0; head < gemm.heads; ++head) {
    std::fill(weights_at.begin(), weights_at.end(), 0);
    std::fill(tokens_at.begin(), tokens_at.end(), 0);
    if (layer.weights.column_non_zeros != nullptr) {
      const std::vector<std::int32_t>& counted = *layer.weights.column_non_zeros;
      std::copy(counted.begin(), counted.end(), weights_at.begin());
    } else {
      const Right right(layer, store, sample, head);
      for (std::int64_t n = 0; n < gemm.n; ++n) {
        right.gather(n, 0, gemm.k, reinterpret_cast<std::int8_t*>(codes.data()));
        for (std::size_t k = 0; k < codes.size(); ++k) weights_at[k] += codes[k] != 0 ? 1 : 0;
      }
    }
    const Left left(layer, store, sample, head);
    for (std::int64_t m = 0; m < gemm.m; ++m) {
      left.gather(m, 0, gemm.k, codes.data());
      for (std::size_t k = 0; k < codes.size(); ++k) tokens_at[k] += codes[k] != 0 ? 1 : 0;
    }
    for (std::size_t k = 0; k < codes.size(); ++k) total += weights_at[k] * tokens_at[k];
  }
  return total;
}

std::int64_t vector_rows(const Graph& graph, const Layer& layer) {
  LACUNA_CHECK(!layer.on_engine(), "layer {}", layer.name);
  return layer.is_view() ? 0 : graph.output_of(layer).tokens();
}

params::VectorWork vector_work(const Graph& graph, const Layer& layer, std::int64_t row_begin,
                               std::int64_t row_end) {
  const std::int64_t available = vector_rows(graph, layer);
  LACUNA_CHECK(row_begin >= 0 && row_begin <= row_end && row_end <= available,
               "rows [{}, {}) of {} in layer {}", row_begin, row_end, available, layer.name);
  const std::int64_t rows = row_end - row_begin;
  const Value& input = graph.input_of(layer);
  const std::int64_t channels = graph.output_of(layer).channels();
  params::VectorWork work;
  work.op = layer.op;
  if (layer.is_view() || rows == 0) return work;
  switch (layer.op) {
    case Op::kAdd:
    case Op::kMultiply:
    case Op::kLookup:
    case Op::kConcat:
    case Op::kSlice:
    case Op::kUpsample:
    case Op::kEmbedding:
    case Op::kRotary:
      work.rows = 1;
      work.columns = rows * channels;
      work.window = 1;
      break;
    case Op::kSoftmax:
      work.rows = rows * layer.heads;
      work.columns = channels / layer.heads;
      work.window = 1;
      if (layer.causal) {
        work.visible = layer.position + row_begin + 1;
        work.rows_per_token = layer.heads;
      }
      break;
    case Op::kRmsNorm:
    case Op::kLayerNorm:
      work.rows = rows;
      work.columns = channels;
      work.window = 1;
      break;
    case Op::kDepthwise:
    case Op::kMaxPool:
      work.rows = rows;
      work.columns = channels;
      work.window = layer.window.kernel_y * layer.window.kernel_x;
      break;
    case Op::kAveragePool:
      work.rows = 1;
      work.columns = channels;
      work.window = input.tokens();
      break;
    default:
      break;
  }
  if (layer.op == Op::kRotary) {
    constexpr std::int64_t kAngleBytes = 2 * sizeof(std::int16_t);
    work.constant_bytes = rows * layer.rotary->channels / 2 * kAngleBytes;
  }
  if (layer.op == Op::kDepthwise) {
    constexpr std::int64_t kRequantizeBytes = 9;  // bias, multiplier, shift
    work.constant_bytes = channels * (layer.weights.k + kRequantizeBytes);
  }
  return work;
}

params::VectorWork vector_work(const Graph& graph, const Layer& layer) {
  return vector_work(graph, layer, 0, vector_rows(graph, layer));
}

}  // namespace lacuna::workload
