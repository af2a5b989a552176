// SPDX-License-Identifier: Apache-2.0
#include "traffic/command_log_csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"
#include "support/temp_dir.h"
#include "traffic/replay.h"
#include "traffic/synthetic.h"

namespace lacuna::traffic {
namespace {

using timing::dram::CommandRecord;
using timing::dram::MemoryCommand;
using timing::dram::MemorySystem;

params::MemoryOrganization organization() {
  params::MemoryOrganization sizes;
  sizes.pseudo_channels = 2;
  sizes.ranks = 2;
  sizes.bank_groups = 4;
  sizes.banks = 4;
  return sizes;
}

TEST(CommandLogCsv, ReadsBackWhatWasWritten) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/log.csv";
  std::vector<LoggedCommand> commands;
  for (int bank = 0; bank < 64; ++bank) {
    commands.push_back({bank % 3, {bank * 10, MemoryCommand::kACT, bank, bank * 5, -1}});
    commands.push_back({bank % 3, {bank * 10 + 3, MemoryCommand::kRD, bank, bank * 5, 7}});
    commands.push_back({bank % 3, {bank * 10 + 5, MemoryCommand::kPRE, bank, -1, -1}});
  }
  CommandLogWriter writer(path, organization());
  for (const LoggedCommand& command : commands) writer.write(command.channel, command.record);
  writer.commit();
  CommandLogReader reader(path, organization(), 4);
  LoggedCommand read;
  for (const LoggedCommand& command : commands) {
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.channel, command.channel);
    EXPECT_EQ(read.record, command.record);
  }
  EXPECT_FALSE(reader.next(read));
}

TEST(CommandLogCsv, ColumnsMayComeInAnyOrderAndSomeMayBeMissing) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/log.csv";
  base::write_file_atomically(path, "command, row,bank,cycle\r\nACT,5,2,10\r\n\nPRE,,2,90\n");
  params::MemoryOrganization sizes;
  CommandLogReader reader(path, sizes, 1);
  LoggedCommand read;
  ASSERT_TRUE(reader.next(read));
  EXPECT_EQ(read.record, (CommandRecord{10, MemoryCommand::kACT, 2, 5, -1}));
  ASSERT_TRUE(reader.next(read));
  EXPECT_EQ(read.record, (CommandRecord{90, MemoryCommand::kPRE, 2, -1, -1}));
  EXPECT_EQ(reader.line(), 4);
}

TEST(CommandLogCsv, MistakesHaveLineAndColumn) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/log.csv";
  const auto place = [&](const std::string& text) {
    base::write_file_atomically(path, text);
    try {
      params::MemoryOrganization sizes;
      CommandLogReader reader(path, sizes, 1);
      LoggedCommand read;
      while (reader.next(read)) {
      }
    } catch (const base::UserError& error) {
      return error.where().text().substr(folder.path().size() + 1);
    }
    return std::string("accepted");
  };
  const std::string head = "cycle,command,bank,row\n";
  EXPECT_EQ(place(""), "log.csv");
  EXPECT_EQ(place("cycle,bank,row\n"), "log.csv:1:1");
  EXPECT_EQ(place("cycle,comand,bank,row\n"), "log.csv:1:7");
  EXPECT_EQ(place(head + "1,ACT,0\n"), "log.csv:2:7");
  EXPECT_EQ(place(head + "1,ACT,0,1\n2,FLY,0,\n"), "log.csv:3:3");
  EXPECT_EQ(place(head + "1,ACT,8,1\n"), "log.csv:2:7");
  EXPECT_EQ(place(head + "x,ACT,0,1\n"), "log.csv:2:1");
  EXPECT_EQ(place(head + ",ACT,0,1\n"), "log.csv:2:1");
  EXPECT_EQ(place(head + "-1,ACT,0,1\n"), "log.csv:2:1");
}

// A log of the controller is clean when it is read back; with a command moved it is not.
TEST(CommandLogCsv, IsJudgedAsTheCommandsThemselves) {
  const test::TempDir folder;
  const std::string path = folder.path() + "/log.csv";
  const params::MemoryPreset preset =
      config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) +
                                         "/configs/memories/hbm2-2000.yaml")
          .value;
  {
    MemorySystem memory(preset, 1);
    CommandLogWriter log(path, preset.organization);
    ChannelWatch watch(memory, &log, false);
    SyntheticSpec spec;
    spec.pattern = Pattern::kMixed;
    spec.requests = 5000;
    SyntheticSource source(spec, 32, memory.address_map(), preset.organization, 1);
    (void)replay(source, memory, watch, {.outstanding = 64, .closed_loop = true});
    log.commit();
  }
  const auto violations = [&](std::int64_t shifted) {
    CommandLogReader reader(path, preset.organization, 1);
    timing::dram::TimingChecker checker(preset);
    LoggedCommand command;
    for (std::int64_t i = 0; reader.next(command); ++i) {
      if (i == shifted) command.record.time -= 1;
      checker.on_command(command.record);
    }
    return checker.violations();
  };
  EXPECT_EQ(violations(-1), 0);
  EXPECT_GT(violations(1000) + violations(1001) + violations(1002) + violations(1003), 0);
}

}  // namespace
}  // namespace lacuna::traffic
