// SPDX-License-Identifier: Apache-2.0
//
// What a workload file says (docs/reference/workload.md), key by key: the layers of a network and
// where the zeros of each operand come from. Plain data: config/ fills it, workload/ checks what
// needs the other layers or the tensor files (shapes, types, names) and builds the graph.
//
// One LayerParams serves every op; layer_keys() says which keys an op needs and allows, and
// LayerParams::validate() reports keys that are missing or have no meaning for the op.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "params/field.h"
#include "params/mapping_params.h"

namespace lacuna::params {

/// The value of `schema:`; other values are refused.
inline constexpr std::string_view kWorkloadSchema = "lacuna-workload-1";

enum class Op {
  kConv2d,
  kLinear,
  kMatmul,
  kSoftmax,
  kLayerNorm,
  kAdd,
  kLookup,
  kMaxPool,
  kAveragePool,
  kFlatten,
  kMultiply,
  kRmsNorm,
  kRotary,
  kEmbedding,
  kDepthwise,
  kConcat,
  kSlice,
  kUpsample
};
constexpr auto enum_names(Op) {
  return std::array{EnumName{Op::kConv2d, "conv2d"},
                    EnumName{Op::kLinear, "linear"},
                    EnumName{Op::kMatmul, "matmul"},
                    EnumName{Op::kSoftmax, "softmax"},
                    EnumName{Op::kLayerNorm, "layer_norm"},
                    EnumName{Op::kAdd, "add"},
                    EnumName{Op::kLookup, "lookup"},
                    EnumName{Op::kMaxPool, "max_pool"},
                    EnumName{Op::kAveragePool, "average_pool"},
                    EnumName{Op::kFlatten, "flatten"},
                    EnumName{Op::kMultiply, "multiply"},
                    EnumName{Op::kRmsNorm, "rms_norm"},
                    EnumName{Op::kRotary, "rotary"},
                    EnumName{Op::kEmbedding, "embedding"},
                    EnumName{Op::kDepthwise, "depthwise_conv2d"},
                    EnumName{Op::kConcat, "concat"},
                    EnumName{Op::kSlice, "slice"},
                    EnumName{Op::kUpsample, "upsample"}};
}

/// What a lookup computes when the file gives no table (workload/tables.h).
enum class Function { kRelu, kRelu6, kGelu, kSilu, kSigmoid, kTanh };
constexpr auto enum_names(Function) {
  return std::array{EnumName{Function::kRelu, "relu"},       EnumName{Function::kRelu6, "relu6"},
                    EnumName{Function::kGelu, "gelu"},       EnumName{Function::kSilu, "silu"},
                    EnumName{Function::kSigmoid, "sigmoid"}, EnumName{Function::kTanh, "tanh"}};
}

/// Along what concat joins.
enum class Axis { kChannels, kTokens };
constexpr auto enum_names(Axis) {
  return std::array{EnumName{Axis::kChannels, "channels"}, EnumName{Axis::kTokens, "tokens"}};
}

/// Runs on the sparse engine (as a GEMM); all others but flatten run on the vector unit.
[[nodiscard]] constexpr bool is_engine_op(Op op) {
  return op == Op::kConv2d || op == Op::kLinear || op == Op::kMatmul;
}

/// How a byte of a feature map or token matrix is read.
enum class CodeType { kU8, kS8 };
constexpr auto enum_names(CodeType) {
  return std::array{EnumName{CodeType::kU8, "u8"}, EnumName{CodeType::kS8, "s8"}};
}
[[nodiscard]] constexpr std::int64_t lowest_code(CodeType type) {
  return type == CodeType::kU8 ? 0 : -128;
}
[[nodiscard]] constexpr std::int64_t highest_code(CodeType type) {
  return type == CodeType::kU8 ? 255 : 127;
}

/// Where the zeros lie; see tensor/mask_generator.h for the exact meaning of each.
enum class MaskPattern { kDense, kUnstructured, kNOfM, kBank, kBlock, kMagnitude };
constexpr auto enum_names(MaskPattern) {
  return std::array{
      EnumName{MaskPattern::kDense, "dense"}, EnumName{MaskPattern::kUnstructured, "unstructured"},
      EnumName{MaskPattern::kNOfM, "n:m"},    EnumName{MaskPattern::kBank, "bank"},
      EnumName{MaskPattern::kBlock, "block"}, EnumName{MaskPattern::kMagnitude, "magnitude"}};
}

enum class ProvenanceSource { kCaptured, kStatistic, kMixed };
constexpr auto enum_names(ProvenanceSource) {
  return std::array{EnumName{ProvenanceSource::kCaptured, "captured"},
                    EnumName{ProvenanceSource::kStatistic, "statistic"},
                    EnumName{ProvenanceSource::kMixed, "mixed"}};
}

/// A named tensor, in the workload's default file or in `file`.
struct TensorRef {
  std::string tensor;
  std::string file;  ///< empty: the workload's `tensors:` file

