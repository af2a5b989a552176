// SPDX-License-Identifier: Apache-2.0
//
// In which form weights and activations lie in DRAM and SRAM and travel: the chip's `compress:`.
// The formats, bit by bit: docs/reference/formats.md; encoders: encoding/encoding.h. Plain data.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "params/field.h"

namespace lacuna::params {

/// Form of a weight tile in memory. `image` is what the engine's load port takes, without a
/// decoder.
enum class WeightFormat { kImage, kDense, kBitmask, kRunLength, kCoordinate, kNm, kAuto };
constexpr auto enum_names(WeightFormat) {
  return std::array{
      EnumName{WeightFormat::kImage, "image"},     EnumName{WeightFormat::kDense, "dense"},
      EnumName{WeightFormat::kBitmask, "bitmask"}, EnumName{WeightFormat::kRunLength, "rle"},
      EnumName{WeightFormat::kCoordinate, "csc"},  EnumName{WeightFormat::kNm, "nm"},
      EnumName{WeightFormat::kAuto, "auto"}};
}

/// Form of a slot of stored activations.
enum class ActivationFormat { kDense, kBitmask, kRunLength, kCoordinate, kAuto };
constexpr auto enum_names(ActivationFormat) {
  return std::array{
      EnumName{ActivationFormat::kDense, "dense"}, EnumName{ActivationFormat::kBitmask, "bitmask"},
      EnumName{ActivationFormat::kRunLength, "rle"}, EnumName{ActivationFormat::kCoordinate, "csc"},
      EnumName{ActivationFormat::kAuto, "auto"}};
}

struct CompressParams {
  WeightFormat weights = WeightFormat::kImage;
  ActivationFormat activations = ActivationFormat::kBitmask;
  int run_bits = 4;    ///< rle: width of a run of zeros
  int index_bits = 8;  ///< csc: width of an index; longer lines are cut into pieces
  int nm_n = 2;        ///< nm: at most so many non-zeros ...
  int nm_m = 4;        ///< ... in so many consecutive k

  friend bool operator==(const CompressParams&, const CompressParams&) = default;
  [[nodiscard]] std::vector<Violation> validate() const {
    if (nm_n < nm_m) return {};
    return {{{"nm_n", "nm_m"}, "nm_n must be less than nm_m"}};
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("weights",
                  "form of weight tiles in memory: image (as the load port takes them), dense, "
                  "bitmask, rle, csc, nm, or auto (the smallest for each tile)")
                .optional(),
            self.weights);
    visitor(field("activations",
                  "form of stored activations: bitmask, dense, rle, csc, or auto (the smallest for "
                  "each slot)")
                .optional(),
            self.activations);
    visitor(field("run_bits", "rle: width of a run of zeros", Unit::kBits).range(1, 16).optional(),
            self.run_bits);
    visitor(field("index_bits",
                  "csc: width of an index; lines are cut into pieces of 2^index_bits codes",
                  Unit::kBits)
                .range(1, 16)
                .optional(),
            self.index_bits);
    visitor(field("nm_n", "nm: non-zeros that a group of nm_m holds").range(1, 63).optional(),
            self.nm_n);
    visitor(field("nm_m", "nm: consecutive k of a group").range(2, 64).optional(), self.nm_m);
  }
};

}  // namespace lacuna::params
