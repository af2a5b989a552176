// SPDX-License-Identifier: Apache-2.0
#include "workload/gemm_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"
#include "tensor/gaussian_masks.h"
#include "workload/check.h"
#include "workload/lowering.h"

namespace lacuna::workload {
namespace {

using ::testing::HasSubstr;

std::string parse_error(const std::string& text) {
  try {
    (void)parse_gemm_source(text, "--weights");
  } catch (const base::UserError& error) {
    return error.what();
  }
  return {};
}

TEST(GemmSource, Files) {
  const auto smtx = std::get<FileSource>(parse_gemm_source("a/b.smtx", "--weights"));
  EXPECT_EQ(smtx.format, FileSource::Format::kSmtx);
  EXPECT_EQ(smtx.path, "a/b.smtx");
  EXPECT_EQ(smtx.seed, 0U);
  const auto seeded = std::get<FileSource>(parse_gemm_source("a,b.mtx,seed=7", "--weights"));
  EXPECT_EQ(seeded.format, FileSource::Format::kMatrixMarket);
  EXPECT_EQ(seeded.path, "a,b.mtx");
  EXPECT_EQ(seeded.seed, 7U);
  const auto tensor = std::get<FileSource>(parse_gemm_source("m.safetensors:a.b:c", "--weights"));
  EXPECT_EQ(tensor.format, FileSource::Format::kSafetensors);
  EXPECT_EQ(tensor.path, "m.safetensors");
  EXPECT_EQ(tensor.tensor, "a.b:c");
}

TEST(GemmSource, Statistics) {
  using tensor::PatternKind;
  const auto spec = [](const char* text) {
    return std::get<tensor::MaskSpec>(parse_gemm_source(text, "--weights"));
  };
  EXPECT_EQ(spec("density=.3").kind, PatternKind::kUnstructured);
  EXPECT_DOUBLE_EQ(spec("density=.3").density, 0.3);
  EXPECT_EQ(spec("density=.3, seed=18446744073709551615").seed, 18446744073709551615U);
  EXPECT_EQ(spec("pattern=2:4,seed=1").n, 2);
  EXPECT_EQ(spec("pattern=2:4,seed=1").m, 4);
  EXPECT_EQ(spec("density=0.5,pattern=2:4").kind, PatternKind::kNOfM);
  EXPECT_EQ(spec("density=.3,pattern=bank:32").bank, 32);
  EXPECT_EQ(spec("density=.3,pattern=block:4x8").block_k, 4);
  EXPECT_EQ(spec("density=.3,pattern=block:4x8").block_n, 8);
  EXPECT_EQ(spec("pattern=dense").kind, PatternKind::kDense);
  EXPECT_EQ(spec("density=.1,pattern=magnitude").row_spread, tensor::kUsualRowSpread);
  EXPECT_EQ(spec("row_spread=.3,density=.1,pattern=magnitude").row_spread, 0.3);
  EXPECT_EQ(spec("column_spread=0,density=.1,pattern=magnitude").column_spread, 0);
  const auto field =
      std::get<tensor::MaskSpec>(parse_gemm_source("density=.4,spatial=.25,channel=1.5", "--acts"));
  EXPECT_EQ(field.kind, PatternKind::kField);
  EXPECT_EQ(field.spatial, 0.25);
  EXPECT_EQ(field.channel, 1.5);
}

TEST(GemmSource, Errors) {
  EXPECT_EQ(parse_error(""), "--weights '': a file or a statistic is needed");
  EXPECT_EQ(
      parse_error("weights.npy"),
      "--weights 'weights.npy': neither a file (.smtx, .mtx, .safetensors:NAME) nor a statistic "
      "(density=.3,pattern=2:4,seed=1)");
  EXPECT_EQ(parse_error("m.safetensors"),
            "--weights 'm.safetensors': a tensor must be named: FILE.safetensors:NAME");
  EXPECT_THAT(parse_error("m.safetensors:"), HasSubstr("a tensor must be named"));
  EXPECT_EQ(parse_error("density=1.5"),
            "--weights 'density=1.5': density '1.5' is not a number between 0 and 1");
  EXPECT_THAT(parse_error("density=nan"), HasSubstr("not a number between 0 and 1"));
  EXPECT_THAT(parse_error("density=-.1"), HasSubstr("not a number between 0 and 1"));
  EXPECT_THAT(parse_error("density="), HasSubstr("not a number between 0 and 1"));
  EXPECT_EQ(
      parse_error("densty=.3"),
      "--weights 'densty=.3': unknown key 'densty' (did you mean 'density'?) (known: density, "
      "pattern, seed, row_spread, column_spread, spatial, channel)");
  EXPECT_THAT(parse_error("density=.3,seed"), HasSubstr("'seed' is not KEY=VALUE"));
  EXPECT_THAT(parse_error("density=.3,density=.4"), HasSubstr("'density' is given twice"));
  EXPECT_THAT(parse_error("density=.3,seed=-1"),
              HasSubstr("seed '-1' is not a non-negative integer"));
  EXPECT_THAT(parse_error("a.smtx,seed=x"), HasSubstr("seed 'x' is not a non-negative integer"));
  EXPECT_THAT(parse_error("seed=1"), HasSubstr("'density' is missing"));
  EXPECT_THAT(parse_error("density=.3,pattern=diagonal"),
              HasSubstr("pattern 'diagonal' is not dense"));
  EXPECT_THAT(parse_error("density=.3,pattern=bank"), HasSubstr("pattern 'bank' is not"));
  EXPECT_THAT(parse_error("density=.3,pattern=bank:0"), HasSubstr("pattern 'bank:0' is not"));
  EXPECT_THAT(parse_error("density=.3,pattern=block:4"), HasSubstr("pattern 'block:4' is not"));
  EXPECT_THAT(parse_error("pattern=2:99999999"), HasSubstr("pattern '2:99999999' is not"));
  EXPECT_THAT(parse_error("pattern=5:4"), HasSubstr("pattern '5:4' keeps more than there are"));
  EXPECT_THAT(parse_error("pattern=2:4,density=.3"),
              HasSubstr("pattern 2:4 is a density of 0.5, not 0.3"));
  EXPECT_THAT(parse_error("pattern=dense,density=.3"),
              HasSubstr("pattern dense is a density of 1, not 0.3"));
}

class Gemm : public ::testing::Test {
 protected:
  std::string error_of(GemmOptions options) {
    try {
      (void)build_gemm(options);
    } catch (const base::UserError& error) {
      std::string text = error.what();
      const std::string folder = folder_.path() + "/";
      for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.erase(at, folder.size());
      }
      return text;
    }
    return {};
  }
  test::TempDir folder_;
};

TEST_F(Gemm, FromStatistics) {
  const Graph graph = build_gemm({.weights = "density=.25,seed=1",
                                  .activations = "density=.5,seed=2",
                                  .m = 10,
                                  .n = 8,
                                  .k = 100});
  EXPECT_EQ(graph.provenance.at("source"), "statistic");
  const Layer& layer = graph.layers[0];
  EXPECT_EQ(layer.gemm.m, 10);
  EXPECT_EQ(layer.gemm.n, 8);
  EXPECT_EQ(layer.gemm.k, 100);
  EXPECT_EQ(layer.weights.non_zeros, 200);
  TensorStore store(graph, 0, 1);
  run_dense(store, 0);
  EXPECT_GT(effective_macs(layer, store, 0), 0);
  EXPECT_LT(effective_macs(layer, store, 0), graph.dense_macs() / 4);
}

TEST_F(Gemm, FromMaskFiles) {
  const std::string weights = folder_.write("w.smtx", "2, 3, 3\n0 1 3\n2 0 1\n");
  const std::string acts = folder_.write(
      "a.mtx", "%%MatrixMarket matrix coordinate integer general\n4 3 3\n1 1 5\n2 2 -7\n4 3 9\n");
  const Graph graph = build_gemm({.weights = weights + ",seed=3", .activations = acts});
  EXPECT_EQ(graph.provenance.at("source"), "captured");
  EXPECT_EQ(graph.provenance.at("weights"), "mask of w.smtx, values drawn with seed 3");
  EXPECT_EQ(graph.provenance.at("activations"), "a.mtx");
  EXPECT_EQ(graph.value(0).shape, (Shape{4, 3}));
  EXPECT_EQ(graph.value(0).type, CodeType::kS8);  // it has a negative value
  const TensorStore store(graph, 0, 1);
  EXPECT_EQ(store.at(0, 0, 0), 5);
  EXPECT_EQ(store.at(0, 0, 4), -7);
  EXPECT_NE(graph.layers[0].weights.at(0, 2), 0);
  EXPECT_EQ(graph.layers[0].weights.at(0, 0), 0);
  EXPECT_EQ(effective_macs(graph.layers[0], store, 0), 3);
}

TEST_F(Gemm, FromTensors) {
  test::SafetensorsWriter writer;
  writer.add<std::int8_t>("w", {2, 1, 1, 3}, {1, 0, 2, 0, 0, 3});
  writer.add<std::uint8_t>("a", {2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});
  const std::string path = folder_.write("t.safetensors", writer.bytes());
  const Graph graph = build_gemm({.weights = path + ":w", .activations = path + ":a"});
  EXPECT_EQ(graph.layers[0].gemm.m, 4);
  EXPECT_EQ(graph.layers[0].gemm.n, 2);
  EXPECT_EQ(graph.layers[0].gemm.k, 3);
  EXPECT_EQ(graph.value(0).type, CodeType::kU8);
  const TensorStore store(graph, 0, 1);
  EXPECT_EQ(store.at(0, 0, 11), 255);
  EXPECT_EQ(graph.provenance.at("weights"), "t.safetensors:w");
}

TEST_F(Gemm, DimensionsMustAgree) {
  const std::string weights = folder_.write("w.smtx", "2, 3, 3\n0 1 3\n2 0 1\n");
  const std::string acts = folder_.write("a.smtx", "2, 4, 1\n0 1 1\n2\n");
  EXPECT_EQ(error_of({.weights = weights, .activations = acts}),
            "k is 3 by the weights, but 4 by the activations");
  EXPECT_EQ(error_of({.weights = weights, .activations = "density=.5", .m = 4, .k = 5}),
            "k is 3 by the weights, but 5 by the option");
  EXPECT_EQ(error_of({.weights = weights, .activations = "density=.5"}),
            "--m is needed: no operand's file says how large m is");
  EXPECT_EQ(error_of({.weights = "density=.5", .activations = acts}),
            "--n is needed: no operand's file says how large n is");
  EXPECT_EQ(
      error_of({.weights = "density=.5", .activations = "density=.5", .m = 0, .n = 1, .k = 1}),
      "--m must be at least 1");
  EXPECT_THAT(
      error_of({.weights = "density=.5", .activations = "density=.5", .m = 1, .n = 1, .k = 65537}),
      HasSubstr("k is 65537; sums of more than 65536"));
  EXPECT_THAT(
      error_of(
          {.weights = "density=.5", .activations = "density=.5", .m = 1LL << 40, .n = 1, .k = 9}),
      HasSubstr("the activations: a dense matrix of 1099511627776 x 9 is more than"));
}

TEST_F(Gemm, TensorsMustBeCodes) {
  test::SafetensorsWriter writer;
  writer.add<float>("f", {2, 2}, {1, 2, 3, 4}).add<std::uint8_t>("u", {2, 2}, {1, 2, 3, 4});
  writer.add<std::int8_t>("v", {4}, {1, 2, 3, 4}).add<std::int8_t>("e", {0, 4}, {});
  const std::string path = folder_.write("t.safetensors", writer.bytes());
  const std::string acts = "density=.5";
  EXPECT_EQ(
      error_of({.weights = path + ":f", .activations = acts, .m = 1}),
      "--weights: tensor 'f' of t.safetensors is F32, not I8: values must be quantized codes");
  EXPECT_THAT(error_of({.weights = path + ":u", .activations = acts, .m = 1}),
              HasSubstr("is U8, not I8"));
  EXPECT_THAT(error_of({.weights = acts, .activations = path + ":f", .n = 1}),
              HasSubstr("--acts: tensor 'f' of t.safetensors is F32, not I8 or U8"));
  EXPECT_THAT(error_of({.weights = path + ":v", .activations = acts, .m = 1}),
              HasSubstr("has shape [4]; a matrix needs two dimensions"));
  EXPECT_THAT(error_of({.weights = path + ":e", .activations = acts, .m = 1}),
              HasSubstr("none of them 0"));
  EXPECT_THAT(error_of({.weights = path + ":w", .activations = acts, .m = 1}),
              HasSubstr("has no tensor 'w'"));
  EXPECT_THAT(error_of({.weights = folder_.file("no.smtx"), .activations = acts, .m = 1}),
              HasSubstr("no.smtx"));
}

TEST_F(Gemm, SignedFilesForUnsignedOperands) {
  const std::string real =
      folder_.write("r.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 -0.5\n");
  const Graph graph = build_gemm({.weights = "pattern=dense", .activations = real, .n = 1});
  EXPECT_EQ(graph.value(0).type, CodeType::kU8);  // only the pattern counts
  EXPECT_EQ(graph.provenance.at("source"), "mixed");
}

}  // namespace
}  // namespace lacuna::workload
