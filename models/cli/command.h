// SPDX-License-Identifier: Apache-2.0
//
// A subcommand of `lacuna`. One file pair per command, one factory function each, one line in
// commands.cpp. A command parses nothing by hand: it declares options and reads members.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace lacuna::cli {

/// Exit statuses of the process.
enum ExitStatus : int {
  kExitDone = 0,
  kExitCheckFailed = 1,  ///< a mismatch, a constraint that is not met
  kExitUserError = 2,
  kExitInternalError = 70,
};

enum class Format { kText, kJson };

class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string summary() const = 0;
  /// Declares positionals and options; called once, before parsing.
  virtual void add_options(CLI::App& app) = 0;
  /// Does the work after parsing. Results go to `out`; errors are thrown (UserError); returns
  /// kExitDone or kExitCheckFailed.
  virtual int run(std::ostream& out) = 0;
};

/// All commands, in the order of the help text.
[[nodiscard]] std::vector<std::unique_ptr<Command>> make_commands();

/// Options that several commands have.
void add_set_option(CLI::App& app, std::vector<std::string>& sets);
void add_parameter_option(CLI::App& app, std::vector<std::string>& parameters);
void add_format_option(CLI::App& app, Format& format);
/// An option that takes a whole number from `low` to `high`.
void add_integer(CLI::App& app, const std::string& name, std::int64_t& value, std::int64_t low,
                 std::int64_t high, const std::string& doc);

}  // namespace lacuna::cli
