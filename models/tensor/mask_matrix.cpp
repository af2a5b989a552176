// SPDX-License-Identifier: Apache-2.0
#include "tensor/mask_matrix.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lacuna::tensor {

std::int64_t MaskMatrix::non_zeros() const {
  std::int64_t total = 0;
  for (const std::uint64_t word : words) total += base::popcount(word);
  return total;
}

std::vector<std::int32_t> MaskMatrix::column_counts() const {
  // Per word of columns the rows are added as bit planes: plane i holds bit i of 64 sums.
  std::vector<std::int32_t> counts(static_cast<std::size_t>(columns), 0);
  for (std::int64_t word = 0; word < stride; ++word) {
    std::array<std::uint64_t, 63> planes{};
    int used = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      std::uint64_t carry = row(r)[word];
      for (int i = 0; carry != 0; ++i) {
        const std::uint64_t sum = planes[static_cast<std::size_t>(i)];
        planes[static_cast<std::size_t>(i)] = sum ^ carry;
        carry &= sum;
        used = std::max(used, i + 1);
      }
    }
    const std::int64_t end = std::min(columns, (word + 1) * 64);
    for (std::int64_t c = word * 64; c < end; ++c) {
      std::int32_t count = 0;
      for (int i = 0; i < used; ++i) {
        const std::uint64_t plane = planes[static_cast<std::size_t>(i)];
        count |= static_cast<std::int32_t>(plane >> static_cast<unsigned>(c % 64) & 1U) << i;
      }
      counts[static_cast<std::size_t>(c)] = count;
    }
  }
  return counts;
}

#if defined(__SSE2__)
namespace {

/// Bit i of 16: codes[i] == 0.
std::uint64_t zero_bits_of_16(const std::uint8_t* codes) {
  __m128i bytes;
  std::memcpy(&bytes, codes, sizeof(bytes));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
}

}  // namespace
#endif

std::uint64_t nonzero_bits(const std::uint8_t* codes, int count) {
  std::uint64_t bits = 0;
  int i = 0;
#if defined(__SSE2__)
  if (count == 64) {  // nearly always
    return ~(zero_bits_of_16(codes) | zero_bits_of_16(codes + 16) << 16U |
             zero_bits_of_16(codes + 32) << 32U | zero_bits_of_16(codes + 48) << 48U);
  }
  for (; i + 16 <= count; i += 16) {
    bits |= (~zero_bits_of_16(codes + i) & 0xFFFFU) << static_cast<unsigned>(i);
  }
#endif
  for (; i + 8 <= count; i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, codes + i, 8);
    if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
    // Highest bit of each byte: the byte is not zero. Then gather the eight bits in one byte.
    constexpr std::uint64_t kLow7 = 0x7F7F7F7F7F7F7F7FULL;
    const std::uint64_t high = (((bytes & kLow7) + kLow7) | bytes) & ~kLow7;
    bits |= ((high >> 7U) * 0x0102040810204080ULL >> 56U) << static_cast<unsigned>(i);
  }
  for (; i < count; ++i) {
    bits |= std::uint64_t{codes[i] != 0} << static_cast<unsigned>(i);
  }
  return bits;
}

MaskMatrix mask_of(const std::uint8_t* codes, std::int64_t rows, std::int64_t columns) {
  MaskMatrix mask(rows, columns);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::uint64_t* out = mask.row(r);
    const std::uint8_t* in = codes + r * columns;
    for (std::int64_t c = 0; c < columns; c += 64) {
      out[c / 64] = nonzero_bits(in + c, static_cast<int>(std::min<std::int64_t>(64, columns - c)));
    }
  }
  return mask;
}

void copy_as_bytes(const MaskMatrix& mask, std::uint8_t* out) {
  for (std::int64_t r = 0; r < mask.rows; ++r, out += mask.columns) {
    const std::uint64_t* words = mask.row(r);
    std::int64_t c = 0;
    for (; c + 8 <= mask.columns; c += 8) {
      // Eight copies of the byte, a different bit of each, moved to the lowest place.
      const std::uint64_t byte = words[c / 64] >> static_cast<unsigned>(c % 64) & 0xFFU;
      const std::uint64_t spread = (byte * 0x0101010101010101ULL) & 0x8040201008040201ULL;
      std::uint64_t bytes =
          ((spread + 0x7F7F7F7F7F7F7F7FULL) | spread) >> 7U & 0x0101010101010101ULL;
      if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
      std::memcpy(out + c, &bytes, 8);
    }
    for (; c < mask.columns; ++c) out[c] = mask.test(r, c) ? 1 : 0;
  }
}

std::int64_t count_row_bits(const std::uint64_t* row, std::int64_t from, std::int64_t to) {
  std::int64_t total = 0;
  while (from < to) {
    const int count = static_cast<int>(std::min<std::int64_t>(64 - from % 64, to - from));
    total += base::popcount(row_bits(row, from, count));
    from += count;
  }
  return total;
}

}  // namespace lacuna::tensor
