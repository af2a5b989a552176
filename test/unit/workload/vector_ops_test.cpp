// SPDX-License-Identifier: Apache-2.0
//
// The vector unit's function against a naive reading of docs/reference/numerics.md in 128-bit
// arithmetic, at corners and for random values.
#include "workload/vector_ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"
#include "workload/requantize.h"
#include "workload_fixture.h"

namespace lacuna::workload {
namespace {

__extension__ using Wide = __int128;

Wide floor_div(Wide a, Wide b) {
  Wide q = a / b;
  if (q * b > a) --q;
  return q;
}
Wide sat(Wide x, Wide low, Wide high) { return x < low ? low : x > high ? high : x; }
Wide gate(Wide y, Wide t) { return (y < 0 ? -y : y) <= t ? 0 : y; }
Wide shift_right(Wide x, int s) { return floor_div(x, Wide{1} << s); }
Wide oracle_finish(Wide scaled, int s, const OutputRange& r) {
  return gate(sat(shift_right(scaled + (Wide{1} << (s - 1)), s), r.low, r.high), r.gate);
}

TEST(IntegerSqrt, IsTheFloor) {
  for (const std::uint64_t x :
       {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 15ULL, 16ULL, 17ULL, 65535ULL, 65536ULL, (1ULL << 62) - 1,
        1ULL << 62, 0xFFFFFFFFFFFFFFFFULL, 0xFFFFFFFE00000000ULL, 0xFFFFFFFE00000001ULL}) {
    const auto r = static_cast<unsigned __int128>(integer_sqrt(x));
    EXPECT_LE(r * r, x) << x;
    EXPECT_GT((r + 1) * (r + 1), x) << x;
  }
  base::Rng rng(1);
  for (int trial = 0; trial < 20000; ++trial) {
    const std::uint64_t x = rng.next() >> rng.below(64);
    const auto r = static_cast<unsigned __int128>(integer_sqrt(x));
    ASSERT_TRUE(r * r <= x && (r + 1) * (r + 1) > x) << x;
  }
}

TEST(FloorDivide, RoundsTowardsMinusInfinity) {
  EXPECT_EQ(floor_divide(7, 2), 3);
  EXPECT_EQ(floor_divide(-7, 2), -4);
  EXPECT_EQ(floor_divide(-8, 2), -4);
  EXPECT_EQ(floor_divide(-1, 1000), -1);
  EXPECT_EQ(floor_divide(0, 5), 0);
}

TEST(Finish, ClampsThenGates) {
  const OutputRange range{-100, 90, 3};
  EXPECT_EQ(finish(1000, range), 90);
  EXPECT_EQ(finish(-1000, range), -100);
  EXPECT_EQ(finish(3, range), 0);
  EXPECT_EQ(finish(-3, range), 0);
  EXPECT_EQ(finish(4, range), 4);
  EXPECT_EQ(finish(-4, range), -4);
  EXPECT_EQ(finish(-5, OutputRange{0, 255, 0}), 0);
}

TEST(Requantize, CornersEqualTheOracle) {
  const std::vector<std::int32_t> corners{-2147483647 - 1, -2147483647, -65536, -1, 0, 1, 3,
                                          65535,           2147483647};
  Requantize constants;
  constants.bias = {0};
  constants.multiplier = {0};
  constants.shift = {1};
  const OutputRange range{-128, 127, 1};
  for (const std::int32_t acc : corners) {
    for (const std::int32_t bias : corners) {
      for (const std::int32_t multiplier : corners) {
        for (const int shift : {1, 2, 16, 31, 32, 47, 62}) {
          constants.bias[0] = bias;
          constants.multiplier[0] = multiplier;
          constants.shift[0] = static_cast<std::uint8_t>(shift);
          Wide a = Wide{acc} + bias;  // wrap to 32 bits
          if (a > 2147483647) a -= Wide{1} << 32;
          if (a < -(Wide{1} << 31)) a += Wide{1} << 32;
          ASSERT_EQ(requantize(acc, constants, 0, range),
                    static_cast<std::int64_t>(oracle_finish(a * multiplier, shift, range)))
              << acc << " " << bias << " " << multiplier << " " << shift;
        }
      }
    }
  }
}

std::vector<std::uint16_t> exp_table(double scale) {
  std::vector<std::uint16_t> table;
  for (int d = 0; d < 256; ++d) {
    table.push_back(static_cast<std::uint16_t>(std::lround(std::exp(-d * scale) * 32767)));
  }
  return table;
}

TEST(Softmax, EqualsTheOracle) {
  base::Rng rng(2);
  for (int trial = 0; trial < 500; ++trial) {
    const auto table = exp_table(0.001 + 0.2 * rng.uniform());
    const bool is_signed = rng.bernoulli(0.5);
    const OutputRange range{0, 255, rng.range(0, 12)};
    std::vector<int> codes(1 + rng.below(70));
    for (int& code : codes)
      code = static_cast<int>(rng.range(is_signed ? -128 : 0, is_signed ? 127 : 255));
    std::vector<std::uint8_t> bytes;
    for (const int code : codes) bytes.push_back(static_cast<std::uint8_t>(code));
    std::vector<std::uint8_t> out(codes.size());
    softmax_row(bytes, is_signed, table, range, out);
    const int top = *std::max_element(codes.begin(), codes.end());
    Wide t = 0;
    for (const int code : codes) t += table[static_cast<std::size_t>(top - code)];
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const Wide e = table[static_cast<std::size_t>(top - codes[i])];
      const Wide y = gate(floor_div(e * 255 + floor_div(t, 2), t), range.gate);
      ASSERT_EQ(int{out[i]}, static_cast<int>(y));
    }
  }
}

TEST(Softmax, Corners) {
  const OutputRange range{0, 255, 0};
  using Codes = std::vector<std::uint8_t>;
  Codes out(1);
  softmax_row(Codes{0x80}, true, exp_table(0.1), range, out);
  EXPECT_EQ(int{out[0]}, 255);  // alone
  out.resize(2);
  softmax_row(Codes{255, 0}, false, exp_table(0.1), range, out);
  EXPECT_EQ(out, (Codes{255, 0}));
  softmax_row(Codes{0x7F, 0x80}, true, exp_table(0.1), range, out);
  EXPECT_EQ(out, (Codes{255, 0}));
  softmax_row(Codes{5, 5}, false, exp_table(0.1), range, out);
  EXPECT_EQ(out, (Codes{128, 128}));  // 127.5 rounds up
}

std::vector<int> oracle_layer_norm(const std::vector<int>& x,
                                   const std::vector<std::int32_t>& gamma,
                                   const std::vector<std::int32_t>& beta, int shift,
                                   const OutputRange& range) {
  const Wide channels = static_cast<Wide>(x.size());
  Wide sum = 0;
  for (const int v : x) sum += v;
  Wide squares = 0;
  for (const int v : x) squares += (channels * v - sum) * (channels * v - sum);
  const Wide target = floor_div(squares, channels) * 256;
  Wide r = 0;  // by bisection
  for (Wide step = Wide{1} << 60; step > 0; step /= 2) {
    if ((r + step) * (r + step) <= target) r += step;
  }
  r = std::max<Wide>(1, r);
  std::vector<int> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide z = floor_div((channels * x[i] - sum) * 65536, r);
    y.push_back(static_cast<int>(oracle_finish(z * gamma[i] + beta[i], shift, range)));
  }
  return y;
}

