// SPDX-License-Identifier: Apache-2.0
//
// Sums of products in portable notation: what is left over by wider versions, and the whole where
// there are none. Included inside the namespace of an instruction set.

/// 16 channels at once; compilers vectorise the inner loops.
static void sum_products_16(const std::int8_t* const* rows, const std::int16_t* values, int count,
                            int channel, std::int32_t* sums) {
  std::uint32_t sum[16] = {};
  for (int i = 0; i < count; ++i) {
    const std::int8_t* row = rows[i] + channel;
    const std::int16_t value = values[i];
    // |value * weight| <= 255 * 128 fits 16 bits.
    std::int16_t product[16];
    for (int c = 0; c < 16; ++c) product[c] = static_cast<std::int16_t>(value * row[c]);
    for (int c = 0; c < 16; ++c) sum[c] += static_cast<std::uint32_t>(std::int32_t{product[c]});
  }
  for (int c = 0; c < 16; ++c) {
    const std::uint32_t before = static_cast<std::uint32_t>(sums[channel + c]);
    sums[channel + c] = static_cast<std::int32_t>(before + sum[c]);
  }
}

static void sum_products_rest(const std::int8_t* const* rows, const std::int16_t* values, int count,
                              int channel, int channels, std::int32_t* sums) {
  for (; channel + 16 <= channels; channel += 16) {
    sum_products_16(rows, values, count, channel, sums);
  }
  for (; channel < channels; ++channel) {
    std::uint32_t sum = static_cast<std::uint32_t>(sums[channel]);
    for (int i = 0; i < count; ++i) {
      sum += static_cast<std::uint32_t>(values[i] * rows[i][channel]);
    }
    sums[channel] = static_cast<std::int32_t>(sum);
  }
}
