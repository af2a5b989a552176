// SPDX-License-Identifier: Apache-2.0
//
// Sizes of encoded lines when only the density of their codes is known: what a planner reckons with
// before there is a tensor. Codes are non-zero by chance, each for itself; encoding.h has the sizes
// of codes that are there.
#pragma once

#include <cstdint>

#include "encoding/encoding.h"
#include "params/compress_params.h"

namespace lacuna::encoding {

/// A line of which only this is known.
struct ExpectedLine {
  double length = 0;   ///< codes
  double density = 0;  ///< chance of each to be non-zero, 0 to 1
};

/// Mean bits of a line in a format. nm: of one that it holds.
[[nodiscard]] double expected_bits(const ExpectedLine& line, Format format,
                                   const params::CompressParams& params);

/// Bytes of something whose codes are left to chance: about normal.
struct ExpectedBytes {
  double mean = 0;
  double spread = 0;
};

/// Of what choose() stores for a line, tag included. `auto` is taken to choose one format for all
/// lines.
[[nodiscard]] ExpectedBytes expected_bytes(const ExpectedLine& line,
                                           const params::CompressParams& params,
                                           params::ActivationFormat format);
[[nodiscard]] ExpectedBytes expected_bytes(const ExpectedLine& line,
                                           const params::CompressParams& params,
                                           params::WeightFormat format);

/// Mean of such bytes, each rounded up to whole units.
[[nodiscard]] double expected_rounded(const ExpectedBytes& bytes, int unit);

/// ... of a line with `before` bytes in front of it.
[[nodiscard]] double expected_rounded(const ExpectedLine& line,
                                      const params::CompressParams& params,
                                      params::WeightFormat format, double before, int unit);

}  // namespace lacuna::encoding
