// SPDX-License-Identifier: Apache-2.0
//
// Do the vector versions of what a pass computes agree with plain loops: on shapes that fill no
// vector, on the extreme codes, on sums that wrap, on every shift?
#include "timing/engine/products.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"
#include "timing/engine/kernel.h"

namespace lacuna::timing::engine {
namespace {

struct Version {
  std::string name;
  const FunctionKernels* kernels;
};

std::vector<Version> versions() {
  std::vector<Version> all{{"portable", &portable::kFunction}};
  if (have_avx2()) all.push_back({"AVX2", &avx2::kFunction});
  if (have_avx512()) all.push_back({"AVX-512", &avx512::kFunction});
  return all;
}

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Mostly the ends of the range, so that anything that saturates or overflows shows.
std::uint8_t extreme_code(base::Rng& rng) {
  constexpr std::uint8_t kEnds[] = {0, 0, 1, 0x7F, 0x80, 0x81, 0xFF};
  return rng.bernoulli(0.8) ? kEnds[rng.below(std::size(kEnds))]
                            : static_cast<std::uint8_t>(rng.below(256));
}

struct Problem {
  int quads, channels, tokens;
  bool is_signed;
  std::vector<std::int8_t> weights;
  std::vector<std::uint8_t> activations;
  std::vector<std::int32_t> before;  ///< [tokens][stride]
  std::ptrdiff_t stride;

  [[nodiscard]] std::vector<std::int32_t> expected() const {
    std::vector<std::int32_t> sums = before;
    for (int t = 0; t < tokens; ++t) {
      for (int n = 0; n < channels; ++n) {
        std::int64_t sum = sums[size_of(t * stride + n)];
        for (int k = 0; k < 4 * quads; ++k) {
          const std::uint8_t code = activations[size_of(t * 4 * quads + k)];
          const int a = is_signed ? static_cast<std::int8_t>(code) : code;
          sum += a * weights[size_of((k / 4 * channels + n) * 4 + k % 4)];
        }
        sums[size_of(t * stride + n)] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
      }
    }
    return sums;
  }
  [[nodiscard]] std::vector<std::int32_t> computed(const FunctionKernels& kernels) const {
    std::vector<std::int32_t> sums = before;
    std::vector<int> present(size_of(quads));
    kernels.products({weights.data(), quads, channels, activations.data(), tokens, is_signed},
                     present.data(), sums.data(), stride);
    return sums;
  }
};

Problem draw(std::uint64_t seed) {
  base::Rng rng(seed);
  Problem problem;
  problem.quads = 1 + static_cast<int>(rng.below(40));
  problem.channels = 1 + static_cast<int>(rng.below(150));
  problem.tokens = 1 + static_cast<int>(rng.below(11));
  problem.is_signed = rng.bernoulli(0.5);
  problem.stride = problem.channels + static_cast<std::ptrdiff_t>(rng.below(5));
  problem.weights.resize(size_of(problem.quads * problem.channels * 4));
  for (auto& code : problem.weights) code = static_cast<std::int8_t>(extreme_code(rng));
  problem.activations.resize(size_of(problem.tokens * problem.quads * 4));
  const bool sparse = rng.bernoulli(0.5);  // whole quads without a value
  for (std::size_t k = 0; k < problem.activations.size(); k += 4) {
    if (sparse && rng.bernoulli(0.8)) continue;
    for (std::size_t i = 0; i < 4; ++i) problem.activations[k + i] = extreme_code(rng);
  }
  problem.before.resize(size_of(problem.tokens * problem.stride));
  for (auto& sum : problem.before) {
    sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(rng.below(std::uint64_t{1} << 32U)));
  }
  return problem;
}

TEST(Products, AgreeWithPlainLoops) {
  for (std::uint64_t seed = 1; seed <= 600 && !HasFailure(); ++seed) {
    const Problem problem = draw(seed);
    const std::vector<std::int32_t> expected = problem.expected();
    for (const Version& version : versions()) {
      EXPECT_EQ(problem.computed(*version.kernels), expected)
          << version.name << ", seed " << seed << ": " << problem.quads << " quads, "
          << problem.channels << " channels, " << problem.tokens << " tokens, signed "
          << problem.is_signed;
    }
  }
}

// The largest magnitudes, in all places at once, until sums wrap.
TEST(Products, WrapAtBothEnds) {
  for (const bool is_signed : {false, true}) {
    for (const std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
      for (const std::uint8_t code : {std::uint8_t{0x80}, std::uint8_t{0x7F}, std::uint8_t{0xFF}}) {
        Problem problem;
        problem.quads = 20'000;
        problem.channels = 19;
        problem.tokens = 5;
        problem.is_signed = is_signed;
        problem.stride = 19;
        problem.weights.assign(size_of(problem.quads * problem.channels * 4), weight);
        problem.activations.assign(size_of(problem.tokens * problem.quads * 4), code);
        problem.before.assign(size_of(problem.tokens * problem.stride), 2'000'000'000);
        for (const Version& version : versions()) {
          EXPECT_EQ(problem.computed(*version.kernels), problem.expected())
              << version.name << ": " << int{weight} << " x " << int{code};
        }
      }
    }
  }
}

TEST(Requantize, AgreesWithTheFormula) {
  for (std::uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    base::Rng rng(seed);
    const int channels = 1 + static_cast<int>(rng.below(70));
    const auto word = [&] {
      constexpr std::uint32_t kEnds[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
      return static_cast<std::int32_t>(
          rng.bernoulli(0.4) ? kEnds[rng.below(std::size(kEnds))]
                             : static_cast<std::uint32_t>(rng.below(std::uint64_t{1} << 32U)));
    };
    std::vector<std::int32_t> sums;
    std::vector<std::int32_t> bias;
    std::vector<std::int32_t> multiplier;
    std::vector<std::uint8_t> shift;
    for (int n = 0; n < channels; ++n) {
      sums.push_back(word());
      bias.push_back(word());
      multiplier.push_back(word());
      shift.push_back(static_cast<std::uint8_t>(1 + rng.below(62)));
    }
    const int low = static_cast<int>(rng.below(256)) - 128;
    const int high = low + static_cast<int>(rng.below(static_cast<std::uint64_t>(256 - low)));
    const int gate = rng.bernoulli(0.5) ? 0 : static_cast<int>(rng.below(256));
    std::vector<std::uint8_t> expected;
    int nonzero = 0;
    for (std::size_t n = 0; n < sums.size(); ++n) {
      const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[n]) +
                                                 static_cast<std::uint32_t>(bias[n]));
      std::int64_t y =
          (std::int64_t{sum} * multiplier[n] + (std::int64_t{1} << (shift[n] - 1))) >> shift[n];
      y = std::clamp<std::int64_t>(y, low, high);
      if (std::abs(y) <= gate) y = 0;
      expected.push_back(static_cast<std::uint8_t>(y));
      nonzero += y != 0 ? 1 : 0;
    }
    for (const Version& version : versions()) {
      std::vector<std::uint8_t> codes(sums.size());
      const RequantizeInput input{bias.data(), multiplier.data(), shift.data(), channels, low, high,
                                  gate};
      EXPECT_EQ(version.kernels->requantize(input, sums.data(), codes.data()), nonzero)
          << version.name << ", seed " << seed;
      EXPECT_EQ(codes, expected) << version.name << ", seed " << seed;
    }
  }
}

// On numbers of entries that fill no vector, on counts whose products need 64 bits.
TEST(SumEntries, OfEveryLength) {
  for (std::size_t entries = 0; entries <= 70 && !HasFailure(); ++entries) {
    base::Rng rng(entries);
    std::vector<std::uint32_t> arrays[4];
    for (auto& array : arrays) {
      for (std::size_t e = 0; e < entries; ++e) {
        array.push_back(static_cast<std::uint32_t>(
            rng.bernoulli(0.2) ? 0xFFFF'FFFFU : static_cast<std::uint32_t>(rng.below(70'000))));
      }
      array.shrink_to_fit();  // a sanitizer sees every entry beyond
    }
    EntrySums expected;
    for (std::size_t e = 0; e < entries; ++e) {
      expected.acc_writes += std::uint64_t{arrays[0][e]} * arrays[2][e];
      expected.weight_words += std::uint64_t{arrays[0][e]} * arrays[3][e];
      expected.macs += std::uint64_t{arrays[1][e]} * arrays[2][e];
    }
    for (const Version& version : versions()) {
      const EntrySums sums = version.kernels->sum_entries(
          {arrays[0].data(), arrays[1].data(), arrays[2].data(), arrays[3].data(), entries});
      EXPECT_EQ(sums.acc_writes, expected.acc_writes) << version.name << ", " << entries;
      EXPECT_EQ(sums.weight_words, expected.weight_words) << version.name << ", " << entries;
      EXPECT_EQ(sums.macs, expected.macs) << version.name << ", " << entries;
    }
  }
}

