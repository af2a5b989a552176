// SPDX-License-Identifier: Apache-2.0
#include "cosim/process.h"

#include <gtest/gtest.h>

namespace lacuna::cosim {
namespace {

TEST(Process, CollectsOutputAndStatus) {
  const ProcessResult result = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(Process, KeepsTheEndOfLongOutput) {
  ProcessOptions options;
  options.max_output = 100;
  const ProcessResult result = run_process(
      {"sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done"}, options);
  EXPECT_EQ(result.output.size(), 100u);
  EXPECT_TRUE(result.output.ends_with("4998\n4999\n"));
}

TEST(Process, ASignalIsAStatus) {
  EXPECT_EQ(run_process({"sh", "-c", "kill -9 $$"}).exit_status, 128 + 9);
}

TEST(Process, AProgramThatIsNotThere) {
  const ProcessResult result = run_process({"no_such_program_here"});
  EXPECT_EQ(result.exit_status, 127);
  EXPECT_NE(result.output.find("no_such_program_here"), std::string::npos);
  EXPECT_FALSE(program_exists("no_such_program_here"));
  EXPECT_TRUE(program_exists("sh"));
}

TEST(Process, ReadsNoInputAndTicks) {
  int ticks = 0;
  ProcessOptions options;
  options.tick = [&] { ++ticks; };
  EXPECT_EQ(run_process({"sh", "-c", "cat; sleep 0.3"}, options).output, "");
  EXPECT_GE(ticks, 2);
}

}  // namespace
}  // namespace lacuna::cosim
