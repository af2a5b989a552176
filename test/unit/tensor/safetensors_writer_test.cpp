// SPDX-License-Identifier: Apache-2.0
#include "tensor/safetensors_writer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"
#include "tensor/elements.h"
#include "tensor/safetensors.h"

namespace lacuna::tensor {
namespace {

TEST(SafetensorsWriter, WhatIsWrittenReadsBackAligned) {
  const test::TempDir folder;
  const std::string path = folder.file("x.safetensors");
  write_safetensors(
      path,
      {tensor_of<std::int8_t>("b\"ytes", {3}, {1, -2, 3}),
       tensor_of<std::int32_t>("words", {2, 2}, {1, -2, 3, 1 << 30}),
       tensor_of<std::uint16_t>("table", {1}, {65535}), tensor_of<std::uint8_t>("none", {0}, {})},
      {{"by", "test"}});
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(file->get("words").copy<std::int32_t>(),
            (std::vector<std::int32_t>{1, -2, 3, 1 << 30}));
  EXPECT_EQ(file->get("b\"ytes").copy<std::int8_t>(), (std::vector<std::int8_t>{1, -2, 3}));
  EXPECT_EQ(file->get("table").at<std::uint16_t>(0), 65535);
  EXPECT_EQ(file->get("none").elements(), 0);
  EXPECT_EQ(file->metadata().at("by"), "test");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file->get("words").data.data()) % 4, 0U);
}

TEST(SafetensorsWriter, AProducerThatThrowsLeavesNothing) {
  const test::TempDir folder;
  EXPECT_THROW(
      write_safetensors(
          folder.file("x.safetensors"),
          {{"a", DType::kI8, {1}, [](const ByteSink&) { throw base::UserError("no"); }}}, {}),
      base::UserError);
  EXPECT_EQ(folder.entries(), 0);
}

TEST(SafetensorsWriter, AProducerMustKeepItsWord) {
  const test::TempDir folder;
  EXPECT_THROW(
      write_safetensors(folder.file("x.safetensors"), {tensor_of<std::int8_t>("a", {2}, {1})}, {}),
      base::InternalError);
}

TEST(Elements, HalvesAndBrainFloats) {
  EXPECT_EQ(half_to_double(0x3C00), 1.0);
  EXPECT_EQ(half_to_double(0xC000), -2.0);
  EXPECT_EQ(half_to_double(0x7BFF), 65504.0);
  EXPECT_EQ(half_to_double(0x0001), std::ldexp(1.0, -24));
  EXPECT_EQ(half_to_double(0x8000), 0.0);
  EXPECT_TRUE(std::isinf(half_to_double(0x7C00)));
  EXPECT_TRUE(std::isnan(half_to_double(0x7E00)));
  EXPECT_EQ(bfloat16_to_double(0x3F80), 1.0);
  EXPECT_EQ(bfloat16_to_double(0xC040), -3.0);
}

TEST(Elements, OfEveryType) {
  const test::TempDir folder;
  const std::string data("\x00\x3C\x00\xC0", 4);  // halves 1, -2
  const auto file = SafetensorsFile::open(folder.write(
      "x.safetensors",
      test::raw_safetensors(R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", data)));
  EXPECT_EQ(element_as_double(file->get("h"), 0), 1.0);
  EXPECT_EQ(element_as_double(file->get("h"), 1), -2.0);
  EXPECT_TRUE(is_real(file->get("h").dtype));
  EXPECT_FALSE(is_real(DType::kI8));
}

}  // namespace
}  // namespace lacuna::tensor
