// SPDX-License-Identifier: Apache-2.0
//
// Random passes on Verilated engines of several parameter sets: every issue, mask-stage and
// MAC-stage cycle, group and drain ends, outputs, partial sums and counters against the oracle.
// LACUNA_RTL_SEED=n runs the one pass with that seed.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "rtl/support/generator.h"
#include "rtl/support/plugin.h"

namespace lacuna::test::rtl {
namespace {

class RandomPasses : public testing::TestWithParam<const char*> {};

TEST_P(RandomPasses, EverythingAsTheOracleSays) {
  Plugin plugin(engine_file(GetParam()));
  const Shape shape = plugin.shape();
  std::uint64_t first = 1, last = 250;
  if (const char* seed = std::getenv("LACUNA_RTL_SEED"))
    first = last = std::strtoull(seed, nullptr, 10);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(std::string(GetParam()) + ": replay with LACUNA_RTL_SEED=" + std::to_string(seed));
    Random random(seed);
    const Problem problem = random_problem(random, shape);
    const Images images(shape, problem);
    lacuna_rtl_result result{};
    ASSERT_EQ(plugin.run(images, result), 0) << plugin.error();
    expect_same(result, Oracle(shape, problem).run());
    EXPECT_EQ(result.load_cycles_weights,
              images.tile.size() / static_cast<std::size_t>(shape.load_width));
    EXPECT_EQ(result.load_cycles_block,
              images.block.size() / static_cast<std::size_t>(shape.load_width));
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, RandomPasses, testing::Values("example", "lanes", "odd", "single"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace lacuna::test::rtl
