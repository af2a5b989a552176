// SPDX-License-Identifier: Apache-2.0
#include "cosim/backends.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cosim/counting_backend.h"
#include "passes.h"

namespace lacuna::cosim {
namespace {

PassRequest request(const SmallPass& pass, std::int64_t index) {
  return {pass.tile, pass.block, pass.command, {}, 0, "fc", index};
}

TEST(Shadow, TheShareIsKeptAndDependsOnTheSeed) {
  constexpr int kPasses = 100'000;
  const auto chosen = [](double share, std::uint64_t seed) {
    std::set<std::int64_t> passes;
    for (std::int64_t i = 0; i < kPasses; ++i) {
      if (is_shadowed(i, share, seed)) passes.insert(i);
    }
    return passes;
  };
  EXPECT_EQ(chosen(0, 1).size(), 0u);
  EXPECT_EQ(chosen(1, 1).size(), static_cast<std::size_t>(kPasses));
  const auto first = chosen(0.01, 1);
  EXPECT_NEAR(static_cast<double>(first.size()), 1000, 150);
  EXPECT_EQ(first, chosen(0.01, 1));
  EXPECT_NE(first, chosen(0.01, 2));
  // A larger share of the same seed contains the smaller one.
  const auto more = chosen(0.05, 1);
  EXPECT_TRUE(std::includes(more.begin(), more.end(), first.begin(), first.end()));
}

TEST(Shadow, ComparesExactlyTheChosenPasses) {
  BackendOptions options;
  options.kind = EngineKind::kShadow;
  options.shadow_share = 0.3;
  options.seed = 9;
  std::set<std::int64_t> seen;
  const auto backend = make_checking_backend(small_engine(), options, [&] {
    return [&](const CheckJob& job) {
      seen.insert(job.pass_index);
      return faithful(job);
    };
  });
  std::set<std::int64_t> expected;
  for (std::int64_t i = 0; i < 50; ++i) {
    (void)backend->run(request(small_pass(1), i));
    if (is_shadowed(i, 0.3, 9)) expected.insert(i);
  }
  const VerificationSummary summary = backend->finish();
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(summary.engine, EngineKind::kShadow);
  EXPECT_EQ(summary.passes, 50);
  EXPECT_EQ(summary.shadowed, static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(summary.mismatches, 0);
}

TEST(Lockstep, ComparesEveryPassAndTheModelDrives) {
  BackendOptions options;
  options.kind = EngineKind::kLockstep;
  options.threads = 2;
  const auto backend = make_checking_backend(small_engine(), options, [] {
    return [](const CheckJob& job) {
      RtlPassResult rtl = faithful(job);
      rtl.result.length += 10;
      return rtl;
    };
  });
  const SmallPass pass = small_pass(1);
  const auto expected =
      timing::engine::evaluate(small_engine(), *pass.tile, *pass.block, pass.command);
  for (std::int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(backend->run(request(pass, i)).length, expected.length);
  }
  const VerificationSummary summary = backend->finish();
  EXPECT_EQ(summary.shadowed, 6);
  EXPECT_EQ(summary.mismatches, 6);
  EXPECT_EQ(summary.shadowed_cycles, 6 * expected.length);
  EXPECT_NE(summary.first_mismatch->find("pass 0: pass length: model"), std::string::npos)
      << *summary.first_mismatch;
}

TEST(Model, NeedsNoRtl) {
  const auto backend = make_backend(small_engine(), {});
  EXPECT_GT(backend->run(request(small_pass(2), 0)).length, 0);
  const VerificationSummary summary = backend->finish();
  EXPECT_EQ(summary.engine, EngineKind::kModel);
  EXPECT_EQ(summary.passes, 1);
  EXPECT_EQ(summary.shadowed, 0);
}

TEST(Counting, MacsWithANonZeroActivationByLayer) {
  CountingBackend backend(make_backend(small_engine(), {}));
  const SmallPass pass = small_pass(3);
  std::int64_t values = 0;
  for (const std::uint32_t lanes : pass.block->nonzero_lanes) values += lanes;
  ASSERT_GT(values, 0);
  (void)backend.run(request(pass, 0));
  (void)backend.run(request(pass, 1));
  PassRequest other = request(pass, 2);
  other.layer = "other";
  (void)backend.run(other);
  EXPECT_EQ(backend.activation_macs().at("fc"), 2 * 7 * values);
  EXPECT_EQ(backend.activation_macs().at("other"), 7 * values);
  EXPECT_EQ(backend.finish().passes, 3);
}

TEST(EngineKind, NamesDiffer) {
  EXPECT_EQ(engine_kind_name(EngineKind::kModel), "model");
  EXPECT_EQ(engine_kind_name(EngineKind::kRtl), "rtl");
  EXPECT_EQ(engine_kind_name(EngineKind::kLockstep), "lockstep");
  EXPECT_EQ(engine_kind_name(EngineKind::kShadow), "shadow");
}

}  // namespace
}  // namespace lacuna::cosim
