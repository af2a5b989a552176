// SPDX-License-Identifier: Apache-2.0
//
// The networks of configs/workloads: parameters and products against published figures. What the
// graph does not count (biases, constants of norms, positions) is added by hand, so that the sum
// can be compared to the unit.
#include <gtest/gtest.h>

#include "config/workload_files.h"
#include "workload/graph_builder.h"

namespace lacuna::workload {
namespace {

Graph network(const std::string& name, std::vector<std::string> parameters = {}) {
  const std::string root = LACUNA_SOURCE_DIR;
  const auto loaded = config::load_workload(root + "configs/workloads/" + name, parameters);
  return build_graph(loaded.value,
                     [&](const std::string& key) { return loaded.provenance.locate(key); });
}

/// Output channels of all layers with weights but embeddings: their biases.
std::int64_t biases(const Graph& graph) {
  std::int64_t total = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.weights.n > 0 && layer.op != params::Op::kEmbedding) total += layer.weights.n;
  }
  return total;
}

/// Constants of norms: `per_channel` each.
std::int64_t norm_constants(const Graph& graph, std::int64_t per_channel) {
  std::int64_t total = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.op == params::Op::kLayerNorm || layer.op == params::Op::kRmsNorm) {
      total += per_channel * graph.output_of(layer).channels();
    }
  }
  return total;
}

// torchvision's table of weights: 25,557,032 parameters, 4.09 GFLOPS (products). The parameters of
// batch norm are two per channel; folded they are the bias. STR's budget file counts 4,089,284,608.
TEST(Networks, ResNet50) {
  const Graph graph = network("resnet-50.yaml");
  EXPECT_EQ(graph.dense_macs(), 4'089'284'608 - 100'352);  // there with the average pool
  EXPECT_EQ(graph.weight_count(), 25'502'912);             // "Params" of STR's budget file
  EXPECT_EQ(graph.weight_count() + 2 * (biases(graph) - 1000) + 1000, 25'557'032);
  std::int64_t kept = 0;
  for (const Layer& layer : graph.layers) kept += layer.weights.non_zeros;
  EXPECT_NEAR(1 - static_cast<double>(kept) / 25'502'912, 0.9023, 0.0002);  // STR's 90.23 %
}

// torchvision: 138,357,544 parameters, 15.47 GFLOPS. Han et al. 2015: 7.5 % of the weights are
// left.
TEST(Networks, Vgg16) {
  const Graph graph = network("vgg-16.yaml");
  EXPECT_EQ(graph.weight_count() + biases(graph), 138'357'544);
  EXPECT_NEAR(static_cast<double>(graph.dense_macs()) / 1e9, 15.47, 0.005);
  std::int64_t kept = 0;
  for (const Layer& layer : graph.layers) kept += layer.weights.non_zeros;
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(graph.weight_count()), 0.075,
              0.0015);  // the table's percentages are whole
}

// Krizhevsky et al. 2012 in Caffe: 60,965,224 parameters. Han et al. 2015, table 4: 1.5 G
// operations (two per product); Sze et al. 2017, table II: 724 M products. 11 % of the weights are
// left.
TEST(Networks, AlexNet) {
  const Graph graph = network("alexnet.yaml");
  EXPECT_EQ(graph.weight_count() + biases(graph), 60'965'224);
  EXPECT_NEAR(static_cast<double>(graph.dense_macs()) / 1e6, 724.4, 0.05);
  std::int64_t kept = 0;
  for (const Layer& layer : graph.layers) kept += layer.weights.non_zeros;
  EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(graph.weight_count()), 0.11, 0.005);
}

// torchvision: 3,504,872 parameters; Sandler et al. 2018: 300 M multiply-adds.
TEST(Networks, MobileNetV2) {
  const Graph graph = network("mobilenet-v2.yaml");
  EXPECT_EQ(graph.weight_count() + 2 * (biases(graph) - 1000) + 1000, 3'504'872);
  EXPECT_NEAR(static_cast<double>(graph.dense_macs()) / 1e6, 300.8, 0.1);
}

