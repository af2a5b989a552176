// SPDX-License-Identifier: Apache-2.0
//
// Spreads packed values over the positions of their mask bits, eight at a time. Included inside the
// namespace of an instruction set that has BMI2.

void expand(const PackedRow& packed, std::uint8_t* row) {
  const std::uint8_t* value = packed.values;
  const std::uint64_t* mask = packed.masks;
  for (int w = 0; w < packed.windows; ++w) {
    for (int i = 0; i < packed.window_words; ++i) {
      std::uint8_t* out = row + packed.base[w] + 64 * i;
      std::uint64_t bits = *mask++;
      for (int byte = 0; byte < packed.word_bytes; ++byte, bits >>= 8U) {
        std::uint64_t codes = 0;
        if (packed.end - value >= 8) {
          __builtin_memcpy(&codes, value, 8);
        } else if (packed.end != value) {
          __builtin_memcpy(&codes, value, static_cast<std::size_t>(packed.end - value));
        }
        const std::uint64_t places = _pdep_u64(bits & 0xFFU, 0x0101010101010101ULL) * 0xFF;
        codes = _pdep_u64(codes, places);
        __builtin_memcpy(out + 8 * byte, &codes, 8);
        value += __builtin_popcountll(bits & 0xFFU);
      }
    }
  }
}
