// SPDX-License-Identifier: Apache-2.0
//
// The part of build_graph() that knows ops: from one layer of the file and the values before it to
// the layer's shapes, operands and constants. Internal to build_graph().
#pragma once

#include <string>
#include <utility>

#include "workload/operand_loader.h"
#include "workload/value_table.h"

namespace lacuna::workload {

[[nodiscard]] tensor::DType dtype_of(CodeType type);
/// The tensor's bytes as codes.
[[nodiscard]] std::span<const std::uint8_t> bytes_of(const tensor::TensorView& view);

class LayerBuilder {
 public:
  /// `captured`: operands all come from tensors, so that nothing may be chosen for the user.
  LayerBuilder(Graph& graph, OperandLoader& loader, ValueTable& values, bool captured)
      : graph_(graph), loader_(loader), values_(values), captured_(captured) {}

  /// Fills what depends on the op. `layer` has name, op, input and range; `output` type and name.
  /// `key` is the layer's in the file.
  void fill(const params::LayerParams& from, const std::string& key, Layer& layer, Value& output);

 private:
  using LayerParams = params::LayerParams;

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    loader_.fail(key, message);
  }
  [[nodiscard]] const Value& input(const Layer& layer) const { return graph_.value(layer.input); }

  void require_map(const LayerParams& from, const std::string& key, const Layer& layer) const;
  void require_tokens(const LayerParams& from, const std::string& key, const std::string& name,
                      const Value& value) const;
  void require_statistic(const LayerParams& from, const std::string& key, const char* what) const;
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> fill_window(const LayerParams& from,
                                                                  const std::string& key,
                                                                  Layer& layer) const;
  void check_k(const LayerParams& from, const std::string& key, std::int64_t k) const;
  [[nodiscard]] std::int64_t window_count(const LayerParams& from, const std::string& key,
                                          std::int64_t size, std::int64_t kernel,
                                          std::int64_t stride, std::int64_t padding,
                                          const char* what) const;
  void load_weights(const LayerParams& from, const std::string& key, Layer& layer, Shape shape);

  void fill_conv2d(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_linear(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_matmul(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_softmax(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_layer_norm(const LayerParams& from, const std::string& key, Layer& layer,
                       Value& output);
  void fill_add(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_lookup(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_max_pool(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_rotary(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_embedding(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_depthwise(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_concat(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_slice(const LayerParams& from, const std::string& key, Layer& layer, Value& output);
  void fill_average_pool(const LayerParams& from, const std::string& key, Layer& layer,
                         Value& output);

  Graph& graph_;
  OperandLoader& loader_;
  ValueTable& values_;
  bool captured_;
};

}  // namespace lacuna::workload
