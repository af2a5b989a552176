// SPDX-License-Identifier: Apache-2.0
#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

namespace lacuna::tensor {
namespace {

using test::raw_safetensors;
using test::SafetensorsWriter;
using ::testing::HasSubstr;

class Safetensors : public ::testing::Test {
 protected:
  /// Message of the UserError that opening these bytes gives, without the folder; "" if it opens.
  std::string error_of(std::string_view bytes) {
    const std::string path = folder_.write("x.safetensors", bytes);
    try {
      (void)SafetensorsFile::open(path);
    } catch (const base::UserError& error) {
      const std::string text = error.what();
      EXPECT_THAT(text, HasSubstr(path));
      return text.substr(text.find("x.safetensors"));
    }
    return {};
  }
  std::string error_of_header(std::string_view header, std::string_view data = {}) {
    return error_of(raw_safetensors(header, data));
  }

  test::TempDir folder_;
};

TEST_F(Safetensors, ReadsWhatWasWritten) {
  SafetensorsWriter writer;
  writer.add<std::int8_t>("odd", {3}, {-128, 0, 127});
  writer.add<std::int32_t>("unaligned", {2, 2}, {1, -2, 2147483647, -2147483647 - 1});
  writer.add<std::uint16_t>("table", {2}, {65535, 1});
  writer.add<std::uint8_t>("scalar", {}, {7});
  writer.add<std::uint8_t>("empty", {0, 5}, {});
  const auto file = SafetensorsFile::open(folder_.write("a.safetensors", writer.bytes()));
  ASSERT_EQ(file->tensors().size(), 5U);
  const TensorView& odd = file->get("odd");
  EXPECT_EQ(odd.dtype, DType::kI8);
  EXPECT_EQ(odd.copy<std::int8_t>(), (std::vector<std::int8_t>{-128, 0, 127}));
  const TensorView& unaligned = file->get("unaligned");  // begins at byte 3 of the data
  EXPECT_EQ(unaligned.shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(unaligned.at<std::int32_t>(2), 2147483647);
  EXPECT_EQ(unaligned.at<std::int32_t>(3), -2147483647 - 1);
  EXPECT_EQ(file->get("table").at<std::uint16_t>(0), 65535);
  EXPECT_EQ(file->get("scalar").elements(), 1);
  EXPECT_EQ(file->get("empty").elements(), 0);
  EXPECT_EQ(file->find("nothing"), nullptr);
}

TEST_F(Safetensors, ReadsMetadataAndTensorsOutOfOrder) {
  const auto file = SafetensorsFile::open(folder_.write(
      "a.safetensors", raw_safetensors(R"({"__metadata__":{"format":"pt"},)"
                                       R"("b":{"data_offsets":[1,3],"shape":[2],"dtype":"U8"},)"
                                       R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   )",
                                       "\x01\x02\x03")));
  EXPECT_EQ(file->metadata().at("format"), "pt");
  EXPECT_EQ(file->get("b").at<std::uint8_t>(1), 3);
  EXPECT_EQ(file->get("a").at<std::uint8_t>(0), 1);
  EXPECT_EQ(file->tensors()[0].name, "a");
}

TEST_F(Safetensors, AnEmptyFileOfTensorsIsFine) { EXPECT_EQ(error_of_header("{}"), ""); }

TEST_F(Safetensors, NearestNameIsOffered) {
  SafetensorsWriter writer;
  writer.add<std::int8_t>("conv1.weight", {1}, {1});
  const auto file = SafetensorsFile::open(folder_.write("a.safetensors", writer.bytes()));
  try {
    (void)file->get("conv1.wieght");
    FAIL();
  } catch (const base::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no tensor 'conv1.wieght' (did you mean "
                                        "'conv1.weight'?)"));
  }
}

TEST_F(Safetensors, ReadingAsAnotherTypeIsOurBug) {
  SafetensorsWriter writer;
  writer.add<std::int8_t>("a", {1}, {1});
  const auto file = SafetensorsFile::open(folder_.write("a.safetensors", writer.bytes()));
  EXPECT_THROW((void)file->get("a").at<std::int32_t>(0), base::InternalError);
  EXPECT_THROW((void)file->get("a").at<std::int8_t>(1), base::InternalError);
  EXPECT_THROW((void)file->get("a").at<std::int8_t>(-1), base::InternalError);
}

TEST_F(Safetensors, HeaderLengthIsChecked) {
  EXPECT_THAT(error_of(""), HasSubstr("not a safetensors file: 0 bytes"));
  EXPECT_THAT(error_of("abc"), HasSubstr("not a safetensors file: 3 bytes"));
  EXPECT_THAT(error_of(std::string(8, '\xff') + "{}"),
              HasSubstr("header length 18446744073709551615 is more than"));
  EXPECT_THAT(error_of(std::string("\x40\0\0\0\0\0\0\0", 8) + "{}"),
              HasSubstr("header length 64 goes past the end of the file (10 bytes)"));
  EXPECT_THAT(error_of(std::string(8, '\0')), HasSubstr("must be a JSON object"));
}

TEST_F(Safetensors, MissingFile) {
  EXPECT_THROW((void)SafetensorsFile::open(folder_.file("none.safetensors")), base::UserError);
  EXPECT_THROW((void)SafetensorsFile::open(folder_.path()), base::UserError);
}

TEST_F(Safetensors, HeaderSyntaxIsChecked) {
  EXPECT_THAT(error_of_header(" {}"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error_of_header("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error_of_header("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of_header("{}{}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of_header("{\"a\":{\"dtype\":\"U8\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of_header("{\"\xff\xfe\":{}}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of_header("{\"a\":1}"),
              HasSubstr("tensor 'a': an object with dtype, shape and "
                        "data_offsets belongs here, not the number 1"));
  EXPECT_THAT(error_of_header("{\"a\":null}"), HasSubstr("not null"));
  EXPECT_THAT(error_of_header("{\"a\":[]}"), HasSubstr("not a list"));
  EXPECT_THAT(error_of_header("{\"__metadata__\":{\"a\":{}}}"),
              HasSubstr("metadata values must be strings, not an object"));
  EXPECT_THAT(error_of_header("{\"__metadata__\":{\"a\":1}}"),
              HasSubstr("metadata values must be strings"));
}

TEST_F(Safetensors, DepthIsBounded) {
  std::string deep = "{\"a\":{\"shape\":";
  deep.append(200'000, '[');
  EXPECT_THAT(error_of_header(deep), HasSubstr("'shape' must be a list of non-negative integers, "
                                               "not a list"));
}

TEST_F(Safetensors, DuplicatesAreRefused) {
  const std::string one = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(error_of_header("{" + one + "," + one + "}", "1"),
              HasSubstr("'a' appears twice in the header"));
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"U8","dtype":"I8"}})"),
              HasSubstr("tensor 'a': key 'dtype' appears twice"));
}

TEST_F(Safetensors, EntriesAreChecked) {
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"U8","shape":[1]}})"),
              HasSubstr("tensor 'a': 'data_offsets' is missing"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", "1"),
              HasSubstr("'dtype' is missing"));
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", "1"),
              HasSubstr("'shape' is missing"));
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"Q4"}})"), HasSubstr("dtype 'Q4' is not known"));
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":8}})"), HasSubstr("'dtype' must be a string"));
  EXPECT_THAT(error_of_header(R"({"a":{"type":"U8"}})"), HasSubstr("unknown key 'type'"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":[-1]}})"),
              HasSubstr("dimension -1 of 'shape' is negative"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":[1.5]}})"), HasSubstr("not the number 1.5"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":["1"]}})"), HasSubstr("not the string '1'"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":3}})"), HasSubstr("'shape' must be a list"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":[18446744073709551615]}})"),
              HasSubstr("is too large"));
  EXPECT_THAT(error_of_header(R"({"a":{"shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}})"),
              HasSubstr("more than 16 dimensions"));
  EXPECT_THAT(error_of_header(R"({"a":{"data_offsets":[0]}})"), HasSubstr("not 1 number"));
  EXPECT_THAT(error_of_header(R"({"a":{"data_offsets":[0,1,2]}})"),
              HasSubstr("more than 2 numbers"));
  EXPECT_THAT(error_of_header(R"({"a":{"data_offsets":[-1,2]}})"),
              HasSubstr("two non-negative integers, not the number -1"));
}

