// SPDX-License-Identifier: Apache-2.0
//
// The loader on structs with every kind of member.
#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/values.h"
#include "params/field.h"
#include "support/temp_dir.h"

namespace lacuna::config {
namespace {

using params::EnumName;
using params::field;
using params::Unit;
using params::Violation;

enum class Color { kRed, kDarkBlue };
constexpr auto enum_names(Color) {
  return std::array{EnumName{Color::kRed, "red"}, EnumName{Color::kDarkBlue, "dark_blue"}};
}

struct Part {
  std::string name;
  int weight = 3;
  friend bool operator==(const Part&, const Part&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("name", "name of the part"), self.name);
    visitor(field("weight", "weight of the part").range(0, 10).optional(), self.weight);
  }
};

struct Everything {
  bool flag = false;
  std::int64_t size = 0;
  double time = 0;
  Color color = Color::kRed;
  std::string file;
  int low = 0;
  int high = 0;
  std::vector<int> numbers;
  std::vector<bool> flags;
  std::array<int, 2> kernel{1, 1};
  std::vector<Part> parts;
  std::map<std::string, double> energies;
  std::map<std::string, Part> named;
  std::optional<Part> spare;
  std::variant<std::string, Part, std::vector<int>> operand;
  std::optional<int> blue_only;
  friend bool operator==(const Everything&, const Everything&) = default;

  [[nodiscard]] std::vector<Violation> validate() const {
    if (low <= high) return {};
    return {{{"limits.low", "limits.high"}, fmt::format("low {} is above high {}", low, high)}};
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("flag", "a flag"), self.flag);
    visitor(field("size", "a size", Unit::kBytes).range(1, 1 << 20), self.size);
    visitor(field("time", "a time", Unit::kSeconds).at_least(0), self.time);
    visitor(field("color", "a color"), self.color);
    visitor(field("file", "a file").path().optional(), self.file);
    visitor.group("limits", "two numbers", [&](auto& limits) {
      limits(field("low", "lowest").range(0, 99), self.low);
      limits(field("high", "highest").range(0, 99), self.high);
    });
    visitor(field("numbers", "numbers").range(0, 100).optional(), self.numbers);
    visitor(field("flags", "flags").optional(), self.flags);
    visitor(field("kernel", "two numbers").range(1, 9).optional(), self.kernel);
    visitor(field("parts", "parts").optional(), self.parts);
    visitor(field("energies", "by name", Unit::kJoules).optional(), self.energies);
    visitor(field("named", "parts by name").optional(), self.named);
    visitor(field("spare", "another part"), self.spare);
    visitor(field("operand", "a name, a part or numbers").optional(), self.operand);
    visitor.when(self.color == Color::kDarkBlue, "color is dark_blue", [&](auto& inner) {
      inner(field("blue_only", "only for blue").range(0, 5), self.blue_only);
    });
  }
};

const std::string kMinimal =
    "flag: true\nsize: 2 KiB\ntime: 3 ns\ncolor: red\nlimits: {low: 1, high: 2}\n";

Loaded<Everything> load_it(const std::string& more, std::vector<std::string> sets = {}) {
  return load_text<Everything>(kMinimal + more, "x.yaml", {.sets = std::move(sets)});
}

