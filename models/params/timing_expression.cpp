// SPDX-License-Identifier: Apache-2.0
#include "params/timing_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"

namespace lacuna::params {
namespace {

constexpr std::int64_t kLargest = 1'000'000'000'000;
constexpr int kDeepest = 32;

// Recursive descent; the first error wins and makes every later step a no-op.
class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, std::int64_t>& names)
      : text_(text), names_(names) {}

  TimingValue run() {
    const std::int64_t value = sum();
    skip_blanks();
    if (at_ < text_.size()) fail(fmt::format("'{}' was not expected", text_.substr(at_, 1)));
    if (!error_.empty())
      return {std::nullopt, fmt::format("'{}': {}", base::printable(text_), error_)};
    return {value, {}};
  }

 private:
  void fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
    at_ = text_.size();
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::int64_t checked(std::int64_t value) {
    if (value > kLargest || value < -kLargest) {
      fail("a value is beyond 1e12 cycles");
      return 0;
    }
    return value;
  }

  std::int64_t sum() {
    std::int64_t value = take('-') ? -product() : product();
    while (true) {
      if (take('+')) {
        value = checked(value + product());
      } else if (take('-')) {
        value = checked(value - product());
      } else {
        return value;
      }
    }
  }

  std::int64_t product() {
    std::int64_t value = factor();
    while (take('*')) {
      const std::int64_t other = factor();
      // Both are at most 1e12, so the product of the doubles decides safely.
      if (static_cast<double>(value) * static_cast<double>(other) > 1e12 ||
          static_cast<double>(value) * static_cast<double>(other) < -1e12) {
        fail("a value is beyond 1e12 cycles");
        return 0;
      }
      value *= other;
    }
    return value;
  }

  std::int64_t factor() {
    skip_blanks();
    if (at_ >= text_.size()) {
      fail("a number or a name is missing at the end");
      return 0;
    }
    if (take('(')) {
      const std::int64_t value = nested();
      if (!take(')')) fail("')' is missing");
      return value;
    }
    const char first = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(first)) != 0) return number();
    if (std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '_') return name();
    fail(fmt::format("'{}' was not expected", text_.substr(at_, 1)));
    return 0;
  }

  std::int64_t nested() {
    if (++depth_ > kDeepest) {
      fail("too many nested parentheses");
      return 0;
    }
    const std::int64_t value = sum();
    --depth_;
    return value;
  }

  std::int64_t number() {
    std::int64_t value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      value = checked(value * 10 + (text_[at_] - '0'));
      ++at_;
    }
    return value;
  }

  std::int64_t name() {
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    const std::string word(text_.substr(start, at_ - start));
    if (word == "max" || word == "min") return extreme(word == "max");
    const auto found = names_.find(word);
    if (found == names_.end()) {
      std::vector<std::string> known;
      for (const auto& [key, value] : names_) known.push_back(key);
      fail(fmt::format("there is no timing value '{}'{}", base::printable(word),
                       base::did_you_mean(word, known)));
      return 0;
    }
    return checked(found->second);
  }

  std::int64_t extreme(bool largest) {
    if (!take('(')) {
      fail("max and min need parentheses");
      return 0;
    }
    std::int64_t value = nested();
    while (take(',')) {
      const std::int64_t other = nested();
      value = largest ? std::max(value, other) : std::min(value, other);
    }
    if (!take(')')) fail("')' is missing");
    return value;
  }

  std::string_view text_;
  const std::map<std::string, std::int64_t>& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string error_;
};

}  // namespace

TimingValue evaluate_timing(std::string_view text,
                            const std::map<std::string, std::int64_t>& names) {
  return Parser(text, names).run();
}

}  // namespace lacuna::params
