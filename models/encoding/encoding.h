// SPDX-License-Identifier: Apache-2.0
//
// Sparse formats of 8-bit codes, line by line (docs/reference/formats.md). A line is what is
// decoded together: the k of an output channel of a weight tile, the codes of a slot of
// activations. Every line can be decoded when its length is known; lines follow each other without
// gaps.
//
//   dense       the codes
//   bitmask     a bit per code, then the non-zero codes
//   rle         (run of zeros: run_bits, code) until the line is full; a run that is too long, or
//               reaches the end of the line, ends with a code 0
//   csc         pieces of 2^index_bits codes: how many are not zero (index_bits + 1 bits), then
//               (index, code) of each
//   nm          groups of m codes: n times (code, index in the group); unused ones are code 0
//
// Sizes are those of the bits that the encoder makes: the same code counts and writes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "params/compress_params.h"

namespace lacuna::encoding {

enum class Format { kDense, kBitmask, kRunLength, kCoordinate, kNm };
inline constexpr std::array kFormats = {Format::kDense, Format::kBitmask, Format::kRunLength,
                                        Format::kCoordinate, Format::kNm};
/// Those that `auto` has for a slot of activations.
inline constexpr std::array kSlotFormats = {Format::kDense, Format::kBitmask, Format::kRunLength,
                                            Format::kCoordinate};
/// "dense", "bitmask", "rle", "csc", "nm".
[[nodiscard]] std::string_view format_name(Format format);

/// Codes of several lines of equal length; only referred to.
struct Grid {
  const std::uint8_t* codes = nullptr;
  std::int64_t lines = 1;
  std::int64_t length = 0;
  std::int64_t line_stride = 0;
  std::int64_t stride = 1;

  [[nodiscard]] std::uint8_t at(std::int64_t line, std::int64_t place) const {
    return codes[line * line_stride + place * stride];
  }
};
/// One line.
[[nodiscard]] inline Grid line_of(std::span<const std::uint8_t> codes) {
  return {codes.data(), 1, static_cast<std::int64_t>(codes.size()), 0, 1};
}

struct Encoded {
  std::vector<std::uint8_t> bytes;  ///< the last one filled up with zeros
  std::int64_t bits = 0;
};

/// Nothing: a group of the grid has more than n non-zeros, so that nm cannot hold it.
[[nodiscard]] std::optional<std::int64_t> encoded_bits(const Grid& grid, Format format,
                                                       const params::CompressParams& params);
[[nodiscard]] std::optional<Encoded> encode(const Grid& grid, Format format,
                                            const params::CompressParams& params);
/// The codes, line after line. UserError if the bits end early or mean nothing (an index outside
/// the line, a run past its end).
[[nodiscard]] std::vector<std::uint8_t> decode(std::span<const std::uint8_t> bytes,
                                               std::int64_t lines, std::int64_t length,
                                               Format format, const params::CompressParams& params);

/// What is stored: the format and its size in whole bytes.
struct Choice {
  Format format = Format::kDense;
  std::int64_t bytes = 0;  ///< with the tag, if there is one
};
/// A byte in front that names the format, where it can differ from piece to piece.
inline constexpr std::int64_t kTagBytes = 1;

/// The format that all lines have where the chip names one; none for nm and auto, where it differs
/// from line to line, and for image. Of params::WeightFormat or params::ActivationFormat.
template <class Wanted>
[[nodiscard]] constexpr std::optional<Format> fixed_format(Wanted wanted) {
  switch (wanted) {
    case Wanted::kDense:
      return Format::kDense;
    case Wanted::kBitmask:
      return Format::kBitmask;
    case Wanted::kRunLength:
      return Format::kRunLength;
    case Wanted::kCoordinate:
      return Format::kCoordinate;
    default:
      return std::nullopt;
  }
}

/// For `auto` the smallest (of equals the first in the order above); for nm, where it holds, else
/// bitmask. Both carry a tag. `image` is no format of this kind.
[[nodiscard]] Choice choose(const Grid& grid, const params::CompressParams& params,
                            params::WeightFormat format);
[[nodiscard]] Choice choose(const Grid& grid, const params::CompressParams& params,
                            params::ActivationFormat format);

/// The most bytes that a slot of `codes` codes can need, tag included.
[[nodiscard]] std::int64_t worst_bytes(std::int64_t codes, const params::CompressParams& params,
                                       params::ActivationFormat format);

}  // namespace lacuna::encoding
