// SPDX-License-Identifier: Apache-2.0
//
// The ops of transformer decoders and mobile networks, against readings of
// docs/reference/numerics.md that share no code with them.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "workload/check.h"
#include "workload/lowering.h"
#include "workload/tables.h"
#include "workload/vector_ops.h"
#include "workload_fixture.h"

namespace lacuna::workload {
namespace {

using ::testing::HasSubstr;

class DecoderOps : public WorkloadTest {
 protected:
  /// One input `x` (and `r` of the same shape) and one layer `y`, from drawn codes.
  Graph one(const std::string& shape, const std::string& type, const std::string& layer,
            const std::string& more = "") {
    return build(
        "schema: lacuna-workload-1\nname: t\nprovenance: {source: statistic, model: m}\n"
        "inputs:\n  - {name: x, shape: " +
        shape + ", type: " + type + ", sparsity: 0.2, seed: 1, samples: 1}\n  - {name: r, shape: " +
        shape + ", type: " + type + ", sparsity: 0.2, seed: 2, samples: 1}\n" + more +
        "layers:\n  - {name: y, input: x, " + layer + "}\n");
  }
  /// Runs it and returns the output's codes as numbers.
  static std::vector<int> run(const Graph& graph) {
    TensorStore store(graph, 0, 1);
    run_dense(store, 0);
    const Value& out = graph.output_of(graph.layers.back());
    std::vector<int> codes;
    for (std::int64_t i = 0; i < out.elements(); ++i) {
      codes.push_back(store.at(graph.layers.back().output, 0, i));
    }
    return codes;
  }
  static std::vector<int> input(const Graph& graph, int index = 0) {
    TensorStore store(graph, 0, 1);
    const int id = graph.inputs[static_cast<std::size_t>(index)];
    std::vector<int> codes;
    for (std::int64_t i = 0; i < graph.value(id).elements(); ++i) {
      codes.push_back(store.at(id, 0, i));
    }
    return codes;
  }
};

int clamp_s8(double value) {
  return static_cast<int>(std::clamp(std::floor(value), -128.0, 127.0));
}

TEST_F(DecoderOps, MultiplyTakesTheProductThroughTheScale) {
  const Graph graph =
      one("[3, 40]", "s8", "op: multiply, right: r, multiplier: 3, shift: 7, output: {type: s8}");
  const std::vector<int> a = input(graph, 0);
  const std::vector<int> b = input(graph, 1);
  const std::vector<int> y = run(graph);
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_EQ(y[i], clamp_s8((a[i] * b[i] * 3 + 64) / 128.0)) << i;
  }
}

TEST_F(DecoderOps, MultiplyByOneTokenScalesTheChannels) {
  const std::string more =
      "  - {name: s, shape: [1, 40], type: u8, sparsity: 0, seed: 3, samples: 1}\n";
  const std::string op = "op: multiply, right: s, multiplier: 5, shift: 9, output: {type: s8}";
  for (const char* shape : {"[6, 40]", "[2, 3, 40]"}) {
    const Graph graph = one(shape, "s8", op, more);
    const std::vector<int> a = input(graph, 0);
    const std::vector<int> s = input(graph, 2);
    const std::vector<int> y = run(graph);
    ASSERT_EQ(y.size(), 240U);
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i], clamp_s8((a[i] * s[i % 40] * 5 + 256) / 512.0)) << i;
    }
  }
  const auto refused = [&](const std::string& shape, const std::string& layer) {
    try {
      static_cast<void>(one(shape, "s8", layer, more));
    } catch (const base::UserError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused("[6, 20]", op), HasSubstr("the operands have shapes [6, 20] and [1, 40]"));
  EXPECT_THAT(
      refused("[6, 40]", "op: add, right: s, multiplier: [1, 1], shift: 9, output: {type: s8}"),
      HasSubstr("the operands have shapes [6, 40] and [1, 40]"));
}

TEST_F(DecoderOps, NormsOfPixelsAreThoseOfTokens) {
  for (const char* op :
       {"op: rms_norm, output: {type: s8}", "op: layer_norm, output: {type: s8}"}) {
    EXPECT_EQ(run(one("[6, 40]", "s8", op)), run(one("[2, 3, 40]", "s8", op))) << op;
  }
}

