// SPDX-License-Identifier: Apache-2.0
#include "cli/application.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <sstream>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"

namespace lacuna::cli {
namespace {

using testing::HasSubstr;

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

Outcome run(std::vector<std::string> arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = run_application(std::move(arguments), out, err);
  return {status, out.str(), err.str()};
}

Outcome guard(const std::function<int()>& body) {
  std::ostringstream err;
  const int status = run_guarded(body, err);
  return {status, "", err.str()};
}

TEST(Application, StatusesTellWhoseFaultItIs) {
  EXPECT_EQ(guard([] { return int{kExitDone}; }).status, 0);
  EXPECT_EQ(guard([] { return int{kExitCheckFailed}; }).status, 1);

  const Outcome user = guard([]() -> int {
    throw base::UserError({"a.yaml", 1, 2}, "no\nand no");
  });
  EXPECT_EQ(user.status, 2);
  EXPECT_EQ(user.err, "lacuna: a.yaml:1:2: no\nlacuna: and no\n");

  const Outcome bug = guard([]() -> int {
    LACUNA_CHECK(1 > 2, "cycle {}", 7);
    return 0;
  });
  EXPECT_EQ(bug.status, 70);
  EXPECT_THAT(bug.err, HasSubstr("check failed: 1 > 2: cycle 7"));
  EXPECT_THAT(bug.err, HasSubstr("this is a bug in lacuna"));

  EXPECT_EQ(guard([]() -> int { throw std::out_of_range("x"); }).status, 70);
  EXPECT_EQ(guard([]() -> int { throw std::bad_alloc(); }).status, 70);
  EXPECT_EQ(guard([]() -> int { throw base::Interrupted(2); }).status, 130);
}

TEST(Application, HelpAndVersionGoToStdout) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("describe"));
  EXPECT_EQ(help.err, "");
  EXPECT_THAT(run({"--version"}).out, testing::MatchesRegex("lacuna [0-9.]+\n"));
}

TEST(Application, EveryCommandHasHelpOfItsOwn) {
  for (const auto& command : make_commands()) {
    const Outcome help = run({command->name(), "--help"});
    EXPECT_EQ(help.status, 0) << command->name();
    EXPECT_THAT(help.out, HasSubstr(command->name()));
  }
}

TEST(Application, AClosedStdoutIsAnError) {
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(run_application({"schema"}, out, err), 2);
  EXPECT_THAT(err.str(), HasSubstr("cannot write the results"));
}

}  // namespace
}  // namespace lacuna::cli
