// SPDX-License-Identifier: Apache-2.0
//
// A network that is ready to run: layers in execution order with all shapes, types, weights and
// quantization constants resolved and checked. Made by build_graph() (graph_builder.h) from a
// workload file or by build_gemm() (gemm_source.h) for a single matrix product; never changed
// afterwards, so any number of threads may read it.
//
// Values. Everything that a layer reads or writes is a Value with an id: first the network inputs,
// then one per layer (layer i writes `graph.layers[i].output`), and between them values that a
// statistic draws or a file holds (activations: of a layer, constants of an add). Shapes have no
// sample dimension and are channel-last: [height, width, channels] or [tokens, channels]; a value
// is stored row-major, one byte per code, so a token (pixel) is `channels` consecutive bytes.
//
// Not here: tiling, time, energy. Arithmetic: docs/reference/numerics.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "params/vector_work.h"
#include "params/workload_params.h"
#include "tensor/mask_generator.h"
#include "tensor/safetensors.h"

namespace lacuna::workload {

using params::CodeType;
using params::Op;

inline constexpr int kNoValue = -1;

/// Sum type of shapes: 2 or 3 dimensions, each at least 1.
using Shape = std::vector<std::int64_t>;
[[nodiscard]] std::int64_t element_count(const Shape& shape);
/// Rows of the value seen as a matrix: tokens, or height * width.
[[nodiscard]] inline std::int64_t token_count(const Shape& shape) {
  return shape.size() == 3 ? shape[0] * shape[1] : shape[0];
}
[[nodiscard]] inline std::int64_t channel_count(const Shape& shape) { return shape.back(); }

/// Where the codes of an operand come from; kept for the report.
enum class Origin {
  kComputed,  ///< by a layer, from what its operands are
  kCaptured,  ///< a tensor or mask file
  kStatistic  ///< drawn from a seed
};
[[nodiscard]] std::string_view origin_name(Origin origin);  ///< "computed", "captured", "statistic"

struct Provenance {
  Origin origin = Origin::kComputed;
  /// For people: "tensors.safetensors:conv1.weight", "unstructured, density 0.3, seed 1".
  std::string text;
};

enum class ValueKind { kInput, kLayer, kDrawn, kConstant };

struct Value {
  std::string name;
  ValueKind kind = ValueKind::kLayer;
  Shape shape;
  CodeType type = CodeType::kU8;
  int layer = kNoValue;  ///< producing layer (kLayer)
  /// The value whose bytes this one shares: itself, or for a flatten the value it is a view of
  /// (never itself a view).
  int storage = kNoValue;
  Provenance provenance;

  // kInput from a file and kConstant: the bytes of all samples (a constant has one), in a mapped
  // file or read from one, kept alive by `owner`.
  std::span<const std::uint8_t> codes;
  std::shared_ptr<const void> owner;
  // kInput without codes, kDrawn, and kLayer with `output_drawn`: sample s is drawn with seed
  // hash(drawn.seed, s).
  tensor::MaskSpec drawn;
  /// kLayer: what is stored is drawn; what the layer computes only takes its time.
  bool output_drawn = false;

  [[nodiscard]] std::int64_t elements() const { return element_count(shape); }
  [[nodiscard]] std::int64_t tokens() const { return token_count(shape); }
  [[nodiscard]] std::int64_t channels() const { return channel_count(shape); }
  [[nodiscard]] bool is_signed() const { return type == CodeType::kS8; }
};

/// Weights of a conv2d or linear layer as [n][k] s8, k in order (r, s, c). A view of a mapped
/// tensor's or of drawn codes, kept alive by `owner`; or a statistic of which only the mask is
/// kept: its codes are drawn where somebody computes with them.
struct WeightMatrix {
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::span<const std::int8_t> codes;  ///< n * k, row-major; empty if they are still to be drawn
  std::shared_ptr<const void> owner;
  std::shared_ptr<const tensor::MaskMatrix> drawn_mask;  ///< of a statistic
  std::uint64_t drawn_seed = 0;                          ///< its codes'
  /// Non-zeros at each k, over all n; shared like the codes. Empty for weights without a GEMM.
  std::shared_ptr<const std::vector<std::int32_t>> column_non_zeros;
  std::int64_t non_zeros = 0;
  std::int64_t square_sum = 0;  ///< of all codes; of drawn ones what is expected
  Provenance provenance;