TEST_F(DecoderOps, RmsNormOfATokenHasTheStatedSize) {
  const Graph graph = one("[5, 64]", "s8", "op: rms_norm, output: {type: s8}");
  const std::vector<int> x = input(graph);
  const std::vector<int> y = run(graph);
  for (int token = 0; token < 5; ++token) {
    double squares = 0;
    for (int c = 0; c < 64; ++c)
      squares += std::pow(x[static_cast<std::size_t>(token * 64 + c)], 2);
    const double rms = std::sqrt(squares / 64);
    for (int c = 0; c < 64; ++c) {
      const auto i = static_cast<std::size_t>(token * 64 + c);
      EXPECT_NEAR(y[i], std::clamp(32 * x[i] / rms, -128.0, 127.0), 0.51 + 0.05) << i;
    }
  }
}

TEST_F(DecoderOps, RmsNormCorners) {
  const OutputRange range{-128, 127, 0};
  std::vector<int> out(4);
  const std::vector<std::int32_t> gamma(4, 32);
  rms_norm_row(std::vector<int>{0, 0, 0, 0}, gamma, 12, range, out);  // no division by 0
  EXPECT_EQ(out, (std::vector<int>{0, 0, 0, 0}));
  rms_norm_row(std::vector<int>{-128, -128, -128, -128}, gamma, 12, range, out);
  EXPECT_EQ(out, (std::vector<int>{-32, -32, -32, -32}));
}

TEST_F(DecoderOps, RotaryTurnsPairsAndKeepsTheirLength) {
  for (const bool interleaved : {false, true}) {
    const Graph graph = one("[6, 32]", "s8",
                            std::string("op: rotary, heads: 2, rotary_channels: 8, position: 100, "
                                        "theta: 500, interleaved: ") +
                                (interleaved ? "true" : "false") + ", output: {type: s8}");
    const std::vector<int> x = input(graph);
    const std::vector<int> y = run(graph);
    for (int token = 0; token < 6; ++token) {
      for (int head = 0; head < 2; ++head) {
        const int base = token * 32 + head * 16;
        for (int pair = 0; pair < 4; ++pair) {
          const int first = base + (interleaved ? 2 * pair : pair);
          const int second = first + (interleaved ? 1 : 4);
          const double angle = (100 + token) * std::pow(500, -2.0 * pair / 8);
          const double a = x[static_cast<std::size_t>(first)];
          const double b = x[static_cast<std::size_t>(second)];
          const auto limit = [](double v) { return std::clamp(v, -128.0, 127.0); };
          EXPECT_NEAR(y[static_cast<std::size_t>(first)],
                      limit(a * std::cos(angle) - b * std::sin(angle)), 0.52);
          EXPECT_NEAR(y[static_cast<std::size_t>(second)],
                      limit(a * std::sin(angle) + b * std::cos(angle)), 0.52);
        }
        for (int c = 8; c < 16; ++c) {
          EXPECT_EQ(y[static_cast<std::size_t>(base + c)], x[static_cast<std::size_t>(base + c)]);
        }
      }
    }
  }
}

TEST_F(DecoderOps, DepthwiseConvolutionIsAGroupedOneOfOneChannelEach) {
  const std::string window = "kernel: [3, 3], stride: [2, 1], padding: [1, 0], ";
  tensors_.add<std::int8_t>("w", {20, 3, 3}, s8(180));
  add_requantize("q", 20);
  const std::string head_text = head("mixed");
  const auto network = [&](const std::string& op) {
    return head_text +
           "inputs: [{name: x, shape: [7, 6, 20], type: u8, sparsity: 0.3, seed: 1, samples: "
           "1}]\n" +
           "layers: [{name: y, input: x, " + op + window + requantize("q") +
           ", output: {type: s8}}]\n";
  };
  const Graph depthwise = build(network("op: depthwise_conv2d, weights: {tensor: w}, "));
  const std::vector<int> expected = run(depthwise);  // before the file is written again
  tensors_.add<std::int8_t>("w4", {20, 3, 3, 1},
                            std::vector<std::int8_t>(depthwise.layers[0].weights.codes.begin(),
                                                     depthwise.layers[0].weights.codes.end()));
  const Graph grouped = build(network("op: conv2d, groups: 20, weights: {tensor: w4}, "));
  EXPECT_EQ(run(grouped), expected);
  EXPECT_EQ(depthwise.dense_macs(), grouped.dense_macs());
  EXPECT_EQ(depthwise.weight_count(), grouped.weight_count());
}

