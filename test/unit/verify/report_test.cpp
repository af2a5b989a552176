// SPDX-License-Identifier: Apache-2.0
#include "verify/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace lacuna::verify {
namespace {

RunResult example(bool with_mismatch) {
  RunResult result;
  result.seed = 77;
  result.seconds = 2.5;
  result.jobs = 2;
  for (const char* name : {"one", "two"}) {
    SetResult set;
    set.set.name = name;
    set.set.argument = name;
    set.work.cases = 900;
    set.work.passes = 1000;
    set.work.kinds = {800, 80, 20};
    set.work.cycles = 123456;
    set.work.entries = 65432;
    set.work.counters.macs = 11;
    set.cpu_seconds = 2;
    result.sets.push_back(set);
  }
  if (with_mismatch) {
    SetResult& set = result.sets[1];
    set.work.mismatches = 3;
    set.left_early = true;
    MismatchReport report;
    report.index = 42;
    report.seed = 0xabc;
    report.replay = {0x12, 0xabc};
    report.first = "issue of way 0: model 1 < RTL \"2\" & more";
    report.kinds = {"issue", "length"};
    report.text = report.first + "\n  differs in: issue, length\n";
    set.mismatches.push_back(report);
  }
  return result;
}

TEST(Report, TextHasATableAndTheSeed) {
  const std::string text = text_report(example(false));
  EXPECT_NE(text.find("one  "), std::string::npos) << text;
  EXPECT_NE(text.find("1,000"), std::string::npos) << text;
  EXPECT_NE(text.find("123,456"), std::string::npos) << text;
  EXPECT_NE(text.find("2,000"), std::string::npos) << "the sum of both sets: " << text;
  EXPECT_NE(text.find("0 of 1,800 cases differ; seed 77, 2,000 passes in 2.5 s with 2 jobs"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  500\n"), std::string::npos) << "passes per second and core: " << text;
}

TEST(Report, TextShowsMismatchesWithTheirReplay) {
  const std::string text = text_report(example(true));
  EXPECT_NE(text.find("mismatch: set two, case 42: issue of way 0"), std::string::npos) << text;
  EXPECT_NE(text.find("  replay: lacuna verify --set two --replay 0x12,0xabc\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("left early after too many mismatches: two"), std::string::npos) << text;
}

TEST(Report, JsonHasEverythingButTimesTwice) {
  RunResult first = example(true);
  RunResult second = example(true);
  second.seconds = 9;
  second.jobs = 1;
  for (SetResult& set : second.sets) set.cpu_seconds = 7;
  auto a = nlohmann::json::parse(json_report(first));
  auto b = nlohmann::json::parse(json_report(second));
  EXPECT_NE(a.at("speed"), b.at("speed"));
  a.erase("speed");
  b.erase("speed");
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.at("schema"), "lacuna-verify-1");
  EXPECT_EQ(a.at("total").at("passes"), 2000);
  EXPECT_EQ(a.at("total").at("kinds").at("reset"), 40);
  const auto& set = a.at("sets").at(1);
  EXPECT_EQ(set.at("mismatches"), 3);
  EXPECT_EQ(set.at("counters").at("macs"), 11);
  EXPECT_EQ(set.at("parameters").size(), 16u);
  EXPECT_EQ(set.at("first_mismatches").at(0).at("seed"), "0xabc");
  EXPECT_EQ(set.at("first_mismatches").at(0).at("replay"),
            "lacuna verify --set two --replay 0x12,0xabc");
}

TEST(Report, JunitCountsSetsAndEscapes) {
  const std::string good = junit_report(example(false));
  EXPECT_NE(good.find("tests=\"2\" failures=\"0\""), std::string::npos) << good;
  EXPECT_EQ(good.find("<failure"), std::string::npos) << good;
  const std::string bad = junit_report(example(true));
  EXPECT_NE(bad.find("tests=\"2\" failures=\"1\""), std::string::npos) << bad;
  EXPECT_NE(bad.find("3 of 900 cases differ: issue of way 0: model 1 &lt; RTL &quot;2&quot; &amp; "
                     "more"),
            std::string::npos)
      << bad;
  EXPECT_EQ(bad.find("model 1 <"), std::string::npos) << bad;
}

}  // namespace
}  // namespace lacuna::verify
