// SPDX-License-Identifier: Apache-2.0
//
// What a workload file may say and what it may not: each error once, with its place.
#include "workload/graph_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workload/check.h"
#include "workload/lowering.h"
#include "workload_fixture.h"

namespace lacuna::workload {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GraphBuilder : public WorkloadTest {
 protected:
  void SetUp() override {
    tensors_.add<std::uint8_t>("x", {2, 4, 4, 3}, u8(96)).add<std::int8_t>("t", {2, 5, 8}, s8(80));
    tensors_.add<std::uint8_t>("u", {2, 5, 8}, u8(80));
    tensors_.add<std::int8_t>("w", {6, 3, 3, 3}, s8(162)).add<std::int8_t>("lw", {4, 8}, s8(32));
    tensors_.add<std::int8_t>("w0", {0, 8}, std::vector<std::int8_t>{});
    tensors_.add<float>("float", {4, 8}, std::vector<float>(32, 1.0F));
    add_requantize("r", 6);
    add_requantize("q", 4);
    add_requantize("one", 1);
    tensors_.add<std::uint8_t>("bad.shift", {4}, {1, 62, 0, 5});
    tensors_.add<std::uint8_t>("big.shift", {4}, {1, 62, 63, 5});
    tensors_.add<std::uint16_t>("exp", {256}, std::vector<std::uint16_t>(256, 32767));
    tensors_.add<std::uint16_t>("exp0", {256}, std::vector<std::uint16_t>(256, 0));
    tensors_.add<std::uint8_t>("lut", {256}, u8(256));
    tensors_.add<std::int32_t>("g", {8}, s32(8, 1, 9)).add<std::int32_t>("g5", {5}, s32(5, 1, 9));
    tensors_.add<std::int32_t>("labels", {2}, {1, 3}).add<std::int32_t>("labels9", {2}, {1, 9});
    tensors_.add<std::uint8_t>("expect", {2, 4, 4, 6}, u8(192));
    tensors_.add<std::uint8_t>("nothing", {0, 4, 4, 3}, std::vector<std::uint8_t>{});
  }

