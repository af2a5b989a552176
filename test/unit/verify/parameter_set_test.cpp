// SPDX-License-Identifier: Apache-2.0
#include "verify/parameter_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "support/temp_dir.h"

namespace lacuna::verify {
namespace {

std::string shipped() { return set_folder(LACUNA_SOURCE_DIR); }

std::string error_of(const std::string& folder, const std::string& name) {
  try {
    (void)load_set(folder, name);
  } catch (const base::UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ParameterSets, CoverTheRangesOfTheEngine) {
  std::set<int> ways, depths, scans, lanes, loads, words, blocks, rows;
  std::set<bool> none, slow, odd_pes;
  int large = 0;
  const std::vector<std::string> names = set_names(shipped());
  for (const std::string& name : names) {
    const NamedSet set = load_set(shipped(), name);
    EXPECT_EQ(set.name, name);
    EXPECT_FALSE(set.values.about.empty());
    const params::EngineParams& e = set.values.engine;
    ways.insert(e.k_ways);
    depths.insert(e.fifo_depth);
    scans.insert(e.scan_width);
    lanes.insert(e.lanes);
    loads.insert(e.load_width);
    words.insert(e.weight_word);
    blocks.insert(e.act_block);
    rows.insert(e.rows_per_pe);
    none.insert(e.skip_empty == params::SkipEmpty::kNone);
    slow.insert(e.drain_width < e.pes);
    odd_pes.insert((e.pes & (e.pes - 1)) != 0);
    large += e.pes >= 16 && e.k_ways >= 4 && e.rows_per_pe >= 64 ? 1 : 0;
    large += e.pes >= 8 && e.k_ways >= 2 && e.rows_per_pe >= 32 && e.lanes >= 8 ? 1 : 0;
  }
  EXPECT_GE(names.size(), 20u);
  EXPECT_EQ(*ways.begin(), 1);
  EXPECT_EQ(*ways.rbegin(), 16);
  EXPECT_EQ(*depths.begin(), 1);
  EXPECT_EQ(*depths.rbegin(), 256);
  EXPECT_EQ(scans, (std::set<int>{8, 16, 32, 64, 128, 256}));
  EXPECT_EQ(lanes, (std::set<int>{1, 2, 4, 8, 16}));
  EXPECT_EQ(loads, (std::set<int>{8, 16, 32, 64}));
  EXPECT_EQ(words, (std::set<int>{4, 8, 16}));
  EXPECT_EQ(*blocks.begin(), 8);
  EXPECT_EQ(*blocks.rbegin(), 256);
  EXPECT_EQ(*rows.begin(), 1);
  EXPECT_EQ(*rows.rbegin(), 64);
  EXPECT_EQ(none.size(), 2u);
  EXPECT_EQ(slow.size(), 2u);
  EXPECT_EQ(odd_pes.size(), 2u);
  EXPECT_EQ(large, 2);
}

TEST(ParameterSets, UnknownNames) {
  const std::string text = error_of(shipped(), "smal");
  EXPECT_EQ(text.find("no parameter set 'smal' (did you mean 'small'?); there are block256, "), 0u)
      << text;
  EXPECT_NE(error_of(shipped(), "base").find("no parameter set 'base'"), std::string::npos);
}

TEST(ParameterSets, AFileOfOnesOwn) {
  const test::TempDir folder;
  const std::string file =
      folder.write("mine.yaml", "extends: " + shipped() + "/small.yaml\nengine: {fifo_depth: 3}\n");
  const NamedSet set = load_set(shipped(), file);
  EXPECT_EQ(set.name, "mine");
  EXPECT_EQ(set.values.engine.fifo_depth, 3);
  EXPECT_EQ(set.values.engine.pes, 2);
}

TEST(ParameterSets, RulesOfASet) {
  const test::TempDir folder;
  const auto with = [&](const std::string& engine) {
    return error_of(shipped(),
                    folder.write("bad.yaml", "extends: " + shipped() + "/small.yaml\nengine: {" +
                                                 engine + "}\n"));
  };
  EXPECT_NE(with("rows_per_pe: 65, weight_buffer: 8 KiB").find("the RTL holds at most 64 rows"),
            std::string::npos);
  EXPECT_NE(with("psum_buffer: 16 B").find("psum_buffer (16 B) must hold one group"),
            std::string::npos)
      << with("psum_buffer: 16 B");
  EXPECT_NE(with("output_buffer: 7 B").find("output_buffer (7 B) must hold one group"),
            std::string::npos);
  EXPECT_NE(with("weight_buffer: 16 B").find("weight_buffer (16 B) must hold one position"),
            std::string::npos);
  EXPECT_NE(with("fifo: 3").find("unknown key"), std::string::npos) << with("fifo: 3");
}

TEST(ParameterSets, NoFolder) {
  const test::TempDir folder;
  EXPECT_NE(error_of(folder.file("nowhere"), "small").find("no parameter sets there (No such file"),
            std::string::npos);
  EXPECT_NE(error_of(folder.path(), "small").find("no parameter sets there"), std::string::npos);
}

}  // namespace
}  // namespace lacuna::verify
