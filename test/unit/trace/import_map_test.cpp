// SPDX-License-Identifier: Apache-2.0
#include "trace/import_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "base/error.h"
#include "config/workload_files.h"

namespace lacuna::trace {
namespace {

using ::testing::HasSubstr;

ImportMap map_of(const std::string& layers) {
  return config::load_text<ImportMap>("schema: lacuna-import-map-1\nlayers:\n" + layers, "map.yaml")
      .value;
}

std::string name_for(const ImportMap& map, const std::string& layer) {
  const auto found = find_entry(map, layer);
  return found ? found->entry.name : "none";
}

TEST(ImportMap, NumbersGoWhereTheirWordStands) {
  const ImportMap map = map_of("  block{b}_part{p}: x.{p}.y.{b}\n");
  EXPECT_EQ(name_for(map, "block12_part7"), "x.7.y.12");
  EXPECT_EQ(name_for(map, "block_part7"), "none");
  EXPECT_EQ(name_for(map, "block1_part7x"), "none");
}

TEST(ImportMap, TheSameWordIsTheSameNumber) {
  const ImportMap map = map_of("  l{i}-{i}: x{i}\n");
  EXPECT_EQ(name_for(map, "l3-3"), "x3");
  EXPECT_EQ(name_for(map, "l3-4"), "none");
  EXPECT_EQ(name_for(map, "l31-3"), "none");
}

TEST(ImportMap, NeighbouringWordsShareDigits) {
  EXPECT_EQ(name_for(map_of("  l{a}{b}: \"{a}.{b}\"\n"), "l123"), "12.3");
}

TEST(ImportMap, ExactBeforePatternFewerWordsBeforeMore) {
  const ImportMap map = map_of("  a{x}.{y}: many\n  a{x}.0: few\n  a1.0: exact\n");
  EXPECT_EQ(name_for(map, "a1.0"), "exact");
  EXPECT_EQ(name_for(map, "a2.0"), "few");
  EXPECT_EQ(name_for(map, "a2.1"), "many");
}

TEST(ImportMap, EntriesWithParts) {
  const ImportMap map = map_of("  q{i}: {name: \"h.{i}.w\", transpose: true, rows: [0, 8]}\n");
  const auto found = find_entry(map, "q4");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->entry.name, "h.4.w");
  EXPECT_TRUE(found->entry.transpose);
  EXPECT_EQ(found->entry.rows, (std::vector<std::int64_t>{0, 8}));
  EXPECT_EQ(found->key, "q{i}");
}

TEST(ImportMap, ComplainsAboutPatternsThatSayNothing) {
  const auto error_of = [](const std::string& layers) -> std::string {
    try {
      (void)map_of(layers);
    } catch (const base::UserError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(error_of("  a: x{i}\n"), HasSubstr("uses {i}, which the key 'a' does not have"));
  EXPECT_THAT(error_of("  a{: x\n"), HasSubstr("map.yaml:3:"));
  EXPECT_THAT(error_of("  \"a{b c}\": x\n"), HasSubstr("needs a word and '}' after '{'"));
  EXPECT_THAT(error_of("  a}: x\n"), HasSubstr("has a '}' without '{'"));
  EXPECT_THAT(error_of("  a: {name: x, rows: [4, 4]}\n"), HasSubstr("first < end"));
}

TEST(ImportMap, EveryShippedOneLoads) {
  int found = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(LACUNA_SOURCE_DIR) + "configs/imports")) {
    EXPECT_NO_THROW((void)config::load<ImportMap>(entry.path().string())) << entry.path();
    ++found;
  }
  EXPECT_GE(found, 4);
}

TEST(ImportMap, TheShippedOnesNameAllLayersOfTheirNetworks) {
  const std::string configs = std::string(LACUNA_SOURCE_DIR) + "configs/";
  for (const auto& [map_name, network] : {std::pair{"dlmc-resnet-50", "resnet-50-uniform"},
                                          {"torchvision-resnet-50", "resnet-50"},
                                          {"torchvision-vit-b-16", "vit-b-16"},
                                          {"hf-bert", "bert-large"},
                                          {"hf-gpt2", "gpt-2"},
                                          {"hf-llama", "llama-2-7b"}}) {
    const ImportMap map = config::load<ImportMap>(configs + "imports/" + map_name + ".yaml").value;
    const auto workload =
        config::load_workload(configs + "workloads/" + std::string(network) + ".yaml").value;
    int layers = 0;
    for (const params::LayerParams& layer : workload.layers) {
      if (!layer.weights) continue;
      EXPECT_TRUE(find_entry(map, layer.name)) << map_name << ": " << layer.name;
      ++layers;
    }
    EXPECT_GT(layers, 50) << network;
  }
}

TEST(ImportMap, NamesOfTheMatrixCollection) {
  const ImportMap map = config::load<ImportMap>(std::string(LACUNA_SOURCE_DIR) +
                                                "configs/imports/dlmc-resnet-50.yaml")
                            .value;
  EXPECT_EQ(name_for(map, "conv1"), "initial_conv");
  EXPECT_EQ(name_for(map, "layer2.0.conv3"), "bottleneck_3_block_group_projection_block_group2");
  EXPECT_EQ(name_for(map, "layer2.0.downsample"),
            "bottleneck_projection_block_group_projection_block_group2");
  EXPECT_EQ(name_for(map, "layer3.5.conv1"), "bottleneck_1_block_group3_5_1");
}

}  // namespace
}  // namespace lacuna::trace
