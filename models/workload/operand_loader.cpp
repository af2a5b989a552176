// SPDX-License-Identifier: Apache-2.0
#include "workload/operand_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "tensor/gaussian_masks.h"
#include "workload/vector_ops.h"

namespace lacuna::workload {

using base::UserError;
using tensor::DType;
using tensor::TensorView;

namespace {

// Mean square of a uniform draw over 1..255, or over 1..127 either sign.
constexpr std::int64_t kDrawnSquareU8 = 256 * 511 / 6;
constexpr std::int64_t kDrawnSquareS8 = 128 * 255 / 6;

constexpr std::int64_t kSmallMatrix = 64 * 1024;

}  // namespace

const tensor::SafetensorsFile& OperandLoader::open(const std::string& key,
                                                   const std::string& file) {
  const std::string& path = file.empty() ? default_file_ : file;
  if (path.empty()) {
    fail(key, "a tensor is named, but the workload has no 'tensors:' file");
  }
  auto& entry = files_[path];
  if (entry == nullptr) {
    try {
      entry = tensor::SafetensorsFile::open(path);
    } catch (const UserError& error) {
      fail(key, error.what());
    }
  }
  return *entry;
}

const TensorView& OperandLoader::tensor(const std::string& key, const std::string& name,
                                        const std::string& file) {
  const tensor::SafetensorsFile& opened = open(key, file);
  try {
    return opened.get(name);
  } catch (const UserError& error) {
    fail(key, error.what());
  }
}

const TensorView& OperandLoader::tensor(const std::string& key, const std::string& name,
                                        const std::string& file, const std::string& what,
                                        DType type, const Shape& shape) {
  const TensorView& view = tensor(key, name, file);
  if (view.dtype != type) {
    fail(key, fmt::format("tensor '{}' ({}) is {}, not {}", name, what, dtype_name(view.dtype),
                          dtype_name(type)));
  }
  if (view.shape != shape) {
    fail(key, fmt::format("tensor '{}' ({}) has shape {}, not {}", name, what,
                          tensor::shape_text(view.shape), tensor::shape_text(shape)));
  }
  return view;
}

namespace {

void check_vector(const OperandLoader& loader, const std::string& key, const TensorView& view,
                  const std::string& what, DType type, std::int64_t length, bool allow_single) {
  if (view.dtype != type) {
    loader.fail(key, fmt::format("tensor '{}' ({}) is {}, not {}", view.name, what,
                                 dtype_name(view.dtype), dtype_name(type)));
  }
  const bool fits =
      view.shape.size() == 1 && (view.shape[0] == length || (allow_single && view.shape[0] == 1));
  if (!fits) {
    loader.fail(key, fmt::format("tensor '{}' ({}) has shape {}, not [{}]{}", view.name, what,
                                 tensor::shape_text(view.shape), length,
                                 allow_single && length != 1 ? " or [1]" : ""));
  }
}

template <class T>
std::vector<T> spread(std::vector<T> values, std::int64_t length) {
  if (values.size() == 1) values.assign(static_cast<std::size_t>(length), values[0]);
  return values;
}

}  // namespace

std::vector<std::int32_t> OperandLoader::int32_vector(const std::string& key,
                                                      const std::string& name,
                                                      const std::string& what, std::int64_t length,
                                                      bool allow_single) {
  const TensorView& view = tensor(key, name);
  check_vector(*this, key, view, what, DType::kI32, length, allow_single);
  return spread(view.copy<std::int32_t>(), length);
}

std::vector<std::uint8_t> OperandLoader::shift_vector(const std::string& key,
                                                      const std::string& name,
                                                      const std::string& what,
                                                      std::int64_t length) {
  const TensorView& view = tensor(key, name);
  check_vector(*this, key, view, what, DType::kU8, length, true);
  std::vector<std::uint8_t> shifts = view.copy<std::uint8_t>();
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    if (shifts[i] < 1 || shifts[i] > 62) {
      fail(key, fmt::format("tensor '{}' ({}): entry {} is {}, outside 1..62", name, what, i,
                            shifts[i]));
    }
  }
  return spread(std::move(shifts), length);
}

