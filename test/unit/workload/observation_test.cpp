// SPDX-License-Identifier: Apache-2.0
//
// What of a network has to be computed?
#include "workload/observation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "workload/tensor_store.h"

namespace lacuna::workload {
namespace {

/// Adds a value of [2, 4] and returns its id.
int add_value(Graph& graph, ValueKind kind, const std::string& name) {
  Value value;
  value.name = name;
  value.kind = kind;
  value.shape = {2, 4};
  value.type = CodeType::kS8;
  value.storage = static_cast<int>(graph.values.size());
  value.drawn.kind = tensor::PatternKind::kUnstructured;
  value.drawn.density = 0.5;
  value.drawn.seed = graph.values.size();
  graph.values.push_back(value);
  return value.storage;
}

/// Adds a layer that reads one value (or two); returns the id of what it makes.
int add_layer(Graph& graph, Op op, int input, int right = kNoValue) {
  Layer layer;
  layer.name = "layer" + std::to_string(graph.layers.size());
  layer.op = op;
  layer.index = static_cast<int>(graph.layers.size());
  layer.input = layer.declared_input = input;
  layer.right = right;
  const int output = add_value(graph, ValueKind::kLayer, layer.name);
  graph.values.back().layer = layer.index;
  layer.output = output;
  graph.layers.push_back(layer);
  return output;
}

void draw_output(Graph& graph, int value) {
  graph.values[static_cast<std::size_t>(value)].output_drawn = true;
}

std::vector<bool> computed(const Graph& graph) { return observe(graph).computed; }

TEST(Observation, AComputedNetworkIsComputedWhole) {
  Graph graph;
  graph.samples = 1;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int first = add_layer(graph, Op::kLinear, input);
  const int second = add_layer(graph, Op::kLookup, first);
  add_layer(graph, Op::kLinear, second);
  EXPECT_EQ(computed(graph), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(observe(graph).used, (std::vector<bool>{true, true, true, false}));
}

TEST(Observation, WhatADrawnOutputIsMadeOfIsNot) {
  Graph graph;
  graph.samples = 1;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int sums = add_layer(graph, Op::kLinear, input);      // only read by the next
  const int looked_up = add_layer(graph, Op::kLookup, sums);  // drawn
  draw_output(graph, looked_up);
  const int last = add_layer(graph, Op::kLinear, looked_up);  // leaves the network
  EXPECT_EQ(computed(graph), (std::vector<bool>{false, false, true}));
  const Observation seen = observe(graph);
  EXPECT_FALSE(seen.used[static_cast<std::size_t>(input)]);
  EXPECT_FALSE(seen.used[static_cast<std::size_t>(sums)]);
  EXPECT_TRUE(seen.used[static_cast<std::size_t>(looked_up)]);
  // A reference that it is compared with makes it looked at.
  const tensor::TensorView expected;
  graph.layers[0].expect = &expected;
  EXPECT_EQ(computed(graph), (std::vector<bool>{true, false, true}));
  (void)last;
}

TEST(Observation, ZerosOfOperandsOfTheEngineCount) {
  Graph graph;
  graph.samples = 1;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int left = add_layer(graph, Op::kLinear, input);
  const int right = add_layer(graph, Op::kLinear, input);
  const int attend = add_layer(graph, Op::kMatmul, left, right);
  draw_output(graph, attend);
  add_layer(graph, Op::kLinear, attend);
  draw_output(graph, graph.layers.back().output);
  EXPECT_EQ(computed(graph), (std::vector<bool>{true, true, false, false}));
  const Observation seen = observe(graph);
  EXPECT_TRUE(seen.used[static_cast<std::size_t>(input)]);
  EXPECT_FALSE(seen.used[static_cast<std::size_t>(left)]);  // its zeros, not its codes
  EXPECT_FALSE(seen.used[static_cast<std::size_t>(attend)]);
}

TEST(Observation, AValueThatIsOnlyAwaitedIsNotComputed) {
  Graph graph;
  graph.samples = 1;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int cache = add_value(graph, ValueKind::kDrawn, "cache");
  const int key = add_layer(graph, Op::kLinear, input);
  add_layer(graph, Op::kMatmul, input, cache);
  EXPECT_EQ(computed(graph), (std::vector<bool>{true, true}));
  graph.layers.back().wait_for.push_back(key);
  EXPECT_EQ(computed(graph), (std::vector<bool>{false, true}));
}

TEST(Observation, TheStoreHoldsWhatItSays) {
  Graph graph;
  graph.samples = 1;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int sums = add_layer(graph, Op::kLinear, input);
  const int looked_up = add_layer(graph, Op::kLookup, sums);
  draw_output(graph, looked_up);
  add_layer(graph, Op::kLinear, looked_up);
  TensorStore store(graph, 0, 1, observe(graph));
  TensorStore whole(graph, 0, 1);
  for (const std::uint8_t code : store.codes(sums, 0)) EXPECT_EQ(code, 1);
  for (const std::uint8_t code : whole.codes(sums, 0)) EXPECT_EQ(code, 0);
  const auto thin = store.codes(input, 0);
  const auto full = whole.codes(input, 0);
  for (std::size_t i = 0; i < thin.size(); ++i) EXPECT_EQ(thin[i], full[i] != 0 ? 1 : 0);
  EXPECT_TRUE(std::equal(full.begin(), full.end(), draw_sample(graph.value(input), 0).begin()));
  // Computed with: all codes.
  EXPECT_TRUE(std::equal(store.codes(looked_up, 0).begin(), store.codes(looked_up, 0).end(),
                         whole.codes(looked_up, 0).begin()));
  // Memory comes and goes.
  const std::int64_t before = store.size_bytes();
  store.release(input, 0);
  EXPECT_EQ(store.size_bytes(), before - 8);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(store.codes(input, 0)[i], full[i] != 0 ? 1 : 0);
}

TEST(Observation, TheStoreKeepsWhatIsComparedAndNothingElse) {
  Graph graph;
  graph.samples = 2;
  const int input = add_value(graph, ValueKind::kInput, "x");
  const int first = add_layer(graph, Op::kLinear, input);
  add_layer(graph, Op::kLinear, first);
  const int last = graph.layers.back().output;
  graph.result = Result{1, {}};
  TensorStore all(graph, 0, 2, observe(graph));
  TensorStore few(graph, 0, 2, observe(graph), Keep::kCompared);
  for (TensorStore* store : {&all, &few}) {
    for (int sample : {0, 1}) {
      store->mutable_codes(first, sample)[0] = 3;
      store->mutable_codes(last, sample)[0] = 4;
    }
    const std::int64_t before = store->size_bytes();
    store->release(first, 0);
    store->release(last, 0);
    EXPECT_EQ(store->codes(last, 0)[0], 4);
    EXPECT_EQ(store->codes(first, 1)[0], 3) << "only one sample goes";
    EXPECT_EQ(store->size_bytes(), before - (store == &few ? 8 : 0));
  }
  EXPECT_EQ(all.codes(first, 0)[0], 3);
  EXPECT_THROW((void)few.codes(first, 0), base::InternalError) << "it cannot be made again";
}

}  // namespace
}  // namespace lacuna::workload