// Ultralytics, YOLOv5s v6.x: 7,225,885 parameters fused, 16.5 GFLOPs (two per product) at 640.
TEST(Networks, Yolov5s) {
  const Graph graph = network("yolov5s.yaml");
  EXPECT_EQ(graph.weight_count() + biases(graph), 7'225'885);
  EXPECT_NEAR(2 * static_cast<double>(graph.dense_macs()) / 1e9, 16.5, 0.2);
}

// torchvision, vit_b_16: 86,567,656 parameters, 17.56 GFLOPS.
TEST(Networks, VitB16) {
  const Graph graph = network("vit-b-16.yaml");
  EXPECT_EQ(graph.weight_count() + biases(graph) + norm_constants(graph, 2) + 198 * 768,
            86'567'656);
  EXPECT_NEAR(static_cast<double>(graph.dense_macs()) / 1e9, 17.56, 0.01);
}

// Hugging Face, bert-base-uncased: 109,482,240 parameters with the pooler (768 * 769), without the
// span head (2 * 769). Two segment rows and 512 positions are the input `positions`. Jiao et al.,
// TinyBERT, 2020: 22.5 GFLOPs at 128 tokens.
TEST(Networks, BertBase) {
  const Graph graph = network("bert-base.yaml", {"sequence=128"});
  const std::int64_t all =
      graph.weight_count() + biases(graph) + norm_constants(graph, 2) + (512 + 2) * 768;
  EXPECT_EQ(all - 2 * 769 + 768 * 769, 109'482'240);
  EXPECT_NEAR(2 * static_cast<double>(graph.dense_macs()) / 1e9, 22.5, 0.3);
}

// bert-large-uncased: 335,141,888 with the pooler. OpenVINO's model zoo,
// bert-large-uncased-whole-word-masking-squad: 246.93 GOps at 384 tokens (two per product, vector
// work included), 333.96 M parameters.
TEST(Networks, BertLarge) {
  const Graph graph = network("bert-large.yaml");
  const std::int64_t all =
      graph.weight_count() + biases(graph) + norm_constants(graph, 2) + (512 + 2) * 1024;
  EXPECT_EQ(all - 2 * 1025 + 1024 * 1025, 335'141'888);
  EXPECT_NEAR(2 * static_cast<double>(graph.dense_macs()) / 1e9, 246.93, 0.7);
}

// Hugging Face, gpt2: 124,439,808 parameters; words and logits are one table; 1024 positions.
TEST(Networks, Gpt2) {
  const Graph graph = network("gpt-2.yaml", {"weights={pattern: dense}"});
  const std::int64_t table = 50'257 * 768;
  EXPECT_EQ(
      graph.weight_count() - table + biases(graph) - 50'257 + norm_constants(graph, 2) + 1024 * 768,
      124'439'808);
  // One token: every weight once, and the cache once: a product per key and per value element.
  EXPECT_EQ(graph.dense_macs(), graph.weight_count() - table + 12 * 2 * 512 * 768);
}

/// Chowdhery et al. 2022 (PaLM), appendix B: a token forward takes 2 N + 4 L H Q T operations, two
/// per product; N parameters without embeddings, L layers, H heads of Q channels, T tokens of
/// context.
void expect_scaling_law(const Graph& graph, std::int64_t layers, std::int64_t context,
                        std::int64_t attention_width, std::int64_t table) {
  EXPECT_EQ(graph.dense_macs(),
            graph.weight_count() - table + 2 * layers * context * attention_width);
}