TEST(LayerNorm, EqualsTheOracle) {
  base::Rng rng(3);
  for (int trial = 0; trial < 400; ++trial) {
    const bool is_signed = rng.bernoulli(0.5);
    const std::size_t channels = 1 + rng.below(200);
    std::vector<int> x(channels);
    std::vector<std::int32_t> gamma(channels);
    std::vector<std::int32_t> beta(channels);
    for (std::size_t i = 0; i < channels; ++i) {
      x[i] = static_cast<int>(rng.range(is_signed ? -128 : 0, is_signed ? 127 : 255));
      gamma[i] = static_cast<std::int32_t>(rng.range(-40000, 40000));
      beta[i] = static_cast<std::int32_t>(rng.range(-2147483647, 2147483647));
    }
    const int shift = static_cast<int>(rng.range(1, 30));
    const OutputRange range{-128, 127, rng.range(0, 20)};
    std::vector<int> out(channels);
    layer_norm_row(x, gamma, beta, shift, range, out);
    ASSERT_EQ(out, oracle_layer_norm(x, gamma, beta, shift, range)) << "trial " << trial;
  }
}

TEST(LayerNorm, Corners) {
  const OutputRange range{-128, 127, 0};
  const std::vector<std::int32_t> one{1 << 20, 1 << 20};
  const std::vector<std::int32_t> zero{0, 0};
  std::vector<int> out(2);
  layer_norm_row(std::vector<int>{7, 7}, one, zero, 20, range, out);  // no variance
  EXPECT_EQ(out, (std::vector<int>{0, 0}));
  // d = +-255, v = 65025, r = 4080: z = 4096 and, rounded down, -4096.
  layer_norm_row(std::vector<int>{255, 0}, one, zero, 26, range, out);
  EXPECT_EQ(out, (std::vector<int>{64, -64}));
  // The longest row with the largest spread stays within 64 bits.
  std::vector<int> wide(32768);
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = i % 2 == 0 ? 255 : 0;
  std::vector<int> wide_out(wide.size());
  const std::vector<std::int32_t> gamma(wide.size(), 2147483647);
  const std::vector<std::int32_t> beta(wide.size(), -2147483647);
  layer_norm_row(wide, gamma, beta, 40, range, wide_out);
  EXPECT_EQ(wide_out, oracle_layer_norm(wide, gamma, beta, 40, range));
}

