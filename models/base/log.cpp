// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace lacuna::base {

namespace {

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("lacuna", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("lacuna: %l: %v");
    made.set_level(spdlog::level::info);
    return made;
  }();
  return instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

void Log::set_level(LogLevel level) { logger().set_level(to_spdlog(level)); }

bool Log::enabled(LogLevel level) const { return logger().should_log(to_spdlog(level)); }

void Log::write(LogLevel level, fmt::string_view text, fmt::format_args arguments) {
  if (enabled(level)) logger().log(to_spdlog(level), fmt::vformat(text, arguments));
}

Log& log() {
  static Log instance;
  return instance;
}

}  // namespace lacuna::base
