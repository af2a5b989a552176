// SPDX-License-Identifier: Apache-2.0
#include "report/summary.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "example_run.h"

namespace lacuna::report {
namespace {

TEST(Summary, FiguresByHand) {
  const ExampleRun run;
  const Summary summary = summarize(run.input());
  EXPECT_DOUBLE_EQ(summary.seconds, 1e-6);
  EXPECT_EQ(summary.cold_cycles, 500);
  ASSERT_TRUE(summary.warm.has_value());
  EXPECT_EQ(summary.warm->samples, 4);
  EXPECT_EQ(summary.warm->min_cycles, 200);
  EXPECT_DOUBLE_EQ(summary.warm->mean_cycles, 250);
  EXPECT_EQ(summary.warm->p99_cycles, 300);
  EXPECT_EQ(summary.warm->max_cycles, 300);
  EXPECT_EQ(summary.all.max_cycles, 500);
  EXPECT_DOUBLE_EQ(summary.samples_per_s, 6e6);
  EXPECT_DOUBLE_EQ(summary.warm_samples_per_s, 4 / 500e-9);

  EXPECT_EQ(summary.macs_dense, 14000);
  EXPECT_EQ(summary.macs_effective, 3000);
  EXPECT_EQ(summary.peak_macs_per_cycle, 16);
  EXPECT_DOUBLE_EQ(summary.mac_utilization, 3000.0 / 16000);
  EXPECT_DOUBLE_EQ(summary.dense_macs_per_cycle, 14);
  EXPECT_DOUBLE_EQ(summary.engine_utilization, 3000.0 / (8 * 800));
  EXPECT_DOUBLE_EQ(summary.layers[0].engine_utilization, 2000.0 / (8 * 500));
  EXPECT_DOUBLE_EQ(summary.weight_sparsity, 0.75);
  EXPECT_DOUBLE_EQ(summary.activation_sparsity, 0.5);

  EXPECT_DOUBLE_EQ(summary.dram.bytes_per_s, 4e9);
  EXPECT_DOUBLE_EQ(summary.dram.utilization, 0.25);
  EXPECT_DOUBLE_EQ(summary.sram.utilization, 0.125);

  EXPECT_EQ(summary.outputs.tensors, 2);
  EXPECT_EQ(summary.outputs.values, 660);
  EXPECT_EQ(summary.outputs.mismatches, 2);
  EXPECT_DOUBLE_EQ(summary.reference_accuracy, 0.875);
  EXPECT_EQ(summary.weight_origins.at("captured"), 1);
  EXPECT_EQ(summary.weight_origins.at("statistic"), 1);
  EXPECT_EQ(summary.input_origins.at("statistic"), 1);
}

TEST(Summary, EnergyOfTheRunAndOfALayer) {
  const ExampleRun run;
  const Summary summary = summarize(run.input());
  // MACs 6 nJ, tile fill 64, SRAM 8000, crossbar 64000, DRAM 32000 bits, 160 elements (1 pJ each),
  // 5 activations of 1 nJ, static (2*0.5 + 1 + 0.5) W for 1 us.
  const double expected = 6e-9 + (64 + 8000 + 64000 + 32000 + 160) * 1e-12 + 5e-9 + 2.5e-6;
  EXPECT_NEAR(summary.energy.total_joules() / expected, 1, 1e-12);
  EXPECT_NEAR(summary.power_w, summary.energy.total_joules() / 1e-6, 1e-9);
  EXPECT_NEAR(summary.energy_per_sample_j * 6, summary.energy.total_joules(), 1e-15);
  EXPECT_NEAR(summary.layers[0].active_energy_j, 4e-9 + 64e-12, 1e-18);
  EXPECT_NEAR(summary.layers[2].active_energy_j, 160e-12, 1e-18);
  EXPECT_EQ(summary.layers[3].active_energy_j, 0);
}

TEST(Summary, OneBatchHasNoWarmFigures) {
  ExampleRun run;
  run.result.programs.resize(1);
  run.result.samples = 2;
  const Summary summary = summarize(run.input());
  EXPECT_FALSE(summary.warm.has_value());
  EXPECT_EQ(summary.warm_samples_per_s, 0);
  EXPECT_EQ(summary.all.samples, 2);
}

TEST(Summary, NearestRankOfManySamples) {
  ExampleRun run;
  run.result.programs.clear();
  for (int i = 0; i < 200; ++i) run.result.programs.push_back({i, 1, 0, 1000 - i});
  const Summary summary = summarize(run.input());
  EXPECT_EQ(summary.all.p99_cycles, 998);  // the 198th of 801..1000
}

TEST(Summary, AStackThatDoesNotAddUpIsOurBug) {
  ExampleRun run;
  run.result.stack[chip::StackPart::kBank] += 1;
  EXPECT_THROW((void)summarize(run.input()), base::InternalError);
}

}  // namespace
}  // namespace lacuna::report
