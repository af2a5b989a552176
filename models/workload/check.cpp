// SPDX-License-Identifier: Apache-2.0
#include "workload/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "workload/lowering.h"
#include "workload/requantize.h"
#include "workload/vector_ops.h"

namespace lacuna::workload {

namespace {

void compare(const TensorStore& store, int layer_index, const tensor::TensorView& expect,
             ExpectResult& result) {
  const Graph& graph = store.graph();
  const Layer& layer = graph.layers[static_cast<std::size_t>(layer_index)];
  const Value& output = graph.output_of(layer);
  const auto bytes = static_cast<std::size_t>(output.elements());
  for (std::int64_t sample = 0; sample < store.samples(); ++sample) {
    const std::int64_t source = store.source_sample(sample);
    const std::span<const std::uint8_t> computed = store.codes(layer.output, sample);
    const std::byte* expected = expect.data.data() + static_cast<std::size_t>(source) * bytes;
    ExpectMismatch mismatch;
    for (std::size_t i = 0; i < bytes; ++i) {
      const auto wanted = static_cast<std::uint8_t>(expected[i]);
      if (wanted == computed[i]) continue;
      if (mismatch.differences++ == 0) {
        mismatch.layer = layer_index;
        mismatch.sample = source;
        mismatch.index = static_cast<std::int64_t>(i);
        mismatch.expected = output.is_signed() ? static_cast<std::int8_t>(wanted) : wanted;
        mismatch.computed =
            output.is_signed() ? static_cast<std::int8_t>(computed[i]) : computed[i];
      }
    }
    ++result.compared;
    if (mismatch.differences > 0) result.mismatches.push_back(mismatch);
  }
}

}  // namespace

void run_dense_gemm(const Layer& layer, TensorStore& store, std::int64_t sample) {
  LACUNA_CHECK(layer.on_engine(), "layer {} does not run on the engine", layer.name);
  if (store.graph().output_of(layer).output_drawn) return;  // there already
  const GemmShape& gemm = layer.gemm;
  const auto channels = static_cast<std::size_t>(gemm.n);
  const std::span<std::uint8_t> out = store.mutable_codes(layer.output, sample);
  std::vector<std::uint8_t> a(static_cast<std::size_t>(gemm.k));
  std::vector<std::int8_t> row(a.size());
  std::vector<std::int16_t> w(a.size() * channels);  // [k][n]
  std::vector<std::uint32_t> sums(channels);         // wrap
  for (int head = 0; head < gemm.heads; ++head) {
    const Left left(layer, store, sample, head);
    const Right right(layer, store, sample, head);
    for (std::size_t n = 0; n < channels; ++n) {
      right.gather(static_cast<std::int64_t>(n), 0, gemm.k, row.data());
      for (std::size_t k = 0; k < row.size(); ++k) w[k * channels + n] = row[k];
    }
    for (std::int64_t m = 0; m < gemm.m; ++m) {
      left.gather(m, 0, gemm.k, a.data());
      std::fill(sums.begin(), sums.end(), 0U);
      for (std::size_t k = 0; k < a.size(); ++k) {
        const int code = left.is_signed() ? static_cast<std::int8_t>(a[k]) : a[k];
        if (code == 0) continue;  // adds nothing
        const std::int16_t* weights = w.data() + k * channels;
        for (std::size_t n = 0; n < channels; ++n) {
          sums[n] += static_cast<std::uint32_t>(code * weights[n]);
        }
      }
      for (std::int64_t n = 0; n < gemm.n; ++n) {
        const auto sum = static_cast<std::int32_t>(sums[static_cast<std::size_t>(n)]);
        out[static_cast<std::size_t>(output_index(layer, head, m, n))] =
            static_cast<std::uint8_t>(requantize(sum, layer.requantize, n, layer.range));
      }
    }
  }
}

void run_dense(TensorStore& store, std::int64_t sample) {
  for (const Layer& layer : store.graph().layers) {
    if (layer.on_engine()) {
      run_dense_gemm(layer, store, sample);
    } else {
      run_vector_layer(layer, store, sample);
    }
  }
}

std::string describe(const Graph& graph, const ExpectMismatch& mismatch) {
  const Layer& layer = graph.layers[static_cast<std::size_t>(mismatch.layer)];
  const Shape& shape = graph.output_of(layer).shape;
  std::vector<std::int64_t> place(shape.size());
  std::int64_t rest = mismatch.index;
  for (std::size_t i = shape.size(); i-- > 0;) {
    place[i] = rest % shape[i];
    rest /= shape[i];
  }
  return fmt::format(
      "layer {}, sample {}: {} of {} codes differ, first at {}: {} expected, {} "
      "computed",
      layer.name, mismatch.sample, mismatch.differences, element_count(shape),
      tensor::shape_text(place), mismatch.expected, mismatch.computed);
}

ExpectResult check_expected(const TensorStore& store) {
  const Graph& graph = store.graph();
  ExpectResult result;
  for (const Layer& layer : graph.layers) {
    if (layer.expect != nullptr) compare(store, layer.index, *layer.expect, result);
  }
  if (graph.result && graph.result->expect != nullptr) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(graph.result->layer)];
    if (layer.expect != graph.result->expect) {
      compare(store, layer.index, *graph.result->expect, result);
    }
  }
  return result;
}

int classify(const TensorStore& store, std::int64_t sample) {
  const Graph& graph = store.graph();
  LACUNA_CHECK(graph.result.has_value(), "workload {} has no result", graph.name);
  const Layer& layer = graph.layers[static_cast<std::size_t>(graph.result->layer)];
  const std::int64_t channels = graph.output_of(layer).channels();
  int best = 0;
  for (int c = 1; c < channels; ++c) {
    if (store.at(layer.output, sample, c) > store.at(layer.output, sample, best)) best = c;
  }
  return best;
}

Accuracy accuracy(const TensorStore& store) {
  const Graph& graph = store.graph();
  Accuracy result;
  for (std::int64_t sample = 0; sample < store.samples(); ++sample) {
    const auto source = static_cast<std::size_t>(store.source_sample(sample));
    ++result.samples;
    if (classify(store, sample) == graph.result->labels[source]) ++result.correct;
  }
  return result;
}

}  // namespace lacuna::workload
