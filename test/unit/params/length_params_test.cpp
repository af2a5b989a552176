// SPDX-License-Identifier: Apache-2.0
#include "params/length_params.h"

#include <gtest/gtest.h>

namespace lacuna::params {
namespace {

LengthParams example(std::map<std::string, double> counts) {
  LengthParams params;
  params.schema = kLengthSchema;
  params.limit = 100;
  params.counts = std::move(counts);
  return params;
}

TEST(LengthParams, AscendByNumberNotByText) {
  const LengthParams params = example({{"100", 1}, {"20", 2}, {"9", 0.5}, {"30", 0}});
  EXPECT_TRUE(params.validate().empty());
  EXPECT_EQ(params.lengths(), (std::vector<LengthCount>{{9, 0.5}, {20, 2}, {100, 1}}));
}

TEST(LengthParams, WhatIsNoLength) {
  for (const char* key :
       {"", "0", "-3", "+3", "07", "3.5", "x", "1048577", "99999999999999999999"}) {
    EXPECT_EQ(example({{key, 1}}).validate().size(), 1) << key;
  }
  EXPECT_EQ(example({{"101", 1}}).validate().front().message,
            "length 101 is beyond the limit of 100");
  EXPECT_EQ(example({{"1", 0}}).validate().size(), 1);
  EXPECT_EQ(example({}).validate().size(), 1);
}

}  // namespace
}  // namespace lacuna::params
