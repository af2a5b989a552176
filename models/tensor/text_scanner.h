// SPDX-License-Identifier: Apache-2.0
//
// Numbers out of a text, with the place of everything for messages. Internal to the readers of
// .smtx and MatrixMarket.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::tensor {

class TextScanner {
 public:
  TextScanner(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  [[noreturn]] void fail(std::size_t at, const std::string& message) const {
    int line = 1;
    std::size_t line_start = 0;
    for (std::size_t i = 0; i < at && i < text_.size(); ++i) {
      if (text_[i] == '\n') {
        ++line;
        line_start = i + 1;
      }
    }
    throw base::UserError(base::SourceLocation{name_, line, static_cast<int>(at - line_start) + 1},
                          message);
  }
  [[noreturn]] void fail(const std::string& message) const { fail(token_begin_, message); }

  /// Skips blanks, line ends and the given separator; false at the end of the text.
  bool skip(char separator = ' ') {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != separator) return true;
      ++position_;
    }
    return false;
  }
  /// The rest of the current line, without its end; moves to the next.
  std::string_view line() {
    token_begin_ = position_;
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    std::string_view result = text_.substr(position_, end - position_);
    position_ = std::min(end + 1, text_.size());
    return base::trim(result);
  }
  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }
  /// Bytes not yet read: bounds how many numbers can still come.
  [[nodiscard]] std::uint64_t remaining() const { return text_.size() - position_; }

  /// The next token up to a blank or the separator; `what` names it in messages.
  std::string_view token(const std::string& what, char separator = ' ') {
    const bool more = skip(separator);
    token_begin_ = position_;
    if (!more) fail(fmt::format("the file ends where {} is expected", what));
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == separator) break;
      ++position_;
    }
    return text_.substr(token_begin_, position_ - token_begin_);
  }

  /// An integer in [low, high].
  std::int64_t integer(const std::string& what, std::int64_t low, std::int64_t high,
                       char separator = ' ') {
    const std::string_view text = token(what, separator);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() ||
        (error != std::errc{} && error != std::errc::result_out_of_range)) {
      fail(fmt::format("'{}' is not an integer; {} is expected", base::printable(text, 40), what));
    }
    if (error == std::errc::result_out_of_range || value < low || value > high) {
      fail(fmt::format("{} is {}, outside {}..{}", what, base::printable(text, 40), low, high));
    }
    return value;
  }

  double real(const std::string& what) {
    const std::string_view text = token(what);
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || end != digits.data() + digits.size() ||
        (error != std::errc{} && error != std::errc::result_out_of_range)) {
      fail(fmt::format("'{}' is not a number; {} is expected", base::printable(text, 40), what));
    }
    // Out of the range of a double is still not zero, except when it underflows; and nan is no
    // weight.
    if (value != value) fail(fmt::format("{} is not a number (nan)", what));
    return value;
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string_view text_;
  std::string name_;
  std::size_t position_ = 0;
  std::size_t token_begin_ = 0;
};

}  // namespace lacuna::tensor
