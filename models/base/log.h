// SPDX-License-Identifier: Apache-2.0
//
// The log: messages for a human, to stderr only, so that stdout carries nothing but results.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace lacuna::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// A thin face on spdlog that keeps its headers out of every file.
class Log {
 public:
  template <class... Arguments>
  void debug(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    write(LogLevel::kDebug, text, fmt::make_format_args(arguments...));
  }
  template <class... Arguments>
  void info(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    write(LogLevel::kInfo, text, fmt::make_format_args(arguments...));
  }
  template <class... Arguments>
  void warn(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    write(LogLevel::kWarning, text, fmt::make_format_args(arguments...));
  }
  template <class... Arguments>
  void error(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    write(LogLevel::kError, text, fmt::make_format_args(arguments...));
  }

  /// Messages below `level` are dropped; the default is kInfo.
  void set_level(LogLevel level);
  [[nodiscard]] bool enabled(LogLevel level) const;

 private:
  void write(LogLevel level, fmt::string_view text, fmt::format_args arguments);
};

/// The process's log. Safe to use from any thread.
[[nodiscard]] Log& log();

}  // namespace lacuna::base
