// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace lacuna::config {
namespace {

TEST(YamlParser, KeepsTextPlacesAndOrder) {
  const Node root = parse_yaml("b: 1 GHz\na: [x, 'no', \"0x10\"]\n", "f.yaml");
  ASSERT_EQ(root.members.size(), 2U);
  EXPECT_EQ(root.members[0].key, "b");
  EXPECT_EQ(root.members[0].value.scalar, "1 GHz");
  EXPECT_EQ(root.members[0].value.place.location().text(), "f.yaml:1:4");
  EXPECT_EQ(root.members[1].key_place.location().text(), "f.yaml:2:1");
  EXPECT_EQ(root.members[1].value.items[1].scalar, "no");
  EXPECT_EQ(root.members[1].value.items[2].place.location().text(), "f.yaml:2:14");
}

TEST(YamlParser, OnlyPlainNullIsNull) {
  const Node root = parse_yaml("a: null\nb: ~\nc:\nd: 'null'\n", "f.yaml");
  EXPECT_EQ(root.find("a")->value.kind, Node::Kind::kNull);
  EXPECT_EQ(root.find("b")->value.kind, Node::Kind::kNull);
  EXPECT_EQ(root.find("c")->value.kind, Node::Kind::kNull);
  EXPECT_EQ(root.find("d")->value.scalar, "null");
}

TEST(YamlParser, AliasesCopyWithTheirPlaces) {
  const Node root = parse_yaml("a: &x {k: 1}\nb: *x\n", "f.yaml");
  EXPECT_EQ(root.find("b")->value.find("k")->value.scalar, "1");
  EXPECT_EQ(root.find("b")->value.place.line, 1);
}

TEST(YamlParser, SameKeyInDifferentMapsIsFine) {
  EXPECT_NO_THROW(parse_yaml("a: {k: {k: 1}, l: {k: 2}}\nb: {k: 3}\n", "f.yaml"));
  EXPECT_THROW(parse_yaml("a: {k: {k: 1}, k: 2}\n", "f.yaml"), base::UserError);
  EXPECT_THROW(parse_yaml("a: 1\nb: {a: 2}\na: 3\n", "f.yaml"), base::UserError);
}

// Whatever the bytes, the result is a tree or a UserError that names the file.
TEST(YamlParser, RandomTextNeverDoesAnythingElse) {
  const std::string letters = "ab: -[]{},\"'&*!|>#%@`?\n\n  \t1~\\\r<=.";
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    base::Rng rng(seed);
    std::string text;
    const std::uint64_t length = rng.below(60);
    for (std::uint64_t i = 0; i < length; ++i) text += letters[rng.below(letters.size())];
    try {
      static_cast<void>(parse_yaml(text, "f.yaml"));
    } catch (const base::UserError& error) {
      ASSERT_THAT(error.what(), testing::StartsWith("f.yaml")) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lacuna::config
