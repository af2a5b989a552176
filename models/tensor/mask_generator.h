// SPDX-License-Identifier: Apache-2.0
//
// Matrices from a statistic: where the non-zeros lie follows a pruning pattern, drawn with a seed;
// the same seed gives the same bytes on every machine. Rows are output channels (or tokens),
// columns are k.
//
//   dense         no zeros
//   unstructured  exactly round(density * rows * columns) non-zeros, each set equally likely; with
//                 `exact` off each position is drawn on its own (Bernoulli)
//   n:m           n non-zeros in every m consecutive k of a row
//   bank          round(density * bank) non-zeros in every `bank` consecutive k of a row
//   block         blocks of block_k x block_n are zero or full; exactly round(density * blocks)
//   full
//   magnitude     what pruning by magnitude with one threshold leaves of Gaussian weights whose
//   rows
//                 and columns differ in scale (log-normal, `row_spread` and `column_spread`
//                 standard deviations of the logarithm): over-dispersed, as real pruned weights
//                 are. The threshold gives `density` on average for the scales drawn; the count is
//                 not exact
//   field         zeros of activations: position (t, c) is non-zero where a Gaussian is above the
//                 threshold of channel c. `spatial` is the share of its variance that all channels
//                 of neighbouring positions have in common (a smooth field over the map, `width`
//                 positions a row); thresholds differ by `channel` standard deviations. Density is
//                 reached on average
// A group that is cut off by the end of a row holds round(n * length / m), or round(density *
// length). Real pruned weights are over-dispersed against these (docs/reference/workload.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "tensor/code_matrix.h"
#include "tensor/mask_matrix.h"

namespace lacuna::tensor {

enum class PatternKind { kDense, kUnstructured, kNOfM, kBank, kBlock, kMagnitude, kField };

struct MaskSpec {
  PatternKind kind = PatternKind::kDense;
  double density = 1.0;  ///< share of non-zeros, 0..1; ignored for dense and n:m
  bool exact = true;     ///< unstructured only
  std::int64_t n = 0;    ///< n:m
  std::int64_t m = 0;
  std::int64_t bank = 0;
  std::int64_t block_k = 0;
  std::int64_t block_n = 0;
  double row_spread = 0;  ///< magnitude
  double column_spread = 0;
  double spatial = 0;  ///< field
  double channel = 0;
  std::int64_t width = 1;  ///< field: rows (positions) in a line of the map; 1: a sequence
  std::uint64_t seed = 0;
  std::string source = {};  ///< where the figures are from, for people; may be empty

  /// "unstructured, density 0.3, seed 1", then the source in parentheses.
  [[nodiscard]] std::string text() const;
  /// The share of non-zeros to expect.
  [[nodiscard]] double expected_density() const {
    if (kind == PatternKind::kDense) return 1.0;
    if (kind == PatternKind::kNOfM) return static_cast<double>(n) / static_cast<double>(m);
    return density;
  }
};

/// Draws where rows x columns codes are not zero. The spec must be consistent (LACUNA_CHECK);
/// UserError naming `source` when the matrix is too big.
[[nodiscard]] MaskMatrix draw_mask(std::int64_t rows, std::int64_t columns, const MaskSpec& spec,
                                   const std::string& source);

/// draw_values() some rows at a time, ascending: all of them need not be there at once.
class ValueDraw {
 public:
  /// The mask is referred to.
  ValueDraw(const MaskMatrix& mask, CodeKind kind, std::uint64_t seed);
  /// The next `rows` rows, row-major.
  [[nodiscard]] std::vector<std::uint8_t> next(std::int64_t rows);

 private:
  const MaskMatrix* mask_;
  CodeKind kind_;
  base::Rng values_;
  std::int64_t row_ = 0;
};

/// Codes for a mask that was drawn with this seed; non-zero codes are uniform in -127..127 without
/// 0 (s8) or 1..255 (u8).
[[nodiscard]] CodeMatrix draw_values(const MaskMatrix& mask, CodeKind kind, std::uint64_t seed);

/// Both: draw_values of draw_mask.
[[nodiscard]] CodeMatrix draw_codes(std::int64_t rows, std::int64_t columns, CodeKind kind,
                                    const MaskSpec& spec, const std::string& source);

}  // namespace lacuna::tensor