std::string message_for(const std::string& text, std::vector<std::string> sets = {}) {
  try {
    static_cast<void>(load_text<Everything>(text, "x.yaml", {.sets = std::move(sets)}));
  } catch (const base::UserError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Loader, ReadsEveryKindOfMember) {
  const Everything value =
      load_it(
          "file: data/x.bin\nnumbers: [1, 2, 3]\nflags: [true, false]\nkernel: [3, 5]\n"
          "parts:\n  - {name: a}\n  - {name: b, weight: 7}\n"
          "energies: {mac: 0.9 pJ, fifo: 2 fJ}\nnamed: {left: {name: l}}\nspare: {name: s}\n"
          "operand: {name: o}\n")
          .value;
  EXPECT_TRUE(value.flag);
  EXPECT_EQ(value.size, 2048);
  EXPECT_EQ(value.time, 3e-9);
  EXPECT_EQ(value.file, "data/x.bin");
  EXPECT_EQ(value.low, 1);
  EXPECT_EQ(value.numbers, (std::vector{1, 2, 3}));
  EXPECT_EQ(value.flags, (std::vector{true, false}));
  EXPECT_EQ(value.kernel, (std::array{3, 5}));
  ASSERT_EQ(value.parts.size(), 2U);
  EXPECT_EQ(value.parts[0].weight, 3);
  EXPECT_EQ(value.parts[1].weight, 7);
  EXPECT_EQ(value.energies.at("mac"), 0.9e-12);
  EXPECT_EQ(value.named.at("left").name, "l");
  EXPECT_EQ(value.spare->name, "s");
  EXPECT_EQ(std::get<Part>(value.operand).name, "o");
}

TEST(Loader, VariantsTakeTheAlternativeOfTheShape) {
  EXPECT_EQ(std::get<std::string>(load_it("operand: conv1\n").value.operand), "conv1");
  EXPECT_EQ(std::get<2>(load_it("operand: [4]\n").value.operand), (std::vector{4}));
}

TEST(Loader, OptionalMembersMayBeLeftOutOrNull) {
  EXPECT_FALSE(load_it("").value.spare.has_value());
  EXPECT_FALSE(load_it("spare: null\n").value.spare.has_value());
}

TEST(Loader, ConditionalKeysExistOnlyUnderTheirCondition) {
  const std::string blue =
      "flag: true\nsize: 1 B\ntime: 0 s\ncolor: dark_blue\nblue_only: 4\n"
      "limits: {low: 1, high: 2}\n";
  EXPECT_EQ(load_text<Everything>(blue, "x.yaml").value.blue_only, 4);
  EXPECT_EQ(message_for(kMinimal + "blue_only: 4\n"), "x.yaml:6:1: unknown key 'blue_only'");
}

TEST(Loader, ReportsPlacesInsideListsAndMaps) {
  EXPECT_EQ(message_for(kMinimal + "parts:\n  - {name: a}\n  - {name: b, weight: 70}\n"),
            "x.yaml:8:23: parts[1].weight: 70 is out of range; expected 0 to 10");
  EXPECT_EQ(message_for(kMinimal + "parts: [{weight: 1}]\n"),
            "x.yaml:6:9: missing key 'name' in parts[0]: name of the part");
  EXPECT_EQ(message_for(kMinimal + "energies: {mac: 2}\n"),
            "x.yaml:6:17: energies.mac: '2' has no unit; expected an energy such as '0.9 pJ' "
            "(units: fJ, pJ, nJ, uJ, mJ, J)");
  EXPECT_EQ(message_for(kMinimal + "kernel: [3]\n"),
            "x.yaml:6:9: kernel: expected a list of 2 values, found a list of 1");
  EXPECT_EQ(message_for(kMinimal + "numbers: 3\n"),
            "x.yaml:6:10: numbers: expected a list, found the value '3'");
  EXPECT_EQ(message_for(kMinimal + "named: {left: {nam: l}}\n"),
            "x.yaml:6:15: missing key 'name' in named.left: name of the part\n"
            "x.yaml:6:16: unknown key 'nam' in named.left (did you mean 'name'?)");
}

TEST(Loader, RulesAreNotCheckedOnValuesThatCouldNotBeRead) {
  const std::string text = "flag: true\nsize: 2 KiB\ntime: 3 ns\ncolor: red\n";
  EXPECT_EQ(message_for(text + "limits: {low: 5, high: 2}\n"),
            "x.yaml:5:15: low 5 is above high 2");
  EXPECT_EQ(message_for(text + "limits: {low: 5, high: two}\n"),
            "x.yaml:5:24: limits.high: 'two' is not a number; expected a number");
  EXPECT_EQ(message_for(text + "limits: {low: 5}\n"),
            "x.yaml:5:9: missing key 'high' in limits: highest");
}

TEST(Loader, ReportsEverythingMissingAtOnce) {
  EXPECT_EQ(message_for("flag: true\n"),
            "x.yaml:1:1: missing key 'size': a size\n"
            "x.yaml:1:1: missing key 'time': a time\n"
            "x.yaml:1:1: missing key 'color': a color\n"
            "x.yaml:1:1: missing key 'limits': two numbers");
}

TEST(Loader, ManyErrorsAreCut) {
  std::string text = kMinimal;
  for (int i = 0; i < 2000; ++i) text += fmt::format("bad{}: 1\n", i);
  const std::string message = message_for(text);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 50);
  EXPECT_THAT(message, testing::StartsWith("x.yaml:6:1: unknown key 'bad0'"));
  EXPECT_THAT(message, testing::EndsWith("\n... and 1950 more"));
}

