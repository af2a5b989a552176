// SPDX-License-Identifier: Apache-2.0
#include "cli/application.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <algorithm>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"

namespace lacuna::cli {

namespace {

constexpr const char* kVersion = LACUNA_VERSION;

/// What is wrong with the command line, in one sentence, with the nearest known word.
std::string explain(const CLI::App& app, const CLI::Error& error,
                    const std::vector<std::string>& arguments) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());

  const CLI::App* chosen = nullptr;
  // The command, or its own subcommand.
  for (const CLI::App* command : app.get_subcommands()) {
    chosen = command;
    for (const CLI::App* action : command->get_subcommands()) chosen = action;
  }
  if (chosen == nullptr) {
    const auto word = std::find_if(arguments.begin(), arguments.end(),
                                   [](const std::string& text) { return !text.starts_with("-"); });
    if (word != arguments.end()) {
      return fmt::format("unknown command '{}'{}", base::printable(*word),
                         base::did_you_mean(*word, commands));
    }
    if (arguments.empty()) return "no command given";
  }
  // A typo in an option often shows first as something else that is missing.
  const std::vector<std::string> extras = app.remaining(true);
  if (!extras.empty()) {
    const CLI::App& owner = chosen == nullptr ? app : *chosen;
    std::vector<std::string> options;
    for (const CLI::Option* option : owner.get_options()) {
      for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
    }
    const std::string& word = extras.front();
    const std::string plain = word.substr(0, word.find('='));
    if (plain.starts_with("-")) {
      return fmt::format("unknown option '{}'{}", base::printable(plain),
                         base::did_you_mean(plain, options));
    }
    return fmt::format("unexpected argument '{}'", base::printable(word));
  }
  return base::printable(error.what(), 400);
}

void add_log_options(CLI::App& app, bool& verbose, bool& quiet) {
  app.add_flag("-v,--verbose", verbose, "more messages on stderr");
  app.add_flag("-q,--quiet", quiet, "only errors on stderr");
}

int parse_and_run(std::vector<std::string> arguments, std::ostream& out) {
  CLI::App app("Cycle-accurate simulator of a dual-sparse inference chip", "lacuna");
  app.set_version_flag("--version", std::string("lacuna ") + kVersion);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.get_formatter()->column_width(34);
  bool verbose = false;
  bool quiet = false;
  add_log_options(app, verbose, quiet);

  std::vector<std::unique_ptr<Command>> commands = make_commands();
  std::vector<std::pair<CLI::App*, Command*>> choices;
  for (const auto& command : commands) {
    CLI::App* child = app.add_subcommand(command->name(), command->summary());
    command->add_options(*child);
    add_log_options(*child, verbose, quiet);
    choices.emplace_back(child, command.get());
  }

  const std::vector<std::string> given = arguments;
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success, out, out);
  } catch (const CLI::Error& error) {
    std::string hint = "--help";
    for (const CLI::App* command : app.get_subcommands()) {
      hint = command->get_name();
      for (const CLI::App* action : command->get_subcommands()) hint += " " + action->get_name();
      hint += " --help";
    }
    throw base::UserError(fmt::format("{}; see 'lacuna {}'", explain(app, error, given), hint));
  }
  if (verbose) base::log().set_level(base::LogLevel::kDebug);
  if (quiet) base::log().set_level(base::LogLevel::kError);
  for (const auto& [child, command] : choices) {
    if (!child->parsed()) continue;
    const int status = command->run(out);
    out.flush();
    if (!out) throw base::UserError("cannot write the results to standard output");
    return status;
  }
  LACUNA_CHECK(false, "no command ran");
  return kExitInternalError;
}

int report_bug(std::ostream& err, const char* what) {
  err << "lacuna: internal error: " << what << "\n"
      << "lacuna: this is a bug in lacuna, not in your input; please report it with the command "
         "line\n";
  return kExitInternalError;
}

}  // namespace

int run_application(std::vector<std::string> arguments, std::ostream& out, std::ostream& err) {
  return run_guarded([&] { return parse_and_run(std::move(arguments), out); }, err);
}

int run_guarded(const std::function<int()>& body, std::ostream& err) {
  try {
    return body();
  } catch (const base::UserError& error) {
    for (const std::string& line : base::split(error.what(), '\n'))
      err << "lacuna: " << line << "\n";
    return kExitUserError;
  } catch (const base::Interrupted& interrupted) {
    err << "lacuna: " << interrupted.what() << "\n";
    return 128 + interrupted.signal_number();
  } catch (const std::bad_alloc&) {
    err << "lacuna: out of memory\n";
    return kExitInternalError;
  } catch (const std::exception& error) {
    return report_bug(err, error.what());
  }
}

}  // namespace lacuna::cli
