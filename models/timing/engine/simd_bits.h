// SPDX-License-Identifier: Apache-2.0
//
// Positions of set bits, a byte at a time. Included by the kernels after store_positions() of their
// instruction set.

/// Positions of the set bits of each byte, lowest first.
struct BitTable {
  std::uint8_t positions[256][8];
};
static constexpr BitTable make_bit_table() {
  BitTable table{};
  for (int byte = 0; byte < 256; ++byte) {
    int used = 0;
    for (int bit = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) {
        table.positions[byte][used++] = static_cast<std::uint8_t>(bit);
      }
    }
  }
  return table;
}
static constexpr BitTable kBits = make_bit_table();

/// to[i] = at + position of set bit i; returns the end. Writes up to 7 more.
static LACUNA_INLINE std::uint16_t* store_hits(std::uint16_t* to, std::uint64_t hits,
                                               std::size_t at) {
  for (; hits != 0; hits >>= 8U, at += 8) {
    const std::size_t byte = hits & 0xFFU;
    store_positions(to, kBits.positions[byte], static_cast<std::uint16_t>(at));
    to += __builtin_popcountll(byte);
  }
  return to;
}
