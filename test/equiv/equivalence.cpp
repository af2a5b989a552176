// SPDX-License-Identifier: Apache-2.0
#include "equivalence.h"

#include <cstdlib>
#include <string>

#include "cosim/checker.h"
#include "cosim/compare.h"
#include "random_pass.h"

namespace lacuna::test {

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

}  // namespace

std::shared_ptr<const cosim::RtlPlugin> rtl_or_skip(const params::EngineParams& engine) {
  EXPECT_TRUE(engine.validate().empty()) << engine.validate().front().message;
  const cosim::PluginCacheOptions options;
  const std::string reason = cosim::rtl_unavailable_reason(options);
  if (!reason.empty()) {
    [&] { GTEST_SKIP() << reason; }();
    return nullptr;
  }
  return cosim::load_rtl(engine, options);
}

void compare_random_passes(const params::EngineParams& engine, std::uint64_t seed, int passes) {
  const auto plugin = rtl_or_skip(engine);
  if (!plugin) return;
  seed = number_from("LACUNA_EQUIV_SEED", seed);
  passes = static_cast<int>(number_from("LACUNA_EQUIV_PASSES", static_cast<std::uint64_t>(passes)));
  const auto rtl = plugin->create();
  RandomPasses random(engine, seed);
  std::uint64_t outputs = 0;
  std::uint64_t psums = 0;
  std::uint64_t blocked = 0;
  std::uint64_t entries = 0;
  for (int i = 0; i < passes; ++i) {
    const RandomPass pass = random.next();
    timing::engine::EvaluateOptions options;
    options.trace = true;
    const timing::engine::PassResult traced = timing::engine::evaluate(
        engine, *pass.tile, *pass.block, pass.command, pass.psum_in, options);
    const timing::engine::PassResult fast =
        timing::engine::evaluate(engine, *pass.tile, *pass.block, pass.command, pass.psum_in);
    const cosim::RtlPassResult hardware =
        rtl->run(*pass.tile, *pass.block, pass.command, pass.psum_in, true);
    auto difference = cosim::compare_untraced(engine, *pass.tile, fast, traced);
    if (!difference) {
      difference = cosim::compare_pass(engine, *pass.tile, *pass.block, traced, hardware);
    }
    outputs += traced.counters.outputs_nonzero;
    psums += traced.counters.psum_reads + traced.counters.psum_writes;
    blocked += traced.counters.blocked_cycles;
    entries += traced.counters.broadcasts;
    if (difference) {
      cosim::CheckJob job{pass.tile, pass.block, pass.command, pass.psum_in, fast, 0, "random", i};
      FAIL() << cosim::mismatch_report(engine, job, difference->first, difference->kinds)
             << "\nreplay: LACUNA_EQUIV_SEED=" << seed << " LACUNA_EQUIV_PASSES=" << i + 1;
    }
  }
  // The passes must have been worth comparing.
  EXPECT_GT(outputs, 0u);
  EXPECT_GT(psums, 0u);
  EXPECT_GT(entries, static_cast<std::uint64_t>(passes));
  testing::Test::RecordProperty("blocked_cycles", std::to_string(blocked));
  testing::Test::RecordProperty("entries", std::to_string(entries));
}

}  // namespace lacuna::test
