// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::base {

namespace {

/// value = number * 10^decimal_exponent * 2^binary_exponent.
struct Spelling {
  std::string_view text;
  int decimal_exponent = 0;
  int binary_exponent = 0;
};

struct UnitInfo {
  std::string_view name;
  std::string_view noun;
  std::string_view example;
  std::span<const Spelling> spellings;
  bool bare = false;
};

constexpr Spelling kByteSpellings[] = {{"B"},        {"KiB", 0, 10}, {"MiB", 0, 20}, {"GiB", 0, 30},
                                       {"kB", 3, 0}, {"MB", 6, 0},   {"GB", 9, 0}};
constexpr Spelling kHertzSpellings[] = {{"Hz"}, {"kHz", 3}, {"MHz", 6}, {"GHz", 9}};
constexpr Spelling kSecondSpellings[] = {{"ps", -12}, {"ns", -9}, {"us", -6}, {"ms", -3}, {"s"}};
constexpr Spelling kJouleSpellings[] = {{"fJ", -15}, {"pJ", -12}, {"nJ", -9},
                                        {"uJ", -6},  {"mJ", -3},  {"J"}};
constexpr Spelling kWattSpellings[] = {{"nW", -9}, {"uW", -6}, {"mW", -3}, {"W"}};
constexpr Spelling kVoltSpellings[] = {{"mV", -3}, {"V"}};
constexpr Spelling kAmpereSpellings[] = {{"uA", -6}, {"mA", -3}, {"A"}};
constexpr Spelling kAreaSpellings[] = {{"um2", -12}, {"mm2", -6}};
constexpr Spelling kBytesPerSecondSpellings[] = {{"B/s"}, {"kB/s", 3}, {"MB/s", 6}, {"GB/s", 9}};
constexpr Spelling kTransferSpellings[] = {{"MT/s", 6}, {"GT/s", 9}};
constexpr Spelling kBitSpellings[] = {{"bit"}, {"bits"}};
constexpr Spelling kCycleSpellings[] = {{"cycles"}, {"cycle"}};
constexpr Spelling kRatioSpellings[] = {{"%", -2}};

UnitInfo info(Unit unit) {
  switch (unit) {
    case Unit::kNone:
      return {"", "a number", "4", {}, true};
    case Unit::kBytes:
      return {"bytes", "a size", "16 KiB", kByteSpellings};
    case Unit::kHertz:
      return {"hertz", "a frequency", "1 GHz", kHertzSpellings};
    case Unit::kSeconds:
      return {"seconds", "a duration", "3.75 ns", kSecondSpellings};
    case Unit::kJoules:
      return {"joules", "an energy", "0.9 pJ", kJouleSpellings};
    case Unit::kWatts:
      return {"watts", "a power", "20 mW", kWattSpellings};
    case Unit::kVolts:
      return {"volts", "a voltage", "1.1 V", kVoltSpellings};
    case Unit::kAmperes:
      return {"amperes", "a current", "60 mA", kAmpereSpellings};
    case Unit::kSquareMetres:
      return {"square metres", "an area", "120 um2", kAreaSpellings};
    case Unit::kBytesPerSecond:
      return {"bytes per second", "a bandwidth", "34 GB/s", kBytesPerSecondSpellings};
    case Unit::kTransfersPerSecond:
      return {"transfers per second", "a data rate", "4266 MT/s", kTransferSpellings};
    case Unit::kBits:
      return {"bits", "a number of bits", "16", kBitSpellings, true};
    case Unit::kCycles:
      return {"cycles", "a number of cycles", "4", kCycleSpellings, true};
    case Unit::kRatio:
      return {"ratio", "a ratio", "0.05", kRatioSpellings, true};
  }
  return {};
}

/// Splits "12.5e3 KiB" into the longest numeric prefix and the trimmed rest.
std::pair<std::string, std::string_view> split_number(std::string_view text) {
  std::size_t end = 0;
  const auto digits = [&] {
    const std::size_t begin = end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    return end - begin;
  };
  if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
  std::size_t count = digits();
  if (end < text.size() && text[end] == '.') {
    ++end;
    count += digits();
  }
  if (count == 0) return {"", text};
  const std::size_t before_exponent = end;
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    ++end;
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    if (digits() == 0) end = before_exponent;
  }
  return {std::string(text.substr(0, end)), trim(text.substr(end))};
}

/// number * 10^exponent, rounded once.
double scaled_decimal(const std::string& number, int exponent) {
  const std::size_t at = number.find_first_of("eE");
  long own = 0;
  if (at != std::string::npos) own = std::strtol(number.c_str() + at + 1, nullptr, 10);
  if (own > 400 || own < -400) return own > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  const std::string text = fmt::format("{}e{}", number.substr(0, at), own + exponent);
  double value = 0;
  const char* begin = text.c_str() + (text[0] == '+' ? 1 : 0);
  const auto result = std::from_chars(begin, text.c_str() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    return own + exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  }
  return value;
}

bool plain_integer(std::string_view number, std::int64_t& value) {
  if (!number.empty() && number[0] == '+') number.remove_prefix(1);
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  return result.ec == std::errc{} && result.ptr == number.data() + number.size();
}

std::string shortest(double value) { return fmt::format("{}", value); }

/// +-0.d1d2d3... * 10^(exponent + 1): `digits` without leading or trailing zeros, "0" for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;  ///< of the first digit
};

