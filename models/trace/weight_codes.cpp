// SPDX-License-Identifier: Apache-2.0
#include "trace/weight_codes.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "tensor/elements.h"

namespace lacuna::trace {

namespace {

using base::UserError;

/// Index of weight (n, r, s, c) in the foreign tensor: a constant and a step for each.
struct Steps {
  std::int64_t begin = 0;
  std::int64_t n = 0, r = 0, s = 0, c = 0;
};

Steps steps_of(const SourceTensor& source, const MapEntry& entry, const ImportMap& map,
               const WeightShape& shape) {
  const std::int64_t y = shape.kernel_y;
  const std::int64_t x = shape.kernel_x;
  const std::int64_t channels = shape.channels;
  const std::vector<std::int64_t>& from = source.shape;
  const std::int64_t end = entry.rows ? (*entry.rows)[1] : shape.n;
  const std::int64_t first = entry.rows ? (*entry.rows)[0] : 0;
  // All output channels of the foreign tensor: a part may be wanted.
  const bool kernel_first = from.size() == 4 && map.layout == Layout::kHwio;
  const bool last = kernel_first || (from.size() == 2 && entry.transpose);
  const std::int64_t all = from.empty() ? 0 : last ? from.back() : from.front();
  const std::int64_t wanted = entry.rows ? all : shape.n;

  Steps steps;
  std::vector<std::int64_t> expected;
  if (from.size() == 4) {
    if (map.layout == Layout::kOihw) {
      expected = {wanted, channels, y, x};
      steps = {0, shape.k(), x, 1, y * x};
    } else if (map.layout == Layout::kOhwi) {
      expected = {wanted, y, x, channels};
      steps = {0, shape.k(), x * channels, channels, 1};
    } else {
      expected = {y, x, channels, wanted};
      steps = {0, 1, x * channels * wanted, channels * wanted, wanted};
    }
  } else {
    const bool by_tap = map.columns == ColumnOrder::kRsc;
    steps =
        by_tap ? Steps{0, shape.k(), x * channels, channels, 1} : Steps{0, shape.k(), x, 1, y * x};
    expected = {wanted, shape.k()};
    if (entry.transpose) {
      expected = {shape.k(), wanted};
      steps = {0, 1, steps.r * wanted, steps.s * wanted, steps.c * wanted};
    }
  }
  if (from != expected || end > wanted || end - first != shape.n) {
    throw UserError(fmt::format(
        "{} has shape {}{}, but the layer needs {} output channels and {}", source.text,
        tensor::shape_text(from),
        entry.rows ? fmt::format(" (rows [{}, {}])", first, end) : std::string(), shape.n,
        y * x == 1 ? fmt::format("K = {}", shape.k())
                   : fmt::format("K = {} ({} x {} x {} channels; {} for 4-D tensors)", shape.k(), y,
                                 x, channels, params::enum_name(map.layout))));
  }
  steps.begin = first * steps.n;
  return steps;
}

template <class Body>
void for_each_k(const WeightShape& shape, const Steps& steps, std::int64_t channel, Body&& body) {
  const std::int64_t begin = steps.begin + channel * steps.n;
  for (std::int64_t r = 0; r < shape.kernel_y; ++r) {
    for (std::int64_t s = 0; s < shape.kernel_x; ++s) {
      const std::int64_t tap = begin + r * steps.r + s * steps.s;
      for (std::int64_t c = 0; c < shape.channels; ++c) body(tap + c * steps.c);
    }
  }
}

}  // namespace

WeightCodes weight_codes(const SourceTensor& source, const MapEntry& entry, const ImportMap& map,
                         const WeightShape& shape) {
  const Steps steps = steps_of(source, entry, map, shape);
  tensor::check_matrix_size(shape.n, shape.k(), source.text);
  WeightCodes result;
  result.codes.reserve(static_cast<std::size_t>(shape.n * shape.k()));
  const bool is_real = source.view != nullptr && tensor::is_real(source.view->dtype);
  for (std::int64_t channel = 0; channel < shape.n; ++channel) {
    if (!is_real) {
      for_each_k(shape, steps, channel, [&](std::int64_t index) {
        result.codes.push_back(
            source.view != nullptr
                ? source.view->at<std::int8_t>(index)
                : static_cast<std::int8_t>(source.codes->codes[static_cast<std::size_t>(index)]));
      });
      continue;
    }
    double top = 0;
    for_each_k(shape, steps, channel, [&](std::int64_t index) {
      const double value = tensor::element_as_double(*source.view, index);
      if (!std::isfinite(value)) {
        throw UserError(fmt::format("{}: element {} is {}, not a number that a weight can have",
                                    source.text, index, value));
      }
      top = std::max(top, std::abs(value));
    });
    for_each_k(shape, steps, channel, [&](std::int64_t index) {
      const double value = tensor::element_as_double(*source.view, index);
      const double code = top > 0 ? std::nearbyint(value / top * 127) : 0;
      result.codes.push_back(static_cast<std::int8_t>(code));
      if (value != 0 && code == 0) ++result.lost;
    });
  }
  for (const std::int8_t code : result.codes) {
    result.zeros += code == 0 ? 1 : 0;
    result.sum_squares += std::int64_t{code} * code;
  }
  return result;
}

}  // namespace lacuna::trace
