// SPDX-License-Identifier: Apache-2.0
//
// Quantities with units: "1 GHz", "128 KiB", "0.9 pJ" become numbers in base units (hertz, bytes,
// joules) and back. Decimal prefixes are exact to the last bit ("0.9 pJ" is the double nearest to
// 0.9e-12); KiB, MiB, GiB are powers of two, kB, MB, GB powers of ten.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::base {

enum class Unit {
  kNone,  ///< a plain number
  kBytes,
  kHertz,
  kSeconds,
  kJoules,
  kWatts,
  kVolts,
  kAmperes,
  kSquareMetres,
  kBytesPerSecond,
  kTransfersPerSecond,  ///< DRAM data rate: "4266 MT/s"
  kBits,                ///< bare number or "16 bit"
  kCycles,              ///< bare number or "4 cycles"
  kRatio,               ///< bare number or "5 %"
};

/// Whether a number without a unit is allowed (kNone, kBits, kCycles, kRatio).
[[nodiscard]] bool bare_number_allowed(Unit unit);

/// Spellings that parse_quantity accepts, smallest first, for messages: {"B", "KiB", ...}.
[[nodiscard]] std::vector<std::string> unit_spellings(Unit unit);

/// What the number counts, for tables and schema: "bytes", "hertz", "" for kNone.
[[nodiscard]] std::string_view unit_name(Unit unit);

/// "a size such as '16 KiB' (units: B, KiB, ...)": what a value of this unit should look like.
[[nodiscard]] std::string describe_expected(Unit unit);

struct Quantity {
  double value = 0;
  bool is_integer = false;  ///< `value` is a whole number and `integer` holds it exactly
  std::int64_t integer = 0;
};

/// Parses a number with an optional unit, a blank between them allowed. Throws UserError without a
/// location whose message says what is wrong and which units are allowed. Never inf or nan.
[[nodiscard]] Quantity parse_quantity(std::string_view text, Unit unit);

/// A short spelling that parse_quantity reads back to exactly the same number.
[[nodiscard]] std::string format_quantity(double value, Unit unit);
[[nodiscard]] std::string format_quantity(std::int64_t value, Unit unit);

}  // namespace lacuna::base
