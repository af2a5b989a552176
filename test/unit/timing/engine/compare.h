// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "timing/engine/counters.h"

namespace lacuna::test {

inline std::map<std::string, std::uint64_t> counter_map(const timing::engine::Counters& counters) {
  std::map<std::string, std::uint64_t> map;
  timing::engine::Counters::visit(counters, [&](std::string_view name, std::uint64_t value) {
    map[std::string(name)] = value;
  });
  return map;
}

/// Names every counter that differs.
inline void expect_same_counters(const timing::engine::Counters& actual,
                                 const timing::engine::Counters& expected) {
  if (actual == expected) return;
  const auto a = counter_map(actual);
  for (const auto& [name, value] : counter_map(expected)) EXPECT_EQ(a.at(name), value) << name;
}

inline std::uint64_t pe_cycles(const timing::engine::Counters& counters) {
  std::uint64_t sum = 0;
  for (const auto& [name, value] : counter_map(counters)) {
    if (name.starts_with("pe_")) sum += value;
  }
  return sum;
}

}  // namespace lacuna::test