/// The shortest decimal that reads back as `value`.
Decimal shortest_decimal(double value) {
  const std::string text = [&] {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific);
    return std::string(buffer.data(), end.ptr);
  }();
  Decimal result;
  const std::size_t at = text.find('e');
  for (const char letter : text.substr(0, at)) {
    if (letter == '-') result.negative = true;
    if (letter >= '0' && letter <= '9') result.digits += letter;
  }
  result.exponent = std::atoi(text.c_str() + at + 1);
  return result;
}

/// The decimal divided by 10^scale, written out unless that takes too many zeros.
std::string spell(const Decimal& decimal, int scale) {
  const int exponent = decimal.exponent - scale;
  const std::string sign = decimal.negative ? "-" : "";
  const int length = static_cast<int>(decimal.digits.size());
  if (exponent < -6 || exponent > 15) {
    const std::string tail = decimal.digits.substr(1);
    return fmt::format("{}{}{}{}e{}", sign, decimal.digits[0], tail.empty() ? "" : ".", tail,
                       exponent);
  }
  if (exponent < 0) {
    return fmt::format("{}0.{}{}", sign, std::string(static_cast<std::size_t>(-exponent - 1), '0'),
                       decimal.digits);
  }
  if (length <= exponent + 1) {
    return sign + decimal.digits +
           std::string(static_cast<std::size_t>(exponent + 1 - length), '0');
  }
  const auto point = static_cast<std::size_t>(exponent + 1);
  return fmt::format("{}{}.{}", sign, decimal.digits.substr(0, point),
                     decimal.digits.substr(point));
}

}  // namespace

bool bare_number_allowed(Unit unit) { return info(unit).bare; }

std::string_view unit_name(Unit unit) { return info(unit).name; }

std::vector<std::string> unit_spellings(Unit unit) {
  std::vector<std::string> result;
  for (const Spelling& spelling : info(unit).spellings) result.emplace_back(spelling.text);
  return result;
}

std::string describe_expected(Unit unit) {
  const UnitInfo about = info(unit);
  if (unit == Unit::kNone) return std::string(about.noun);
  return fmt::format("{} such as '{}' ({}units: {})", about.noun, about.example,
                     about.bare ? "optional " : "", join(unit_spellings(unit), ", "));
}

Quantity parse_quantity(std::string_view text, Unit unit) {
  const std::string_view trimmed = trim(text);
  const auto [number, suffix] = split_number(trimmed);
  const auto reject = [&](std::string_view why) {
    throw UserError(
        fmt::format("'{}' {}; expected {}", printable(trimmed), why, describe_expected(unit)));
  };
  if (number.empty()) reject("is not a number");
  const UnitInfo about = info(unit);
  Spelling scale;
  if (suffix.empty()) {
    if (!about.bare) reject("has no unit");
  } else {
    bool known = false;
    for (const Spelling& spelling : about.spellings) {
      if (spelling.text != suffix) continue;
      scale = spelling;
      known = true;
    }
    if (!known && unit == Unit::kNone) {
      reject(fmt::format("has '{}' after the number", printable(suffix)));
    }
    if (!known) reject(fmt::format("has the unit '{}', which does not fit", printable(suffix)));
  }

  Quantity result;
  result.value = std::ldexp(scaled_decimal(number, scale.decimal_exponent), scale.binary_exponent);
  if (!std::isfinite(result.value)) reject("is too large");
  std::int64_t whole = 0;
  if (scale.decimal_exponent == 0 && scale.binary_exponent == 0 && plain_integer(number, whole)) {
    result.is_integer = true;
    result.integer = whole;
  } else if (std::abs(result.value) <= 0x1.0p53 && result.value == std::trunc(result.value)) {
    result.is_integer = true;
    result.integer = static_cast<std::int64_t>(result.value);
  }
  return result;
}

std::string format_quantity(double value, Unit unit) {
  const UnitInfo about = info(unit);
  if (about.bare) return shortest(value);
  if (unit == Unit::kBytes) {
    if (std::abs(value) < 0x1.0p62 && value == std::trunc(value)) {
      return format_quantity(static_cast<std::int64_t>(value), unit);
    }
    return shortest(value) + " B";
  }
  const Decimal decimal = shortest_decimal(value);
  // The largest unit in which the number is at least 1, else the smallest; moving the decimal point
  // is exact, dividing would not be.
  const Spelling* best = &about.spellings.front();
  for (const Spelling& spelling : about.spellings) {
    if (value == 0 ? spelling.decimal_exponent == 0 : spelling.decimal_exponent <= decimal.exponent)
      best = &spelling;
  }
  return fmt::format("{} {}", spell(decimal, best->decimal_exponent), best->text);
}

std::string format_quantity(std::int64_t value, Unit unit) {
  const UnitInfo about = info(unit);
  if (about.bare) return fmt::format("{}", value);
  if (unit == Unit::kBytes) {
    // Whole multiples of a binary unit, else plain bytes: exact for every int64.
    std::string_view name = "B";
    int shift = 0;
    for (const Spelling& spelling : about.spellings) {
      if (spelling.decimal_exponent == 0 && spelling.binary_exponent > shift && value != 0 &&
          value % (std::int64_t{1} << spelling.binary_exponent) == 0) {
        shift = spelling.binary_exponent;
        name = spelling.text;
      }
    }
    return fmt::format("{} {}", value / (std::int64_t{1} << shift), name);
  }
  return format_quantity(static_cast<double>(value), unit);
}

}  // namespace lacuna::base