TEST_F(Safetensors, OffsetsAreChecked) {
  const auto entry = [](const char* shape, const char* offsets) {
    return std::string("{\"dtype\":\"I32\",\"shape\":") + shape + ",\"data_offsets\":" + offsets +
           "}";
  };
  EXPECT_THAT(error_of_header("{\"a\":" + entry("[1]", "[4,0]") + "}", "1234"),
              HasSubstr("tensor 'a': data_offsets [4, 0] end before they begin"));
  EXPECT_THAT(error_of_header("{\"a\":" + entry("[2]", "[0,4]") + "}", "1234"),
              HasSubstr("hold 4 bytes, but I32 [2] takes 8"));
  EXPECT_THAT(error_of_header("{\"a\":" + entry("[2]", "[0,8]") + "}", "1234"),
              HasSubstr("go past the end of the data (4 bytes): truncated?"));
  EXPECT_THAT(
      error_of_header("{\"a\":" + entry("[1]", "[0,4]") + ",\"b\":" + entry("[1]", "[8,12]") + "}",
                      "123456789012"),
      HasSubstr("tensor 'b': data_offsets [8, 12] leave a hole after byte 4"));
  EXPECT_THAT(
      error_of_header("{\"a\":" + entry("[2]", "[0,8]") + ",\"b\":" + entry("[1]", "[4,8]") + "}",
                      "12345678"),
      HasSubstr("tensor 'b': data_offsets [4, 8] overlap the tensor before, which ends at 8"));
  EXPECT_THAT(error_of_header("{\"a\":" + entry("[1]", "[0,4]") + "}", "12345"),
              HasSubstr("1 bytes after the last tensor belong to none"));
  EXPECT_THAT(error_of_header("{\"a\":" + entry("[1]", "[4,8]") + "}", "12345678"),
              HasSubstr("leave a hole after byte 0"));
}