TEST_F(DecoderOps, GroupsDoNotMix) {
  const Graph graph = one("[4, 4, 32]", "u8",
                          "op: conv2d, groups: 2, kernel: [1, 1], out_channels: 8, "
                          "weights: {pattern: dense, seed: 1}, output: {type: s8}");
  const WeightMatrix& weights = graph.layers[0].weights;
  for (std::int64_t n = 0; n < 8; ++n) {
    for (std::int64_t k = 0; k < 32; ++k) {
      EXPECT_EQ(weights.at(n, k) != 0, n / 4 == k / 16) << n << " " << k;
    }
  }
  EXPECT_EQ(graph.dense_macs(), 16 * 8 * 16);
}

TEST_F(DecoderOps, CausalRowsSeeWhatLiesBeforeThem) {
  const std::string op = "op: softmax, heads: 2, ";
  const Graph graph = one("[3, 10]", "s8", op + "causal: true, position: 1");
  const std::vector<int> x = input(graph);
  const std::vector<int> y = run(graph);
  for (int token = 0; token < 3; ++token) {
    const int seen = std::min(5, token + 2);
    for (int head = 0; head < 2; ++head) {
      const auto base = static_cast<std::size_t>(token * 10 + head * 5);
      std::vector<std::uint8_t> codes;
      for (int i = 0; i < seen; ++i) {
        codes.push_back(static_cast<std::uint8_t>(x[base + static_cast<std::size_t>(i)]));
      }
      std::vector<std::uint8_t> expected(5, 0);
      softmax_row(codes, true, exponential_table(), {0, 255, 0},
                  std::span(expected).first(static_cast<std::size_t>(seen)));
      EXPECT_EQ(std::vector<std::uint8_t>(y.begin() + static_cast<std::ptrdiff_t>(base),
                                          y.begin() + static_cast<std::ptrdiff_t>(base) + 5),
                expected)
          << token << " " << head;
    }
  }
  const params::VectorWork work = vector_work(graph, graph.layers[0]);
  EXPECT_EQ(work.elements(), 2 * (2 + 3 + 4));
}

TEST_F(DecoderOps, GroupedQueriesShareKeys) {
  const std::string statistic = "type: s8, sparsity: 0.2, samples: 1, seed: ";
  const Graph graph = build(
      "schema: lacuna-workload-1\nname: t\nprovenance: {source: statistic, model: m}\n"
      "inputs:\n  - {name: q, shape: [3, 32], " +
      statistic + "1}\n  - {name: k, shape: [5, 16], " + statistic +
      "2}\nlayers:\n  - {name: s, op: matmul, input: q, right: k, heads: 4, kv_heads: "
      "2, transpose_right: true, output: {type: s8}}\n");
  TensorStore store(graph, 0, 1);
  const Layer& layer = graph.layers[0];
  EXPECT_EQ(layer.gemm.heads, 4);
  EXPECT_EQ(layer.gemm.k, 8);
  for (int head = 0; head < 4; ++head) {
    const Right right(layer, store, 0, head);
    for (std::int64_t n = 0; n < 5; ++n) {
      for (std::int64_t k = 0; k < 8; ++k) {
        EXPECT_EQ(right.at(n, k), store.at(graph.inputs[1], 0, n * 16 + head / 2 * 8 + k));
      }
    }
  }
}

TEST_F(DecoderOps, EmbeddingsReadTheRowThatTheTokenNames) {
  tensors_.add<std::int8_t>("table", {7, 12}, s8(84));
  const Graph graph =
      build(head("mixed") +
            "inputs: [{name: x, shape: [4, 4], type: u8, sparsity: 0, seed: 3, samples: 1}]\n"
            "layers: [{name: y, op: embedding, input: x, vocabulary: 7, out_channels: 12, weights: "
            "{tensor: table}, output: {type: s8}}]\n");
  const std::vector<int> x = input(graph);
  const std::vector<int> y = run(graph);
  for (std::size_t token = 0; token < 4; ++token) {
    std::int64_t id = 0;
    for (std::size_t byte = 4; byte-- > 0;) id = id * 256 + x[token * 4 + byte];
    for (std::size_t c = 0; c < 12; ++c) {
      EXPECT_EQ(y[token * 12 + c],
                graph.layers[0].weights.at(id % 7, static_cast<std::int64_t>(c)));
    }
  }
}

TEST_F(DecoderOps, DrawnEmbeddingRowsDependOnTheirNumberOnly) {
  const Graph graph = one("[2, 4]", "u8",
                          "op: embedding, vocabulary: 1000, out_channels: 64, weights: {pattern: "
                          "unstructured, sparsity: 0.5, seed: 4}, output: {type: s8}");
  EXPECT_EQ(embedding_row(graph.layers[0], 17), embedding_row(graph.layers[0], 17));
  EXPECT_NE(embedding_row(graph.layers[0], 17), embedding_row(graph.layers[0], 18));
}

