// SPDX-License-Identifier: Apache-2.0
#include "config/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::config {

namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 53;
constexpr int kMaxDepth = 64;

/// Recursive descent; one member per level of precedence.
class Evaluator {
 public:
  Evaluator(std::string_view text, const NameLookup& lookup) : text_(text), lookup_(lookup) {}

  std::int64_t run() {
    const std::int64_t value = comparison();
    skip_blanks();
    if (at_ != text_.size()) {
      fail(fmt::format("unexpected '{}'", base::printable(text_.substr(at_))));
    }
    return value;
  }

 private:
  __extension__ using Wide = __int128;

  [[noreturn]] void fail(const std::string& what) const {
    throw base::UserError(fmt::format("'{}': {}", base::printable(text_), what));
  }

  [[nodiscard]] std::int64_t checked(Wide value) const {
    if (value > kLargest || value < -kLargest) fail("the value is beyond 2^53");
    return static_cast<std::int64_t>(value);
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool accept(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  std::int64_t comparison() {
    const std::int64_t left = sum();
    if (accept("==")) return left == sum() ? 1 : 0;
    if (accept("!=")) return left != sum() ? 1 : 0;
    if (accept("<=")) return left <= sum() ? 1 : 0;
    if (accept(">=")) return left >= sum() ? 1 : 0;
    if (accept("<")) return left < sum() ? 1 : 0;
    if (accept(">")) return left > sum() ? 1 : 0;
    return left;
  }

  std::int64_t sum() {
    std::int64_t value = product();
    while (true) {
      if (accept("+")) {
        value = checked(Wide{value} + product());
      } else if (accept("-")) {
        value = checked(Wide{value} - product());
      } else {
        return value;
      }
    }
  }

  [[nodiscard]] std::int64_t floor_divide(std::int64_t left, std::int64_t right) const {
    if (right == 0) fail("division by 0");
    const std::int64_t quotient = left / right;
    return quotient - ((left % right != 0 && (left < 0) != (right < 0)) ? 1 : 0);
  }

  std::int64_t product() {
    std::int64_t value = factor();
    while (true) {
      if (accept("*")) {
        value = checked(Wide{value} * factor());
      } else if (accept("/")) {
        value = floor_divide(value, factor());
      } else if (accept("%")) {
        const std::int64_t right = factor();
        value = checked(Wide{value} - Wide{floor_divide(value, right)} * right);
      } else {
        return value;
      }
    }
  }

  std::int64_t factor() {
    if (++depth_ > kMaxDepth) fail("nested too deeply");
    const std::int64_t value = atom();
    --depth_;
    return value;
  }

  std::int64_t atom() {
    if (accept("-")) return -factor();
    if (accept("(")) {
      const std::int64_t value = comparison();
      if (!accept(")")) fail("a ')' is missing");
      return value;
    }
    skip_blanks();
    if (at_ == text_.size()) fail("a value is missing at the end");
    const std::size_t begin = at_;
    if (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
      return number(text_.substr(begin, at_ - begin));
    }
    while (at_ < text_.size() && is_name_letter(text_[at_], at_ == begin)) ++at_;
    if (at_ == begin) fail(fmt::format("unexpected '{}'", base::printable(text_.substr(at_, 1))));
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (accept("(")) return call(name);
    const std::optional<std::string> found = lookup_(name);
    if (!found) fail(fmt::format("there is no parameter '{}'", base::printable(name)));
    const bool negative = found->starts_with('-');
    const std::string_view digits = std::string_view(*found).substr(negative ? 1 : 0);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char letter) {
          return letter >= '0' && letter <= '9';
        })) {
      fail(fmt::format("'{}' is '{}', not a whole number", name, base::printable(*found)));
    }
    return negative ? -number(digits) : number(digits);
  }

  [[nodiscard]] std::int64_t number(std::string_view digits) const {
    Wide value = 0;
    for (const char digit : digits) {
      value = value * 10 + (digit - '0');
      (void)checked(value);
    }
    return checked(value);
  }

  std::int64_t call(std::string_view name) {
    std::vector<std::int64_t> arguments;
    do {
      arguments.push_back(comparison());
    } while (accept(","));
    if (!accept(")")) fail("a ')' is missing");
    if (name == "max") return *std::max_element(arguments.begin(), arguments.end());
    if (name == "min") return *std::min_element(arguments.begin(), arguments.end());
    if (name == "ceil_div") {
      if (arguments.size() != 2) fail("ceil_div takes 2 values");
      return -floor_divide(-arguments[0], arguments[1]);
    }
    fail(fmt::format("there is no function '{}'; known are max, min and ceil_div",
                     base::printable(name)));
  }

  std::string_view text_;
  const NameLookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

bool is_name_letter(char letter, bool first) {
  const auto code = static_cast<unsigned char>(letter);
  return std::isalpha(code) != 0 || letter == '_' || (!first && std::isdigit(code) != 0);
}

std::int64_t evaluate_expression(std::string_view text, const NameLookup& lookup) {
  return Evaluator(text, lookup).run();
}

}  // namespace lacuna::config
