// SPDX-License-Identifier: Apache-2.0
//
// Runs another program (the RTL build script, `verilator --version`) and collects what it prints.
// The child gets a process group of its own, so that Ctrl-C reaches us first and ends all of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace lacuna::cosim {

struct ProcessResult {
  int exit_status = 0;  ///< 128 + n when ended by signal n; 127 when it could not be started
  std::string output;   ///< stdout and stderr as they came; only the last max_output bytes
};

struct ProcessOptions {
  std::size_t max_output = std::size_t{1} << 20U;
  /// Called about ten times a second while the program runs.
  std::function<void()> tick;
};

/// `command[0]` is looked up in PATH. Throws base::Interrupted, with the child and its children
/// ended, when a signal asks this process to stop; UserError when no process can be made.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& command,
                                        const ProcessOptions& options = {});

/// Whether `name` is an executable file in PATH.
[[nodiscard]] bool program_exists(const std::string& name);

}  // namespace lacuna::cosim
