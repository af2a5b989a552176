// SPDX-License-Identifier: Apache-2.0
//
// Does a pass have the same result whatever was foreseen, remembered, or done on other threads?
#include "cosim/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"
#include "passes.h"
#include "timing/engine/block.h"
#include "timing/engine/latencies.h"
#include "timing/engine/tile.h"

namespace lacuna::cosim {
namespace {

using timing::engine::PassCommand;
using timing::engine::PassResult;

struct Ask {
  SmallPass pass;
  PassCommand command;
  bool compute = true;
  std::vector<std::int32_t> psum_in;
};

PassRequest request(const Ask& ask, const PassCommand& command, std::uint64_t ticket) {
  PassRequest request{ask.pass.tile, ask.pass.block, command, {}, 0, "fc", 0};
  request.compute = ask.compute;
  request.psum_in = ask.psum_in;
  request.ticket = ticket;
  return request;
}

/// Passes that repeat, with carry-ins from none to more than a drain.
std::vector<Ask> asks(int count) {
  base::Rng rng(17);
  std::vector<Ask> result;
  for (int i = 0; i < count; ++i) {
    Ask ask;
    ask.pass = small_pass(static_cast<std::uint64_t>(rng.below(12)));
    ask.command = ask.pass.command;
    ask.command.hold1 = rng.range(0, 40);
    ask.command.hold2 = rng.range(0, ask.command.hold1);
    if (rng.bernoulli(0.3)) ask.command.hold1 = ask.command.hold2 = 0;
    ask.compute = rng.bernoulli(0.6);
    // In the middle of a K that is split, at its end ...
    ask.pass.command.psum_read = ask.command.psum_read = rng.bernoulli(0.5);
    ask.pass.command.psum_write = ask.command.psum_write = rng.bernoulli(0.5);
    if (ask.command.psum_read) {
      ask.psum_in.resize(static_cast<std::size_t>(
          timing::engine::psum_words(small_engine(), ask.pass.tile->rows, ask.pass.block->groups)));
      for (auto& sum : ask.psum_in) {
        sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(rng.below(1ULL << 32U)));
      }
    }
    result.push_back(ask);
  }
  return result;
}

PassResult alone(const Ask& ask) {
  timing::engine::EvaluateOptions options;
  options.functional = ask.compute;
  return timing::engine::evaluate(small_engine(), *ask.pass.tile, *ask.pass.block, ask.command,
                                  ask.psum_in, options);
}

void expect_same(const PassResult& actual, const PassResult& expected) {
  EXPECT_EQ(actual.length, expected.length);
  EXPECT_EQ(actual.group_end, expected.group_end);
  EXPECT_EQ(actual.drain_end, expected.drain_end);
  EXPECT_EQ(actual.outputs, expected.outputs);
  EXPECT_EQ(actual.psum_out, expected.psum_out);
  EXPECT_EQ(actual.counters, expected.counters);
}

TEST(Evaluator, OneThreadForeseesNothingAndIsRight) {
  Evaluator evaluator(small_engine(), 1);
  std::uint64_t ticket = 0;
  for (const Ask& ask : asks(300)) {
    evaluator.foresee(request(ask, ask.pass.command, ticket), ticket);
    expect_same(evaluator.evaluate(request(ask, ask.command, ticket), ticket), alone(ask));
    ++ticket;
  }
}

TEST(Evaluator, WhatIsForeseenIsRight) {
  for (const int threads : {2, 4}) {
    Evaluator evaluator(small_engine(), threads);
    const std::vector<Ask> all = asks(600);
    constexpr std::size_t kAhead = 20;
    for (std::size_t i = 0; i < all.size() + kAhead; ++i) {
      if (i < all.size()) evaluator.foresee(request(all[i], all[i].pass.command, i), i);
      if (i < kAhead) continue;
      const std::size_t now = i - kAhead;
      expect_same(evaluator.evaluate(request(all[now], all[now].command, now), now),
                  alone(all[now]));
    }
  }
}

TEST(Evaluator, WhatIsForeseenButNeverRunDoesNotHurt) {
  Evaluator evaluator(small_engine(), 3);
  const std::vector<Ask> all = asks(50);
  for (std::size_t i = 0; i < all.size(); ++i) evaluator.foresee(request(all[i], {}, i), i);
}

TEST(CarryInUsed, FalseMeansThatSmallerOnesChangeNothing) {
  base::Rng rng(23);
  int unused = 0;
  int used = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Ask ask;
    ask.pass = small_pass(seed);
    ask.compute = false;
    ask.command = ask.pass.command;
    ask.command.hold1 = rng.range(0, 60);
    ask.command.hold2 = rng.range(0, std::min<base::Cycle>(8, ask.command.hold1));
    const PassResult most = alone(ask);
    ++(most.carry_in_used ? used : unused);
    if (most.carry_in_used) continue;
    for (int i = 0; i < 5; ++i) {
      Ask less = ask;
      less.command.hold1 = rng.range(0, ask.command.hold1);
      less.command.hold2 =
          rng.range(0, std::min<base::Cycle>(less.command.hold1, ask.command.hold2));
      expect_same(alone(less), most);
    }
  }
  EXPECT_GT(unused, 5);
  EXPECT_GT(used, 5);
}

}  // namespace
}  // namespace lacuna::cosim