TEST_F(Safetensors, SizesDoNotOverflow) {
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"I32","shape":[4611686018427387904,4],)"
                              R"("data_offsets":[0,0]}})"),
              HasSubstr("tensor 'a': shape [4611686018427387904, 4] overflows"));
  // A zero makes any shape empty, without overflow on the way.
  EXPECT_EQ(error_of_header(R"({"a":{"dtype":"I32","shape":[9223372036854775807,9,0],)"
                            R"("data_offsets":[0,0]}})"),
            "");
  EXPECT_THAT(error_of_header(R"({"a":{"dtype":"U8","shape":[1000000000000],)"
                              R"("data_offsets":[0,1000000000000]}})"),
              HasSubstr("go past the end"));
}

TEST_F(Safetensors, ControlCharactersInNamesAreShownSafely) {
  EXPECT_THAT(error_of_header("{\"a\\n\\u001b[31m\":1}"), HasSubstr("tensor 'a\\x0a\\x1b[31m'"));
}

/// Any damage to a good file either still opens or gives a UserError: nothing else.
TEST_F(Safetensors, RandomDamageNeverCrashes) {
  SafetensorsWriter writer;
  writer.add<std::int8_t>("first", {2, 2}, {1, 2, 3, 4}).add<std::int32_t>("second", {1}, {5});
  const std::string good = writer.bytes();
  ASSERT_EQ(error_of(good), "");
  base::Rng rng(11);
  int refused = 0;
  for (int trial = 0; trial < 600; ++trial) {
    std::string bad = good;
    const std::uint64_t edits = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < edits; ++i) {
      bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
    }
    if (rng.bernoulli(0.2)) bad.resize(rng.below(bad.size()));
    refused += error_of(bad).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace lacuna::tensor
