// SPDX-License-Identifier: Apache-2.0
#include "tensor/mask_generator.h"

#include <algorithm>
#include <cmath>

#include "base/cycles.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/code_draw.h"

namespace lacuna::tensor {

namespace {

std::int64_t rounded_share(double share, std::int64_t total) {
  const auto count = static_cast<std::int64_t>(std::llround(share * static_cast<double>(total)));
  return std::clamp<std::int64_t>(count, 0, total);
}

/// Calls set(i) for exactly `count` of 0..total-1, every subset equally likely, in ascending order
/// (selection sampling, Knuth TAOCP 2, algorithm 3.4.2 S).
template <class Set>
void select(base::Rng& rng, std::int64_t total, std::int64_t count, const Set& set) {
  std::int64_t wanted = count;
  for (std::int64_t i = 0; i < total && wanted > 0; ++i) {
    if (static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(total - i))) < wanted) {
      set(i);
      --wanted;
    }
  }
}

void check_spec(const MaskSpec& spec) {
  LACUNA_CHECK(spec.density >= 0 && spec.density <= 1, "density {}", spec.density);
  switch (spec.kind) {
    case PatternKind::kNOfM:
      LACUNA_CHECK(spec.m >= 1 && spec.n >= 0 && spec.n <= spec.m, "{}:{}", spec.n, spec.m);
      break;
    case PatternKind::kBank:
      LACUNA_CHECK(spec.bank >= 1, "bank {}", spec.bank);
      break;
    case PatternKind::kBlock:
      LACUNA_CHECK(spec.block_k >= 1 && spec.block_n >= 1, "block {}x{}", spec.block_k,
                   spec.block_n);
      break;
    default:
      break;
  }
}

/// Sets bytes of the mask to 1. `mask` is rows * columns zeros.
void draw_mask(std::vector<std::uint8_t>& mask, std::int64_t rows, std::int64_t columns,
               const MaskSpec& spec) {
  base::Rng rng = mask_rng(spec.seed);
  const auto group_wise = [&](std::int64_t group, const auto& count_for) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t first = 0; first < columns; first += group) {
        const std::int64_t length = std::min(group, columns - first);
        std::uint8_t* base = mask.data() + row * columns + first;
        select(rng, length, count_for(length), [&](std::int64_t i) { base[i] = 1; });
      }
    }
  };
  switch (spec.kind) {
    case PatternKind::kDense:
      std::fill(mask.begin(), mask.end(), std::uint8_t{1});
      break;
    case PatternKind::kUnstructured:
      if (spec.exact) {
        select(rng, rows * columns, rounded_share(spec.density, rows * columns),
               [&](std::int64_t i) { mask[static_cast<std::size_t>(i)] = 1; });
      } else {
        for (std::uint8_t& position : mask) position = rng.bernoulli(spec.density) ? 1 : 0;
      }
      break;
    case PatternKind::kNOfM:
      group_wise(spec.m, [&](std::int64_t length) {
        return rounded_share(static_cast<double>(spec.n) / static_cast<double>(spec.m), length);
      });
      break;
    case PatternKind::kBank:
      group_wise(spec.bank,
                 [&](std::int64_t length) { return rounded_share(spec.density, length); });
      break;
    case PatternKind::kBlock: {
      const std::int64_t across = base::ceil_div(columns, spec.block_k);
      const std::int64_t down = base::ceil_div(rows, spec.block_n);
      select(rng, across * down, rounded_share(spec.density, across * down), [&](std::int64_t i) {
        const std::int64_t row_begin = (i / across) * spec.block_n;
        const std::int64_t column_begin = (i % across) * spec.block_k;
        const std::int64_t row_end = std::min(rows, row_begin + spec.block_n);
        const std::int64_t width = std::min(columns - column_begin, spec.block_k);
        for (std::int64_t row = row_begin; row < row_end; ++row) {
          std::fill_n(mask.begin() + row * columns + column_begin, width, std::uint8_t{1});
        }
      });
      break;
    }
  }
}

}  // namespace

std::string MaskSpec::text() const {
  switch (kind) {
    case PatternKind::kDense:
      return fmt::format("dense, seed {}", seed);
    case PatternKind::kUnstructured:
      return fmt::format("unstructured, density {:g}, seed {}", density, seed);
    case PatternKind::kNOfM:
      return fmt::format("{}:{}, seed {}", n, m, seed);
    case PatternKind::kBank:
      return fmt::format("bank-balanced in banks of {}, density {:g}, seed {}", bank, density,
                         seed);
    case PatternKind::kBlock:
      return fmt::format("blocks of {} x {} (k x n), density {:g}, seed {}", block_k, block_n,
                         density, seed);
  }
  return {};
}

CodeMatrix draw_codes(std::int64_t rows, std::int64_t columns, CodeKind kind, const MaskSpec& spec,
                      const std::string& source) {
  check_matrix_size(rows, columns, source);
  check_spec(spec);
  CodeMatrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.kind = kind;
  matrix.codes.assign(static_cast<std::size_t>(rows * columns), 0);
  draw_mask(matrix.codes, rows, columns, spec);
  base::Rng values = value_rng(spec.seed);
  for (std::uint8_t& code : matrix.codes) {
    if (code != 0) code = draw_code(values, kind);
  }
  return matrix;
}

}  // namespace lacuna::tensor
