// SPDX-License-Identifier: Apache-2.0
#include "tensor/mask_generator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/bits.h"
#include "base/cycles.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/code_draw.h"
#include "tensor/gaussian_masks.h"

namespace lacuna::tensor {

namespace {

std::int64_t rounded_share(double share, std::int64_t total) {
  const auto count = static_cast<std::int64_t>(std::llround(share * static_cast<double>(total)));
  return std::clamp<std::int64_t>(count, 0, total);
}

/// Draws `count` of the lowest `total` (at most 64) bits, every subset equally likely: Floyd's
/// algorithm, of more than half those that are left out. Its random numbers below 2, 3 ... come in
/// batches from one random word each, without bias (Brackett-Rozinsky and Lemire 2024).
class SubsetDraw {
 public:
  SubsetDraw(int total, int count)
      : inverted_(2 * count > total ? base::low_mask(total) : 0),
        first_(total - (inverted_ != 0 ? total - count : count)) {
    for (int last = first_; last < total;) {
      Batch batch{last, last, 1, 0};
      while (batch.end < total && batch.product < kMostProduct) {
        batch.product *= static_cast<std::uint64_t>(++batch.end);
      }
      batch.threshold = (0 - batch.product) % batch.product;
      last = batch.end;
      batches_.push_back(batch);
    }
  }

  std::uint64_t draw(base::Rng& rng) const {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t bits = 0;
    for (const Batch& batch : batches_) {
      const std::uint64_t before = bits;
      std::uint64_t random = 0;
      do {
        bits = before;
        random = rng.next();
        for (int last = batch.begin; last < batch.end; ++last) {
          const Wide product = static_cast<Wide>(random) * static_cast<std::uint64_t>(last + 1);
          random = static_cast<std::uint64_t>(product);
          const std::uint64_t at = std::uint64_t{1} << static_cast<unsigned>(product >> 64U);
          const std::uint64_t otherwise = std::uint64_t{1} << static_cast<unsigned>(last);
          const std::uint64_t taken = 0 - static_cast<std::uint64_t>((bits & at) != 0);
          bits |= at | (otherwise & taken);
        }
      } while (random < batch.threshold);
    }
    return bits ^ inverted_;
  }