class VectorLayers : public WorkloadTest {
 protected:
  /// Runs the only layer of a workload for sample 0, once whole and once row by row.
  std::vector<int> run(const std::string& layer, const std::string& shape,
                       const std::string& type) {
    const Graph graph =
        build(head() + "inputs:\n  - {name: x, shape: " + shape + ", type: " + type +
              ", tensor: x}\nlayers:\n  - {name: y, input: x, " + layer + "}\n");
    TensorStore whole(graph, 0, 1);
    run_vector_layer(graph.layers[0], whole, 0);
    TensorStore pieces(graph, 0, 1);
    const std::int64_t rows = graph.output_of(graph.layers[0]).tokens();
    for (std::int64_t row = rows; row-- > 0;) {
      run_vector_rows(graph.layers[0], pieces, 0, row, row + 1);
    }
    const int id = graph.layers[0].output;
    std::vector<int> result;
    for (std::int64_t i = 0; i < graph.value(id).elements(); ++i) {
      result.push_back(whole.at(id, 0, i));
      EXPECT_EQ(pieces.at(id, 0, i), result.back()) << i;
    }
    return result;
  }
};

TEST_F(VectorLayers, Add) {
  const auto x = s8(12);
  const auto b = u8(12);
  tensors_.add<std::int8_t>("x", {1, 3, 4}, x).add<std::uint8_t>("b", {3, 4}, b);
  const auto y =
      run("op: add, right: {tensor: b}, multiplier: [2147483647, -2147483648], shift: 31, "
          "output: {type: s8, clamp: [-100, 101], gate: 5}",
          "[3, 4]", "s8");
  const OutputRange range{-100, 101, 5};
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Wide sum = Wide{x[i]} * 2147483647 - Wide{b[i]} * 2147483648LL;
    EXPECT_EQ(y[i], static_cast<int>(oracle_finish(sum, 31, range)));
  }
}

