// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "cli/application.h"
#include "support/temp_dir.h"

namespace lacuna::cli {
namespace {

using testing::HasSubstr;

const std::string kMemory = std::string(LACUNA_SOURCE_DIR) + "/configs/memories/lpddr4x-4266.yaml";

struct Outcome {
  int status;
  std::string out;
};

Outcome dram(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"dram", kMemory});
  std::ostringstream out;
  std::ostringstream err;
  const int status = run_application(std::move(arguments), out, err);
  EXPECT_EQ(err.str(), "");
  return {status, out.str()};
}

TEST(DramCommand, TheSameSeedGivesTheSameBytes) {
  const std::vector<std::string> arguments = {
      "--traffic", "mixed,requests=3k,seed=5", "--channels", "2", "--format", "json"};
  const Outcome first = dram(arguments);
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.out, dram(arguments).out);
  const auto json = nlohmann::json::parse(first.out);
  EXPECT_EQ(json["schema"], "lacuna-dram-1");
  EXPECT_EQ(json["traffic"]["requests"], 3000);
  EXPECT_EQ(json["commands"]["RD"].get<int>() + json["commands"]["WR"].get<int>() +
                json["rows"]["forwarded_reads"].get<int>(),
            3000);
}

TEST(DramCommand, ItsOwnLogIsCleanAndAChangedOneIsNot) {
  const test::TempDir folder;
  const std::string log = folder.file("log.csv");
  const Outcome replay = dram({"--traffic", "random,requests=2k", "--command-log", log, "--check",
                               "--out", folder.file("out")});
  EXPECT_EQ(replay.status, 0);
  EXPECT_THAT(replay.out, HasSubstr(" commands, 0 violations"));
  EXPECT_EQ(base::read_text_file(folder.file("out/report.txt"), 1 << 20), replay.out);
  EXPECT_EQ(dram({"--check-log", log}).status, 0);

  // The first read 1 cycle earlier, the bank's row changed under a later one.
  std::string text = base::read_text_file(log, 1 << 24);
  const std::size_t read = text.find(",0,RD,");
  const std::size_t begin = text.rfind('\n', read) + 1;
  const int cycle = std::stoi(text.substr(begin));
  text.replace(begin, read - begin, std::to_string(cycle - 1));
  base::write_file_atomically(log, text);
  const Outcome changed = dram({"--check-log", log});
  EXPECT_EQ(changed.status, 1);
  EXPECT_THAT(changed.out, HasSubstr("log.csv:"));
  EXPECT_THAT(changed.out, HasSubstr("'RCD' at level bank asks for 39"));
  const auto json = nlohmann::json::parse(dram({"--check-log", log, "--format", "json"}).out);
  EXPECT_GE(json["violations"].get<int>(), 1);
  EXPECT_EQ(json["findings"].size(), json["violations"].get<std::size_t>());
}

TEST(DramCommand, AFailingTraceLeavesNoCommandLog) {
  const test::TempDir folder;
  const std::string trace = folder.write("t.trc", "0x0 READ 1\n0x0 REED 1\n");
  std::ostringstream out;
  std::ostringstream err;
  const int status = run_application(
      {"dram", kMemory, "--trace", trace, "--command-log", folder.file("log.csv")}, out, err);
  EXPECT_EQ(status, 2);
  EXPECT_EQ(folder.entries(), 1);
}

}  // namespace
}  // namespace lacuna::cli
