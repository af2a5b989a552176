// SPDX-License-Identifier: Apache-2.0
// FIFO of five entries against a queue: order, flags, first visible one cycle after the push.

#include <gtest/gtest.h>

#include <deque>

#include "Vfifo.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

TEST(Fifo, BehavesAsAQueue) {
  Bench<Vfifo> top;
  top->push_i = 0;
  top->pop_i = 0;
  top.reset();
  Random random(1);
  std::deque<unsigned> queue;
  int full = 0, empty = 0, both = 0, resets_with_entries = 0;
  for (int cycle = 0; cycle < 20000; ++cycle) {
    // Long stretches of filling and of emptying reach both ends.
    const double filling = cycle / 50 % 2 == 0 ? 0.8 : 0.2;
    const bool push = queue.size() < 5 && random.chance(filling);
    const bool pop = !queue.empty() && random.chance(1 - filling);
    const auto value = static_cast<unsigned>(random.range(0, 511));
    top->push_i = push;
    top->data_i = static_cast<SData>(value);
    top->pop_i = pop;
    // One cycle of reset empties it, whatever stands at its ports.
    const bool reset = random.chance(0.005);
    top->rst_ni = !reset;
    top.settle();
    ASSERT_EQ(top->valid_o, !queue.empty()) << cycle;
    ASSERT_EQ(top->full_o, queue.size() == 5) << cycle;
    ASSERT_EQ(top->almost_full_o, queue.size() == 4) << cycle;
    if (!queue.empty()) {
      ASSERT_EQ(top->data_o, queue.front()) << cycle;
    }
    top.edge();
    if (pop) queue.pop_front();
    if (push) queue.push_back(value);
    resets_with_entries += reset && !queue.empty();
    if (reset) queue.clear();
    full += queue.size() == 5;
    empty += queue.empty();
    both += push && pop;
  }
  EXPECT_GT(full, 100);
  EXPECT_GT(empty, 100);
  EXPECT_GT(both, 100);
  EXPECT_GT(resets_with_entries, 20);
}

}  // namespace
}  // namespace lacuna::test::rtl