Requantize OperandLoader::requantize(const std::string& key, const params::RequantizeParams& params,
                                     const std::string& layer, std::int64_t channels) {
  const auto what = [&](const char* part) { return fmt::format("{} of layer '{}'", part, layer); };
  Requantize result;
  result.bias = int32_vector(key + ".requantize.bias", params.bias, what("bias"), channels, true);
  result.multiplier = int32_vector(key + ".requantize.multiplier", params.multiplier,
                                   what("multiplier"), channels, true);
  result.shift = shift_vector(key + ".requantize.shift", params.shift, what("shift"), channels);
  return result;
}

std::string OperandLoader::tensor_text(const std::string& name, const std::string& file) const {
  const std::filesystem::path path(file.empty() ? default_file_ : file);
  return fmt::format("{}:{}", path.filename().string(), name);
}

std::vector<std::shared_ptr<const tensor::SafetensorsFile>> OperandLoader::files() const {
  std::vector<std::shared_ptr<const tensor::SafetensorsFile>> result;
  for (const auto& [path, file] : files_) {
    if (file != nullptr) result.push_back(file);
  }
  return result;
}

WeightMatrix OperandLoader::weights(const std::string& key, const params::WeightParams& params,
                                    const std::string& layer, Shape shape) {
  const std::string what = fmt::format("weights of layer '{}'", layer);
  WeightMatrix result;
  if (!params.tensor.empty()) {
    const std::string tensor_key = key + ".tensor";
    if (shape[0] == 0) {
      const TensorView& view = tensor(tensor_key, params.tensor, params.file);
      if (!view.shape.empty()) shape[0] = view.shape[0];
      if (view.shape.size() == shape.size() && shape[0] == 0) {
        fail(tensor_key,
             fmt::format("tensor '{}' ({}) has no output channels", params.tensor, what));
      }
    }
    const TensorView& view =
        tensor(tensor_key, params.tensor, params.file, what, DType::kI8, shape);
    result.codes = {reinterpret_cast<const std::int8_t*>(view.data.data()), view.data.size()};
    result.owner = files_[params.file.empty() ? default_file_ : params.file];
    result.provenance = {Origin::kCaptured, tensor_text(params.tensor, params.file)};
  } else {
    const tensor::MaskSpec spec = mask_spec(params);
    const std::int64_t k = element_count(shape) / shape[0];
    const std::string same = fmt::format("{} x {}, {}", shape[0], k, spec.text());
    if (const auto found = drawn_.find(same); found != drawn_.end()) return found->second;
    try {
      result.drawn_mask =
          std::make_shared<tensor::MaskMatrix>(tensor::draw_mask(shape[0], k, spec, what));
    } catch (const UserError& error) {
      fail(key, error.what());
    }
    result.drawn_seed = spec.seed;
    result.provenance = {Origin::kStatistic, spec.text()};
    result.n = shape[0];
    result.k = k;
    // The codes of large matrices are drawn by whoever computes with them.
    if (result.n * result.k <= kSmallMatrix) result = result.with_codes();
    count_weights(result);
    drawn_.emplace(same, result);
    return result;
  }
  result.n = shape[0];
  result.k = element_count(shape) / shape[0];
  count_weights(result);
  return result;
}

void count_weights(WeightMatrix& weights) {
  weights.column_non_zeros =
      std::make_shared<const std::vector<std::int32_t>>(weights.mask()->column_counts());
  weights.non_zeros = std::accumulate(weights.column_non_zeros->begin(),
                                      weights.column_non_zeros->end(), std::int64_t{0});
  weights.square_sum = 0;
  if (weights.drawn_mask != nullptr) {
    weights.square_sum = weights.non_zeros * kDrawnSquareS8;
    return;
  }
  for (const std::int8_t code : weights.codes) weights.square_sum += std::int32_t{code} * code;
}

