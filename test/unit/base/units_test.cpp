// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/rng.h"

namespace lacuna::base {
namespace {

std::string message_of(std::string_view text, Unit unit) {
  try {
    static_cast<void>(parse_quantity(text, unit));
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ParseQuantity, UnitsScale) {
  EXPECT_EQ(parse_quantity("1 GHz", Unit::kHertz).value, 1e9);
  EXPECT_EQ(parse_quantity("128 KiB", Unit::kBytes).integer, 131072);
  EXPECT_EQ(parse_quantity("1.5KiB", Unit::kBytes).integer, 1536);
  EXPECT_EQ(parse_quantity("2 kB", Unit::kBytes).integer, 2000);
  EXPECT_EQ(parse_quantity(" 3.75 ns ", Unit::kSeconds).value, 3.75e-9);
  EXPECT_EQ(parse_quantity("4266 MT/s", Unit::kTransfersPerSecond).value, 4.266e9);
  EXPECT_EQ(parse_quantity("5 %", Unit::kRatio).value, 0.05);
  EXPECT_EQ(parse_quantity("0.25", Unit::kRatio).value, 0.25);
  EXPECT_EQ(parse_quantity("4 cycles", Unit::kCycles).integer, 4);
}

TEST(ParseQuantity, DecimalPrefixesRoundOnce) {
  EXPECT_EQ(parse_quantity("0.9 pJ", Unit::kJoules).value, 0.9e-12);
  EXPECT_EQ(parse_quantity("0.468 ns", Unit::kSeconds).value, 0.468e-9);
  EXPECT_EQ(parse_quantity("1e3 pJ", Unit::kJoules).value, 1e-9);
}

TEST(ParseQuantity, WholeNumbersAreExact) {
  const Quantity large = parse_quantity("9223372036854775807", Unit::kNone);
  EXPECT_TRUE(large.is_integer);
  EXPECT_EQ(large.integer, 9223372036854775807);
  EXPECT_FALSE(parse_quantity("9223372036854775808", Unit::kNone).is_integer);
  EXPECT_FALSE(parse_quantity("2.5", Unit::kNone).is_integer);
  EXPECT_TRUE(parse_quantity("2.0", Unit::kNone).is_integer);
  EXPECT_FALSE(parse_quantity("0.3 B", Unit::kBytes).is_integer);
}

TEST(ParseQuantity, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(message_of("128", Unit::kBytes),
            "'128' has no unit; expected a size such as '16 KiB' (units: B, KiB, MiB, GiB, kB, MB, "
            "GB)");
  EXPECT_EQ(message_of("1 GHz", Unit::kBytes),
            "'1 GHz' has the unit 'GHz', which does not fit; expected a size such as '16 KiB' "
            "(units: B, KiB, MiB, GiB, kB, MB, GB)");
  EXPECT_EQ(message_of("16 x", Unit::kNone), "'16 x' has 'x' after the number; expected a number");
  for (const char* text : {"", "B", "nan", "inf", ".", "-", "+", "1e", "0x10", "1,000", "1 2"}) {
    EXPECT_NE(message_of(text, Unit::kNone), "accepted") << text;
  }
  EXPECT_THAT(message_of("1e400", Unit::kNone), testing::HasSubstr("too large"));
  EXPECT_THAT(message_of("1e999999999999", Unit::kNone), testing::HasSubstr("too large"));
}

TEST(FormatQuantity, ChoosesReadableUnits) {
  EXPECT_EQ(format_quantity(1e9, Unit::kHertz), "1 GHz");
  EXPECT_EQ(format_quantity(1e-7, Unit::kSeconds), "100 ns");
  EXPECT_EQ(format_quantity(0.9e-12, Unit::kJoules), "900 fJ");
  EXPECT_EQ(format_quantity(0.0, Unit::kSeconds), "0 s");
  EXPECT_EQ(format_quantity(std::int64_t{131072}, Unit::kBytes), "128 KiB");
  EXPECT_EQ(format_quantity(std::int64_t{1000}, Unit::kBytes), "1000 B");
  EXPECT_EQ(format_quantity(std::int64_t{0}, Unit::kBytes), "0 B");
  EXPECT_EQ(format_quantity(-2.5e-3, Unit::kVolts), "-2.5 mV");
}

TEST(FormatQuantity, ReadsBackExactly) {
  const std::uint64_t seed = 7;
  Rng rng(seed);
  for (const Unit unit :
       {Unit::kNone, Unit::kBytes, Unit::kHertz, Unit::kSeconds, Unit::kJoules, Unit::kWatts,
        Unit::kVolts, Unit::kAmperes, Unit::kSquareMetres, Unit::kBytesPerSecond,
        Unit::kTransfersPerSecond, Unit::kBits, Unit::kCycles, Unit::kRatio}) {
    for (int i = 0; i < 500; ++i) {
      const double value =
          (rng.uniform() - 0.5) * std::pow(10.0, static_cast<double>(rng.range(-20, 20)));
      const std::string text = format_quantity(value, unit);
      EXPECT_EQ(parse_quantity(text, unit).value, value) << text << ", seed " << seed;
      const auto whole = static_cast<std::int64_t>(rng.next() >> rng.below(60));
      if (unit != Unit::kBytes && !bare_number_allowed(unit)) continue;
      const std::string whole_text = format_quantity(whole, unit);
      if (std::abs(static_cast<double>(whole)) > 0x1.0p53) continue;
      EXPECT_EQ(parse_quantity(whole_text, unit).integer, whole) << whole_text << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lacuna::base