  /// Where the non-zeros are; made from the codes if it is not kept.
  [[nodiscard]] std::shared_ptr<const tensor::MaskMatrix> mask() const;
  /// The same with its codes, drawn now if need be.
  [[nodiscard]] WeightMatrix with_codes() const;
  /// Equal for layers that share their weights (equal statistics with equal seeds).
  [[nodiscard]] const void* identity() const {
    return drawn_mask != nullptr ? static_cast<const void*>(drawn_mask.get()) : codes.data();
  }

  /// Codes must be there.
  [[nodiscard]] std::span<const std::int8_t> row(std::int64_t channel) const {
    return codes.subspan(static_cast<std::size_t>(channel * k), static_cast<std::size_t>(k));
  }
  [[nodiscard]] std::int8_t at(std::int64_t channel, std::int64_t index) const {
    return codes[static_cast<std::size_t>(channel * k + index)];
  }
};

/// The codes of a weight matrix some channels at a time, ascending: those of a statistic are drawn
/// as they are asked for, so that they need not all be there at once.
class WeightRows {
 public:
  /// The matrix is referred to. It has codes, or they can be drawn.
  explicit WeightRows(const WeightMatrix& weights);
  /// Codes [channel][k] of the next `channels` channels, until the next call.
  [[nodiscard]] std::span<const std::int8_t> next(std::int64_t channels);

 private:
  const WeightMatrix* weights_;
  std::optional<tensor::ValueDraw> draw_;
  std::vector<std::uint8_t> drawn_;
  std::int64_t channel_ = 0;
};

/// How sums become codes: one entry per output channel of the GEMM (of a head, for matmul; all
/// heads alike).
struct Requantize {
  std::vector<std::int32_t> bias;
  std::vector<std::int32_t> multiplier;
  std::vector<std::uint8_t> shift;  ///< 1..62
  bool chosen = false;              ///< not from the file: picked so that outputs use the range
};

/// What every op does last.
struct OutputRange {
  std::int64_t low = 0;  ///< lowest code, within the output type
  std::int64_t high = 255;
  std::int64_t gate = 0;  ///< |y| <= gate becomes 0
};

/// The matrix product of an engine layer, per sample and head.
struct GemmShape {
  std::int64_t m = 0;  ///< tokens (output pixels) of one sample
  std::int64_t n = 0;  ///< output channels (per head)
  std::int64_t k = 0;  ///< = segments * segment_channels
  int heads = 1;       ///< independent products of this shape per sample (matmul)
  /// Heads that share a head of the right operand (grouped-query attention).
  int heads_per_right = 1;
  int groups = 1;  ///< conv2d: weights between channels of different groups are zeros
  /// K consists of `segments` of `segment_channels` consecutive k. Linear, matmul: 1. Convolution:
  /// kernel R*S segments of the input's C channels; with C < kIm2colChannels the DMA gathers all of
  /// them into one segment (`im2col`).
  int segments = 1;
  std::int64_t segment_channels = 0;
  bool im2col = false;
};
inline constexpr std::int64_t kIm2colChannels = 16;

struct Window2d {
  std::int64_t kernel_y = 1, kernel_x = 1;
  std::int64_t stride_y = 1, stride_x = 1;
  std::int64_t padding_y = 0, padding_x = 0;
};

/// Angles of a rotary embedding, for tokens position .. position + tokens - 1.
struct RotaryTable {
  std::int64_t channels = 0;               ///< of a head that turn; pairs = channels / 2
  bool interleaved = false;                ///< pairs (2i, 2i+1), else (i, i + channels/2)
  std::vector<std::int16_t> cosine, sine;  ///< [token][pair], in 2^-14
};

struct Layer {
  std::string name;
  Op op = Op::kFlatten;
  int index = 0;         ///< in Graph::layers
  int input = kNoValue;  ///< left operand; the drawn value where `activations:` replaces it
  int declared_input = kNoValue;  ///< what `input:` names
  int right = kNoValue;           ///< matmul, add, multiply
  std::vector<int> others;        ///< concat: what follows the input
  std::vector<int> wait_for;      ///< matmul: values that count as parts of `right`
  int output = kNoValue;
  OutputRange range;