tensor::MaskSpec mask_spec(const params::WeightParams& params) {
  tensor::MaskSpec spec;
  switch (params.pattern.value_or(params::MaskPattern::kDense)) {
    case params::MaskPattern::kDense:
      spec.kind = tensor::PatternKind::kDense;
      break;
    case params::MaskPattern::kUnstructured:
      spec.kind = tensor::PatternKind::kUnstructured;
      break;
    case params::MaskPattern::kNOfM:
      spec.kind = tensor::PatternKind::kNOfM;
      break;
    case params::MaskPattern::kBank:
      spec.kind = tensor::PatternKind::kBank;
      break;
    case params::MaskPattern::kBlock:
      spec.kind = tensor::PatternKind::kBlock;
      break;
    case params::MaskPattern::kMagnitude: {
      spec.kind = tensor::PatternKind::kMagnitude;
      spec.row_spread = params.row_spread.value_or(tensor::kUsualRowSpread);
      spec.column_spread = params.column_spread.value_or(tensor::kUsualColumnSpread);
      break;
    }
  }
  spec.density = 1.0 - params.sparsity.value_or(0.0);
  spec.n = params.n.value_or(0);
  spec.m = params.m.value_or(0);
  spec.bank = params.bank.value_or(0);
  if (params.block) {
    spec.block_k = (*params.block)[0];
    spec.block_n = (*params.block)[1];
  }
  spec.seed = static_cast<std::uint64_t>(params.seed.value_or(0));
  spec.source = params.source.value_or("");
  return spec;
}

tensor::MaskSpec mask_spec(const params::ActivationParams& params, const Shape& shape) {
  tensor::MaskSpec spec;
  spec.kind = tensor::PatternKind::kUnstructured;
  if (params.spatial || params.channel) {
    spec.kind = tensor::PatternKind::kField;
    spec.spatial = params.spatial.value_or(0);
    spec.channel = params.channel.value_or(0);
    spec.width = shape.size() == 3 ? shape[1] : 1;
  }
  spec.density = 1.0 - params.sparsity;
  spec.seed = static_cast<std::uint64_t>(params.seed);
  spec.source = params.source.value_or("");
  return spec;
}

Requantize choose_requantize(std::int64_t channels, std::int64_t sum_squares,
                             std::int64_t activation_square, const OutputRange& range) {
  const auto variance =
      static_cast<std::uint64_t>(sum_squares) * static_cast<std::uint64_t>(activation_square);
  const auto sigma = static_cast<std::int64_t>(std::max<std::uint64_t>(1, integer_sqrt(variance)));
  const std::int64_t top = std::max<std::int64_t>({1, range.high, -range.low});
  int shift = 1;
  constexpr int kMaxShift = 46;  // top << shift stays far from 2^63
  while (shift < kMaxShift && (top << shift) / (3 * sigma) < (1 << 15)) ++shift;
  const std::int64_t multiplier = std::max<std::int64_t>(1, (top << shift) / (3 * sigma));
  const auto count = static_cast<std::size_t>(channels);
  Requantize result;
  result.bias.assign(count, 0);
  result.multiplier.assign(count, static_cast<std::int32_t>(multiplier));
  result.shift.assign(count, static_cast<std::uint8_t>(shift));
  result.chosen = true;
  return result;
}

std::int64_t assumed_square(const Value& value) {
  const bool is_drawn = value.provenance.origin == Origin::kStatistic;
  if (is_drawn) {
    const std::int64_t drawn = value.is_signed() ? kDrawnSquareS8 : kDrawnSquareU8;
    return std::llround(value.drawn.density * static_cast<double>(drawn));
  }
  return value.is_signed() ? 32 * 32 : 64 * 64;
}

std::int64_t mean_sum_squares(const WeightMatrix& weights) {
  return weights.square_sum / weights.n;
}

}  // namespace lacuna::workload
