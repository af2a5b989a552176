// SPDX-License-Identifier: Apache-2.0
//
// Operands of a workload: opens each tensor file once, finds tensors, checks type and shape, and
// draws weights. Every error carries the place of the key that named the operand. Internal to
// build_graph().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "workload/graph.h"
#include "workload/graph_builder.h"

namespace lacuna::workload {

class OperandLoader {
 public:
  OperandLoader(const params::WorkloadParams& params, const Locate& locate)
      : default_file_(params.tensors), locate_(locate) {}

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw base::UserError(locate_(key), message);
  }

  /// `file` empty: the workload's default file. `key` is where the name is written.
  const tensor::TensorView& tensor(const std::string& key, const std::string& name,
                                   const std::string& file = {});
  /// The same, of exactly this type and shape; `what` names the operand ("weights of layer
  /// 'conv1'").
  const tensor::TensorView& tensor(const std::string& key, const std::string& name,
                                   const std::string& file, const std::string& what,
                                   tensor::DType type, const Shape& shape);

  /// A vector of `length` numbers; a tensor of one number serves for all when `allow_single`.
  std::vector<std::int32_t> int32_vector(const std::string& key, const std::string& name,
                                         const std::string& what, std::int64_t length,
                                         bool allow_single);
  std::vector<std::uint8_t> shift_vector(const std::string& key, const std::string& name,
                                         const std::string& what, std::int64_t length);

  /// bias, multiplier and shift of `channels` output channels. `key` is that of the layer.
  Requantize requantize(const std::string& key, const params::RequantizeParams& params,
                        const std::string& layer, std::int64_t channels);

  /// Weights [shape[0]][rest] from a tensor or a statistic. shape[0] of 0 is taken from the tensor.
  /// Equal statistics are drawn once.
  WeightMatrix weights(const std::string& key, const params::WeightParams& params,
                       const std::string& layer, Shape shape);

  /// "FILE:NAME" as provenance shows it, without the folder.
  [[nodiscard]] std::string tensor_text(const std::string& name, const std::string& file) const;

  [[nodiscard]] std::vector<std::shared_ptr<const tensor::SafetensorsFile>> files() const;

 private:
  const tensor::SafetensorsFile& open(const std::string& key, const std::string& file);

  std::string default_file_;
  const Locate& locate_;
  std::map<std::string, std::shared_ptr<const tensor::SafetensorsFile>> files_;
  std::map<std::string, WeightMatrix> drawn_;  ///< by shape and statistic
};

/// Fills in non_zeros, column_non_zeros and square_sum.
void count_weights(WeightMatrix& weights);

/// The generator's spec of a weight statistic that passed validate().
[[nodiscard]] tensor::MaskSpec mask_spec(const params::WeightParams& params);

/// One multiplier and shift for all channels such that outputs use the range: three standard
/// deviations of the sums, if both operands were independent with zero mean, give the highest code.
/// `sum_squares` is the mean over channels of the sum of squared weights, `activation_square` the
/// mean square of a left operand's code. Integer arithmetic: the same on every machine.
[[nodiscard]] Requantize choose_requantize(std::int64_t channels, std::int64_t sum_squares,
                                           std::int64_t activation_square,
                                           const OutputRange& range);

/// The generator's spec of an activation statistic for a value of this shape.
[[nodiscard]] tensor::MaskSpec mask_spec(const params::ActivationParams& params,
                                         const Shape& shape);

/// Mean square of the codes of a value as far as it is known before the run: from the statistic, or
/// (computed or captured values) that of codes with a root mean square of a quarter of the type's
/// range.
[[nodiscard]] std::int64_t assumed_square(const Value& value);

/// Mean over channels of the sum over k of squared weights.
[[nodiscard]] std::int64_t mean_sum_squares(const WeightMatrix& weights);

}  // namespace lacuna::workload
