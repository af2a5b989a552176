// SPDX-License-Identifier: Apache-2.0
//
// The list of commands: to add one, include its header and add a line.
#include "cli/command.h"
#include "cli/describe_command.h"
#include "cli/dram_command.h"
#include "cli/formats_command.h"
#include "cli/gemm_command.h"
#include "cli/lengths_command.h"
#include "cli/rtl_command.h"
#include "cli/run_command.h"
#include "cli/schema_command.h"
#include "cli/tokens_command.h"
#include "cli/trace_command.h"
#include "cli/verify_command.h"

namespace lacuna::cli {

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_run_command());
  commands.push_back(make_gemm_command());
  commands.push_back(make_tokens_command());
  commands.push_back(make_lengths_command());
  commands.push_back(make_dram_command());
  commands.push_back(make_trace_command());
  commands.push_back(make_formats_command());
  commands.push_back(make_verify_command());
  commands.push_back(make_rtl_command());
  commands.push_back(make_describe_command());
  commands.push_back(make_schema_command());
  return commands;
}

}  // namespace lacuna::cli
