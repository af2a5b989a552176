// SPDX-License-Identifier: Apache-2.0
// Load memories: words written into one half while elements of the other are read.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "Vload_ram.h"
#include "Vload_table.h"
#include "rtl/support/bench.h"

namespace lacuna::test::rtl {
namespace {

constexpr std::size_t kWidth = 12, kPerWord = 4, kWords = 6;

/// registered: the element is there in the cycle after the read, and stays.
template <typename Model>
void check(bool registered) {
  Bench<Model> top;
  Random random(2);
  std::array<std::array<std::uint64_t, kPerWord * kWords>, 2> content{};
  std::array<std::array<bool, kPerWord * kWords>, 2> known{};
  std::uint64_t held = 0;
  bool held_known = false;
  for (int cycle = 0; cycle < 5000; ++cycle) {
    const auto half = static_cast<std::size_t>(cycle / 64 % 2);
    const auto word = static_cast<std::size_t>(random.range(0, kWords - 1));
    const auto element = static_cast<std::size_t>(random.range(0, kPerWord * kWords - 1));
    const bool write = random.chance(0.5), read = random.chance(0.6);
    const std::uint64_t data = random.next() & ((std::uint64_t{1} << (kWidth * kPerWord)) - 1);
    top->write_i = write;
    top->write_half_i = static_cast<CData>(half);
    top->write_word_i = static_cast<CData>(word);
    top->data_i = data;
    top->read_i = read;
    top->read_half_i = static_cast<CData>(1 - half);
    top->read_element_i = static_cast<CData>(element);
    top.settle();
    const std::uint64_t stored = content[1 - half][element];
    if (registered) {
      if (held_known) {
        ASSERT_EQ(top->data_o, held) << cycle;
      }
    } else if (!read) {
      ASSERT_EQ(top->data_o, 0) << cycle;
    } else if (known[1 - half][element]) {
      ASSERT_EQ(top->data_o, stored) << cycle;
    }
    top.edge();
    if (read) {
      held = stored;
      held_known = known[1 - half][element];
    }
    if (write) {
      for (std::size_t e = 0; e < kPerWord; ++e) {
        content[half][word * kPerWord + e] = (data >> (e * kWidth)) & 0xfff;
        known[half][word * kPerWord + e] = true;
      }
    }
  }
}

TEST(LoadRam, ElementInTheNextCycle) { check<Vload_ram>(true); }
TEST(LoadTable, ElementInTheSameCycle) { check<Vload_table>(false); }

}  // namespace
}  // namespace lacuna::test::rtl