TEST_F(DecoderOps, CopiesPutCodesWhereTheyBelong) {
  const Graph channels = one("[2, 3, 5]", "s8", "op: concat, others: [r, x], axis: channels");
  const std::vector<int> x = input(channels, 0);
  const std::vector<int> r = input(channels, 1);
  std::vector<int> y = run(channels);
  ASSERT_EQ(y.size(), 90U);
  for (std::size_t pixel = 0; pixel < 6; ++pixel) {
    for (std::size_t c = 0; c < 15; ++c) {
      const std::vector<int>& from = c < 5 || c >= 10 ? x : r;
      EXPECT_EQ(y[pixel * 15 + c], from[pixel * 5 + c % 5]);
    }
  }
  const Graph tokens = one("[2, 5]", "s8", "op: concat, others: [r], axis: tokens");
  std::vector<int> both = input(tokens, 0);
  const std::vector<int> second = input(tokens, 1);
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(run(tokens), both);

  const Graph slice = one("[6, 4]", "s8", "op: slice, begin: 2, count: 3");
  const std::vector<int> all = input(slice);
  EXPECT_EQ(run(slice), std::vector<int>(all.begin() + 8, all.begin() + 20));

  const Graph upsample = one("[2, 3, 4]", "s8", "op: upsample, factor: 2");
  const std::vector<int> small = input(upsample);
  y = run(upsample);
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t column = 0; column < 6; ++column) {
      for (std::size_t c = 0; c < 4; ++c) {
        EXPECT_EQ(y[(row * 6 + column) * 4 + c], small[(row / 2 * 3 + column / 2) * 4 + c]);
      }
    }
  }
}

TEST_F(DecoderOps, PoolsWithPaddingIgnoreIt) {
  const Graph graph =
      one("[3, 3, 2]", "s8", "op: max_pool, kernel: [3, 3], stride: [1, 1], padding: [1, 1]");
  const std::vector<int> x = input(graph);
  const std::vector<int> y = run(graph);
  ASSERT_EQ(y.size(), x.size());
  for (int c = 0; c < 2; ++c) {
    int corner = -128;
    for (const int pixel : {0, 1, 3, 4}) {
      corner = std::max(corner, x[static_cast<std::size_t>(pixel * 2 + c)]);
    }
    EXPECT_EQ(y[static_cast<std::size_t>(c)], corner);
  }
}

TEST_F(DecoderOps, DrawnOutputsStayWhatTheyAre) {
  const Graph graph = one("[8, 64]", "s8",
                          "op: linear, out_channels: 32, weights: {pattern: dense, seed: 1}, "
                          "output: {type: s8, drawn: {sparsity: 0.75, seed: 9, source: a table}}");
  const std::vector<int> y = run(graph);
  EXPECT_EQ(std::count(y.begin(), y.end(), 0), 8 * 32 * 3 / 4);
  EXPECT_THAT(graph.output_of(graph.layers[0]).provenance.text, HasSubstr("seed 9 (a table)"));
  EXPECT_EQ(graph.output_of(graph.layers[0]).provenance.origin, Origin::kStatistic);
}

TEST_F(DecoderOps, EqualStatisticsShareTheirWeights) {
  const auto layer = [](const std::string& name, int seed) {
    return "  - {name: " + name +
           ", op: linear, input: x, out_channels: 16, output: {type: s8}, "
           "weights: {pattern: unstructured, sparsity: 0.5, seed: " +
           std::to_string(seed) + "}}\n";
  };
  const Graph graph = build(
      "schema: lacuna-workload-1\nname: t\nprovenance: {source: statistic, model: m}\n"
      "inputs: [{name: x, shape: [2, 32], type: s8, sparsity: 0, seed: 1, samples: 1}]\nlayers:\n" +
      layer("a", 1) + layer("b", 1) + layer("c", 2));
  EXPECT_EQ(graph.layers[0].weights.identity(), graph.layers[1].weights.identity());
  EXPECT_NE(graph.layers[0].weights.identity(), graph.layers[2].weights.identity());
}

