// SPDX-License-Identifier: Apache-2.0
//
// Every random pass keeps the rules of the engine, a seed is a pass, and the distribution reaches
// the corners that it promises.
#include "verify/stimulus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "timing/engine/capacity.h"
#include "verify/parameter_set.h"

namespace lacuna::verify {
namespace {

std::string shipped() { return set_folder(LACUNA_SOURCE_DIR); }

/// Large engines take long to draw for; the rules are the same.
int cases_of(const NamedSet& set) { return set.values.engine.max_channels() > 200 ? 40 : 250; }

class EverySet : public testing::TestWithParam<std::string> {};

TEST_P(EverySet, PassesKeepTheRules) {
  const NamedSet set = load_set(shipped(), GetParam());
  for (int i = 0; i < cases_of(set); ++i) {
    const std::uint64_t seed = case_seed(1, set.name, i);
    const Case made = make_case(set.values, seed);
    const auto broken = broken_rules(set.values.engine, made);
    ASSERT_TRUE(broken.empty()) << "seed " << seed << ": " << base::join(broken, "; ");
    ASSERT_FALSE(made.passes.empty());
    const CasePlan plan = plan_case(seed);
    EXPECT_EQ(plan.kind, made.kind);
    EXPECT_EQ(plan.passes + made.cut, static_cast<int>(made.passes.size()));
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, EverySet, testing::ValuesIn(set_names(shipped())),
                         [](const auto& info) { return info.param; });

TEST(Stimulus, TheSameSeedIsTheSameCase) {
  const ParameterSet set = load_set(shipped(), "lanes").values;
  for (std::uint64_t seed = 100; seed < 160; ++seed) {
    const Case first = make_case(set, seed);
    const Case second = make_case(set, seed);
    ASSERT_EQ(first.passes.size(), second.passes.size());
    EXPECT_EQ(first.cut, second.cut);
    EXPECT_EQ(first.reset_after, second.reset_after);
    for (std::size_t i = 0; i < first.passes.size(); ++i) {
      const Stimulus& a = first.passes[i];
      const Stimulus& b = second.passes[i];
      EXPECT_EQ(a.tile->key, b.tile->key);
      EXPECT_EQ(a.block->key, b.block->key);
      EXPECT_EQ(a.command, b.command);
      EXPECT_EQ(a.psum_in, b.psum_in);
      EXPECT_EQ(a.chain, b.chain);
      EXPECT_EQ(a.text, b.text);
      EXPECT_EQ(a.schedule.load_wait, b.schedule.load_wait);
      EXPECT_EQ(a.schedule.start_wait, b.schedule.start_wait);
    }
  }
}

TEST(Stimulus, OtherSeedsAreOtherCases) {
  const ParameterSet set = load_set(shipped(), "small").values;
  std::set<std::uint64_t> tiles;
  int passes = 0;
  for (int i = 0; i < 200; ++i) {
    const Case made = make_case(set, case_seed(7, "small", i));
    tiles.insert(made.passes.front().tile->key);
    ++passes;
  }
  EXPECT_GT(static_cast<int>(tiles.size()), passes * 9 / 10);
  EXPECT_NE(case_seed(1, "small", 0), case_seed(2, "small", 0));
  EXPECT_NE(case_seed(1, "small", 0), case_seed(1, "lanes", 0));
  EXPECT_NE(case_seed(1, "small", 0), case_seed(1, "small", 1));
}

/// What a run of some hundred cases on one engine must have had.
struct Reached {
  int live = 0, reset = 0, chains = 0, read = 0, write = 0, both = 0, in_place = 0, held = 0;
  int no_weight = 0, all_weights = 0, no_activation = 0, all_activations = 0, one_token = 0;
  int full_rows = 0, one_row = 0, last_row_cut = 0, segments = 0, cut_k = 0, lowest = 0;
  int same_tile = 0, same_block = 0, released = 0, late_load = 0, late_start = 0, wide_clamp = 0;
  double fullest_weights = 0, fullest_block = 0;
  int most_tokens = 0;
};

void look(const params::EngineParams& engine, const Case& made, Reached& seen) {
  seen.live += made.kind == CaseKind::kLive ? 1 : 0;
  seen.reset += made.kind == CaseKind::kReset ? 1 : 0;
  for (std::size_t i = 0; i < made.passes.size(); ++i) {
    const Stimulus& pass = made.passes[i];
    const timing::engine::Tile& tile = *pass.tile;
    const timing::engine::Block& block = *pass.block;
    seen.chains += pass.chain ? 1 : 0;
    seen.read += pass.command.psum_read && !pass.command.psum_write ? 1 : 0;
    seen.write += !pass.command.psum_read && pass.command.psum_write ? 1 : 0;
    seen.both += pass.command.psum_read && pass.command.psum_write ? 1 : 0;
    seen.in_place += tile.in_place ? 1 : 0;
    seen.held += pass.command.hold1 > 0 ? 1 : 0;
    std::int64_t bits = 0;
    for (int q = 0; q < engine.k_ways; ++q) bits += block.set_bits(q);
    const std::int64_t places = std::int64_t{tile.positions} * engine.k_ways;
    seen.no_weight += tile.weights == 0 ? 1 : 0;
    seen.all_weights += tile.weights == places * tile.channels ? 1 : 0;
    seen.no_activation += bits == 0 ? 1 : 0;
    seen.all_activations += bits == places * block.groups ? 1 : 0;
    seen.one_token += block.tokens == 1 ? 1 : 0;
    seen.full_rows += tile.rows == engine.rows_per_pe ? 1 : 0;
    seen.one_row += tile.rows == 1 ? 1 : 0;
    seen.last_row_cut += tile.channels % engine.pes != 0 ? 1 : 0;
    seen.segments += pass.text.find("segments") != std::string::npos ? 1 : 0;
    seen.cut_k += pass.text.find("windows 0..") == std::string::npos ? 1 : 0;
    seen.lowest += std::count(tile.codes.begin(), tile.codes.end(), std::int8_t{-128}) > 0 ? 1 : 0;
    seen.wide_clamp += pass.command.clamp_lo < 0 && pass.command.clamp_hi > 127 ? 1 : 0;
    seen.released += pass.schedule.release_weights || pass.schedule.release_block ? 1 : 0;
    seen.late_load += pass.schedule.load_wait > 0 || pass.schedule.load_gaps > 0 ? 1 : 0;
    seen.late_start += pass.schedule.start_wait > 0 ? 1 : 0;
    if (i > 0) {
      seen.same_tile += made.passes[i - 1].tile->key == tile.key ? 1 : 0;
      seen.same_block += made.passes[i - 1].block->key == block.key ? 1 : 0;
    }
    const auto most =
        static_cast<int>(*std::max_element(tile.pe_values.begin(), tile.pe_values.end()));
    seen.fullest_weights = std::max(
        seen.fullest_weights, static_cast<double>(timing::engine::pe_weight_bytes(
                                  engine, tile.positions, tile.rows, most)) /
                                  static_cast<double>(timing::engine::pe_weight_capacity(engine)));
    for (int q = 0; q < engine.k_ways; ++q) {
      seen.fullest_block =
          std::max(seen.fullest_block,
                   static_cast<double>(engine.lanes * block.set_bits(q) * engine.k_ways) /
                       static_cast<double>(engine.activation_buffer));
    }
    seen.most_tokens = std::max(seen.most_tokens, block.tokens);
  }
}

TEST(Stimulus, ReachesTheCorners) {
  const ParameterSet set = load_set(shipped(), "small").values;
  Reached seen;
  for (int i = 0; i < 1500; ++i) look(set.engine, make_case(set, case_seed(3, "small", i)), seen);
  EXPECT_GT(seen.live, 75);
  EXPECT_GT(seen.reset, 15);
  EXPECT_GT(seen.chains, 50);
  EXPECT_GT(seen.read, 75);
  EXPECT_GT(seen.write, 75);
  EXPECT_GT(seen.both, 75);
  EXPECT_GT(seen.in_place, 75);
  EXPECT_GT(seen.held, 300);
  EXPECT_GT(seen.no_weight, 75);
  EXPECT_GT(seen.all_weights, 15);
  EXPECT_GT(seen.no_activation, 75);
  EXPECT_GT(seen.all_activations, 30);
  EXPECT_GT(seen.one_token, 75);
  EXPECT_GT(seen.full_rows, 150);
  EXPECT_GT(seen.one_row, 150);
  EXPECT_GT(seen.last_row_cut, 150);
  EXPECT_GT(seen.segments, 150);
  EXPECT_GT(seen.cut_k, 75);
  EXPECT_GT(seen.lowest, 75);
  EXPECT_GT(seen.same_tile, 15);
  EXPECT_GT(seen.same_block, 15);
  EXPECT_GT(seen.released, 50);
  EXPECT_GT(seen.late_load, 50);
  EXPECT_GT(seen.late_start, 30);
  EXPECT_GT(seen.wide_clamp, 30);
  EXPECT_GT(seen.fullest_weights, 0.97);
  EXPECT_GT(seen.fullest_block, 0.9);
}

TEST(Stimulus, ThousandsOfTokensWhereTheyFit) {
  const ParameterSet set = load_set(shipped(), "tokens").values;
  Reached seen;
  for (int i = 0; i < 300; ++i) look(set.engine, make_case(set, case_seed(3, "tokens", i)), seen);
  EXPECT_GT(seen.most_tokens, 1000);
}

TEST(Stimulus, BrokenRulesAreFound) {
  const ParameterSet set = load_set(shipped(), "small").values;
  Case made = make_case(set, 1);
  params::EngineParams smaller = set.engine;
  smaller.weight_buffer = 4;
  smaller.max_k = 2;
  EXPECT_FALSE(broken_rules(smaller, made).empty());
  made.passes.front().command.gate = 256;
  EXPECT_EQ(broken_rules(set.engine, made).size(), 1u);
  made.passes.front().command.gate = 0;
  made.passes.front().chain = true;
  EXPECT_EQ(broken_rules(set.engine, made).size(), 1u);
}

}  // namespace
}  // namespace lacuna::verify
