// SPDX-License-Identifier: Apache-2.0
//
// Every file under configs/ and traces/ loads, survives a dump, and survives being damaged:
// whatever one does to the text, the answer is a chip or a UserError.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/rng.h"
#include "config/chip_files.h"
#include "config/values.h"
#include "config/workload_files.h"
#include "params/length_params.h"
#include "params/workload_params.h"

namespace lacuna::config {
namespace {

const std::string kRoot = LACUNA_SOURCE_DIR;

std::vector<std::string> yaml_files(const std::string& folder) {
  std::vector<std::string> files;
  if (!std::filesystem::exists(kRoot + folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot + folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

template <class T>
void expect_round_trip(const std::string& path) {
  const auto loaded = load<T>(path);
  const auto again = load_text<T>(dump(loaded.value, path), path);
  EXPECT_EQ(loaded.value, again.value) << path;
}

TEST(Shipped, ChipsLoadWithTheirFiles) {
  int chips = 0;
  for (const std::string& path : yaml_files("configs/chips")) {
    if (std::filesystem::path(path).stem() == "base") continue;
    EXPECT_NO_THROW(static_cast<void>(load_chip(path))) << path;
    expect_round_trip<params::ChipParams>(path);
    ++chips;
  }
  EXPECT_GE(chips, 2);
}

TEST(Shipped, WorkloadsLoadAndSurviveADump) {
  int networks = 0;
  for (const std::string& path : yaml_files("configs/workloads")) {
    if (path.find("/templates/") != std::string::npos) continue;
    const auto loaded = load_workload(path);
    const auto again =
        load_text<params::WorkloadParams>(dump(loaded.value, path), path);  // nothing to expand
    EXPECT_EQ(loaded.value, again.value) << path;
    ++networks;
  }
  EXPECT_GE(networks, 10);
}

TEST(Shipped, MemoriesEnergyTablesAndTracesLoad) {
  for (const std::string& path : yaml_files("configs/memories")) {
    expect_round_trip<params::MemoryPreset>(path);
  }
  for (const std::string& path : yaml_files("configs/energy")) {
    expect_round_trip<params::EnergyParams>(path);
  }
  for (const std::string& path : yaml_files("traces")) {
    expect_round_trip<params::WorkloadParams>(path);
  }
}

// Krell et al. 2021, squad_1_1_histogram: as many sequences and tokens as the published counts.
TEST(Shipped, LengthsOfSquad) {
  for (const std::string& path : yaml_files("configs/lengths")) {
    EXPECT_NO_THROW(static_cast<void>(load<params::LengthParams>(path))) << path;
  }
  const auto squad = load<params::LengthParams>(kRoot + "configs/lengths/squad-1.1.yaml").value;
  const std::vector<params::LengthCount> lengths = squad.lengths();
  double sequences = 0;
  double tokens = 0;
  for (const params::LengthCount& entry : lengths) {
    sequences += entry.count;
    tokens += entry.count * static_cast<double>(entry.length);
  }
  EXPECT_EQ(sequences, 88'641);
  EXPECT_EQ(tokens, 15'249'479);
  EXPECT_EQ(squad.limit, 384);
  EXPECT_EQ(lengths.front(), (params::LengthCount{36, 3}));
  EXPECT_EQ(lengths.back(), (params::LengthCount{384, 1054}));
}

TEST(Damaged, ChipsLoadOrAreRefused) {
  const std::string path = kRoot + "configs/chips/reference.yaml";
  const std::string original = base::read_text_file(path, 1 << 20);
  const std::string letters = "0123456789 abz:,.-[]{}#&*!|>'\"%@`\n\t~KMGiBHz=/\xff";
  int loaded = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    base::Rng rng(seed);
    std::string text = original;
    for (std::uint64_t edits = 1 + rng.below(3); edits > 0; --edits) {
      const std::size_t at = rng.below(text.size());
      switch (rng.below(4)) {
        case 0:
          text[at] = letters[rng.below(letters.size())];
          break;
        case 1:
          text.insert(at, 1, letters[rng.below(letters.size())]);
          break;
        case 2:
          text.erase(at, 1 + rng.below(20));
          break;
        default:
          text.insert(at, text.substr(rng.below(text.size()), rng.below(40)));
          break;
      }
    }
    try {
      static_cast<void>(load_text<params::ChipParams>(text, path));
      ++loaded;
    } catch (const base::UserError&) {
      ++refused;
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what() << "\n" << text;
    }
  }
  // Edits inside comments and of digits load; most others must not.
  EXPECT_GT(loaded, 300);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace lacuna::config
