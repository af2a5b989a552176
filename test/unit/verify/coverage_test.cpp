// SPDX-License-Identifier: Apache-2.0
#include "verify/coverage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace lacuna::verify {
namespace {

class CoverageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "coverage-" + std::to_string(::getpid()) + ".dat";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(const std::string& text) const { std::ofstream(path_) << text; }

  static std::string record(const std::string& file, int line, const std::string& page,
                            const std::string& object, const std::string& path, int count) {
    return "C '\1f\2/somewhere/rtl/" + file + "\1l\2" + std::to_string(line) + "\1n\2" + "3" +
           "\1page\2" + page + "\1o\2" + object + "\1h\2" + path + "' " + std::to_string(count) +
           "\n";
  }

  CoverageDatabase example() const {
    std::string text = "# SystemC::Coverage-3\n";
    text += record("common/fifo.sv", 10, "v_branch/fifo__D1", "if", "TOP.a", 0);
    text += record("common/fifo.sv", 10, "v_branch/fifo__D2", "if", "TOP.b", 4);
    text += record("common/fifo.sv", 12, "v_branch/fifo__D2", "else", "TOP.b", 0);
    for (int bit = 0; bit < 4; ++bit) {
      text += record("common/fifo.sv", 5, "v_toggle/fifo", "count_q[" + std::to_string(bit) + "]",
                     "TOP.a", bit == 0 ? 3 : 0);
    }
    text += record("cover/pe_cover.sv", 7, "v_user/pe_cover", "cover", "TOP.a.u_cover.starved", 0);
    text += record("cover/pe_cover.sv", 8, "v_user/pe_cover", "cover", "TOP.b.u_cover.full", 2);
    text += record("cover/pe_cover.sv", 9, "v_toggle/pe_cover", "waits", "TOP.a.u_cover", 0);
    text += record("assert/pe_checks.sv", 9, "v_line/pe_checks", "block", "TOP.a.u_checks", 0);
    write(text);
    CoverageDatabase database;
    database.add_file(path_);
    return database;
  }

  std::string path_;
};

TEST_F(CoverageTest, InstancesAreFoldedAndCheckersLeftOut) {
  const CoverageResult result = fold_coverage(example(), {});
  EXPECT_EQ(result.totals(CoverageKind::kLine).items, 2);
  EXPECT_EQ(result.totals(CoverageKind::kLine).hit, 1);
  EXPECT_EQ(result.totals(CoverageKind::kToggle).items, 4);
  EXPECT_EQ(result.totals(CoverageKind::kToggle).missed(), 3);
  EXPECT_EQ(result.totals(CoverageKind::kPoint).items, 2);
  EXPECT_EQ(result.totals(CoverageKind::kPoint).hit, 1);
  EXPECT_DOUBLE_EQ(result.totals(CoverageKind::kToggle).percent(), 25);
  const std::string text = coverage_text(result);
  EXPECT_NE(text.find("common/fifo.sv:12: else\n"), std::string::npos) << text;
  EXPECT_NE(text.find("common/fifo.sv:5: count_q[1..3]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("cover/pe_cover.sv:7: starved\n"), std::string::npos) << text;
}

TEST_F(CoverageTest, ExclusionsHaveReasonsAndCoverOnlyWhatIsMissed) {
  const auto rules = parse_exclusions(
      "# a comment\n\n"
      "toggle common/*.sv count_q[?]: no set is so deep\n"
      "line common/fifo.sv else: never\n"
      "point cover/x.sv y: stale\n",
      "rules.txt");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[1].line, 4);
  const CoverageResult result = fold_coverage(example(), rules);
  const CoverageTotals toggles = result.totals(CoverageKind::kToggle);
  EXPECT_EQ(toggles.hit, 1);
  EXPECT_EQ(toggles.excluded, 3);
  EXPECT_EQ(toggles.missed(), 0);
  EXPECT_DOUBLE_EQ(toggles.percent(), 100);
  ASSERT_EQ(result.unused.size(), 1u);
  EXPECT_EQ(result.unused[0].line, 5);
  const auto json = nlohmann::json::parse(coverage_json(result));
  EXPECT_EQ(json["schema"], "lacuna-coverage-1");
  EXPECT_EQ(json["excluded"].size(), 4u);
  EXPECT_EQ(json["missed"].size(), 1u);
  EXPECT_EQ(json["totals"]["line"]["percent"], 100.0);
}

TEST_F(CoverageTest, RulesMayNameRangesOfBits) {
  const auto missed = [&](const std::string& rule) {
    return fold_coverage(example(), parse_exclusions(rule + "\n", "r"))
        .totals(CoverageKind::kToggle)
        .missed();
  };
  EXPECT_EQ(missed("toggle common/fifo.sv count_q[2..3]: deep"), 1);
  EXPECT_EQ(missed("toggle common/fifo.sv count_q[1..9]: deep"), 0);
  EXPECT_EQ(missed("toggle common/fifo.sv count_q[1..1/2]: odd bits"), 1);
  EXPECT_EQ(missed("toggle common/fifo.sv count[1..3]: another signal"), 3);
  EXPECT_THROW((void)parse_exclusions("toggle a.sv b[3..1]: backwards\n", "r"), base::UserError);
  EXPECT_THROW((void)parse_exclusions("toggle a.sv b[1..x]: no number\n", "r"), base::UserError);
}

TEST_F(CoverageTest, WhatIsWrittenIsReadAgainAndAddedUp) {
  CoverageDatabase database = example();
  database.add(example());
  database.write(path_);
  CoverageDatabase again;
  again.add_file(path_);
  EXPECT_EQ(again.counts(), database.counts());
  std::uint64_t sum = 0;
  for (const auto& [record, count] : again.counts()) sum += count;
  EXPECT_EQ(sum, 2u * (4 + 3 + 2));
}

TEST_F(CoverageTest, WrongFilesAreToldWithTheirLine) {
  const auto error = [&](const std::string& text) {
    write(text);
    try {
      CoverageDatabase().add_file(path_);
    } catch (const base::UserError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(error("something\n").find(":1: not a coverage file"), std::string::npos);
  EXPECT_NE(error("# SystemC::Coverage-3\nC 'x' many\n").find(":2: a record without a count"),
            std::string::npos);
  EXPECT_NE(error("# SystemC::Coverage-3\nD\n").find(":2: not a coverage record"),
            std::string::npos);
  EXPECT_NE(error("").find("an empty coverage file"), std::string::npos);
  EXPECT_THROW((void)parse_exclusions("toggle a.sv b no colon\n", "r"), base::UserError);
  EXPECT_THROW((void)parse_exclusions("\nbit a.sv b: why\n", "r"), base::UserError);
}

}  // namespace
}  // namespace lacuna::verify