TEST_F(VectorLayers, Lookup) {
  std::vector<std::int8_t> table(256);
  for (int i = 0; i < 256; ++i)
    table[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(127 - i);
  tensors_.add<std::int8_t>("x", {1, 1, 5}, {-128, -1, 0, 1, 127})
      .add<std::int8_t>("t", {256}, table);
  EXPECT_EQ(run("op: lookup, table: t, output: {type: s8, gate: 1}", "[1, 5]", "s8"),
            (std::vector<int>{127, 0, 0, -2, -128}));
}

TEST_F(VectorLayers, LookupOfUnsignedCodes) {
  std::vector<std::uint8_t> table(256);
  for (int i = 0; i < 256; ++i)
    table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(255 - i);
  tensors_.add<std::uint8_t>("x", {1, 1, 3}, {0, 128, 255}).add<std::uint8_t>("t", {256}, table);
  EXPECT_EQ(run("op: lookup, table: t, output: {type: u8, clamp: [0, 200]}", "[1, 3]", "u8"),
            (std::vector<int>{200, 127, 0}));
}

TEST_F(VectorLayers, MaxPool) {
  const auto x = s8(7 * 6 * 3);
  tensors_.add<std::int8_t>("x", {1, 7, 6, 3}, x);
  const auto y = run("op: max_pool, kernel: [3, 2], stride: [2, 1]", "[7, 6, 3]", "s8");
  ASSERT_EQ(y.size(), 3U * 5 * 3);
  for (int oy = 0; oy < 3; ++oy) {
    for (int ox = 0; ox < 5; ++ox) {
      for (int c = 0; c < 3; ++c) {
        int best = -1000;
        for (int r = 0; r < 3; ++r) {
          for (int s = 0; s < 2; ++s) {
            best = std::max<int>(best,
                                 x[static_cast<std::size_t>(((oy * 2 + r) * 6 + ox + s) * 3 + c)]);
          }
        }
        EXPECT_EQ(y[static_cast<std::size_t>((oy * 5 + ox) * 3 + c)], best);
      }
    }
  }
}

TEST_F(VectorLayers, AveragePool) {
  const auto x = u8(4 * 5 * 3);
  tensors_.add<std::uint8_t>("x", {1, 4, 5, 3}, x);
  const auto y = run("op: average_pool, multiplier: -1311535135, shift: 34, output: {type: s8}",
                     "[4, 5, 3]", "u8");
  ASSERT_EQ(y.size(), 3U);
  for (std::size_t c = 0; c < 3; ++c) {
    Wide sum = 0;
    for (std::size_t t = 0; t < 20; ++t) sum += x[t * 3 + c];
    EXPECT_EQ(y[c], static_cast<int>(oracle_finish(sum * -1311535135, 34, {-128, 127, 0})));
  }
}

TEST_F(VectorLayers, SoftmaxPerHead) {
  tensors_.add<std::int8_t>("x", {1, 2, 4}, {1, 9, -128, 127, 0, 0, 5, 4})
      .add<std::uint16_t>("t", {256}, exp_table(1.0));
  const auto y =
      run("op: softmax, heads: 2, table: t, output: {type: u8, gate: 60}", "[2, 4]", "s8");
  EXPECT_EQ(y, (std::vector<int>{0, 255, 0, 255, 128, 128, 186, 69}));
}

TEST_F(VectorLayers, LayerNormPerToken) {
  const auto x = u8(3 * 8);
  const auto gamma = s32(8, -40000, 40000);
  const auto beta = s32(8, -9000000, 9000000);
  tensors_.add<std::uint8_t>("x", {1, 3, 8}, x);
  tensors_.add<std::int32_t>("g", {8}, gamma).add<std::int32_t>("b", {8}, beta);
  const auto y = run("op: layer_norm, gamma: g, beta: b, shift: 20, output: {type: s8, gate: 2}",
                     "[3, 8]", "u8");
  for (std::size_t t = 0; t < 3; ++t) {
    const std::vector<int> token(x.begin() + static_cast<long>(t) * 8,
                                 x.begin() + static_cast<long>(t) * 8 + 8);
    const std::vector<int> part(y.begin() + static_cast<long>(t) * 8,
                                y.begin() + static_cast<long>(t) * 8 + 8);
    EXPECT_EQ(part, oracle_layer_norm(token, gamma, beta, 20, {-128, 127, 2}));
  }
}

TEST_F(VectorLayers, FlattenIsAView) {
  const auto x = s8(2 * 3 * 4);
  tensors_.add<std::int8_t>("x", {1, 2, 3, 4}, x);
  const Graph graph = build(head() +
                            "inputs: [{name: x, shape: [2, 3, 4], type: s8, tensor: x}]\n"
                            "layers: [{name: y, op: flatten, input: x}]\n");
  TensorStore store(graph, 0, 1);
  run_vector_layer(graph.layers[0], store, 0);
  EXPECT_EQ(graph.output_of(graph.layers[0]).shape, (Shape{1, 24}));
  EXPECT_EQ(store.codes(graph.layers[0].output, 0).data(), store.codes(0, 0).data());
  EXPECT_THROW((void)store.mutable_codes(graph.layers[0].output, 0), base::InternalError);
}

}  // namespace
}  // namespace lacuna::workload
