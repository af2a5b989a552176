// SPDX-License-Identifier: Apache-2.0
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "params/chip_params.h"
#include "params/workload_params.h"

namespace lacuna::config {
namespace {

TEST(JsonSchema, DescribesTheChip) {
  const Json schema = json_schema<params::ChipParams>("chip");
  const Json& engine = schema["properties"]["engine"];
  EXPECT_EQ(engine["additionalProperties"], false);
  EXPECT_EQ(engine["properties"]["pes"]["type"], "integer");
  EXPECT_EQ(engine["properties"]["pes"]["minimum"], 1);
  EXPECT_EQ(engine["properties"]["pes"]["maximum"], 256);
  EXPECT_EQ(engine["properties"]["balance"]["enum"], (Json{"none", "greedy", "activation"}));
  EXPECT_EQ(engine["properties"]["weight_buffer"]["type"], "string");
  EXPECT_THAT(engine["properties"]["weight_buffer"]["pattern"].get<std::string>(),
              testing::HasSubstr("KiB"));
  EXPECT_EQ(engine["properties"]["skip"]["properties"]["weights"]["type"], "boolean");
  EXPECT_TRUE(schema["properties"].contains("extends"));
  EXPECT_FALSE(engine.contains("required")) << "a base file may have them";
}

TEST(JsonSchema, ListElementsStateWhatTheyRequire) {
  const Json schema = json_schema<params::WorkloadParams>("workload");
  const Json& layer = schema["properties"]["layers"]["items"];
  EXPECT_THAT(layer["required"].get<std::vector<std::string>>(),
              testing::IsSupersetOf({"name", "op", "input"}));
}

TEST(ReferenceRows, CoverNestedListsAndMaps) {
  std::vector<std::string> keys;
  for (const ReferenceRow& row : reference_rows<params::WorkloadParams>()) keys.push_back(row.key);
  EXPECT_THAT(keys, testing::IsSupersetOf({"layers", "layers[].name", "layers[].weights.tensor",
                                           "layers[].right.tensor", "provenance"}));
}

}  // namespace
}  // namespace lacuna::config
