// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace lacuna::base {

namespace {
thread_local const ContextFrame* innermost_context = nullptr;
}  // namespace

std::string SourceLocation::text() const {
  std::string result = file;
  if (line > 0) {
    result += fmt::format("{}{}", result.empty() ? "" : ":", line);
    if (column > 0) result += fmt::format(":{}", column);
  }
  return result;
}

UserError::UserError(const std::string& message) : std::runtime_error(message) {}

UserError::UserError(const SourceLocation& where, const std::string& message)
    : std::runtime_error(where.text().empty() ? message : where.text() + ": " + message),
      where_(where) {}

ContextFrame::ContextFrame(Describe describe) : describe_(describe), outer_(innermost_context) {
  innermost_context = this;
}

ContextFrame::~ContextFrame() { innermost_context = outer_; }

std::string current_context() {
  std::string result;
  for (const ContextFrame* frame = innermost_context; frame != nullptr; frame = frame->outer_) {
    if (!result.empty()) result += "; ";
    result += frame->describe_(*frame);
  }
  return result;
}

void fail_check(const char* file, int line, const char* condition, const std::string& message) {
  std::string text = fmt::format("{}:{}: check failed: {}", file, line, condition);
  if (!message.empty()) text += ": " + message;
  const std::string context = current_context();
  if (!context.empty()) text += " (" + context + ")";
  throw InternalError(text);
}

}  // namespace lacuna::base