 private:
  static constexpr std::uint64_t kMostProduct = std::uint64_t{1} << 50U;
  struct Batch {
    int begin, end;
    std::uint64_t product, threshold;
  };
  std::uint64_t inverted_;
  int first_;
  std::vector<Batch> batches_;
};

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

void set_bits(std::uint64_t* row, std::int64_t from, std::uint64_t bits) {
  const auto shift = static_cast<unsigned>(from % 64);
  row[from / 64] |= bits << shift;
  if (shift != 0 && bits >> (64 - shift) != 0) row[from / 64 + 1] |= bits >> (64 - shift);
}

/// Exactly `count` bits of the whole matrix, every subset equally likely: first each bit on its own
/// with about the right probability, 64 at a time; then single bits, each equally likely, are added
/// or taken away until the count is right, which keeps all sets of that size equally likely.
void draw_exactly(MaskMatrix& mask, std::int64_t count, base::Rng& rng) {
  const std::int64_t total = mask.rows * mask.columns;
  if (count == 0 || total == 0) return;
  constexpr int kPrecision = 14;  // binary digits of the probability
  const auto share = static_cast<std::uint64_t>(
      std::llround(static_cast<double>(count) / static_cast<double>(total) * (1 << kPrecision)));
  std::int64_t found = 0;
  for (std::int64_t r = 0; r < mask.rows; ++r) {
    std::uint64_t* row = mask.row(r);
    for (std::int64_t w = 0; w < mask.stride; ++w) {
      std::uint64_t bits = 0;
      if (share >> kPrecision != 0) {
        bits = ~std::uint64_t{0};
      } else {
        for (int digit = std::min(kPrecision, std::countr_zero(share)); digit < kPrecision;
             ++digit) {
          const std::uint64_t random = rng.next();
          bits = (share >> digit & 1U) != 0 ? bits | random : bits & random;
        }
      }
      row[w] = bits &
               base::low_mask(static_cast<int>(std::min<std::int64_t>(64, mask.columns - 64 * w)));
      found += base::popcount(row[w]);
    }
  }
  while (found != count) {
    const auto at = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(total)));
    std::uint64_t& word = mask.row(at / mask.columns)[at % mask.columns / 64];
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(at % mask.columns % 64);
    if (((word & bit) != 0) != (found > count)) continue;
    word ^= bit;
    found += found > count ? -1 : 1;
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

void fill_bits(std::uint64_t* row, std::int64_t from, std::int64_t count) {
  for (; count > 0; count -= 64, from += 64) {
    set_bits(row, from, base::low_mask(static_cast<int>(std::min<std::int64_t>(64, count))));
  }
}

/// Groups of `group` consecutive columns of each row, each with its own count.
template <class CountFor>
void draw_groups(MaskMatrix& mask, std::int64_t group, base::Rng& rng, const CountFor& count_for) {
  const auto subset = [&](std::int64_t length) {
    const bool small = length >= 1 && length <= 64;
    return small ? SubsetDraw(static_cast<int>(length), static_cast<int>(count_for(length)))
                 : SubsetDraw(1, 0);
  };
  const SubsetDraw whole = subset(group);
  const SubsetDraw rest = subset(mask.columns % group);
  for (std::int64_t r = 0; r < mask.rows; ++r) {
    std::uint64_t* row = mask.row(r);
    for (std::int64_t first = 0; first < mask.columns; first += group) {
      const std::int64_t length = std::min(group, mask.columns - first);
      if (length <= 64) {
        set_bits(row, first, (length == group ? whole : rest).draw(rng));
      } else {
        select(rng, length, count_for(length),
               [&](std::int64_t i) { set_bits(row, first + i, 1); });
      }
    }
  }
}

void draw_blocks(MaskMatrix& mask, const MaskSpec& spec, base::Rng& rng) {
  const std::int64_t across = base::ceil_div(mask.columns, spec.block_k);
  const std::int64_t down = base::ceil_div(mask.rows, spec.block_n);
  select(rng, across * down, rounded_share(spec.density, across * down), [&](std::int64_t i) {
    const std::int64_t row_begin = (i / across) * spec.block_n;
    const std::int64_t column_begin = (i % across) * spec.block_k;
    const std::int64_t row_end = std::min(mask.rows, row_begin + spec.block_n);
    const std::int64_t width = std::min(mask.columns - column_begin, spec.block_k);
    for (std::int64_t row = row_begin; row < row_end; ++row) {
      fill_bits(mask.row(row), column_begin, width);
    }
  });
}

std::string pattern_text(const MaskSpec& spec) {
  switch (spec.kind) {
    case PatternKind::kDense:
      return "dense";
    case PatternKind::kUnstructured:
      return fmt::format("unstructured, density {:g}", spec.density);
    case PatternKind::kNOfM:
      return fmt::format("{}:{}", spec.n, spec.m);
    case PatternKind::kBank:
      return fmt::format("bank-balanced in banks of {}, density {:g}", spec.bank, spec.density);
    case PatternKind::kBlock:
      return fmt::format("blocks of {} x {} (k x n), density {:g}", spec.block_k, spec.block_n,
                         spec.density);
    case PatternKind::kMagnitude:
      return fmt::format("magnitude, density {:g}, spread {:g} over rows and {:g} over columns",
                         spec.density, spec.row_spread, spec.column_spread);
    case PatternKind::kField:
      return fmt::format("density {:g}, correlation {:g} in space, spread {:g} over channels",
                         spec.density, spec.spatial, spec.channel);
  }
  return {};
}

}  // namespace

std::string MaskSpec::text() const {
  return fmt::format("{}, seed {}{}", pattern_text(*this), seed,
                     source.empty() ? "" : fmt::format(" ({})", source));
}

MaskMatrix draw_mask(std::int64_t rows, std::int64_t columns, const MaskSpec& spec,
                     const std::string& source) {
  check_matrix_size(rows, columns, source);
  check_spec(spec);
  MaskMatrix mask(rows, columns);
  base::Rng rng = mask_rng(spec.seed);
  switch (spec.kind) {
    case PatternKind::kDense:
      for (std::int64_t r = 0; r < rows; ++r) fill_bits(mask.row(r), 0, columns);
      break;
    case PatternKind::kUnstructured:
      if (spec.exact) {
        draw_exactly(mask, rounded_share(spec.density, rows * columns), rng);
      } else {
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t c = 0; c < columns; ++c) {
            if (rng.bernoulli(spec.density)) set_bits(mask.row(r), c, 1);
          }
        }
      }
      break;
    case PatternKind::kNOfM:
      draw_groups(mask, spec.m, rng, [&](std::int64_t length) {
        return rounded_share(static_cast<double>(spec.n) / static_cast<double>(spec.m), length);
      });
      break;
    case PatternKind::kBank:
      draw_groups(mask, spec.bank, rng,
                  [&](std::int64_t length) { return rounded_share(spec.density, length); });
      break;
    case PatternKind::kBlock:
      draw_blocks(mask, spec, rng);
      break;
    case PatternKind::kMagnitude:
      draw_magnitude_mask(mask, spec);
      break;
    case PatternKind::kField:
      draw_field_mask(mask, spec);
      break;
  }
  return mask;
}

ValueDraw::ValueDraw(const MaskMatrix& mask, CodeKind kind, std::uint64_t seed)
    : mask_(&mask), kind_(kind), values_(value_rng(seed)) {}

std::vector<std::uint8_t> ValueDraw::next(std::int64_t rows) {
  LACUNA_CHECK(rows >= 0 && row_ + rows <= mask_->rows, "rows {}..{} of {}", row_, row_ + rows,
               mask_->rows);
  std::vector<std::uint8_t> drawn(static_cast<std::size_t>(rows * mask_->columns), 0);
  std::uint8_t* row = drawn.data();
  for (const std::int64_t end = row_ + rows; row_ < end; ++row_, row += mask_->columns) {
    const std::uint64_t* words = mask_->row(row_);
    std::uint8_t* codes = row;
    for (std::int64_t w = 0; w < mask_->stride; ++w, codes += 64) {
      for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
        codes[base::lowest_bit(bits)] = draw_code(values_, kind_);
      }
    }
  }
  return drawn;
}

CodeMatrix draw_values(const MaskMatrix& mask, CodeKind kind, std::uint64_t seed) {
  return {mask.rows, mask.columns, kind, ValueDraw(mask, kind, seed).next(mask.rows)};
}

CodeMatrix draw_codes(std::int64_t rows, std::int64_t columns, CodeKind kind, const MaskSpec& spec,
                      const std::string& source) {
  return draw_values(draw_mask(rows, columns, spec, source), kind, spec.seed);
}

}  // namespace lacuna::tensor
