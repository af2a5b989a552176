// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace lacuna::base {
namespace {

const std::vector<std::string> kNames{"pes", "k_ways", "rows_per_pe", "fifo_depth", "scan_width"};

TEST(EditDistance, CountsTypos) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("PES", "pes"), 0U);
}

TEST(NearestName, FindsLikelyTyposOnly) {
  EXPECT_EQ(nearest_name("pess", kNames), "pes");
  EXPECT_EQ(nearest_name("fifodepth", kNames), "fifo_depth");
  EXPECT_EQ(nearest_name("rows", kNames), "rows_per_pe");
  EXPECT_EQ(nearest_name("k_wyas", kNames), "k_ways");
  EXPECT_EQ(nearest_name("banana", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name(std::string(100'000, 'x'), kNames), "");
}

TEST(Words, ListsAndNumbers) {
  const std::vector<std::string> three{"a", "b", "c"};
  EXPECT_EQ(list_in_words(three, "or"), "a, b or c");
  EXPECT_EQ(list_in_words(std::span(three).first(1), "or"), "a");
  EXPECT_EQ(list_in_words(std::span(three).first(0), "or"), "");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(-123), "-123");
  EXPECT_EQ(with_thousands(-1234), "-1,234");
  EXPECT_EQ(with_thousands(std::numeric_limits<long long>::min()), "-9,223,372,036,854,775,808");
}

TEST(Printable, KeepsMessagesOnOneLine) {
  EXPECT_EQ(printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a..b", '.'), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", '.'), (std::vector<std::string>{""}));
  EXPECT_EQ(trim("  a b\t\n"), "a b");
  EXPECT_EQ(trim("   "), "");
}

}  // namespace
}  // namespace lacuna::base
