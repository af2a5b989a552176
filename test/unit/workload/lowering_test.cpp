// SPDX-License-Identifier: Apache-2.0
#include "workload/lowering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "workload/check.h"
#include "workload/requantize.h"
#include "workload_fixture.h"

namespace lacuna::workload {
namespace {

using ::testing::ElementsAre;

class Lowering : public WorkloadTest {
 protected:
  static std::int64_t requantize_expected(const Layer& layer, std::int64_t sum, std::int64_t n) {
    return workload::requantize(static_cast<std::int32_t>(sum), layer.requantize, n, layer.range);
  }
};

struct ConvCase {
  std::int64_t height, width, channels, kernel_y, kernel_x, stride_y, stride_x, padding_y,
      padding_x;
};

/// Convolutions from the definition, pixel by pixel, against gathered rows times weights.
TEST_F(Lowering, ConvolutionEqualsItsDefinition) {
  const std::vector<ConvCase> cases{{5, 6, 3, 3, 3, 1, 1, 1, 1},  {5, 6, 16, 3, 3, 1, 1, 1, 1},
                                    {7, 4, 17, 2, 3, 2, 1, 0, 2}, {4, 4, 20, 1, 1, 1, 1, 0, 0},
                                    {4, 5, 2, 1, 1, 2, 3, 0, 0},  {3, 3, 16, 3, 3, 5, 5, 2, 2},
                                    {9, 8, 1, 5, 4, 3, 2, 4, 3}};
  int index = 0;
  std::string yaml = head() + "inputs:\n";
  std::vector<std::vector<std::uint8_t>> x;
  std::vector<std::vector<std::int8_t>> w;
  constexpr std::int64_t kOut = 5;
  for (const ConvCase& c : cases) {
    const std::string i = std::to_string(index++);
    x.push_back(u8(c.height * c.width * c.channels));
    w.push_back(s8(kOut * c.kernel_y * c.kernel_x * c.channels));
    tensors_.add<std::uint8_t>("x" + i, {1, c.height, c.width, c.channels}, x.back());
    tensors_.add<std::int8_t>("w" + i, {kOut, c.kernel_y, c.kernel_x, c.channels}, w.back());
    add_requantize("l" + i, kOut);
    yaml += fmt::format("  - {{name: x{}, shape: [{}, {}, {}], type: u8, tensor: x{}}}\n", i,
                        c.height, c.width, c.channels, i);
  }
  yaml += "layers:\n";
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const ConvCase& c = cases[i];
    yaml += fmt::format(
        "  - {{name: l{0}, op: conv2d, input: x{0}, kernel: [{1}, {2}], stride: [{3}, {4}], "
        "padding: "
        "[{5}, {6}], weights: {{tensor: w{0}}}, {7}, output: {{type: s8, gate: 1}}}}\n",
        i, c.kernel_y, c.kernel_x, c.stride_y, c.stride_x, c.padding_y, c.padding_x,
        requantize("l" + std::to_string(i)));
  }
  const Graph graph = build(yaml);
  TensorStore store(graph, 0, 1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const ConvCase& c = cases[i];
    const Layer& layer = graph.layers[i];
    const Shape& out = graph.output_of(layer).shape;
    EXPECT_EQ(out[0], (c.height + 2 * c.padding_y - c.kernel_y) / c.stride_y + 1);
    EXPECT_EQ(out[1], (c.width + 2 * c.padding_x - c.kernel_x) / c.stride_x + 1);
    const std::int64_t taps = c.kernel_y * c.kernel_x;
    EXPECT_EQ(layer.gemm.k, taps * c.channels);
    EXPECT_EQ(layer.gemm.im2col, c.channels < kIm2colChannels && taps > 1);
    EXPECT_EQ(layer.gemm.segments * layer.gemm.segment_channels, layer.gemm.k);
    EXPECT_EQ(layer.gemm.segments, layer.gemm.im2col ? 1 : taps);
    run_dense_gemm(layer, store, 0);
    const Left left(layer, store, 0);
    for (std::int64_t oy = 0; oy < out[0]; ++oy) {
      for (std::int64_t ox = 0; ox < out[1]; ++ox) {
        for (std::int64_t n = 0; n < kOut; ++n) {
          std::int64_t sum = 0;
          for (std::int64_t r = 0; r < c.kernel_y; ++r) {
            for (std::int64_t s = 0; s < c.kernel_x; ++s) {
              const std::int64_t y = oy * c.stride_y + r - c.padding_y;
              const std::int64_t px = ox * c.stride_x + s - c.padding_x;
              const bool inside = y >= 0 && y < c.height && px >= 0 && px < c.width;
              EXPECT_EQ(left.token(oy * out[1] + ox, static_cast<int>(r * c.kernel_x + s)),
                        inside ? y * c.width + px : -1);
              if (!inside) continue;
              for (std::int64_t ch = 0; ch < c.channels; ++ch) {
                sum +=
                    std::int64_t{
                        x[i][static_cast<std::size_t>((y * c.width + px) * c.channels + ch)]} *
                    w[i][static_cast<std::size_t>(
                        ((n * c.kernel_y + r) * c.kernel_x + s) * c.channels + ch)];
              }
            }
          }
          EXPECT_EQ(store.at(layer.output, 0, (oy * out[1] + ox) * kOut + n),
                    requantize_expected(layer, sum, n));
        }
      }
    }
  }
}

TEST_F(Lowering, GatherTakesAnyRange) {
  const auto x = u8(3 * 3 * 4);
  tensors_.add<std::uint8_t>("x", {1, 3, 3, 4}, x).add<std::int8_t>("w", {2, 2, 2, 4}, s8(32));
  add_requantize("l", 2);
  const Graph graph =
      build(head() +
            "inputs: [{name: x, shape: [3, 3, 4], type: u8, tensor: x}]\nlayers: [{name: l, "
            "op: conv2d, input: x, kernel: [2, 2], padding: [1, 1], weights: {tensor: w}, " +
            requantize("l") + ", output: {type: u8}}]\n");
  const TensorStore store(graph, 0, 1);
  const Left left(graph.layers[0], store, 0);
  for (std::int64_t m = 0; m < graph.layers[0].gemm.m; ++m) {
    std::vector<std::uint8_t> row(16);
    left.gather(m, 0, 16, row.data());
    for (std::int64_t begin = 0; begin <= 16; ++begin) {
      for (std::int64_t end = begin; end <= 16; ++end) {
        std::vector<std::uint8_t> part(static_cast<std::size_t>(end - begin));
        left.gather(m, begin, end, part.data());
        EXPECT_TRUE(std::equal(part.begin(), part.end(), row.begin() + begin));
      }
    }
    for (int segment = 0; segment < left.segments(); ++segment) {
      const std::uint8_t* codes = left.segment(m, segment);
      for (int c = 0; c < 4; ++c) {
        EXPECT_EQ(row[static_cast<std::size_t>(segment * 4 + c)], codes == nullptr ? 0 : codes[c]);
      }
    }
  }
}

TEST_F(Lowering, MatmulHeadsAndTransposition) {
  constexpr std::int64_t kT = 3, kU = 5, kD = 4, kHeads = 2;
  const auto q = u8(kT * kHeads * kD);
  const auto key = s8(kU * kHeads * kD);
  const auto p = u8(kT * kHeads * kU);
  tensors_.add<std::uint8_t>("q", {1, kT, kHeads * kD}, q);
  tensors_.add<std::int8_t>("k", {1, kU, kHeads * kD}, key);
  tensors_.add<std::uint8_t>("p", {1, kT, kHeads * kU}, p);
  add_requantize("l", 1);
  const Graph graph = build(
      head() +
      "inputs:\n  - {name: q, shape: [3, 8], type: u8, tensor: q}\n  - {name: k, shape: [5, 8], "
      "type: "
      "s8, tensor: k}\n  - {name: p, shape: [3, 10], type: u8, tensor: p}\nlayers:\n"
      "  - {name: scores, op: matmul, input: q, right: k, heads: 2, transpose_right: true, " +
      requantize("l") + ", output: {type: s8}}\n" +
      "  - {name: attend, op: matmul, input: p, right: k, heads: 2, transpose_right: false, " +
      requantize("l") + ", output: {type: s8}}\n");
  TensorStore store(graph, 0, 1);
  run_dense(store, 0);
  const Layer& scores = graph.layers[0];
  EXPECT_EQ(graph.output_of(scores).shape, (Shape{kT, kHeads * kU}));
  EXPECT_EQ(scores.gemm.n, kU);
  EXPECT_EQ(scores.gemm.k, kD);
  const Layer& attend = graph.layers[1];
  EXPECT_EQ(graph.output_of(attend).shape, (Shape{kT, kHeads * kD}));
  EXPECT_EQ(attend.gemm.n, kD);
  EXPECT_EQ(attend.gemm.k, kU);
  for (std::int64_t h = 0; h < kHeads; ++h) {
    const Right right(scores, store, 0, static_cast<int>(h));
    std::vector<std::int8_t> row(kU);
    Right(attend, store, 0, static_cast<int>(h)).gather(1, 0, kU, row.data());
    for (std::int64_t u = 0; u < kU; ++u) {
      EXPECT_EQ(row[static_cast<std::size_t>(u)],
                key[static_cast<std::size_t>(u * kHeads * kD + h * kD + 1)]);
      EXPECT_EQ(right.at(u, 2), key[static_cast<std::size_t>(u * kHeads * kD + h * kD + 2)]);
    }
    for (std::int64_t t = 0; t < kT; ++t) {
      for (std::int64_t u = 0; u < kU; ++u) {
        std::int64_t sum = 0;
        for (std::int64_t d = 0; d < kD; ++d) {
          sum += std::int64_t{q[static_cast<std::size_t>(t * kHeads * kD + h * kD + d)]} *
                 key[static_cast<std::size_t>(u * kHeads * kD + h * kD + d)];
        }
        EXPECT_EQ(store.at(scores.output, 0, t * kHeads * kU + h * kU + u),
                  requantize_expected(scores, sum, u));
      }
      for (std::int64_t d = 0; d < kD; ++d) {
        std::int64_t sum = 0;
        for (std::int64_t u = 0; u < kU; ++u) {
          sum += std::int64_t{p[static_cast<std::size_t>(t * kHeads * kU + h * kU + u)]} *
                 key[static_cast<std::size_t>(u * kHeads * kD + h * kD + d)];
        }
        EXPECT_EQ(store.at(attend.output, 0, t * kHeads * kD + h * kD + d),
                  requantize_expected(attend, sum, d));
      }
    }
  }
}

TEST_F(Lowering, LinearTreatsAFeatureMapAsTokens) {
  tensors_.add<std::int8_t>("x", {2, 2, 3, 4}, s8(48)).add<std::int8_t>("w", {5, 4}, s8(20));
  add_requantize("l", 5);
  const Graph graph =
      build(head() +
            "inputs: [{name: x, shape: [2, 3, 4], type: s8, tensor: x}]\nlayers: [{name: l, "
            "op: linear, input: x, weights: {tensor: w}, " +
            requantize("l") + ", output: {type: u8}}]\n");
  EXPECT_EQ(graph.samples, 2);
  EXPECT_EQ(graph.output_of(graph.layers[0]).shape, (Shape{6, 5}));
  EXPECT_EQ(graph.layers[0].gemm.segments, 1);
  EXPECT_EQ(graph.dense_macs(), 6 * 5 * 4);
}

TEST_F(Lowering, EffectiveMacsAreCountedOneByOne) {
  tensors_.add<std::int8_t>("x", {1, 7, 9}, s8(63)).add<std::int8_t>("w", {5, 9}, s8(45));
  add_requantize("l", 5);
  const Graph graph =
      build(head() +
            "inputs: [{name: x, shape: [7, 9], type: s8, tensor: x}]\nlayers: [{name: l, "
            "op: linear, input: x, weights: {tensor: w}, " +
            requantize("l") + ", output: {type: u8}}]\n");
  const TensorStore store(graph, 0, 1);
  const Layer& layer = graph.layers[0];
  std::int64_t wanted = 0;
  for (int m = 0; m < 7; ++m) {
    for (int n = 0; n < 5; ++n) {
      for (int k = 0; k < 9; ++k) {
        wanted += store.at(0, 0, m * 9 + k) != 0 && layer.weights.at(n, k) != 0 ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(effective_macs(layer, store, 0), wanted);
  EXPECT_LT(wanted, 7 * 5 * 9);
}

TEST_F(Lowering, VectorWorkOfEachOp) {
  tensors_.add<std::int8_t>("x", {1, 4, 6, 8}, s8(192)).add<std::int8_t>("t", {1, 4, 6}, s8(24));
  tensors_.add<std::uint16_t>("e", {256}, std::vector<std::uint16_t>(256, 32767));
  tensors_.add<std::int8_t>("table", {256}, s8(256));
  tensors_.add<std::int32_t>("g", {6}, s32(6, 1, 9));
  const Graph graph = build(
      head() +
      "inputs:\n  - {name: x, shape: [4, 6, 8], type: s8, tensor: x}\n  - {name: t, shape: [4, 6], "
      "type: "
      "s8, tensor: t}\nlayers:\n"
      "  - {name: a, op: add, input: t, right: t, multiplier: [1, 1], shift: 1, output: {type: "
      "s8}}\n"
      "  - {name: b, op: lookup, input: x, table: table, output: {type: s8}}\n"
      "  - {name: c, op: softmax, input: t, heads: 3, table: e}\n"
      "  - {name: d, op: layer_norm, input: t, gamma: g, beta: g, shift: 3, output: {type: s8}}\n"
      "  - {name: e, op: max_pool, input: x, kernel: [2, 3]}\n"
      "  - {name: f, op: average_pool, input: x, multiplier: 3, shift: 4, output: {type: s8}}\n"
      "  - {name: g, op: flatten, input: x}\n");
  using params::VectorWork;
  const auto work = [&](int i) {
    return vector_work(graph, graph.layers[static_cast<std::size_t>(i)]);
  };
  EXPECT_EQ(work(0), (VectorWork{Op::kAdd, 1, 24, 1}));
  EXPECT_EQ(work(1), (VectorWork{Op::kLookup, 1, 192, 1}));
  EXPECT_EQ(work(2), (VectorWork{Op::kSoftmax, 12, 2, 1}));
  EXPECT_EQ(work(3), (VectorWork{Op::kLayerNorm, 4, 6, 1}));
  EXPECT_EQ(work(4), (VectorWork{Op::kMaxPool, 4, 8, 6}));
  EXPECT_EQ(work(5), (VectorWork{Op::kAveragePool, 1, 8, 24}));
  EXPECT_EQ(work(6), (VectorWork{Op::kFlatten, 0, 0, 0}));
  EXPECT_EQ(vector_work(graph, graph.layers[2], 1, 3), (VectorWork{Op::kSoftmax, 6, 2, 1}));
  EXPECT_EQ(vector_work(graph, graph.layers[1], 0, 1), (VectorWork{Op::kLookup, 1, 8, 1}));
  EXPECT_EQ(vector_rows(graph, graph.layers[1]), 24);
  EXPECT_THROW((void)vector_work(graph, graph.layers[0], 0, 5), base::InternalError);
  EXPECT_THAT(graph.readers(1), ElementsAre(0, 2, 3));
  EXPECT_THAT(graph.readers(0), ElementsAre(1, 4, 5));  // the flatten itself reads nothing
}

TEST_F(Lowering, BatchesWrapAroundTheSamples) {
  tensors_.add<std::uint8_t>("x", {3, 1, 2}, {1, 2, 3, 4, 5, 6});
  const Graph graph = build(head() +
                            "inputs: [{name: x, shape: [1, 2], type: u8, tensor: x}]\n"
                            "layers: [{name: y, op: flatten, input: x}]\n");
  const TensorStore store(graph, 2, 3);
  EXPECT_EQ(store.source_sample(0), 2);
  EXPECT_EQ(store.source_sample(1), 0);
  EXPECT_EQ(store.at(0, 0, 0), 5);
  EXPECT_EQ(store.at(0, 1, 0), 1);
  EXPECT_EQ(store.at(0, 2, 1), 4);
  EXPECT_EQ(store.size_bytes(), 6);
  EXPECT_THROW((void)store.codes(0, 3), base::InternalError);
}

TEST(WeightRows, AreTheCodesOfTheMatrixWhetherStoredOrDrawn) {
  const std::int64_t n = 9;
  const std::int64_t k = 70;
  WeightMatrix drawn;
  drawn.n = n;
  drawn.k = k;
  drawn.drawn_seed = 8;
  drawn.drawn_mask = std::make_shared<tensor::MaskMatrix>(tensor::draw_mask(
      n, k, {.kind = tensor::PatternKind::kUnstructured, .density = 0.3, .seed = 8}, "test"));
  const WeightMatrix stored = drawn.with_codes();
  ASSERT_TRUE(drawn.codes.empty());
  WeightRows from_mask(drawn);
  WeightRows from_codes(stored);
  std::int64_t channel = 0;
  for (const std::int64_t channels : {4, 3, 2}) {
    const auto expected = stored.codes.subspan(static_cast<std::size_t>(channel * k),
                                               static_cast<std::size_t>(channels * k));
    for (WeightRows* rows : {&from_mask, &from_codes}) {
      const auto found = rows->next(channels);
      EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
    }
    channel += channels;
  }
  EXPECT_THROW((void)from_codes.next(1), base::InternalError);
}

}  // namespace
}  // namespace lacuna::workload