  // Engine ops.
  GemmShape gemm;
  WeightMatrix weights;  ///< conv2d, linear
  Requantize requantize;
  Window2d window;  ///< conv2d, max_pool
  int heads = 1;    ///< matmul, softmax
  bool transpose_right =
      false;  ///< matmul: scores; the engine's loader transposes the right operand

  // Vector ops.
  std::vector<std::uint16_t> exp_table;         ///< softmax: 256 entries
  std::vector<std::int16_t> code_table;         ///< lookup: 256 entries
  std::vector<std::int32_t> gamma, beta;        ///< norms, one per channel
  bool causal = false;                          ///< softmax
  std::int64_t position = 0;                    ///< softmax, rotary
  params::Axis axis = params::Axis::kChannels;  ///< concat
  std::int64_t begin = 0;                       ///< slice
  std::int64_t factor = 1;                      ///< upsample
  std::int64_t vocabulary = 0;                  ///< embedding
  tensor::MaskSpec table_drawn;  ///< embedding: row r is drawn with seed hash(seed, r) ...
  std::span<const std::int8_t> table_codes;  ///< ... or is row r of this tensor
  std::shared_ptr<const RotaryTable> rotary;
  std::int64_t multiplier_left = 0, multiplier_right = 0;  ///< add; pools, multiply: the left one
  int shift = 1;                                           ///< norms, add, multiply, average_pool

  const tensor::TensorView* expect = nullptr;  ///< [samples, shape...] of the output type

  /// What the workload fixes of the layer's mapping, and where each key of it stands, for messages.
  params::LayerMapping mapping;
  std::map<std::string, base::SourceLocation> mapping_at;

  [[nodiscard]] bool on_engine() const { return params::is_engine_op(op); }
  [[nodiscard]] bool is_view() const { return op == Op::kFlatten; }
  /// Products of this layer for one sample, zeros counted; 0 for vector layers but
  /// depthwise_conv2d.
  [[nodiscard]] std::int64_t dense_macs() const {
    if (op == Op::kDepthwise) return gemm.m * gemm.n * gemm.k;
    return on_engine() ? gemm.m * gemm.n * gemm.k * gemm.heads / gemm.groups : 0;
  }
  /// The weights are another layer's output.
  [[nodiscard]] bool run_time_weights() const { return op == Op::kMatmul; }
};

struct Result {
  int layer = 0;                     ///< index in Graph::layers; its output has one token
  std::vector<std::int32_t> labels;  ///< [samples]
  const tensor::TensorView* expect = nullptr;
};

struct Graph {
  std::string name;
  std::map<std::string, std::string> provenance;  ///< as in the file
  std::int64_t samples = 0;                       ///< how many the inputs hold
  std::vector<Value> values;
  std::vector<int> inputs;  ///< ids of the network inputs
  std::vector<Layer> layers;
  std::optional<Result> result;
  std::vector<std::shared_ptr<const tensor::SafetensorsFile>> files;  ///< keeps the views alive

  [[nodiscard]] const Value& value(int id) const { return values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const Value& input_of(const Layer& layer) const { return value(layer.input); }
  [[nodiscard]] const Value& output_of(const Layer& layer) const { return value(layer.output); }
  /// Layers that read value `id` or a view of it, ascending. To wait for it is not to read it.
  [[nodiscard]] std::vector<int> readers(int id) const;
  /// Products of all layers of one sample, zeros counted.
  [[nodiscard]] std::int64_t dense_macs() const;
  /// Weights of all layers, embedding tables included; zeros counted, biases and the constants of
  /// norms not.
  [[nodiscard]] std::int64_t weight_count() const;
};

}  // namespace lacuna::workload
