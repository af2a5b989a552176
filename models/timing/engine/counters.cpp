// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/counters.h"

#include <cstddef>

namespace lacuna::timing::engine {

Counters& Counters::operator+=(const Counters& other) {
  std::array<std::uint64_t, sizeof(Counters) / sizeof(std::uint64_t)> values{};
  std::size_t index = 0;
  visit(other, [&](std::string_view, std::uint64_t value) { values[index++] = value; });
  index = 0;
  visit(*this, [&](std::string_view, std::uint64_t& value) { value += values[index++]; });
  return *this;
}

}  // namespace lacuna::timing::engine
