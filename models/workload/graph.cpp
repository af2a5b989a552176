// SPDX-License-Identifier: Apache-2.0
#include "workload/graph.h"

#include <algorithm>

namespace lacuna::workload {

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) count *= dimension;
  return count;
}

std::shared_ptr<const tensor::MaskMatrix> WeightMatrix::mask() const {
  if (drawn_mask != nullptr) return drawn_mask;
  return std::make_shared<tensor::MaskMatrix>(
      tensor::mask_of(reinterpret_cast<const std::uint8_t*>(codes.data()), n, k));
}

WeightMatrix WeightMatrix::with_codes() const {
  WeightMatrix result = *this;
  if (!codes.empty() || drawn_mask == nullptr) return result;
  const auto drawn = std::make_shared<tensor::CodeMatrix>(
      tensor::draw_values(*drawn_mask, tensor::CodeKind::kS8, drawn_seed));
  result.codes = {reinterpret_cast<const std::int8_t*>(drawn->codes.data()), drawn->codes.size()};
  result.owner = drawn;
  return result;
}

WeightRows::WeightRows(const WeightMatrix& weights) : weights_(&weights) {
  if (!weights.codes.empty()) return;
  LACUNA_CHECK(weights.drawn_mask != nullptr, "weights without codes or a mask");
  draw_.emplace(*weights.drawn_mask, tensor::CodeKind::kS8, weights.drawn_seed);
}

std::span<const std::int8_t> WeightRows::next(std::int64_t channels) {
  const std::int64_t begin = channel_;
  channel_ += channels;
  LACUNA_CHECK(channel_ <= weights_->n, "channel {} of {}", channel_, weights_->n);
  if (!draw_) {
    return weights_->codes.subspan(static_cast<std::size_t>(begin * weights_->k),
                                   static_cast<std::size_t>(channels * weights_->k));
  }
  drawn_ = draw_->next(channels);
  return {reinterpret_cast<const std::int8_t*>(drawn_.data()), drawn_.size()};
}

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::kComputed:
      return "computed";
    case Origin::kCaptured:
      return "captured";
    case Origin::kStatistic:
      return "statistic";
  }
  return "?";
}

std::vector<int> Graph::readers(int id) const {
  const int storage = value(id).storage;
  std::vector<int> found;
  for (const Layer& layer : layers) {
    if (layer.is_view()) continue;
    const auto reads = [&](int operand) {
      return operand != kNoValue && value(operand).storage == storage;
    };
    if (reads(layer.input) || reads(layer.right) ||
        std::any_of(layer.others.begin(), layer.others.end(), reads)) {
      found.push_back(layer.index);
    }
  }
  return found;
}

std::int64_t Graph::dense_macs() const {
  std::int64_t total = 0;
  for (const Layer& layer : layers) total += layer.dense_macs();
  return total;
}

std::int64_t Graph::weight_count() const {
  std::int64_t total = 0;
  for (const Layer& layer : layers) {
    total += layer.weights.n * layer.weights.k / layer.gemm.groups;
  }
  return total;
}

}  // namespace lacuna::workload
