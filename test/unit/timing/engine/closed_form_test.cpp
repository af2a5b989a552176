// SPDX-License-Identifier: Apache-2.0
//
// Where cycles can be said in a formula, does the model say the same? docs/reference/engine.md,
// section 7.
#include <gtest/gtest.h>

#include <utility>

#include "base/rng.h"
#include "support/random_pass.h"
#include "timing/engine/latencies.h"

namespace lacuna::timing::engine {
namespace {

/// All ones: K channels in one segment.
test::RawPass dense_pass(const params::EngineParams& params, int k, int channels, int tokens) {
  test::RawPass pass;
  pass.params = params;
  pass.segments = {1, k};
  pass.windows = WindowTable(params, pass.segments).all();
  pass.channels = channels;
  pass.tokens = tokens;
  pass.weights.assign(static_cast<std::size_t>(k) * static_cast<std::size_t>(channels), 1);
  pass.activations.assign(static_cast<std::size_t>(k) * static_cast<std::size_t>(tokens), 1);
  pass.command.psum_write = true;
  return pass;
}

PassResult run(const test::RawPass& pass) {
  return evaluate(pass.params, pass.tile(), pass.block(), pass.command, pass.psum_in);
}

TEST(DensePass, TakesWhatTheFormulaSays) {
  base::Rng rng(3);
  int drain_bound = 0;
  int compute_bound = 0;
  for (int i = 0; i < 800 && !HasFailure(); ++i) {
    params::EngineParams params;
    params.pes = static_cast<int>(rng.range(1, 24));
    params.k_ways = static_cast<int>(rng.range(1, 6));
    params.rows_per_pe = 16;
    params.lanes = 1 << rng.range(0, 3);
    params.scan_width = 8 << rng.range(0, 4);
    params.fifo_depth = static_cast<int>(rng.range(1, 20));
    params.drain_width = rng.bernoulli(0.5) ? params.pes * static_cast<int>(rng.range(1, 3)) : 1;
    if (rng.bernoulli(0.3)) params.skip_empty = params::SkipEmpty::kNone;
    const int least_rows = (2 + params.fifo_depth) / params.fifo_depth;  // D*R_used >= 3
    const int rows = static_cast<int>(rng.range(least_rows, 16));
    const int positions = static_cast<int>(rng.range(1, 60));
    const int groups = static_cast<int>(rng.range(1, 12));
    const PassResult result = run(
        dense_pass(params, positions * params.k_ways, params.pes * rows, groups * params.lanes));
    EXPECT_EQ(result.length, dense_pass_length(params, positions, rows, groups))
        << "P=" << params.pes << " Q=" << params.k_ways << " D=" << params.fifo_depth
        << " W=" << params.drain_width << " rows=" << rows << " X=" << positions
        << " groups=" << groups;
    const bool drain = positions * rows < kDrainLatency + drain_beats(params, rows) + kMacLatency;
    ++(drain ? drain_bound : compute_bound);
  }
  EXPECT_GT(drain_bound, 50);
  EXPECT_GT(compute_bound, 50);
}

// Where D*R_used < 3 the FIFO is the limit, not the MAC stage: D entries in the 3 cycles that one
// is away.
TEST(DensePass, TakesLongerIfTheFifoIsTooShort) {
  for (const auto& [depth, rows] : {std::pair{1, 1}, {1, 2}, {2, 1}}) {
    params::EngineParams params;
    params.pes = 4;
    params.drain_width = 4;
    params.fifo_depth = depth;
    const int positions = 300;
    const PassResult result =
        run(dense_pass(params, positions * params.k_ways, params.pes * rows, 1));
    EXPECT_GT(result.length, dense_pass_length(params, positions, rows, 1));
    const base::Cycle last_issue =
        kStartLatency + 3 * ((positions - 1) / depth) + (positions - 1) % depth;
    EXPECT_EQ(result.length, last_issue + kIssueLatency + kMaskLatency + rows + kMacLatency)
        << "D=" << depth << " R=" << rows;
  }
}

TEST(DensePass, OfTheReferenceCore) {
  const params::EngineParams params;
  // 1024 k on 4 ways: 256 positions x 32 rows per token; 33 cycles of drain hide behind them.
  EXPECT_EQ(dense_pass_length(params, 256, 32, 10), 4 + 10 * 256 * 32 + 2);
  EXPECT_EQ(run(dense_pass(params, 1024, 512, 10)).length, 4 + 10 * 256 * 32 + 2);
}

// One way, one PE that holds all rows: MAC-stage slots are the effective products exactly, plus one
// for each entry without weights that ends a group.
TEST(OnePe, SlotsAreTheNonZeroProducts) {
  base::Rng rng(9);
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    params::EngineParams params;
    params.pes = 1;
    params.k_ways = 1;
    params.rows_per_pe = 40;
    params.drain_width = 1;
    params.scan_width = 8 << rng.range(0, 4);
    params.fifo_depth = static_cast<int>(rng.range(1, 20));
    const int k = static_cast<int>(rng.range(1, 300));
    const int channels = static_cast<int>(rng.range(1, 40));
    const int tokens = static_cast<int>(rng.range(1, 10));
    test::RawPass pass = dense_pass(params, k, channels, tokens);
    const double weights = rng.uniform();
    const double acts = rng.uniform();
    for (auto& w : pass.weights) w = rng.bernoulli(weights) ? std::int8_t{3} : std::int8_t{0};
    for (auto& a : pass.activations) a = rng.bernoulli(acts) ? std::uint8_t{5} : std::uint8_t{0};
    std::uint64_t products = 0;
    for (int x = 0; x < k; ++x) {
      std::uint64_t weights_at = 0;
      std::uint64_t tokens_at = 0;
      for (int n = 0; n < channels; ++n) {
        weights_at += pass.weights[static_cast<std::size_t>(n * k + x)] != 0 ? 1 : 0;
      }
      for (int t = 0; t < tokens; ++t) {
        tokens_at += pass.activations[static_cast<std::size_t>(t * k + x)] != 0 ? 1 : 0;
      }
      products += weights_at * tokens_at;
    }
    const PassResult result = run(pass);
    EXPECT_EQ(result.counters.pe_mac, products);
    EXPECT_EQ(result.counters.macs, products);
    // With one PE an entry with k always has a weight, so only entries without k take empty slots.
    EXPECT_EQ(result.counters.pe_slot, result.counters.entries_without_k);
    const Counters& c = result.counters;
    EXPECT_EQ(
        static_cast<std::uint64_t>(result.length),
        c.pe_mac + c.pe_slot + c.pe_bank + c.pe_edge + c.pe_imbalance + c.pe_window + c.pe_issue);
  }
}

// A long dense pass on one PE takes its slots plus the stated latencies, nothing else.
TEST(OnePe, DensePassAddsOnlyTheLatencies) {
  params::EngineParams params;
  params.pes = 1;
  params.k_ways = 1;
  params.rows_per_pe = 64;
  params.drain_width = 1;
  const PassResult result = run(dense_pass(params, 500, 64, 7));
  const std::int64_t products = std::int64_t{500} * 64 * 7;
  EXPECT_EQ(result.counters.pe_mac, static_cast<std::uint64_t>(products));
  EXPECT_EQ(result.length, products + kStartLatency + kIssueLatency + kMaskLatency + kMacLatency);
}

}  // namespace
}  // namespace lacuna::timing::engine
