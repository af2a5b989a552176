// SPDX-License-Identifier: Apache-2.0
#include "trace/weight_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

namespace lacuna::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WeightCodesTest : public ::testing::Test {
 protected:
  template <class T>
  SourceTensor source(const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
    test::SafetensorsWriter writer;
    writer.add<T>("w", shape, values);
    file_ = tensor::SafetensorsFile::open(folder_.write("x.safetensors", writer.bytes()));
    SourceTensor result;
    result.text = "x.safetensors:w";
    result.view = &file_->get("w");
    result.shape = result.view->shape;
    return result;
  }
  std::string error_of(const SourceTensor& from, const MapEntry& entry, const WeightShape& shape) {
    try {
      (void)weight_codes(from, entry, ImportMap{}, shape);
    } catch (const base::UserError& error) {
      return error.what();
    }
    return "";
  }

  test::TempDir folder_;
  std::shared_ptr<const tensor::SafetensorsFile> file_;
};

// Weight (n, r, s, c) of the tests below is 27 n + 9 r + 3 s + c... in whatever order it is stored.
constexpr WeightShape kConv{2, 2, 1, 3};

TEST_F(WeightCodesTest, AxesOfConvolutions) {
  // (n, r, c): 10 n + 3 r + c
  const std::vector<std::int8_t> wanted{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
  ImportMap map;
  map.layout = Layout::kOhwi;
  EXPECT_EQ(weight_codes(source<std::int8_t>({2, 2, 1, 3}, wanted), {}, map, kConv).codes, wanted);
  map.layout = Layout::kOihw;
  EXPECT_EQ(
      weight_codes(source<std::int8_t>({2, 3, 2, 1}, {0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}),
                   {}, map, kConv)
          .codes,
      wanted);
  map.layout = Layout::kHwio;
  EXPECT_EQ(
      weight_codes(source<std::int8_t>({2, 1, 3, 2}, {0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15}),
                   {}, map, kConv)
          .codes,
      wanted);
  map.columns = ColumnOrder::kCrs;
  EXPECT_EQ(weight_codes(source<std::int8_t>({2, 6}, {0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}),
                         {}, map, kConv)
                .codes,
            wanted);
}

TEST_F(WeightCodesTest, TransposedAndPartOfTheRows) {
  const SourceTensor from = source<std::int8_t>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  MapEntry entry;
  entry.transpose = true;
  entry.rows = {1, 3};
  EXPECT_THAT(weight_codes(from, entry, {}, {2, 1, 1, 2}).codes, ElementsAre(2, 6, 3, 7));
  entry.transpose = false;
  entry.rows = {1, 2};
  EXPECT_THAT(weight_codes(from, entry, {}, {1, 1, 1, 4}).codes, ElementsAre(5, 6, 7, 8));
}

TEST_F(WeightCodesTest, RealWeightsAreScaledPerChannelAndZerosStay) {
  const WeightCodes codes = weight_codes(
      source<float>({3, 4}, {0.F, 1.F, -2.F, 0.5F, 0.F, 0.F, 0.F, 0.F, 1e3F, 1.F, -500.F, 0.F}), {},
      {}, {3, 1, 1, 4});
  EXPECT_THAT(codes.codes, ElementsAre(0, 64, -127, 32, 0, 0, 0, 0, 127, 0, -64, 0));
  EXPECT_EQ(codes.zeros, 7);
  EXPECT_EQ(codes.lost, 1);
  EXPECT_EQ(codes.sum_squares, 64 * 64 + 127 * 127 + 32 * 32 + 127 * 127 + 64 * 64);
}

TEST_F(WeightCodesTest, ComplainsAboutShapesAndValues) {
  const SourceTensor from = source<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(error_of(from, {}, {2, 1, 1, 4}),
              HasSubstr("x.safetensors:w has shape [2, 3], but the layer needs 2 output channels "
                        "and K = 4"));
  MapEntry entry;
  entry.rows = {1, 3};
  EXPECT_THAT(error_of(from, entry, {2, 1, 1, 3}), HasSubstr("(rows [1, 3])"));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of(source<float>({1, 2}, {1, infinity}), {}, {1, 1, 1, 2}),
              HasSubstr("element 1 is inf"));
}

}  // namespace
}  // namespace lacuna::trace
