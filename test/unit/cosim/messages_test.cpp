// SPDX-License-Identifier: Apache-2.0
#include "cosim/harness/messages.h"

#include <gtest/gtest.h>

namespace lacuna::cosim::harness {
namespace {

TEST(Messages, AFailedAssertionIsTakenApart) {
  const FailedAssertion found = first_assertion(
      "[0] %Error: fifo_checks.sv:61: Assertion failed in "
      "engine.sparse_engine.gen_way[0].u_way.gen_pe[1].u_pe.u_fifo.u_checks.no_overflow: push into "
      "a "
      "full FIFO\n"
      "[0] %Error: way_checks.sv:60: Assertion failed in "
      "engine.sparse_engine.gen_way[0].u_way.u_checks.room_is_credits: room is wrong\n"
      "[0] %Error: fifo_checks.sv:61: Assertion failed in "
      "engine.sparse_engine.gen_way[1].u_way.gen_pe[0].u_pe.u_fifo.u_checks.no_overflow: push\n");
  EXPECT_EQ(found.name, "no_overflow");
  EXPECT_EQ(found.instance, "gen_way[0].u_way.gen_pe[1].u_pe.u_fifo");
  EXPECT_EQ(found.file, "fifo_checks.sv:61");
  EXPECT_EQ(found.text, "push into a full FIFO");
  EXPECT_EQ(found.others, "room_is_credits");
}

TEST(Messages, TheTopHasAName) {
  const FailedAssertion found = first_assertion(
      "[0] %Error: engine_checks.sv:6: Assertion failed in "
      "engine.sparse_engine.u_checks.two_banks: "
      "x\n");
  EXPECT_EQ(found.instance, "the engine");
  EXPECT_EQ(found.others, "");
}

TEST(Messages, WhatIsPrintedIsKept) {
  messages().clear();
  print("%d%s", 12, " ways");
  print("\n");
  EXPECT_EQ(messages().text, "12 ways\n");
  messages().clear();
  EXPECT_EQ(messages().text, "");
}

}  // namespace
}  // namespace lacuna::cosim::harness
