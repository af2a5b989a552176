// SPDX-License-Identifier: Apache-2.0
//
// Does a pass compute the matrix product? Against the textbook triple loop and numerics.md, on
// every implementation, and over K tiles.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "support/random_pass.h"

namespace lacuna::timing::engine {
namespace {

std::int32_t wrap(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
}

/// Sum over the k of the pass's windows of A[t][k] * W[n][k].
std::int32_t product(const test::RawPass& pass, int token, int channel) {
  const WindowTable table(pass.params, pass.segments);
  const KRange range = table.k_range(pass.windows);
  std::int64_t sum = 0;
  for (std::int64_t k = range.begin; k < range.end; ++k) {
    const std::uint8_t code =
        pass.activations[static_cast<std::size_t>(token * pass.segments.k() + k)];
    const int a = pass.command.act_signed ? static_cast<std::int8_t>(code) : int{code};
    sum += a * pass.weights[static_cast<std::size_t>(channel * pass.segments.k() + k)];
  }
  return wrap(sum);
}

std::uint8_t requantized(const test::RawPass& pass, int channel, std::int32_t sum) {
  const auto n = static_cast<std::size_t>(channel);
  const std::int64_t a = wrap(std::int64_t{sum} + pass.bias[n]);
  std::int64_t y =
      (a * pass.multiplier[n] + (std::int64_t{1} << (pass.shift[n] - 1))) >> pass.shift[n];
  y = std::max<std::int64_t>(pass.command.clamp_lo,
                             std::min<std::int64_t>(y, pass.command.clamp_hi));
  if (y >= -pass.command.gate && y <= pass.command.gate) y = 0;
  return static_cast<std::uint8_t>(y);
}

TEST(Function, IsTheMatrixProduct) {
  test::RandomLimits limits;
  limits.max_rows = 20;
  for (std::uint64_t seed = 20'000; seed < 20'300 && !HasFailure(); ++seed) {
    test::RawPass pass = test::random_pass(seed, limits);
    pass.command.psum_read = pass.command.psum_write = false;
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + pass.describe());
    std::vector<std::uint8_t> expected;
    for (int t = 0; t < pass.tokens; ++t) {
      for (int n = 0; n < pass.channels; ++n) {
        expected.push_back(requantized(pass, n, product(pass, t, n)));
      }
    }
    for (const Kernel kernel : {Kernel::kPlain, Kernel::kPortable, Kernel::kAuto}) {
      EvaluateOptions options;
      options.timing = false;
      options.kernel = kernel;
      EXPECT_EQ(evaluate(pass.params, pass.tile(), pass.block(), pass.command, {}, options).outputs,
                expected);
    }
  }
}

// Sums wrap at 32 bits, like the hardware's.
TEST(Function, SumsWrap) {
  test::RawPass pass;
  pass.params.pes = 4;
  pass.params.drain_width = 4;
  pass.params.max_k = 65536;
  pass.segments = {1, 65536};
  pass.windows = WindowTable(pass.params, pass.segments).all();
  pass.channels = 70;  // more than one step of every vector version
  pass.tokens = 1;
  pass.weights.assign(std::size_t{65536} * 70, -128);
  pass.activations.assign(65536, 255);
  pass.command.psum_write = true;
  const std::int32_t once = wrap(std::int64_t{65536} * 255 * -128);  // -2139095040
  const PassResult first = evaluate(pass.params, pass.tile(), pass.block(), pass.command);
  EXPECT_EQ(first.psum_out[69], once);
  pass.command.psum_read = true;
  const PassResult second =
      evaluate(pass.params, pass.tile(), pass.block(), pass.command, first.psum_out);
  EXPECT_EQ(second.psum_out[69], wrap(2 * std::int64_t{once}));
  EXPECT_GT(second.psum_out[69], 0);
}

// K tiles with partial sums give what one pass gives.
TEST(Function, SplitsOverKTiles) {
  int splits = 0;
  for (std::uint64_t seed = 30'000; seed < 30'200 && !HasFailure(); ++seed) {
    test::RawPass pass = test::random_pass(seed);
    pass.command.psum_read = pass.command.psum_write = false;
    const WindowTable table(pass.params, pass.segments);
    pass.windows = table.all();
    const PassResult whole = evaluate(pass.params, pass.tile(), pass.block(), pass.command);
    const std::vector<WindowRange> tiles =
        table.cut(std::max(1, table.windows() / 3), table.positions());
    ASSERT_FALSE(tiles.empty());
    splits += tiles.size() > 1 ? 1 : 0;
    std::vector<std::int32_t> psum;
    PassResult part;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      pass.windows = tiles[i];
      pass.command.psum_read = i > 0;
      pass.command.psum_write = i + 1 < tiles.size();
      part = evaluate(pass.params, pass.tile(), pass.block(), pass.command, psum);
      psum = part.psum_out;
    }
    EXPECT_EQ(part.outputs, whole.outputs) << "seed " << seed << ": " << pass.describe();
  }
  EXPECT_GT(splits, 100);
}

// A null row is a padding pixel: zeros.
TEST(Function, NullRowsAreZeros) {
  params::EngineParams params;
  params.pes = 4;
  params.drain_width = 4;
  const Segments segments{2, 8};
  const std::vector<std::int8_t> weights(16 * 4, 2);
  const std::vector<std::uint8_t> codes(8, 3);
  TileSource source;
  source.weights = {weights.data(), 16, 1};
  source.segments = segments;
  source.windows = WindowTable(params, segments).all();
  source.channels = 4;
  const Tile tile = make_tile(params, source);
  const std::vector<const std::uint8_t*> rows{nullptr, codes.data(), codes.data(),
                                              nullptr, nullptr,      nullptr};
  BlockSource block_source;
  block_source.tokens = 3;
  block_source.segments = segments;
  block_source.windows = source.windows;
  block_source.rows = rows;
  const Block block = make_block(params, block_source);
  PassCommand command;
  command.psum_write = true;
  const PassResult result = evaluate(params, tile, block, command);
  EXPECT_EQ(result.psum_out[0], 8 * 3 * 2);
  EXPECT_EQ(result.psum_out[4], 8 * 3 * 2);
  EXPECT_EQ(result.psum_out[8], 0);
  EXPECT_EQ(result.counters.entries_without_k, 4U);  // the all-zero token, in each of four ways
}

}  // namespace
}  // namespace lacuna::timing::engine