  friend bool operator==(const TensorRef&, const TensorRef&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("tensor", "name of the tensor in the safetensors file"), self.tensor);
    visitor(field("file", "safetensors file, when it is not the workload's `tensors:`")
                .optional()
                .path(),
            self.file);
  }
};

/// Weights: a tensor or a statistic; exactly one of the two.
struct WeightParams {
  std::string tensor;  ///< empty: a statistic
  std::string file;
  std::optional<double> sparsity;  ///< share of zeros, 0..1
  std::optional<MaskPattern> pattern;
  std::optional<std::int64_t> n;  ///< n:m
  std::optional<std::int64_t> m;
  std::optional<std::int64_t> bank;  ///< consecutive k with the same count of non-zeros
  std::optional<std::vector<std::int64_t>> block;  ///< {along k, along n}
  std::optional<double> row_spread;                ///< magnitude
  std::optional<double> column_spread;
  std::optional<std::int64_t> seed;
  std::optional<std::string> source;  ///< where the figure is from

  [[nodiscard]] std::vector<Violation> validate() const;
  friend bool operator==(const WeightParams&, const WeightParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    constexpr double kMaxSpan = 65536;
    visitor(field("tensor", "name of the tensor with the real weights").optional(), self.tensor);
    visitor(field("file", "safetensors file, when it is not the workload's `tensors:`")
                .optional()
                .path(),
            self.file);
    visitor(field("sparsity", "statistic: share of zero weights", Unit::kRatio).range(0, 1),
            self.sparsity);
    visitor(field("pattern", "statistic: where the zeros lie"), self.pattern);
    visitor(field("n", "statistic n:m: non-zeros of m consecutive k").range(0, kMaxSpan), self.n);
    visitor(field("m", "statistic n:m: consecutive k").range(1, kMaxSpan), self.m);
    visitor(field("bank", "statistic bank: consecutive k with the same count of non-zeros")
                .range(1, kMaxSpan),
            self.bank);
    visitor(field("block", "statistic block: [along k, along output channels]").range(1, kMaxSpan),
            self.block);
    visitor(field("row_spread", "statistic magnitude: how much the rows' scales differ [0.11]")
                .range(0, 4),
            self.row_spread);
    visitor(field("column_spread", "statistic magnitude: how much the columns' scales differ [0.2]")
                .range(0, 4),
            self.column_spread);
    visitor(field("seed", "statistic: seed of masks and values").at_least(0), self.seed);
    visitor(field("source", "statistic: where the figure is from"), self.source);
  }
};

/// Activations drawn instead of computed.
struct ActivationParams {
  double sparsity = 0;
  std::int64_t seed = 0;
  std::optional<double> spatial;
  std::optional<double> channel;
  std::optional<std::string> source;

  friend bool operator==(const ActivationParams&, const ActivationParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("sparsity", "share of zero activations", Unit::kRatio).range(0, 1),
            self.sparsity);
    visitor(field("seed", "seed of masks and values").at_least(0), self.seed);
    visitor(field("spatial",
                  "share of the variance that neighbouring tokens or pixels have in "
                  "common",
                  Unit::kRatio)
                .range(0, 0.99),
            self.spatial);
    visitor(field("channel", "how much the channels' thresholds differ, in standard deviations")
                .range(0, 4),
            self.channel);
    visitor(field("source", "where the figure is from"), self.source);
  }
};

/// Names of the tensors that turn 32-bit sums into codes (docs/reference/numerics.md).
struct RequantizeParams {
  std::string bias;
  std::string multiplier;
  std::string shift;

  friend bool operator==(const RequantizeParams&, const RequantizeParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("bias", "tensor s32, one per output channel or one for all"), self.bias);
    visitor(field("multiplier", "tensor s32, one per output channel or one for all"),
            self.multiplier);
    visitor(field("shift", "tensor u8, 1..62, one per output channel or one for all"), self.shift);
  }
};

struct OutputParams {
  CodeType type = CodeType::kU8;
  std::optional<std::vector<std::int64_t>> clamp;  ///< {low, high}; default: the type's range
  std::int64_t gate = 0;
  std::optional<ActivationParams> drawn;