// EleutherAI/gpt-j-6B: 6,050,882,784 parameters. No biases in attention (4 per block).
TEST(Networks, GptJ) {
  const Graph graph = network("gpt-j-6b.yaml", {"context=128", "weights={pattern: dense}"});
  EXPECT_EQ(graph.weight_count() + biases(graph) - 28 * 4 * 4096 + norm_constants(graph, 2),
            6'050'882'784);
  expect_scaling_law(graph, 28, 128, 4096, std::int64_t{50'400} * 4096);
}

// meta-llama/Llama-2-7b: 6,738,415,616 parameters; no biases.
TEST(Networks, Llama2) {
  const Graph graph = network("llama-2-7b.yaml", {"context=128", "weights={pattern: dense}"});
  EXPECT_EQ(graph.weight_count() + norm_constants(graph, 1), 6'738'415'616);
  expect_scaling_law(graph, 32, 128, 4096, 32'000 * 4096);
}

// meta-llama/Llama-2-13b: 13,015,864,320 parameters.
TEST(Networks, Llama2With13B) {
  const Graph graph = network("llama-2-13b.yaml", {"context=128", "weights={pattern: dense}"});
  EXPECT_EQ(graph.weight_count() + norm_constants(graph, 1), 13'015'864'320);
  expect_scaling_law(graph, 40, 128, 5120, std::int64_t{32'000} * 5120);
}

// mistralai/Mistral-7B-v0.1: 7,241,732,096 parameters.
TEST(Networks, Mistral) {
  const Graph graph = network("mistral-7b.yaml", {"context=128", "weights={pattern: dense}"});
  EXPECT_EQ(graph.weight_count() + norm_constants(graph, 1), 7'241'732'096);
}

// meta-llama/Meta-Llama-3-8B: 8,030,261,248 parameters. Its cache is a quarter: 8 of 32 heads;
// every head still takes its products.
TEST(Networks, Llama3) {
  const Graph graph = network("llama-3-8b.yaml", {"context=128", "weights={pattern: dense}"});
  EXPECT_EQ(graph.weight_count() + norm_constants(graph, 1), 8'030'261'248);
  expect_scaling_law(graph, 32, 128, 4096, std::int64_t{128'256} * 4096);
  std::int64_t cache = 0;
  for (const int input : graph.inputs) {
    const Value& value = graph.value(input);
    if (value.name.starts_with("cache")) cache += value.elements();
  }
  EXPECT_EQ(cache, 32 * 2 * 128 * 1024);
}

/// Share of zeros of the input of a layer, if it is drawn.
double drawn_zeros(const Graph& graph, const std::string& name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return 1 - graph.input_of(layer).drawn.expected_density();
  }
  ADD_FAILURE() << name;
  return -1;
}

// Published activation sparsities of language models: which of them a network has is a parameter.
TEST(Networks, LlamaActivationsAreChosen) {
  const std::vector<std::string> small{"layers=1", "context=16", "vocabulary=64",
                                       "weights={pattern: dense}"};
  const auto with = [&](const std::string& activations) {
    std::vector<std::string> parameters = small;
    parameters.push_back("activations=" + activations);
    return network("llama-2-7b.yaml", parameters);
  };
  const Graph teal = network("llama-2-7b.yaml", small);  // Liu et al. 2024, means over layers
  EXPECT_NEAR(drawn_zeros(teal, "block0.query0"), 0.51, 1e-12);
  EXPECT_NEAR(drawn_zeros(teal, "block0.project"), 0.65, 1e-12);
  EXPECT_NEAR(drawn_zeros(teal, "block0.up"), 0.435, 1e-12);
  EXPECT_NEAR(drawn_zeros(teal, "block0.down"), 0.59, 1e-12);
  const Graph prosparse = with("prosparse");  // Song et al. 2024: 89.32 % in the feed-forward
  EXPECT_NEAR(drawn_zeros(prosparse, "block0.down"), 0.8932, 1e-12);
  for (const char* layer : {"block0.query0", "block0.project", "block0.gate"}) {
    EXPECT_EQ(drawn_zeros(prosparse, layer), 0) << layer;
  }
  EXPECT_NEAR(drawn_zeros(with("relu"), "block0.down"), 0.67, 1e-12);
  EXPECT_EQ(drawn_zeros(with("dense"), "block0.down"), 0);
  EXPECT_NEAR(drawn_zeros(network("llama-2-13b.yaml", small), "block0.down"), 0.888, 1e-12);
  EXPECT_NEAR(drawn_zeros(network("mistral-7b.yaml", small), "block0.down"), 0.9, 1e-12);
}

// Prefill: t tokens at once, but one row of logits.
TEST(Networks, PrefillCountsEveryTokenOnce) {
  const Graph graph =
      network("llama-2-7b.yaml", {"decode=0", "tokens=16", "layers=2", "vocabulary=512"});
  const std::int64_t block = std::int64_t{4} * 4096 * 4096 + std::int64_t{3} * 4096 * 11008;
  EXPECT_EQ(graph.dense_macs(), 2 * (16 * block + 2 * 16 * 16 * 4096) + 512 * 4096);
}

}  // namespace
}  // namespace lacuna::workload
