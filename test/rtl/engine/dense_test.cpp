// SPDX-License-Identifier: Apache-2.0
//
// Dense passes take what the closed formula of engine.md (section 7) says, and an engine of one way
// and one PE needs exactly the effective products as MAC-stage slots.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "rtl/support/generator.h"
#include "rtl/support/plugin.h"

namespace lacuna::test::rtl {
namespace {

/// Length of a dense pass: X positions per way, R_used rows, G groups.
std::int64_t dense_length(std::int64_t slots, std::int64_t drain, std::int64_t groups) {
  const std::int64_t first = 1 + 2 + 1, l_mac = 2;
  if (slots >= drain + l_mac) return first + groups * slots + l_mac;
  std::int64_t u = first, end1 = 0, end2 = 0, finish = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    u = std::max(u, end2) + slots;
    finish = u + l_mac;
    end2 = end1;
    end1 = std::max(finish, end1) + drain;
  }
  return finish;
}

class DensePass : public testing::TestWithParam<const char*> {};

TEST_P(DensePass, TakesWhatTheClosedFormulaSays) {
  Plugin plugin(engine_file(GetParam()));
  const Shape shape = plugin.shape();
  Random random(7);
  int tried = 0, slow_drain = 0;
  for (int rows = 1; rows <= std::min(shape.rows_per_pe, 6); ++rows) {
    if (shape.fifo_depth * rows < 3) continue;
    for (int positions : {1, 2, 3, 7, 16}) {
      for (int groups : {1, 2, 3, 6}) {
        Problem p;
        p.segment_channels = positions * shape.k_ways;
        p.channels = shape.pes * rows;
        p.tokens = groups * shape.lanes;
        fill(random, shape, p, 1.0, 1.0, false);
        for (int& w : p.weights) w = w == 0 ? 1 : w;
        for (int& a : p.acts) a = a == 0 ? 1 : a;
        if (!fits(shape, p)) continue;
        SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(positions) + " positions, " +
                     std::to_string(groups) + " groups");
        const Images images(shape, p);
        lacuna_rtl_result result{};
        ASSERT_EQ(plugin.run(images, result), 0) << plugin.error();
        const std::int64_t slots = std::int64_t{positions} * rows;
        const std::int64_t drain = 1 + Layout(shape, p).beats;
        EXPECT_EQ(static_cast<std::int64_t>(result.length), dense_length(slots, drain, groups));
        const auto pes = static_cast<std::uint64_t>(shape.pes * shape.k_ways);
        EXPECT_EQ(result.counters.pe_mac, pes * static_cast<std::uint64_t>(slots * groups));
        EXPECT_EQ(result.counters.macs,
                  result.counters.pe_mac * static_cast<std::uint64_t>(shape.lanes));
        ++tried;
        slow_drain += slots < drain + 2 && groups > 2;
      }
    }
  }
  EXPECT_GT(tried, 10);
  EXPECT_GT(slow_drain, 0);
}

INSTANTIATE_TEST_SUITE_P(Sets, DensePass, testing::Values("example", "lanes", "odd", "single"),
                         [](const auto& info) { return std::string(info.param); });

TEST(OnePe, NeedsTheEffectiveProductsAndTheStatedLatencies) {
  Plugin plugin(engine_file("single"));
  const Shape shape = plugin.shape();
  ASSERT_EQ(shape.pes * shape.k_ways * shape.lanes, 1);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Problem p;
    p.segment_channels = random.range(1, 100);
    p.channels = random.range(1, shape.rows_per_pe);
    p.tokens = random.range(1, 12);
    const double density = seed % 2 == 0 ? 1.0 : 0.3;
    fill(random, shape, p, density, density, false);
    if (!fits(shape, p)) continue;
    std::uint64_t products = 0, empty_ends = 0;
    for (int m = 0; m < p.tokens; ++m) {
      int last_k = -1;
      for (int k = 0; k < p.k(); ++k) {
        int weights = 0;
        for (int n = 0; n < p.channels; ++n) weights += p.weight(n, k) != 0;
        if (p.act(m, k) != 0) products += static_cast<std::uint64_t>(weights);
        if (p.act(m, k) != 0 && weights != 0) last_k = k;
      }
      // Windows without a hit may follow the last product: their last entry carries no weight.
      const int window = shape.scan_width;
      bool later = last_k < 0;
      for (int base = last_k < 0 ? p.k() : last_k / window * window + window; base < p.k();
           base += window) {
        bool act = false, row = false;
        for (int k = base; k < std::min(base + window, p.k()); ++k) {
          act |= p.act(m, k) != 0;
          for (int n = 0; n < p.channels; ++n) row |= p.weight(n, k) != 0;
        }
        later |= act && row;
      }
      empty_ends += later;
    }
    const Images images(shape, p);
    lacuna_rtl_result result{};
    ASSERT_EQ(plugin.run(images, result), 0) << plugin.error();
    EXPECT_EQ(result.counters.pe_mac, products);
    EXPECT_EQ(result.counters.pe_slot, empty_ends);
    const lacuna_rtl_counters& c = result.counters;
    // Nothing but MAC slots and latencies, where neither banks nor the scanner hold the PE up.
    if (c.pe_bank + c.pe_imbalance + c.pe_window + c.pe_issue == 0) {
      EXPECT_EQ(result.length, 1 + 2 + 1 + products + empty_ends + 2);
    }
  }
}

}  // namespace
}  // namespace lacuna::test::rtl