  [[nodiscard]] std::vector<Violation> validate() const;
  friend bool operator==(const OutputParams&, const OutputParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("type", "u8 or s8"), self.type);
    visitor(field("clamp", "[lowest, highest] code; default: all of the type").range(-128, 255),
            self.clamp);
    visitor(field("gate", "codes of at most this magnitude become 0").range(0, 255).optional(),
            self.gate);
    visitor(field("drawn", "what is stored is drawn from a statistic, not what was computed"),
            self.drawn);
  }
};

/// An input of the network: a tensor [samples, shape...] or a statistic.
struct InputParams {
  std::string name;
  std::vector<std::int64_t> shape;  ///< without the sample dimension
  CodeType type = CodeType::kU8;
  std::string tensor;
  std::string file;
  std::optional<double> sparsity;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> samples;

  [[nodiscard]] std::vector<Violation> validate() const;
  friend bool operator==(const InputParams&, const InputParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("name", "name by which layers refer to it"), self.name);
    visitor(field("shape", "[height, width, channels] or [tokens, channels]").range(1, 1 << 24),
            self.shape);
    visitor(field("type", "u8 or s8"), self.type);
    visitor(field("tensor", "tensor [samples, shape...] with the captured inputs").optional(),
            self.tensor);
    visitor(field("file", "safetensors file, when it is not the workload's `tensors:`")
                .optional()
                .path(),
            self.file);
    visitor(field("sparsity", "statistic: share of zeros", Unit::kRatio).range(0, 1),
            self.sparsity);
    visitor(field("seed", "statistic: seed of masks and values").at_least(0), self.seed);
    visitor(field("samples", "statistic: number of samples").range(1, 1 << 20), self.samples);
  }
};

struct LayerParams {
  std::string name;
  Op op = Op::kLinear;
  std::string input;
  std::optional<std::variant<std::string, TensorRef>> right;  ///< a layer, or a constant (add)
  std::optional<std::vector<std::int64_t>> kernel;            ///< {rows, columns}
  std::optional<std::vector<std::int64_t>> stride;            ///< {y, x}
  std::optional<std::vector<std::int64_t>> padding;           ///< {y, x}, zeros on both sides
  std::optional<std::int64_t> groups;
  std::optional<std::int64_t> out_channels;
  std::optional<std::int64_t> heads;
  std::optional<std::int64_t> kv_heads;
  std::optional<bool> transpose_right;
  std::optional<bool> causal;
  std::optional<std::int64_t> position;
  std::optional<std::vector<std::string>> wait_for;
  std::optional<std::vector<std::string>> others;
  std::optional<Axis> axis;
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> count;
  std::optional<std::int64_t> factor;
  std::optional<std::int64_t> vocabulary;
  std::optional<std::int64_t> rotary_channels;
  std::optional<bool> interleaved;
  std::optional<std::int64_t> theta;
  std::optional<Function> function;
  std::optional<WeightParams> weights;
  std::optional<ActivationParams> activations;
  std::optional<RequantizeParams> requantize;
  std::optional<std::string> table;
  std::optional<std::string> gamma;
  std::optional<std::string> beta;
  std::optional<std::variant<std::int64_t, std::vector<std::int64_t>>> multiplier;
  std::optional<std::int64_t> shift;
  std::optional<OutputParams> output;
  std::optional<std::string> expect;
  std::optional<LayerMapping> mapping;