TEST(Loader, SetReplacesAndIsCheckedTheSameWay) {
  const auto loaded =
      load_it("parts: [{name: a}]\n", {"limits.high=9", "parts[0].weight=2", "spare={name: s}"});
  EXPECT_EQ(loaded.value.high, 9);
  EXPECT_EQ(loaded.value.low, 1);
  EXPECT_EQ(loaded.value.parts[0].weight, 2);
  EXPECT_EQ(loaded.value.spare->name, "s");
  EXPECT_EQ(loaded.provenance.origin("limits.high"), "--set");
  EXPECT_EQ(loaded.provenance.origin("limits.low"), "x.yaml:5:15");
  EXPECT_EQ(message_for(kMinimal, {"limits.high=100"}),
            "--set: limits.high: 100 is out of range; expected 0 to 99");
  EXPECT_EQ(message_for(kMinimal, {"limits.high=0"}), "--set: low 1 is above high 0");
  EXPECT_EQ(message_for(kMinimal + "parts: []\n", {"parts[3].weight=1"}),
            "--set: 'parts' has 0 elements, there is no [3]");
}

TEST(Loader, ProvenanceFallsBackToWhatEncloses) {
  const auto loaded = load_it("parts: [{name: a}]\n");
  EXPECT_EQ(loaded.provenance.origin("parts[0].weight"), "default");
  EXPECT_EQ(loaded.provenance.locate("parts[0].weight").text(), "x.yaml:6:9");
  EXPECT_EQ(loaded.provenance.locate("nothing.here").text(), "x.yaml:1:1");
}

TEST(Extends, MergesMapsReplacesListsAndKeepsPlaces) {
  const test::TempDir folder;
  folder.write("base/base.yaml", kMinimal + "file: data.bin\nnumbers: [1, 2]\nkernel: [1, 1]\n");
  const std::string top = folder.write(
      "top.yaml", "extends: base/base.yaml\nlimits: {high: 50}\nnumbers: [9]\nspare: {name: s}\n");
  const auto loaded = load<Everything>(top);
  EXPECT_EQ(loaded.value.low, 1);
  EXPECT_EQ(loaded.value.high, 50);
  EXPECT_EQ(loaded.value.numbers, (std::vector{9}));
  EXPECT_EQ(loaded.value.file, folder.file("base/data.bin"));
  EXPECT_EQ(loaded.provenance.origin("limits.low"), folder.file("base/base.yaml:5:15"));
  EXPECT_EQ(loaded.provenance.origin("limits.high"), top + ":2:16");
  EXPECT_EQ(loaded.files, (std::vector{top, folder.file("base/base.yaml")}));
}

TEST(Extends, MissingKeysAreReportedWhereTheUserCanAddThem) {
  const test::TempDir folder;
  folder.write("base.yaml", "flag: true\nlimits: {low: 1}\n");
  const std::string top =
      folder.write("top.yaml", "extends: base.yaml\nsize: 1 B\ntime: 0 s\ncolor: red\n");
  EXPECT_THAT(
      [&] { static_cast<void>(load<Everything>(top)); },
      testing::ThrowsMessage<base::UserError>(top + ":1:1: missing key 'high' in limits: highest"));
}

TEST(Dump, LoadsBackToTheSameStruct) {
  const auto loaded = load_it(
      "file: data/x.bin\nnumbers: [1, 2, 3]\nflags: [true, false]\nkernel: [3, 5]\n"
      "parts:\n  - {name: \"a: \\\"b\\\"\\n\"}\n  - {name: '', weight: 7}\n  - {name: 'null'}\n"
      "energies: {mac: 0.9 pJ, 'strange: key': 2 fJ}\nnamed: {left: {name: '#l'}}\n"
      "spare: {name: '---'}\noperand: [1]\n");
  const std::string text = dump(loaded.value);
  EXPECT_EQ(load_text<Everything>(text, "x.yaml").value, loaded.value) << text;
  const Everything minimal = load_it("").value;
  EXPECT_EQ(load_text<Everything>(dump(minimal), "x.yaml").value.spare, std::nullopt);
}

TEST(Dump, PathsAreSeenFromTheTargetFile) {
  const auto loaded = load_it("file: data/x.bin\n");
  EXPECT_THAT(dump(loaded.value, "out/resolved.yaml"), testing::HasSubstr("file: ../data/x.bin\n"));
  EXPECT_THAT(dump(loaded.value), testing::HasSubstr("file: data/x.bin\n"));
}

TEST(ListValues, NamesValuesOriginsAndDocs) {
  const auto loaded = load_it("", {"limits.high=9"});
  const auto rows = list_values(loaded.value, loaded.provenance);
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [](const ValueRow& r) { return r.key == "limits.high"; });
  ASSERT_NE(row, rows.end());
  EXPECT_EQ(row->value, "9");
  EXPECT_EQ(row->origin, "--set");
  EXPECT_EQ(row->doc, "highest");
}

}  // namespace
}  // namespace lacuna::config