// Values exactly as long as what is read of them: a sanitizer sees every byte beyond.
TEST(Expand, PutsValuesAtTheirBits) {
  for (std::uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    base::Rng rng(seed);
    const int scan_width = 8 * (1 + static_cast<int>(rng.below(20)));
    const int words = (scan_width + 63) / 64;
    const int windows = 1 + static_cast<int>(rng.below(6));
    const double density = rng.bernoulli(0.3) ? 1 : 0.4;
    std::vector<int> base{0};
    std::vector<std::uint64_t> masks(size_of(windows * words), 0);
    std::vector<std::uint8_t> values;
    std::vector<std::uint8_t> expected;
    for (int w = 0; w < windows; ++w) {
      // The last window of a segment may be shorter.
      const int length =
          rng.bernoulli(0.3) ? 1 + static_cast<int>(rng.below(size_of(scan_width))) : scan_width;
      base.push_back(base.back() + length);
      for (int x = 0; x < length; ++x) {
        expected.push_back(0);
        if (!rng.bernoulli(density)) continue;
        masks[size_of(w * words + x / 64)] |= std::uint64_t{1} << static_cast<unsigned>(x % 64);
        values.push_back(static_cast<std::uint8_t>(rng.below(256)));
        expected.back() = values.back();
      }
    }
    values.shrink_to_fit();
    const PackedRow packed{masks.data(),
                           base.data(),
                           windows,
                           words,
                           std::min(8, scan_width / 8),
                           values.data(),
                           values.data() + values.size()};
    for (const Version& version : versions()) {
      std::vector<std::uint8_t> row(expected.size() + kRowSlack, 0xAA);
      version.kernels->expand(packed, row.data());
      row.resize(expected.size());
      EXPECT_EQ(row, expected) << version.name << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lacuna::timing::engine
