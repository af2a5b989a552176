// SPDX-License-Identifier: Apache-2.0
#include "cosim/checker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "passes.h"

namespace lacuna::cosim {
namespace {

/// An RTL that is wrong in every pass whose index is 3 modulo 7.
RtlRunnerFactory broken_rtl() {
  return [] {
    return [](const CheckJob& job) {
      RtlPassResult rtl = faithful(job);
      if (job.pass_index % 7 == 3) rtl.result.trace.mac_stage[1].back() += 1;
      return rtl;
    };
  };
}

TEST(PassChecker, EqualPassesHaveNoMismatch) {
  for (const int threads : {1, 3}) {
    PassChecker checker(small_engine(), faithful_rtl(), threads);
    base::Cycle cycles = 0;
    for (int i = 0; i < 20; ++i) {
      CheckJob job = check_job(i);
      cycles += job.driven.length;
      checker.check(std::move(job));
    }
    const CheckTotals totals = checker.finish();
    EXPECT_EQ(totals.checked, 20);
    EXPECT_EQ(totals.cycles, cycles);
    EXPECT_EQ(totals.mismatches, 0);
    EXPECT_FALSE(totals.first_mismatch.has_value());
  }
}

TEST(PassChecker, MismatchesAreCountedAndTheFirstIsReportedWhateverTheThreads) {
  std::optional<std::string> report;
  for (const int threads : {1, 2, 5}) {
    PassChecker checker(small_engine(), broken_rtl(), threads);
    for (int i = 0; i < 40; ++i) checker.check(check_job(i));
    const CheckTotals totals = checker.finish();
    EXPECT_EQ(totals.checked, 40);
    EXPECT_EQ(totals.mismatches, 6);  // 3, 10, 17, 24, 31, 38
    ASSERT_TRUE(totals.first_mismatch.has_value());
    if (!report) report = totals.first_mismatch;
    EXPECT_EQ(totals.first_mismatch, report);
  }
  EXPECT_TRUE(
      report->starts_with("layer layer3, core 0, pass 3: mac_stage of way 0, PE 1, taken "
                          "entry "))
      << *report;
  EXPECT_NE(report->find("differs in: mac_stage\n"), std::string::npos) << *report;
  EXPECT_NE(report->find("tile: 7 channels, 4 rows, 20 positions, 3 windows"), std::string::npos)
      << *report;
  EXPECT_NE(report->find("parameters: Pes=2 KWays=2 RowsPerPe=4"), std::string::npos) << *report;
}

TEST(PassChecker, GivesUpAfterManyMismatchesAtTheSamePlaceWhateverTheThreads) {
  for (const int threads : {1, 2, 5}) {
    PassChecker checker(small_engine(), broken_rtl(), threads);
    std::int64_t cycles = 0;
    for (int i = 0; i < 300; ++i) {
      CheckJob job = check_job(i);
      if (i <= 3 + 19 * 7) cycles += job.driven.length;
      checker.check(std::move(job));
    }
    const CheckTotals totals = checker.finish();
    EXPECT_TRUE(totals.gave_up);
    EXPECT_EQ(totals.mismatches, 20);
    EXPECT_EQ(totals.checked, 3 + 19 * 7 + 1);
    EXPECT_EQ(totals.cycles, cycles);
    EXPECT_NE(totals.first_mismatch->find("pass 3: "), std::string::npos);
  }
}

TEST(PassChecker, TheKernelThatDroveTheSimulationIsCheckedToo) {
  PassChecker checker(small_engine(), faithful_rtl(), 1);
  CheckJob job = check_job(0);
  job.driven.group_end[1] += 1;
  checker.check(std::move(job));
  const CheckTotals totals = checker.finish();
  EXPECT_EQ(totals.mismatches, 1);
  EXPECT_NE(totals.first_mismatch->find("group_end of group 1: fast kernel"), std::string::npos)
      << *totals.first_mismatch;
}

TEST(PassChecker, WhatAWorkerThrowsComesOut) {
  for (const int threads : {1, 2}) {
    const auto run = [&] {
      PassChecker checker(
          small_engine(),
          [] {
            return [](const CheckJob& job) -> RtlPassResult {
              if (job.pass_index == 5) throw std::runtime_error("RTL on fire");
              return faithful(job);
            };
          },
          threads);
      for (int i = 0; i < 100; ++i) checker.check(check_job(i));
      (void)checker.finish();
    };
    EXPECT_THROW(run(), std::runtime_error) << threads;
  }
}

TEST(PassChecker, TheQueueIsBoundedAndEndsWithoutFinish) {
  std::atomic<int> running{0};
  const auto begin = std::chrono::steady_clock::now();
  {
    PassChecker checker(
        small_engine(),
        [&] {
          return [&](const CheckJob& job) {
            ++running;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            return faithful(job);
          };
        },
        2);
    for (int i = 0; i < 30; ++i) checker.check(check_job(i));
    // Two workers, four places each: the caller has been held up until most are done.
    EXPECT_GE(running.load(), 30 - 8 - 2);
  }
  EXPECT_LE(running.load(), 30);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
}  // namespace lacuna::cosim