  /// Keys missing for the op, keys without a meaning for it, lists of the wrong length.
  [[nodiscard]] std::vector<Violation> validate() const;
  friend bool operator==(const LayerParams&, const LayerParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    constexpr double kMaxDim = 1 << 24;
    constexpr double kInt32Low = -2147483648.0;
    constexpr double kInt32High = 2147483647.0;
    visitor(field("name", "name of the layer and of its output"), self.name);
    visitor(field("op", "what the layer computes"), self.op);
    visitor(field("input", "an input or an earlier layer"), self.input);
    visitor(field("right", "second operand: an earlier layer, or {tensor: name} for add"),
            self.right);
    visitor(field("kernel", "[rows, columns] of the window").range(1, 4096), self.kernel);
    visitor(field("stride", "[y, x] step of the window").range(1, 4096), self.stride);
    visitor(field("padding", "[y, x] zeros on both sides").range(0, 4096), self.padding);
    visitor(field("groups", "conv2d: groups of channels that do not mix [1]").range(1, kMaxDim),
            self.groups);
    visitor(field("out_channels", "channels of the output").range(1, kMaxDim), self.out_channels);
    visitor(field("heads", "attention heads, each a slice of the columns").range(1, 65536),
            self.heads);
    visitor(field("kv_heads",
                  "matmul: heads of the right operand, each shared by heads / kv_heads "
                  "of the left one [heads]")
                .range(1, 65536),
            self.kv_heads);
    visitor(field("transpose_right", "true: scores (left x right^T); false: left x right"),
            self.transpose_right);
    visitor(field("causal", "softmax: token t sees columns 0 .. position + t only [false]"),
            self.causal);
    visitor(field("position", "softmax, rotary: position of the first token [0]").range(0, kMaxDim),
            self.position);
    visitor(field("wait_for",
                  "layers that must be stored before the right operand is read: they "
                  "append to it"),
            self.wait_for);
    visitor(field("others", "concat: what follows the input, in this order"), self.others);
    visitor(field("axis", "concat: along channels or tokens"), self.axis);
    visitor(field("begin", "slice: first token").range(0, kMaxDim), self.begin);
    visitor(field("count", "slice: tokens").range(1, kMaxDim), self.count);
    visitor(field("factor", "upsample: each pixel becomes factor x factor").range(1, 64),
            self.factor);
    visitor(field("vocabulary", "embedding: rows of the table").range(1, kMaxDim), self.vocabulary);
    visitor(
        field("rotary_channels", "rotary: channels of each head that turn [all]").range(2, 65536),
        self.rotary_channels);
    visitor(field("interleaved", "rotary: pairs are neighbours, not half a head apart [false]"),
            self.interleaved);
    visitor(field("theta", "rotary: base of the frequencies [10000]").range(2, 1e9), self.theta);
    visitor(field("function", "lookup: built-in table in place of 'table'"), self.function);
    visitor(field("weights", "{tensor: name} or a statistic"), self.weights);
    visitor(field("activations", "draws the layer's input from a statistic"), self.activations);
    visitor(field("requantize", "names of bias, multiplier and shift"), self.requantize);
    visitor(field("table", "tensor with 256 entries"), self.table);
    visitor(field("gamma", "tensor s32 [channels]"), self.gamma);
    visitor(field("beta", "tensor s32 [channels]"), self.beta);
    visitor(field("multiplier", "add: [left, right]; average_pool, multiply: one number")
                .range(kInt32Low, kInt32High),
            self.multiplier);
    visitor(field("shift", "right shift after the multiplication").range(1, 62), self.shift);
    visitor(field("output", "type, clamp and gate of the output"), self.output);
    visitor(field("expect", "tensor [samples, shape...] with the reference output"), self.expect);
    visitor(field("mapping", "engine layers: parts of the mapping that are not searched"),
            self.mapping);
  }
};

/// The layer whose argmax is the class, and the true classes.
struct ResultParams {
  std::string layer;
  std::string labels;
  std::optional<std::string> expect;

  friend bool operator==(const ResultParams&, const ResultParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("layer", "layer whose channel argmax is the class"), self.layer);
    visitor(field("labels", "tensor s32 [samples] with the true classes"), self.labels);
    visitor(field("expect", "tensor with the reference output of the layer"), self.expect);
  }
};

struct WorkloadParams {
  std::string schema;
  std::string name;
  std::string tensors;  ///< default tensor file, resolved; may be empty
  std::map<std::string, std::string> provenance;
  std::vector<InputParams> inputs;
  std::vector<LayerParams> layers;
  std::optional<ResultParams> result;

  /// Schema, required keys of the provenance, at least one input and one layer.
  [[nodiscard]] std::vector<Violation> validate() const;
  friend bool operator==(const WorkloadParams&, const WorkloadParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("schema", "version of this format: lacuna-workload-1"), self.schema);
    visitor(field("name", "name of the workload"), self.name);
    visitor(field("tensors", "default safetensors file").optional().path(), self.tensors);
    visitor(field("provenance", "where weights and activations come from"), self.provenance);
    visitor(field("inputs", "inputs of the network"), self.inputs);
    visitor(field("layers", "layers in an order in which they can be executed"), self.layers);
    visitor(field("result", "how the class is read from the outputs"), self.result);
  }
};

/// Names of the LayerParams members that an op needs, and may have besides.
struct LayerKeys {
  std::span<const std::string_view> required;
  std::span<const std::string_view> allowed;
};
[[nodiscard]] LayerKeys layer_keys(Op op);

}  // namespace lacuna::params
