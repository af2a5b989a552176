// SPDX-License-Identifier: Apache-2.0
//
// Every format gives back what was encoded, bit counts are those of the bits, and small cases are
// what the page says.
#include "encoding/encoding.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "tensor/mask_generator.h"

namespace lacuna::encoding {
namespace {

using Codes = std::vector<std::uint8_t>;

Codes draw(base::Rng& rng, std::int64_t count, double density) {
  Codes codes(static_cast<std::size_t>(count));
  for (std::uint8_t& code : codes) {
    if (rng.bernoulli(density)) code = static_cast<std::uint8_t>(1 + rng.below(255));
  }
  return codes;
}

TEST(Encoding, RoundTripsOfRandomGrids) {
  base::Rng rng(3);
  int nm_held = 0;
  for (int round = 0; round < 3000; ++round) {
    params::CompressParams params;
    params.run_bits = static_cast<int>(rng.range(1, 16));
    params.index_bits = static_cast<int>(rng.range(1, 16));
    params.nm_m = static_cast<int>(rng.range(2, 64));
    params.nm_n = static_cast<int>(rng.range(1, params.nm_m - 1));
    const std::int64_t lines = rng.range(1, 6);
    const std::int64_t length = rng.range(1, 300);
    const double density = round % 5 == 0 ? 0.02 : rng.uniform();
    const Codes codes = draw(rng, lines * length, round % 50 == 0 ? 0 : density);
    const Grid grid{codes.data(), lines, length, length, 1};
    for (const Format format : kFormats) {
      const auto encoded = encode(grid, format, params);
      const auto bits = encoded_bits(grid, format, params);
      ASSERT_EQ(encoded.has_value(), bits.has_value());
      if (!encoded) {
        ASSERT_EQ(format, Format::kNm);
        continue;
      }
      nm_held += format == Format::kNm ? 1 : 0;
      ASSERT_EQ(encoded->bits, *bits) << format_name(format);
      ASSERT_EQ(static_cast<std::int64_t>(encoded->bytes.size()), (*bits + 7) / 8);
      ASSERT_EQ(decode(encoded->bytes, lines, length, format, params), codes)
          << format_name(format) << " in round " << round;
    }
  }
  EXPECT_GT(nm_held, 300);
}

TEST(Encoding, StridesReadTheTransposedGrid) {
  base::Rng rng(4);
  const Codes codes = draw(rng, 12 * 20, 0.3);
  Codes transposed;
  for (std::size_t column = 0; column < 20; ++column) {
    for (std::size_t row = 0; row < 12; ++row) transposed.push_back(codes[row * 20 + column]);
  }
  const params::CompressParams params;
  const Grid columns{codes.data(), 20, 12, 1, 20};
  for (const Format format :
       {Format::kDense, Format::kBitmask, Format::kRunLength, Format::kCoordinate}) {
    const auto encoded = encode(columns, format, params);
    EXPECT_EQ(decode(encoded->bytes, 20, 12, format, params), transposed);
  }
}

TEST(Encoding, SmallCasesAreWhatThePageSays) {
  params::CompressParams params;
  const Codes codes = {0, 0, 7, 0, 0, 0, 0, 9};
  const Grid grid = line_of(codes);
  EXPECT_EQ(encoded_bits(grid, Format::kDense, params), 64);
  EXPECT_EQ(encoded_bits(grid, Format::kBitmask, params), 8 + 16);
  EXPECT_EQ(encode(grid, Format::kBitmask, params)->bytes, (Codes{0x84, 7, 9}));
  EXPECT_EQ(encoded_bits(grid, Format::kRunLength, params), 2 * 12);
  EXPECT_EQ(encode(grid, Format::kRunLength, params)->bytes, (Codes{0x72, 0x40, 0x09}));
  EXPECT_EQ(encoded_bits(grid, Format::kCoordinate, params), 9 + 2 * 16);
  EXPECT_EQ(encoded_bits(grid, Format::kNm, params), 2 * 2 * 10);

  // A run longer than 2^2 - 1 ends with a code 0.
  params.run_bits = 2;
  EXPECT_EQ(encoded_bits(grid, Format::kRunLength, params), 3 * 10);
  // A line of zeros ends with one.
  const Codes zeros(8, 0);
  EXPECT_EQ(encoded_bits(line_of(zeros), Format::kRunLength, params), 2 * 10);
  EXPECT_EQ(encoded_bits(line_of(zeros), Format::kCoordinate, params), 9);
  // Pieces of four codes.
  params.index_bits = 2;
  EXPECT_EQ(encoded_bits(grid, Format::kCoordinate, params), 2 * 3 + 2 * 10);
  // Three in a group of four do not fit 2:4.
  const Codes full = {1, 2, 0, 3};
  EXPECT_EQ(encoded_bits(line_of(full), Format::kNm, params), std::nullopt);
  EXPECT_FALSE(encode(line_of(full), Format::kNm, params));
}

TEST(Encoding, AutoTakesTheSmallestAndPaysForItsTag) {
  base::Rng rng(5);
  const params::CompressParams params;
  for (const double density : {0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 1.0}) {
    const Codes codes = draw(rng, 64 * 40, density);
    const Grid grid{codes.data(), 40, 64, 64, 1};
    std::int64_t least = 1 << 30;
    for (const Format format : kFormats) {
      const auto bits = encoded_bits(grid, format, params);
      if (bits) least = std::min(least, (*bits + 7) / 8);
    }
    EXPECT_EQ(choose(grid, params, params::WeightFormat::kAuto).bytes, least + kTagBytes);
  }
  const Codes dense(64, 3);
  EXPECT_EQ(choose(line_of(dense), params, params::ActivationFormat::kAuto).format, Format::kDense);
  EXPECT_EQ(choose(line_of(dense), params, params::WeightFormat::kNm).format, Format::kBitmask);
  EXPECT_EQ(choose(line_of(dense), params, params::WeightFormat::kNm).bytes, 1 + 72);
}

// 2:4 weights: 10 bits for each of half the codes, against 8 + 2*... of the others.
TEST(Encoding, NmIsTheSmallestForItsPattern) {
  tensor::MaskSpec spec;
  spec.kind = tensor::PatternKind::kNOfM;
  spec.n = 2;
  spec.m = 4;
  spec.seed = 1;
  const tensor::CodeMatrix matrix =
      tensor::draw_codes(64, 256, tensor::CodeKind::kS8, spec, "test");
  const Grid grid{matrix.codes.data(), 64, 256, 256, 1};
  const params::CompressParams params;
  EXPECT_EQ(encoded_bits(grid, Format::kNm, params), 64 * 256 / 2 * 10);
  EXPECT_EQ(encoded_bits(grid, Format::kBitmask, params), 64 * 256 / 2 * 10);
  EXPECT_EQ(choose(grid, params, params::WeightFormat::kNm).format, Format::kNm);
  EXPECT_GT(*encoded_bits(grid, Format::kRunLength, params), 64 * 256 / 2 * 11);
}

TEST(Encoding, NoSlotIsLargerThanItsWorstCase) {
  base::Rng rng(6);
  for (int round = 0; round < 500; ++round) {
    params::CompressParams params;
    params.run_bits = static_cast<int>(rng.range(1, 16));
    params.index_bits = static_cast<int>(rng.range(1, 16));
    const Codes codes = draw(rng, rng.range(1, 256), round % 3 == 0 ? 1 : rng.uniform());
    for (const auto& [format, name] : enum_names(params::ActivationFormat{})) {
      EXPECT_LE(choose(line_of(codes), params, format).bytes,
                worst_bytes(static_cast<std::int64_t>(codes.size()), params, format))
          << name;
    }
  }
}

// Bits that are no encoding are refused, never read past.
TEST(Encoding, DamagedBitsAreRefusedOrDecodeToSomething) {
  base::Rng rng(7);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    params::CompressParams params;
    params.index_bits = static_cast<int>(rng.range(1, 9));
    const Codes noise = draw(rng, rng.range(0, 60), 0.7);
    for (const Format format : kFormats) {
      try {
        EXPECT_EQ(decode(noise, 3, 20, format, params).size(), 60U);
      } catch (const base::UserError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace lacuna::encoding