TEST(Tables, BuiltInFunctions) {
  const auto s8 = params::CodeType::kS8;
  const auto u8 = params::CodeType::kU8;
  using params::Function;
  for (int code = -128; code < 128; ++code) {
    const double x = code / 16.0;
    const auto at = static_cast<std::size_t>(code + 128);
    EXPECT_NEAR(function_table(Function::kGelu, s8, s8)[at],
                std::clamp(16 * x * 0.5 * std::erfc(-x / std::sqrt(2.0)), -128.0, 127.0), 0.501);
    EXPECT_NEAR(function_table(Function::kSilu, s8, s8)[at], 16 * x / (1 + std::exp(-x)), 0.501);
    EXPECT_NEAR(function_table(Function::kSigmoid, s8, u8)[at], 255 / (1 + std::exp(-x)), 0.501);
    EXPECT_NEAR(function_table(Function::kTanh, s8, s8)[at], 127 * std::tanh(x), 0.501);
    EXPECT_EQ(function_table(Function::kRelu, s8, u8)[at], std::max(0, code));
    EXPECT_EQ(function_table(Function::kRelu6, s8, u8)[at], std::clamp(code, 0, 96));
  }
  EXPECT_EQ(exponential_table()[0], 32767);
  EXPECT_EQ(exponential_table()[16], 12054);  // 32767 / e = 12054.3
}

// Each complaint names the layer and what to do.
TEST_F(DecoderOps, Errors) {
  const auto error = [&](const std::string& shape, const std::string& layer) -> std::string {
    try {
      (void)one(shape, "s8", layer);
    } catch (const base::UserError& found) {
      return found.what();
    }
    return {};
  };
  EXPECT_THAT(error("[2, 30]", "op: rotary, heads: 4, output: {type: s8}"),
              HasSubstr("the 30 channels of rotary 'y' do not divide into 4 heads"));
  EXPECT_THAT(error("[2, 12]", "op: rotary, heads: 4, output: {type: s8}"),
              HasSubstr("must be an even number"));
  EXPECT_THAT(error("[2, 32]", "op: rotary, heads: 4, rotary_channels: 10, output: {type: s8}"),
              HasSubstr("turns 10 channels of a head of 8"));
  EXPECT_THAT(error("[4, 4, 30]",
                    "op: conv2d, groups: 4, kernel: [1, 1], out_channels: 8, "
                    "weights: {pattern: dense, seed: 1}, output: {type: s8}"),
              HasSubstr("do not divide into 4 groups"));
  EXPECT_THAT(error("[2, 4]",
                    "op: embedding, vocabulary: 5, out_channels: 8, weights: {pattern: "
                    "dense, seed: 1}, output: {type: s8}"),
              HasSubstr("reads numbers of 4 bytes"));
  EXPECT_THAT(error("[2, 4]", "op: slice, begin: 1, count: 2"),
              HasSubstr("reads tokens 1..2 of 'x', which has 2"));
  EXPECT_THAT(error("[2, 4]", "op: upsample, factor: 2"), HasSubstr("needs a feature map"));
  EXPECT_THAT(error("[2, 4]", "op: concat, others: [z], axis: tokens"),
              HasSubstr("there is no input or layer 'z'"));
  EXPECT_THAT(error("[2, 4]", "op: concat, others: [], axis: tokens"),
              HasSubstr("must name at least one"));
  EXPECT_THAT(error("[2, 4]", "op: lookup, output: {type: s8}"),
              HasSubstr("needs 'table' or 'function'"));
  EXPECT_THAT(error("[2, 4]",
                    "op: matmul, right: r, heads: 4, kv_heads: 3, transpose_right: true, "
                    "output: {type: s8}"),
              HasSubstr("the 4 heads of matmul 'y' do not divide into 3"));
  EXPECT_THAT(error("[2, 4]",
                    "op: multiply, right: r, multiplier: [1, 2], shift: 1, output: "
                    "{type: s8}"),
              HasSubstr("'multiplier' of multiply must be one number"));
  EXPECT_THAT(error("[2, 4]", "op: layer_norm, shift: 3, output: {type: s8}"),
              HasSubstr("needs 'gamma', 'beta' and 'shift', or none"));
}

TEST_F(DecoderOps, CapturedWorkloadsBringTheirConstants) {
  tensors_.add<std::int8_t>("x", {1, 2, 4}, s8(8));
  const std::string text = head() + "inputs: [{name: x, shape: [2, 4], type: s8, tensor: x}]\n";
  EXPECT_THAT(error_of(text + "layers: [{name: y, op: softmax, input: x, heads: 1}]\n"),
              HasSubstr("needs 'table' in a captured workload"));
  EXPECT_THAT(error_of(text + "layers: [{name: y, op: rms_norm, input: x, output: {type: s8}}]\n"),
              HasSubstr("needs 'gamma' in a captured workload"));
}

}  // namespace
}  // namespace lacuna::workload
