// SPDX-License-Identifier: Apache-2.0
#include "encoding/expected_size.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/portable_math.h"

namespace lacuna::encoding {
namespace {

using params::CompressParams;

constexpr double kCodeBits = 8;

/// Mean (run, code) pairs of a line: one for every non-zero, for every run that has become too
/// long, and for the end of the line.
double expected_pairs(const ExpectedLine& line, int run_bits) {
  if (line.length <= 0) return 0;
  const auto longest = static_cast<std::size_t>(std::exp2(run_bits));  // codes of a pair
  const double zero = 1 - line.density;
  const double survives = std::pow(zero, static_cast<double>(longest - 1));
  // ends[j]: chance that a pair ends with code j (code 0: the line begins). A pair of i codes has
  // the chance density * zero^(i-1), the longest one zero^(i-1); `sum`: over the shorter ones.
  const std::size_t settled = 4 * longest + 64;
  const auto last = static_cast<std::size_t>(std::ceil(line.length)) - 1;
  std::vector<double> ends{1.0};
  double sum = 0;
  double pairs = 1;  // the last one
  for (std::size_t j = 1; j <= std::min(last, settled); ++j) {
    sum = zero * sum + ends[j - 1];
    if (j >= longest) sum -= survives * ends[j - longest];
    ends.push_back(line.density * sum + (j >= longest ? survives * ends[j - longest] : 0.0));
    pairs += ends.back();
  }
  if (last <= settled) return pairs;
  const double mean = line.density > 0 ? (1 - zero * survives) / line.density
                                       : static_cast<double>(longest);  // codes of a pair
  return pairs + static_cast<double>(last - settled) / mean;
}

/// Chance that nm holds a line.
double chance_of_nm(const ExpectedLine& line, const CompressParams& params) {
  double few = 0;     // a group has at most nm_n
  double choose = 1;  // nm_m over i
  for (int i = 0; i <= params.nm_n; ++i) {
    few += choose * std::pow(line.density, i) * std::pow(1 - line.density, params.nm_m - i);
    choose = choose * (params.nm_m - i) / (i + 1);
  }
  return std::pow(std::min(1.0, few), line.length / params.nm_m);
}

/// Bits that a non-zero adds to a line.
double bits_of_nonzero(Format format, const CompressParams& params) {
  switch (format) {
    case Format::kBitmask:
      return kCodeBits;
    case Format::kRunLength:
      return params.run_bits + kCodeBits;
    case Format::kCoordinate:
      return params.index_bits + kCodeBits;
    case Format::kDense:
    case Format::kNm:
      break;
  }
  return 0;
}

ExpectedBytes bytes_of(const ExpectedLine& line, Format format, const CompressParams& params,
                       double tag) {
  const double bytes = expected_bits(line, format, params) / 8;
  const double spread = bits_of_nonzero(format, params) / 8 *
                        std::sqrt(line.length * line.density * (1 - line.density));
  // Bits that do not fill a byte are filled up, by seven at most.
  if (spread == 0) return {tag + std::ceil(bytes), 0};
  return {tag + bytes + 7.0 / 16, spread};
}

ExpectedBytes smallest(const ExpectedLine& line, const CompressParams& params) {
  ExpectedBytes least = bytes_of(line, kSlotFormats.front(), params, kTagBytes);
  for (const Format format : kSlotFormats) {
    const ExpectedBytes bytes = bytes_of(line, format, params, kTagBytes);
    if (bytes.mean < least.mean) least = bytes;
  }
  return least;
}

}  // namespace

double expected_bits(const ExpectedLine& line, Format format, const CompressParams& params) {
  const double nonzeros = line.length * line.density;
  switch (format) {
    case Format::kDense:
      return line.length * kCodeBits;
    case Format::kBitmask:
      return line.length + nonzeros * kCodeBits;
    case Format::kRunLength:
      return expected_pairs(line, params.run_bits) * (params.run_bits + kCodeBits);
    case Format::kCoordinate:
      return std::ceil(line.length / std::exp2(params.index_bits)) * (params.index_bits + 1) +
             nonzeros * (params.index_bits + kCodeBits);
    case Format::kNm: {
      const double whole = std::floor(line.length / params.nm_m);
      const double places =
          whole * params.nm_n + std::min<double>(params.nm_n, line.length - whole * params.nm_m);
      return places * (kCodeBits + std::bit_width(static_cast<unsigned>(params.nm_m - 1)));
    }
  }
  return 0;
}

ExpectedBytes expected_bytes(const ExpectedLine& line, const CompressParams& params,
                             params::ActivationFormat format) {
  const auto fixed = fixed_format(format);
  return fixed ? bytes_of(line, *fixed, params, 0) : smallest(line, params);
}

ExpectedBytes expected_bytes(const ExpectedLine& line, const CompressParams& params,
                             params::WeightFormat format) {
  if (format == params::WeightFormat::kNm) {
    const double held = chance_of_nm(line, params);
    const ExpectedBytes mask = bytes_of(line, Format::kBitmask, params, kTagBytes);
    return {held * bytes_of(line, Format::kNm, params, kTagBytes).mean + (1 - held) * mask.mean,
            (1 - held) * mask.spread};
  }
  const auto fixed = fixed_format(format);
  return fixed ? bytes_of(line, *fixed, params, 0) : smallest(line, params);
}

double expected_rounded(const ExpectedLine& line, const CompressParams& params,
                        params::WeightFormat format, double before, int unit) {
  const auto rounded = [&](ExpectedBytes bytes) {
    bytes.mean += before;
    return expected_rounded(bytes, unit);
  };
  if (format != params::WeightFormat::kNm) return rounded(expected_bytes(line, params, format));
  // Two sizes, not one that varies.
  const double held = chance_of_nm(line, params);
  return held * rounded(bytes_of(line, Format::kNm, params, kTagBytes)) +
         (1 - held) * rounded(bytes_of(line, Format::kBitmask, params, kTagBytes));
}

double expected_rounded(const ExpectedBytes& bytes, int unit) {
  constexpr double kSure = 6;  // spreads
  const auto [mean, spread] = bytes;
  if (spread < 1e-6) return std::ceil(mean / unit) * unit;
  // A unit for every multiple of it that is exceeded; bytes are whole.
  double units = std::max(1.0, std::floor((mean - kSure * spread) / unit));
  for (double limit = units * unit; limit < mean + kSure * spread; limit += unit) {
    units += base::normal_below((mean - limit - 0.5) / spread);
  }
  return units * unit;
}

}  // namespace lacuna::encoding
