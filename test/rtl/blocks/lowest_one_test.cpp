// SPDX-License-Identifier: Apache-2.0
// Lowest set bit: every value of 12 bits.

#include <gtest/gtest.h>

#include <bit>
#include <memory>

#include "Vlowest_one.h"

namespace {

TEST(LowestOne, EveryVector) {
  VerilatedContext context;
  const auto top = std::make_unique<Vlowest_one>(&context, "top");
  for (unsigned vector = 0; vector < 4096; ++vector) {
    top->bits_i = static_cast<SData>(vector);
    top->eval();
    EXPECT_EQ(top->rest_o, vector & (vector - 1)) << vector;
    EXPECT_EQ(top->index_o, vector == 0 ? 0 : std::countr_zero(vector)) << vector;
  }
}

}  // namespace
