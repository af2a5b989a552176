// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/address_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "support/dram_driver.h"

namespace lacuna::timing::dram {
namespace {

const std::vector<std::string>& mappings() {
  static const std::vector<std::string> list = {
      "row_bank_column",
      "bank_row_column",
      "row_column_bank",
      "row rank bank column pseudo_channel bank_group channel",
      "channel rank bank bank_group pseudo_channel row column",
      "row:3 column:2 row bank^row rank pseudo_channel^row column bank_group^row channel^row "
      "column:1",
  };
  return list;
}

TEST(AddressMap, BurstsInARunAreThoseDecodedOneByOne) {
  base::Rng rng(2);
  for (const std::string& name : test::preset_names()) {
    const params::MemoryPreset preset = test::load_preset(name);
    for (const std::string& text : mappings()) {
      const AddressMap map(text, preset.organization, 4);
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t first =
            rng.below((map.capacity_bytes() >> map.burst_shift()) - std::uint64_t{400});
        const std::uint64_t last = first + rng.below(400);
        std::uint64_t burst = first;
        map.for_each_burst(first, last, [&](const DramAddress& at) {
          ASSERT_EQ(at, map.decode(burst << map.burst_shift())) << name << " " << text << burst;
          ++burst;
        });
        ASSERT_EQ(burst, last + 1);
      }
    }
  }
}

TEST(AddressMap, EncodeIsTheInverseOfDecode) {
  base::Rng rng(1);
  for (const std::string& name : test::preset_names()) {
    const params::MemoryPreset preset = test::load_preset(name);
    for (const std::string& text : mappings()) {
      const AddressMap map(text, preset.organization, 4);
      EXPECT_EQ(map.capacity_bytes(),
                4U * static_cast<std::uint64_t>(preset.organization.channel_bytes()));
      for (int i = 0; i < 1000; ++i) {
        const std::uint64_t address = rng.below(map.capacity_bytes()) >> map.burst_shift()
                                                                             << map.burst_shift();
        const DramAddress at = map.decode(address);
        ASSERT_LT(at.channel, 4);
        ASSERT_LT(at.bank, preset.organization.total_banks());
        ASSERT_LT(at.row, preset.organization.rows);
        ASSERT_LT(at.column, preset.organization.bursts_per_row());
        ASSERT_EQ(map.encode(at), address) << name << ": " << text;
      }
    }
  }
}

TEST(AddressMap, FieldsLieWhereTheMappingSays) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  const AddressMap map("row bank column channel column:1", preset.organization, 8);
  EXPECT_EQ(map.decode(31), (DramAddress{0, 0, 0, 0}));        // inside the first burst
  EXPECT_EQ(map.decode(32), (DramAddress{0, 0, 0, 1}));        // next burst
  EXPECT_EQ(map.decode(64), (DramAddress{1, 0, 0, 0}));        // next channel
  EXPECT_EQ(map.decode(512), (DramAddress{0, 0, 0, 2}));       // 8 channels of 2 bursts
  EXPECT_EQ(map.decode(16 << 10), (DramAddress{0, 1, 0, 0}));  // 8 pages of 2 KiB
  EXPECT_EQ(map.decode(128 << 10), (DramAddress{0, 0, 1, 0}));
}

TEST(AddressMap, BankHashSpreadsRows) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  const AddressMap map("row bank^row column", preset.organization, 1);
  std::vector<int> seen(8, 0);
  for (std::uint64_t row = 0; row < 8; ++row) {
    ++seen[static_cast<std::size_t>(map.decode(row << 14).bank)];
  }
  EXPECT_THAT(seen, testing::Each(1));
}

struct Bad {
  const char* mapping;
  const char* message;
};
class BadMapping : public testing::TestWithParam<Bad> {};
TEST_P(BadMapping, IsExplained) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  try {
    AddressMap map(GetParam().mapping, preset.organization, 2);
    FAIL() << "accepted";
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, BadMapping,
    testing::Values(Bad{"row bank colum channel", "did you mean 'column'?"},
                    Bad{"row bank column", "1 bits of 'channel' are missing"},
                    Bad{"", "bits of 'column' are missing"},
                    Bad{"row row bank column channel", "'row' stands twice without ':bits'"},
                    Bad{"row bank:4 column channel", "'bank' has 1 bits too many"},
                    Bad{"row:x bank column channel", "the number of bits must be 0 to 40"},
                    Bad{"row bank column^row channel", "only channels, ranks and banks"}));

TEST(AddressMap, ChannelsMustBeAPowerOfTwo) {
  const params::MemoryPreset preset = test::load_preset("lpddr4x-4266");
  EXPECT_THROW(AddressMap("row_bank_column", preset.organization, 3), base::UserError);
}

}  // namespace
}  // namespace lacuna::timing::dram
