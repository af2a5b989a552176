// SPDX-License-Identifier: Apache-2.0
//
// Engine layers as matrix products and vector layers as vector work. A matrix product is per sample
// and head: OUT[m][n] = sum over k of A[m][k] * W[n][k]; Left gives A, Right gives W, whatever the
// layer is, so that the mapper and the engine never look at ops.
#pragma once

#include <cstdint>
#include <span>

#include "params/vector_work.h"
#include "workload/graph.h"
#include "workload/tensor_store.h"

namespace lacuna::workload {

/// The left operand (activations) of an engine layer for one sample and head. Cheap to make.
class Left {
 public:
  Left(const Layer& layer, const TensorStore& store, std::int64_t sample, int head = 0);

  [[nodiscard]] bool is_signed() const { return is_signed_; }

  /// Index of the stored token (pixel) that segment `segment` of row `m` lies in, or -1 for
  /// padding. Segments are those of the kernel (R*S) even for im2col layers.
  [[nodiscard]] std::int64_t token(std::int64_t m, int segment) const;
  /// The `segment_width()` codes of that segment, or nullptr for padding.
  [[nodiscard]] const std::uint8_t* segment(std::int64_t m, int segment) const;
  [[nodiscard]] int segments() const { return segments_; }
  [[nodiscard]] std::int64_t segment_width() const { return width_; }

  /// Codes of row m, k in [k_begin, k_end), to `out` (k_end - k_begin bytes); padding gives 0.
  void gather(std::int64_t m, std::int64_t k_begin, std::int64_t k_end, std::uint8_t* out) const;

 private:
  const std::uint8_t* codes_;
  std::int64_t token_stride_;  ///< channels of a stored token
  std::int64_t column_;        ///< first channel of the head
  std::int64_t width_;         ///< k per segment
  int segments_;
  bool is_signed_;
  bool convolution_;
  Window2d window_;
  std::int64_t height_ = 0, width_px_ = 0, out_width_ = 0;
};

/// The right operand (weights, s8) of an engine layer: constant, or for matmul another layer's
/// output. Weights of a large statistic are drawn by the constructor.
class Right {
 public:
  /// Constant weights (conv2d, linear).
  explicit Right(const Layer& layer);
  /// Either kind; `sample` and `head` matter for matmul.
  Right(const Layer& layer, const TensorStore& store, std::int64_t sample, int head = 0);

  [[nodiscard]] std::int64_t n() const { return n_; }
  [[nodiscard]] std::int64_t k() const { return k_; }
  [[nodiscard]] std::int8_t at(std::int64_t n, std::int64_t k) const {
    return codes_[n * n_stride_ + k * k_stride_];
  }
  /// W[n][k_begin .. k_end-1] to `out`.
  void gather(std::int64_t n, std::int64_t k_begin, std::int64_t k_end, std::int8_t* out) const;

 private:
  WeightMatrix weights_;
  const std::int8_t* codes_;
  std::int64_t n_, k_;
  std::int64_t n_stride_, k_stride_;
};

/// Where output (m, n) of `head` lies in the output value of an engine layer.
[[nodiscard]] inline std::int64_t output_index(const Layer& layer, int head, std::int64_t m,
                                               std::int64_t n) {
  return m * layer.gemm.n * layer.gemm.heads + head * layer.gemm.n + n;
}

/// Products of one sample whose operands are both not zero: what an ideal dual-sparse engine does.
/// All heads. Costs about as much as reading both operands once.
[[nodiscard]] std::int64_t effective_macs(const Layer& layer, const TensorStore& store,
                                          std::int64_t sample);

/// Output tokens (rows of the output value) of a vector layer; they can be computed independently.
[[nodiscard]] std::int64_t vector_rows(const Graph& graph, const Layer& layer);

/// The work of output tokens [row_begin, row_end) of one sample of a vector layer
/// (params/vector_work.h); an average_pool has one row. The whole sample: [0, vector_rows).
[[nodiscard]] params::VectorWork vector_work(const Graph& graph, const Layer& layer,
                                             std::int64_t row_begin, std::int64_t row_end);
[[nodiscard]] params::VectorWork vector_work(const Graph& graph, const Layer& layer);

}  // namespace lacuna::workload
