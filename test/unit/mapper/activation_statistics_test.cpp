// SPDX-License-Identifier: Apache-2.0
//
// What is assumed of activations that nobody has seen: does it follow from how they are made?
#include "mapper/activation_statistics.h"

#include <gtest/gtest.h>

namespace lacuna::mapper {
namespace {

using params::Op;

/// A drawn input of 8 x 8 pixels, a layer that makes something of it, and one that reads that.
struct Network {
  workload::Graph graph;

  Network(Op op, std::int64_t low, std::int64_t gate = 0) {
    for (int i = 0; i < 3; ++i) {
      workload::Value value;
      value.name = std::string(1, static_cast<char>('a' + i));
      value.shape = {8, 8, 16};
      value.storage = i;
      value.kind = i == 0 ? workload::ValueKind::kDrawn : workload::ValueKind::kLayer;
      value.drawn.kind = tensor::PatternKind::kUnstructured;
      value.drawn.density = 0.25;
      value.layer = i - 1;
      graph.values.push_back(value);
    }
    for (int i = 0; i < 2; ++i) {
      workload::Layer layer;
      layer.index = i;
      layer.op = i == 0 ? op : Op::kLinear;
      layer.input = i;
      layer.output = i + 1;
      layer.gemm.k = 16;
      layer.range.low = low;
      layer.range.gate = gate;
      layer.window.kernel_y = layer.window.kernel_x = 2;
      graph.layers.push_back(layer);
    }
    graph.samples = 1;
  }
  [[nodiscard]] double density(int layer = 1) const {
    return activation_statistics(graph, graph.layers[static_cast<std::size_t>(layer)]).density;
  }
};

TEST(ActivationStatistics, DrawnOnesAreKnown) {
  EXPECT_DOUBLE_EQ(Network(Op::kLinear, 0).density(0), 0.25);
}

TEST(ActivationStatistics, ARectifierLeavesHalfAndWithoutOneHardlyAnyIsZero) {
  for (const Op op : {Op::kConv2d, Op::kLinear, Op::kAdd, Op::kLayerNorm, Op::kDepthwise}) {
    EXPECT_DOUBLE_EQ(Network(op, 0).density(), 0.5);
    EXPECT_GT(Network(op, -128).density(), 0.9);
    EXPECT_DOUBLE_EQ(Network(op, -128, 3).density(), 0.5) << "small ones become zero";
  }
  EXPECT_DOUBLE_EQ(Network(Op::kSoftmax, -128).density(), 0.5) << "nothing is known of it";
}

TEST(ActivationStatistics, APoolIsZeroWhereAllOfItsWindowIs) {
  EXPECT_DOUBLE_EQ(Network(Op::kMaxPool, 0).density(), 1.0 - 0.75 * 0.75 * 0.75 * 0.75);
  EXPECT_GT(Network(Op::kAveragePool, 0).density(), 0.999) << "of 64 pixels";
}

TEST(ActivationStatistics, WhatOnlyMovesCodesKeepsTheirZeros) {
  for (const Op op : {Op::kFlatten, Op::kSlice, Op::kUpsample, Op::kRotary}) {
    EXPECT_DOUBLE_EQ(Network(op, 0).density(), 0.25);
  }
}

}  // namespace
}  // namespace lacuna::mapper
