// SPDX-License-Identifier: Apache-2.0
//
// The two kinds of error. UserError: the input is wrong; its text is the whole message for the
// user. InternalError: an invariant of ours is broken (LACUNA_CHECK); the text names the source
// line and what was being simulated. Libraries throw, they never print or exit; cli/ turns the
// first into exit status 2 and the second into 70.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace lacuna::base {

/// A place in a text that the user wrote. Lines and columns count from 1; 0 means unknown. `file`
/// may be something that is not a file, such as "--set".
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;

  /// "file:line:column", without the unknown parts.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const SourceLocation&, const SourceLocation&) = default;
};

class UserError : public std::runtime_error {
 public:
  explicit UserError(const std::string& message);
  /// what() = "file:line:column: message".
  UserError(const SourceLocation& where, const std::string& message);

  [[nodiscard]] const SourceLocation& where() const { return where_; }

 private:
  SourceLocation where_;
};

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// While alive on this thread, a failing LACUNA_CHECK also reports what `describe()` returns: the
/// simulated cycle, the module path, the pass being computed. Costs two pointer writes; the text is
/// only made when a check fails.
class ContextFrame {
 public:
  ContextFrame(const ContextFrame&) = delete;
  ContextFrame& operator=(const ContextFrame&) = delete;

 protected:
  using Describe = std::string (*)(const ContextFrame&);
  explicit ContextFrame(Describe describe);
  ~ContextFrame();

 private:
  friend std::string current_context();
  Describe describe_;
  const ContextFrame* outer_;
};

template <class Callable>
class ScopedContext : private ContextFrame {
 public:
  explicit ScopedContext(Callable callable)
      : ContextFrame([](const ContextFrame& frame) -> std::string {
          return static_cast<const ScopedContext&>(frame).callable_();
        }),
        callable_(std::move(callable)) {}

 private:
  Callable callable_;
};

/// The contexts alive on this thread, innermost first, joined by "; ".
[[nodiscard]] std::string current_context();

/// Throws InternalError; called by LACUNA_CHECK.
[[noreturn]] void fail_check(const char* file, int line, const char* condition,
                             const std::string& message);

namespace detail {
inline std::string check_message() { return {}; }
template <class... Arguments>
std::string check_message(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  return fmt::format(text, std::forward<Arguments>(arguments)...);
}
}  // namespace detail

}  // namespace lacuna::base

/// LACUNA_CHECK(condition) or LACUNA_CHECK(condition, "format {}", value). Active in every build.
/// The message is only formatted when the condition is false.
#define LACUNA_CHECK(condition, ...)                                                  \
  do {                                                                                \
    if (!(condition)) [[unlikely]] {                                                  \
      ::lacuna::base::fail_check(__FILE__, __LINE__, #condition,                      \
                                 ::lacuna::base::detail::check_message(__VA_ARGS__)); \
    }                                                                                 \
  } while (false)
