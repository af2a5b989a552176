// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lacuna::base {
namespace {

using testing::HasSubstr;

TEST(SourceLocation, LeavesOutWhatIsUnknown) {
  EXPECT_EQ((SourceLocation{"a.yaml", 3, 4}.text()), "a.yaml:3:4");
  EXPECT_EQ((SourceLocation{"a.yaml", 3, 0}.text()), "a.yaml:3");
  EXPECT_EQ((SourceLocation{"--set", 0, 0}.text()), "--set");
  EXPECT_STREQ(UserError({"a.yaml", 3, 4}, "wrong").what(), "a.yaml:3:4: wrong");
  EXPECT_STREQ(UserError(SourceLocation{}, "wrong").what(), "wrong");
}

std::string failing_check() {
  const int pes = 3;
  try {
    LACUNA_CHECK(pes == 4, "pes is {}", pes);
  } catch (const InternalError& error) {
    return error.what();
  }
  return "passed";
}

TEST(Check, NamesTheConditionTheValuesAndThePlace) {
  EXPECT_THAT(failing_check(), HasSubstr("error_test.cpp"));
  EXPECT_THAT(failing_check(), HasSubstr("check failed: pes == 4: pes is 3"));
}

TEST(Check, DoesNotFormatWhenItHolds) {
  int formatted = 0;
  const auto count = [&] { return ++formatted; };
  LACUNA_CHECK(true, "{}", count());
  LACUNA_CHECK(true);
  EXPECT_EQ(formatted, 0);
}

TEST(Context, IsReportedInnermostFirstAndOnlyWhileAlive) {
  const ScopedContext outer([] { return std::string("core 3"); });
  {
    const ScopedContext inner([] { return std::string("cycle 17"); });
    EXPECT_THAT(failing_check(), HasSubstr("(cycle 17; core 3)"));
  }
  EXPECT_EQ(current_context(), "core 3");
}

}  // namespace
}  // namespace lacuna::base