  static std::string inputs() {
    return "inputs:\n"                                               // line 5
           "  - {name: x, shape: [4, 4, 3], type: u8, tensor: x}\n"  // 6
           "  - {name: t, shape: [5, 8], type: s8, tensor: t}\n"     // 7
           "  - {name: u, shape: [5, 8], type: u8, tensor: u}\n"     // 8
           "layers:\n";                                              // 9
  }
  /// The error of a workload with these layers, each "{...}"; the first stands in line 10.
  std::string error_of_all(const std::vector<std::string>& layers, const std::string& rest = {}) {
    std::string yaml = head() + inputs();
    for (const std::string& layer : layers) yaml += "  - {" + layer + "}\n";
    return error_of(yaml + rest);
  }
  std::string error_with(const std::string& layer) { return error_of_all({layer}); }
  static std::string conv(const std::string& more = {}, const std::string& kernel = "[3, 3]",
                          const std::string& weights = "w") {
    return "name: c, op: conv2d, input: x, kernel: " + kernel + ", weights: {tensor: " + weights +
           "}, " + requantize("r") + ", output: {type: u8}" + (more.empty() ? "" : ", " + more);
  }
  static std::string linear(const std::string& weights = "{tensor: lw}",
                            const std::string& quantize = requantize("q"),
                            const std::string& input = "t") {
    return "name: l, op: linear, input: " + input + ", weights: " + weights + ", " + quantize +
           ", output: {type: s8}";
  }
};

TEST_F(GraphBuilder, AGoodWorkload) {
  EXPECT_EQ(error_of_all({conv("padding: [1, 1], out_channels: 6, expect: expect"), linear()}), "");
  EXPECT_EQ(error_of_all({linear("{tensor: lw, file: t.safetensors}", requantize("one"))}), "");
}

TEST_F(GraphBuilder, UnknownNames) {
  EXPECT_EQ(error_with("name: f, op: flatten, input: xx"),
            "w.yaml:10:35: there is no input or layer 'xx' (did you mean 'x'?)");
  EXPECT_THAT(error_of_all({conv("padding: [1, 1]"), "name: f, op: flatten, input: cc"}),
              HasSubstr("w.yaml:11:35: there is no input or layer 'cc'"));
  EXPECT_EQ(
      error_of_all({"name: first, op: flatten, input: x", "name: f, op: flatten, input: frist"}),
      "w.yaml:11:35: there is no input or layer 'frist' (did you mean 'first'?)");
  EXPECT_EQ(
      error_of_all({"name: f, op: flatten, input: later", "name: later, op: flatten, input: x"}),
      "w.yaml:10:35: layer 'later' stands later in the file; layers can only read inputs and "
      "earlier layers");
  EXPECT_THAT(error_with("name: f, op: flatten, input: f"), HasSubstr("stands later in the file"));
  EXPECT_EQ(error_with("name: x, op: flatten, input: x"),
            "w.yaml:10:12: the name 'x' is used twice");
}

TEST_F(GraphBuilder, UnsupportedOpIsNamed) {
  EXPECT_THAT(error_with("name: f, op: deconv2d, input: x"),
              AllOf(HasSubstr("w.yaml:10:"), HasSubstr("'deconv2d'")));
}

TEST_F(GraphBuilder, KeysThatAnOpNeedsOrDoesNotKnow) {
  EXPECT_THAT(error_with("name: m, op: max_pool, input: x"),
              HasSubstr("max_pool layer 'm' needs 'kernel'"));
  EXPECT_THAT(error_with("name: f, op: flatten, input: x, kernel: [1, 1]"),
              HasSubstr("'kernel' has no meaning for op 'flatten' (layer 'f')"));
  EXPECT_THAT(error_with("name: c, op: conv2d, input: x, kernel: [3], weights: {tensor: w}, " +
                         requantize("r") + ", output: {type: u8}"),
              HasSubstr("'kernel' must be [rows, columns], not a list of 1"));
  EXPECT_THAT(
      error_with("name: l, op: linear, input: t, weights: {tensor: lw}, output: {type: s8}"),
      HasSubstr("layer 'l' needs 'requantize'"));
  EXPECT_THAT(error_with("name: a, op: add, input: t, right: t, multiplier: 3, shift: 1, output: "
                         "{type: s8}"),
              HasSubstr("'multiplier' of add must be [left, right]"));
  EXPECT_THAT(
      error_with("name: a, op: average_pool, input: t, multiplier: [1, 2], shift: 1, output: "
                 "{type: s8}"),
      HasSubstr("'multiplier' of average_pool must be one number"));
  EXPECT_THAT(
      error_with("name: s, op: softmax, input: t, heads: 1, table: exp, output: {type: s8}"),
      HasSubstr("the output of softmax is u8"));
  EXPECT_THAT(error_with("name: m, op: matmul, input: t, right: {tensor: lw}, heads: 1, "
                         "transpose_right: true, " +
                         requantize("one") + ", output: {type: s8}"),
              HasSubstr("the right operand of matmul must be an earlier layer or input"));
}

TEST_F(GraphBuilder, OutputRanges) {
  const auto with_output = [&](const std::string& output) {
    return error_with("name: l, op: linear, input: t, weights: {tensor: lw}, " + requantize("q") +
                      ", output: " + output);
  };
  EXPECT_THAT(with_output("{type: u8, clamp: [-1, 5]}"),
              HasSubstr("clamp [-1, 5] leaves the range of u8, [0, 255]"));
  EXPECT_THAT(with_output("{type: s8, clamp: [5, -5]}"), HasSubstr("clamp [5, -5] is empty"));
  EXPECT_THAT(with_output("{type: s8, clamp: [5]}"), HasSubstr("must be [lowest, highest]"));
  EXPECT_THAT(with_output("{type: s8, gate: -1}"), HasSubstr("gate"));
  EXPECT_THAT(with_output("{type: s16}"), HasSubstr("'s16'"));
}

TEST_F(GraphBuilder, Convolutions) {
  EXPECT_THAT(
      error_with(conv({}, "[5, 5]")),
      HasSubstr("the kernel of layer 'c' (5 rows) is larger than its input (4, padding 0)"));
  EXPECT_THAT(error_with(conv("padding: [3, 1]")),
              HasSubstr("padding [3, 1] of layer 'c' must be smaller than its kernel [3, 3]"));
  EXPECT_THAT(
      error_with(conv({}, "[2, 2]")),
      HasSubstr("tensor 'w' (weights of layer 'c') has shape [6, 3, 3, 3], not [6, 2, 2, 3]"));
  EXPECT_THAT(
      error_with(conv("out_channels: 7")),
      HasSubstr("tensor 'w' (weights of layer 'c') has shape [6, 3, 3, 3], not [7, 3, 3, 3]"));
  EXPECT_THAT(error_with(conv({}, "[3, 3]", "lw")),
              HasSubstr("has shape [4, 8], not [4, 3, 3, 3]"));
  EXPECT_THAT(
      error_with(conv("padding: [1, 1], expect: x")),
      HasSubstr("tensor 'x' (expected output of layer 'c') has shape [2, 4, 4, 3], not [2, 4, "
                "4, 6]"));
  EXPECT_THAT(
      error_with("name: c, op: conv2d, input: t, kernel: [3, 3], weights: {tensor: w}, " +
                 requantize("r") + ", output: {type: u8}"),
      HasSubstr("conv2d layer 'c' needs a feature map [height, width, channels], but 't' has "
                "shape [5, 8]"));
}

TEST_F(GraphBuilder, WeightsAndVectors) {
  EXPECT_EQ(error_with(linear("{tensor: lww}")),
            "w.yaml:10:55: t.safetensors has no tensor 'lww' (did you mean 'lw'?)");
  EXPECT_EQ(error_with(linear("{tensor: float}")),
            "w.yaml:10:55: tensor 'float' (weights of layer 'l') is F32, not I8");
  EXPECT_EQ(error_with(linear("{tensor: w0}")),
            "w.yaml:10:55: tensor 'w0' (weights of layer 'l') has no output channels");
  EXPECT_THAT(error_with(linear("{tensor: lw, file: other.safetensors}")),
              AllOf(HasSubstr("w.yaml:10:"), HasSubstr("other.safetensors")));
  EXPECT_THAT(error_with(linear("{}")), HasSubstr("weights need either 'tensor' or a statistic"));
  EXPECT_THAT(error_with(linear("{tensor: lw, sparsity: 0.5}")),
              HasSubstr("either a tensor or a statistic"));
  const auto quantize = [](const char* bias, const char* multiplier, const char* shift) {
    return fmt::format("requantize: {{bias: {}, multiplier: {}, shift: {}}}", bias, multiplier,
                       shift);
  };
  EXPECT_THAT(error_with(linear("{tensor: lw}", quantize("r.bias", "q.multiplier", "q.shift"))),
              HasSubstr("tensor 'r.bias' (bias of layer 'l') has shape [6], not [4] or [1]"));
  EXPECT_THAT(error_with(linear("{tensor: lw}", quantize("q.shift", "q.multiplier", "q.shift"))),
              HasSubstr("tensor 'q.shift' (bias of layer 'l') is U8, not I32"));
  EXPECT_THAT(error_with(linear("{tensor: lw}", quantize("q.bias", "q.multiplier", "bad.shift"))),
              HasSubstr("tensor 'bad.shift' (shift of layer 'l'): entry 2 is 0, outside 1..62"));
  EXPECT_THAT(error_with(linear("{tensor: lw}", quantize("q.bias", "q.multiplier", "big.shift"))),
              HasSubstr("entry 2 is 63, outside 1..62"));
  EXPECT_THAT(error_with(linear("{tensor: lw}", quantize("q.bias", "q.multiplier", "q.bias"))),
              HasSubstr("(shift of layer 'l') is I32, not U8"));
}

TEST_F(GraphBuilder, Matmuls) {
  const auto matmul = [&](const std::string& operands, const std::string& more) {
    return error_with("name: m, op: matmul, " + operands + ", " + more + ", " + requantize("one") +
                      ", output: {type: s8}");
  };
  EXPECT_EQ(matmul("input: u, right: t", "heads: 2, transpose_right: true"), "");
  EXPECT_THAT(matmul("input: t, right: u", "heads: 2, transpose_right: true"),
              HasSubstr("the right operand of matmul 'm' must be s8, but 'u' is u8"));
  EXPECT_THAT(
      matmul("input: u, right: t", "heads: 3, transpose_right: true"),
      HasSubstr("the 8 channels of the left operand of matmul 'm' do not divide into 3 heads"));
  EXPECT_THAT(
      matmul("input: u, right: t", "heads: 2, transpose_right: false"),
      HasSubstr("each head of the left operand [5, 8] has 4 columns, but the right operand [5, "
                "8] gives K = 5"));
  EXPECT_THAT(matmul("input: x, right: t", "heads: 1, transpose_right: true"),
              HasSubstr("matmul layer 'm' needs a token matrix"));
  EXPECT_THAT(
      error_with("name: m, op: matmul, input: u, right: t, heads: 1, transpose_right: true, "
                 "output: {type: s8}"),
      HasSubstr("matmul 'm' needs 'requantize' in a captured workload"));
}

TEST_F(GraphBuilder, VectorLayers) {
  EXPECT_THAT(
      error_with("name: a, op: add, input: x, right: t, multiplier: [1, 1], shift: 1, output: "
                 "{type: s8}"),
      HasSubstr("add 'a': the operands have shapes [4, 4, 3] and [5, 8]"));
  EXPECT_THAT(
      error_with("name: a, op: add, input: t, right: {tensor: lw}, multiplier: [1, 1], shift: "
                 "1, output: {type: s8}"),
      HasSubstr("add 'a': the operands have shapes [5, 8] and [4, 8]"));
  EXPECT_THAT(
      error_with("name: a, op: add, input: t, right: {tensor: g}, multiplier: [1, 1], shift: 1, "
                 "output: {type: s8}"),
      HasSubstr("tensor 'g' (constant of layer 'a') is I32, not I8 or U8"));
  EXPECT_THAT(
      error_with("name: a, op: add, input: t, right: t, multiplier: [1, 1], shift: 63, output: "
                 "{type: s8}"),
      HasSubstr("shift"));
  EXPECT_THAT(error_with("name: s, op: softmax, input: t, heads: 3, table: exp"),
              HasSubstr("the 8 channels of softmax 's' do not divide into 3 heads"));
  EXPECT_THAT(error_with("name: s, op: softmax, input: t, heads: 2, table: exp0"),
              HasSubstr("must begin with 32767, not 0"));
  EXPECT_THAT(error_with("name: s, op: softmax, input: t, heads: 2, table: lut"),
              HasSubstr("is U8, not U16"));
  EXPECT_THAT(error_with("name: n, op: layer_norm, input: t, gamma: g5, beta: g, shift: 3, output: "
                         "{type: s8}"),
              HasSubstr("tensor 'g5' (gamma of layer 'n') has shape [5], not [8]"));
  EXPECT_THAT(error_with("name: l, op: lookup, input: t, table: lut, output: {type: s8}"),
              HasSubstr("tensor 'lut' (table of layer 'l') is U8, not I8"));
  EXPECT_THAT(error_with("name: m, op: max_pool, input: x, kernel: [2, 5]"),
              HasSubstr("(5 columns) is larger than its input (4, padding 0)"));
}

TEST_F(GraphBuilder, Inputs) {
  const auto input = [&](const std::string& text) {
    return error_of(head() + "inputs:\n  - {" + text +
                    "}\nlayers:\n  - {name: f, op: flatten, input: "
                    "i}\n");
  };
  EXPECT_EQ(input("name: i, shape: [4, 4, 3], type: u8, tensor: x"), "");
  EXPECT_THAT(input("name: i, shape: [4, 4, 3], type: s8, tensor: x"),
              HasSubstr("tensor 'x' (input 'i') is U8, not I8"));
  EXPECT_THAT(input("name: i, shape: [4, 4, 4], type: u8, tensor: x"),
              HasSubstr("tensor 'x' (input 'i') has shape [2, 4, 4, 3], not [2, 4, 4, 4]"));
  EXPECT_THAT(input("name: i, shape: [4], type: u8, tensor: x"), HasSubstr("not 1 numbers"));
  EXPECT_THAT(input("name: i, shape: [4, 4, 3], type: u8, tensor: nothing"),
              HasSubstr("tensor 'nothing' has no samples"));
  EXPECT_THAT(input("name: i, shape: [4, 4, 3], type: u8"),
              HasSubstr("an input needs either 'tensor' or 'sparsity', 'seed' and 'samples'"));
  EXPECT_THAT(input("name: i, shape: [4, 4, 3], type: u8, sparsity: 0.5, seed: 1"),
              HasSubstr("needs 'sparsity', 'seed' and 'samples'"));
  EXPECT_THAT(input("name: i, shape: [16777216, 16777216, 4], type: u8, sparsity: 0.5, seed: 1, "
                    "samples: 1"),
              HasSubstr("has more than the"));
  EXPECT_THAT(
      error_of(head() + "inputs:\n  - {name: a, shape: [5, 8], type: s8, tensor: t}\n  - {name: "
                        "b, shape: [8], type: s8, tensor: lw}\nlayers: [{name: f, op: flatten, "
                        "input: a}]\n"),
      HasSubstr("[tokens, channels]"));
  EXPECT_THAT(
      error_of(head("mixed") +
               "inputs:\n  - {name: a, shape: [5, 8], type: s8, tensor: t}\n  - {name: b, "
               "shape: [2, 8], type: s8, sparsity: 0, seed: 1, samples: 3}\nlayers: [{name: f, op: "
               "flatten, input: a}]\n"),
      HasSubstr("input 'b' has 3 samples, but 'a' has 2"));
}

TEST_F(GraphBuilder, Results) {
  const auto result = [&](const std::string& text) {
    return error_of_all(
        {"name: avg, op: average_pool, input: t, multiplier: 1, shift: 1, output: {type: "
         "s8}",
         linear("{tensor: lw}", requantize("q"), "avg")},
        "result: " + text + "\n");
  };
  EXPECT_EQ(result("{layer: l, labels: labels}"), "");
  EXPECT_THAT(result("{layer: ll, labels: labels}"), HasSubstr("there is no layer 'll'"));
  EXPECT_THAT(result("{layer: l, labels: g}"),
              HasSubstr("tensor 'g' (labels) has shape [8], not [2]"));
  EXPECT_THAT(result("{layer: l, labels: labels9}"),
              HasSubstr("tensor 'labels9' (labels): class 9 is outside 0..3"));
  EXPECT_THAT(
      error_of_all({linear()}, "result: {layer: l, labels: labels}\n"),
      HasSubstr("the result layer 'l' has shape [5, 4]; the class is read from a single token"));
}

TEST_F(GraphBuilder, FilesOfTensors) {
  const std::string yaml = head() + inputs() + "  - {" + linear() + "}\n";
  const std::string without =
      "schema: lacuna-workload-1\nname: n\nprovenance: {source: statistic, model: m}\ninputs: "
      "[{name: x, "
      "shape: [4, 4, 3], type: u8, tensor: x}]\nlayers: [{name: f, op: flatten, input: x}]\n";
  EXPECT_THAT(error_of(without), HasSubstr("the workload has no 'tensors:' file"));
  std::string other = yaml;
  other.replace(other.find("t.safetensors"), 13, "gone.safetensors");
  EXPECT_THAT(error_of(other), AllOf(HasSubstr("w.yaml:"), HasSubstr("gone.safetensors")));
  folder_.write("broken.safetensors", "not one");
  other = yaml;
  other.replace(other.find("t.safetensors"), 13, "broken.safetensors");
  EXPECT_THAT(error_of(other), AllOf(HasSubstr("w.yaml:6:"), HasSubstr("not a safetensors file")));
}

TEST_F(GraphBuilder, Provenance) {
  const auto with = [&](const std::string& provenance) {
    return error_of("schema: lacuna-workload-1\nname: n\ntensors: t.safetensors\nprovenance: " +
                    provenance + "\n" + inputs() + "  - {name: f, op: flatten, input: x}\n");
  };
  EXPECT_THAT(with("{model: m}"), HasSubstr("provenance needs 'source'"));
  EXPECT_THAT(with("{source: guessed, model: m}"),
              HasSubstr("provenance source 'guessed' is not captured, statistic or mixed"));
  EXPECT_THAT(with("{source: captured, model: m}"),
              HasSubstr("provenance of source 'captured' needs 'data'"));
  EXPECT_THAT(
      with("{source: statistic, model: m}"),
      HasSubstr("provenance says 'statistic', but the codes of input 'x' come from a tensor "
                "(t.safetensors:x); say 'mixed'"));
  EXPECT_THAT(
      error_of(head() + inputs() +
               "  - {name: l, op: linear, input: t, out_channels: 4, weights: {sparsity: 0.5, "
               "pattern: unstructured, seed: 1}, output: {type: s8}}\n"),
      HasSubstr("provenance says 'captured', but the weights of layer 'l' are drawn from a "
                "statistic (unstructured, density 0.5, seed 1); say 'mixed'"));
  EXPECT_THAT(error_of(head() + inputs() + "  - {" + linear() +
                       ", activations: {sparsity: 0.5, seed: 3}}\n"),
              HasSubstr("the activations of layer 'l' are drawn from a statistic"));
}

TEST_F(GraphBuilder, SchemaAndEmptiness) {
  EXPECT_THAT(
      error_of("schema: lacuna-workload-9\nname: n\nprovenance: {source: statistic, model: m}\n"
               "inputs: []\nlayers: []\n"),
      AllOf(HasSubstr("w.yaml:1:9: schema 'lacuna-workload-9' is not known; this version reads "
                      "'lacuna-workload-1'"),
            HasSubstr("a workload needs at least one input"),
            HasSubstr("a workload needs at least one layer")));
}

TEST_F(GraphBuilder, WeightStatistics) {
  const auto weights = [&](const std::string& text) {
    return error_of(head("mixed") + inputs() +
                    "  - {name: l, op: linear, input: t, out_channels: 4, "
                    "weights: {" +
                    text + "}, output: {type: s8}}\n");
  };
  EXPECT_EQ(weights("sparsity: 0.5, pattern: unstructured, seed: 1"), "");
  EXPECT_EQ(weights("pattern: 'n:m', n: 2, m: 4, seed: 1"), "");
  EXPECT_EQ(weights("sparsity: 50 %, pattern: bank, bank: 4, seed: 1"), "");
  EXPECT_EQ(weights("sparsity: 0.5, pattern: block, block: [4, 2], seed: 1"), "");
  EXPECT_EQ(weights("pattern: dense, seed: 1"), "");
  EXPECT_THAT(weights("sparsity: 0.5, seed: 1"), HasSubstr("a weight statistic needs 'pattern'"));
  EXPECT_THAT(weights("sparsity: 0.5, pattern: unstructured"), HasSubstr("needs 'seed'"));
  EXPECT_THAT(weights("pattern: unstructured, seed: 1"), HasSubstr("needs 'sparsity'"));
  EXPECT_THAT(weights("pattern: 'n:m', n: 5, m: 4, seed: 1"),
              HasSubstr("n (5) must be at most m (4)"));
  EXPECT_THAT(weights("pattern: 'n:m', m: 4, seed: 1"), HasSubstr("pattern 'n:m' needs 'n'"));
  EXPECT_THAT(weights("sparsity: 0.7, pattern: 'n:m', n: 2, m: 4, seed: 1"),
              HasSubstr("2:4 is a sparsity of 0.5, not 0.7"));
  EXPECT_THAT(weights("sparsity: 0.7, pattern: dense, seed: 1"),
              HasSubstr("pattern 'dense' has sparsity 0, not 0.7"));
  EXPECT_THAT(weights("sparsity: 0.7, pattern: unstructured, bank: 4, seed: 1"),
              HasSubstr("'bank' has no meaning for pattern 'unstructured'"));
  EXPECT_THAT(weights("sparsity: 1.5, pattern: unstructured, seed: 1"), HasSubstr("sparsity"));
  EXPECT_THAT(weights("sparsity: 0.7, pattern: diagonal, seed: 1"), HasSubstr("'diagonal'"));
  EXPECT_THAT(
      error_of(head("mixed") + inputs() +
               "  - {name: l, op: linear, input: t, weights: {pattern: dense, seed: 1}, output: "
               "{type: s8}}\n"),
      HasSubstr("layer 'l' needs 'out_channels': a statistic has no shape"));
}

TEST_F(GraphBuilder, AStatisticalNetworkRunsAndUsesItsRange) {
  const Graph graph = build(
      "schema: lacuna-workload-1\nname: n\nprovenance: {source: statistic, model: none}\n"
      "inputs: [{name: i, shape: [9, 9, 32], type: u8, sparsity: 0.4, seed: 1, samples: "
      "3}]\nlayers:\n"
      "  - {name: a, op: conv2d, input: i, kernel: [3, 3], padding: [1, 1], out_channels: 24, "
      "weights: "
      "{sparsity: 0.8, pattern: unstructured, seed: 2}, output: {type: u8}}\n"
      "  - {name: b, op: linear, input: a, out_channels: 40, weights: {pattern: 'n:m', n: 1, m: 4, "
      "seed: 3}, "
      "output: {type: s8}}\n"
      "  - {name: c, op: linear, input: b, out_channels: 40, weights: {pattern: dense, seed: 3}, "
      "activations: {sparsity: 0.9, seed: 4}, output: {type: s8}}\n"
      "  - {name: d, op: matmul, input: b, right: c, heads: 4, transpose_right: true, output: "
      "{type: s8}}\n");
  EXPECT_EQ(graph.samples, 3);
  EXPECT_EQ(graph.layers[0].weights.provenance.origin, Origin::kStatistic);
  EXPECT_EQ(graph.layers[0].weights.non_zeros, std::llround(0.2 * 9 * 32 * 24));
  EXPECT_EQ(graph.input_of(graph.layers[2]).kind, ValueKind::kDrawn);
  EXPECT_EQ(graph.layers[2].declared_input, graph.layers[1].output);
  TensorStore store(graph, 0, 3);
  for (int sample = 0; sample < 3; ++sample) run_dense(store, sample);
  // Samples are drawn on their own, and are the same whatever the batch.
  EXPECT_FALSE(std::ranges::equal(store.codes(0, 0), store.codes(0, 1)));
  const TensorStore second(graph, 1, 1);
  EXPECT_TRUE(std::ranges::equal(second.codes(0, 0), store.codes(0, 1)));
  for (const Layer& layer : graph.layers) {
    SCOPED_TRACE(layer.name);
    EXPECT_TRUE(layer.requantize.chosen);
    std::int64_t large = 0;
    std::int64_t saturated = 0;
    const std::int64_t elements = graph.output_of(layer).elements();
    for (std::int64_t i = 0; i < elements; ++i) {
      const int y = std::abs(store.at(layer.output, 0, i));
      large += y > 12 ? 1 : 0;
      saturated += y >= 127 ? 1 : 0;
    }
    EXPECT_GT(large * 5, elements);
    EXPECT_LT(saturated * 3, elements);
  }
}

TEST_F(GraphBuilder, MismatchesAreDescribed) {
  const Graph graph =
      build(head() + inputs() + "  - {" + conv("padding: [1, 1], expect: expect") + "}\n");
  TensorStore store(graph, 0, 2);
  run_dense(store, 0);
  run_dense(store, 1);
  const ExpectResult result = check_expected(store);  // `expect` is random
  EXPECT_EQ(result.compared, 2);
  ASSERT_EQ(result.mismatches.size(), 2U);
  EXPECT_THAT(
      describe(graph, result.mismatches[1]),
      AllOf(HasSubstr("layer c, sample 1: "), HasSubstr(" of 96 codes differ, first at [0, 0, ")));
}

TEST_F(GraphBuilder, HugeBatchesAreRefused) {
  const Graph graph = build(
      "schema: lacuna-workload-1\nname: n\nprovenance: {source: statistic, model: none}\n"
      "inputs: [{name: i, shape: [1024, 65536], type: u8, sparsity: 0.4, seed: 1, samples: 1000}]\n"
      "layers: [{name: f, op: flatten, input: i}]\n");
  try {
    const TensorStore store(graph, 0, 1000);
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("run fewer samples at a time"));
  }
}

}  // namespace
}  // namespace lacuna::workload
