// SPDX-License-Identifier: Apache-2.0
#include "config/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "config/expression.h"
#include "config/source.h"

namespace lacuna::config {
namespace {

using ::testing::HasSubstr;

Node expanded(const std::string& text, const std::vector<std::string>& parameters = {}) {
  LoadOptions options;
  options.expand = true;
  options.parameters = parameters;
  return read_source_text(text, "w.yaml", options).root;
}

std::string error_of(const std::string& text, const std::vector<std::string>& parameters = {}) {
  try {
    (void)expanded(text, parameters);
  } catch (const base::UserError& error) {
    return error.what();
  }
  return {};
}

/// "a: 1, b: [2, 3]" of a tree.
std::string text_of(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::kScalar:
      return node.scalar;
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kList:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + text_of(item);
      return "[" + text + "]";
    case Node::Kind::kMap:
      for (const Member& member : node.members) {
        text += (text.empty() ? "" : ", ") + member.key + ": " + text_of(member.value);
      }
      return "{" + text + "}";
  }
  return text;
}

std::int64_t value_of(std::string_view text) {
  return evaluate_expression(text, [](std::string_view name) -> std::optional<std::string> {
    if (name == "a") return "7";
    if (name == "b") return "-2";
    if (name == "word") return "x";
    return std::nullopt;
  });
}

TEST(Expression, Values) {
  EXPECT_EQ(value_of("1 + 2 * 3"), 7);
  EXPECT_EQ(value_of("(1 + 2) * 3 - -4"), 13);
  EXPECT_EQ(value_of("a / 2"), 3);
  EXPECT_EQ(value_of("b - 1"), -3);
  EXPECT_EQ(value_of("(0 - a) / 2"), -4);  // rounds down
  EXPECT_EQ(value_of("(0 - a) % 4"), 1);
  EXPECT_EQ(value_of("ceil_div(a, 2) + max(1, a, 3) - min(4, 2)"), 9);
  EXPECT_EQ(value_of("a == 7"), 1);
  EXPECT_EQ(value_of("a != 7"), 0);
  EXPECT_EQ(value_of("a <= 6"), 0);
  EXPECT_EQ(value_of("a >= 7"), 1);
  EXPECT_EQ(value_of("a < 8"), 1);
  EXPECT_EQ(value_of("a > 8"), 0);
}

TEST(Expression, Errors) {
  const auto error = [](std::string_view text) -> std::string {
    try {
      (void)value_of(text);
    } catch (const base::UserError& found) {
      return found.what();
    }
    return {};
  };
  EXPECT_THAT(error("1 +"), HasSubstr("a value is missing"));
  EXPECT_THAT(error("(1"), HasSubstr("a ')' is missing"));
  EXPECT_THAT(error("1 2"), HasSubstr("unexpected '2'"));
  EXPECT_THAT(error("c"), HasSubstr("there is no parameter 'c'"));
  EXPECT_THAT(error("word + 1"), HasSubstr("'word' is 'x', not a whole number"));
  EXPECT_THAT(error("1 / 0"), HasSubstr("division by 0"));
  EXPECT_THAT(error("1 % (a - 7)"), HasSubstr("division by 0"));
  EXPECT_THAT(error("9007199254740992 * 2"), HasSubstr("beyond 2^53"));
  EXPECT_THAT(error("f(1)"), HasSubstr("there is no function 'f'"));
  EXPECT_THAT(error(std::string(200, '(')), HasSubstr("nested too deeply"));
}

TEST(Expand, ValuesRepeatsConditionsAndFragments) {
  const Node root = expanded(
      "parameters: {n: 2, name: x, m: $(n * n), w: {p: bank, q: $m}}\n"
      "layers:\n"
      "  - {id: a$name.b, size: [$n, $(n + m)]}\n"
      "  - {repeat: $n, index: i, items: [{id: $i, w: {use: w, q: 5, seed: $(10 * i)}}]}\n"
      "  - {when: $(n == 3), id: gone}\n"
      "  - {id: kept, part: {when: 0, x: 1}, other: {when: 1, use: w}}\n");
  EXPECT_EQ(text_of(root),
            "{layers: [{id: ax.b, size: [2, 6]}, {id: 0, w: {q: 5, seed: 0, p: bank}}, "
            "{id: 1, w: {q: 5, seed: 10, p: bank}}, {id: kept, other: {p: bank, q: 4}}]}");
}

TEST(Expand, ParametersAreReplacedOnTheCommandLineAndByExtendingFiles) {
  const Node root = expanded("parameters: {n: 1, m: $(2 * n), w: {a: 1}}\nx: [$n, $m, {use: w}]\n",
                             {"n=5", "w={a: 2, b: 3}"});
  EXPECT_EQ(text_of(root), "{x: [5, 10, {a: 2, b: 3}]}");
}

TEST(Expand, NestedRepeats) {
  const Node root = expanded(
      "parameters: {n: 2}\n"
      "x:\n"
      "  - repeat: $n\n"
      "    index: i\n"
      "    items: [{repeat: $(i + 1), index: j, items: [$i.$j]}]\n");
  EXPECT_EQ(text_of(root), "{x: [0.0, 1.0, 1.1]}");
}

TEST(Expand, WithoutParametersNothingChanges) {
  EXPECT_EQ(text_of(expanded("x: $n\n")), "{x: $n}");
}

TEST(Expand, Errors) {
  EXPECT_THAT(error_of("parameters: {width: 1}\nx: $widht\n"),
              HasSubstr("w.yaml:2:4: there is no parameter 'widht' (did you mean 'width'?)"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: $(n\n"), HasSubstr("w.yaml:2:4: '$(n': a ')'"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: $ 1\n"), HasSubstr("a '$' must be followed"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: 3, index: i}]\n"),
              HasSubstr("w.yaml:2:5: 'repeat' needs 'items'"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: 3, items: []}]\n"),
              HasSubstr("'repeat' needs 'index'"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: 3, index: n, items: []}]\n"),
              HasSubstr("'n' is already a parameter"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: -1, index: i, items: []}]\n"),
              HasSubstr("repeat: -1 is outside"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: 3, index: i, items: [], layers: 1}]\n"),
              HasSubstr("'layers' has no meaning beside 'repeat'"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{repeat: 1000, index: i, items: [{repeat: 1000, "
                       "index: j, items: [1]}]}]\n"),
              HasSubstr("expands to more than 200000 items"));
  EXPECT_THAT(error_of("parameters: {w: {a: 1}}\nx: {use: v}\n"),
              HasSubstr("w.yaml:2:10: use: there is no map 'v' among the parameters"));
  EXPECT_THAT(error_of("parameters: {2x: 1}\n"), HasSubstr("cannot be the name of a parameter"));
  EXPECT_THAT(error_of("parameters: {n: [1]}\n"), HasSubstr("expected a value or a map"));
  EXPECT_THAT(error_of("parameters: 3\n"), HasSubstr("parameters: expected a map"));
  EXPECT_THAT(error_of("parameters: {n: 1}\n", {"m=2"}),
              HasSubstr("--param: there is no parameter 'm'"));
  EXPECT_THAT(error_of("parameters: {n: 1}\n", {"n"}), HasSubstr("expected name=value"));
  EXPECT_THAT(error_of("x: 1\n", {"n=1"}), HasSubstr("the workload has no parameters"));
  EXPECT_THAT(error_of("parameters: {n: 1}\nx: [{when: $n x}]\n"), HasSubstr("unexpected 'x'"));
}

}  // namespace
}  // namespace lacuna::config
