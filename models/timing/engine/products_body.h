// SPDX-License-Identifier: Apache-2.0
//
// Parts of products.h in portable notation: the whole where there is nothing wider, and what is
// left over by wider versions. Included inside the namespace of an instruction set; see kernel.h
// for what must not be called here.

/// A loop that the compiler makes vectors of.
static EntrySums sum_entries(const EntryCounts& counts) {
  EntrySums sums;
  for (std::size_t e = 0; e < counts.entries; ++e) {
    const std::uint64_t groups = counts.set_groups[e];
    sums.acc_writes += groups * counts.count_sum[e];
    sums.weight_words += groups * counts.word_sum[e];
    sums.macs += std::uint64_t{counts.nonzero_lanes[e]} * counts.count_sum[e];
  }
  return sums;
}

/// The numbers of the quads in which one of the tokens has a value; how many there are.
[[maybe_unused]] static int list_present(const ProductInput& input, int token, int tokens,
                                         int* present) {
  const std::size_t row = static_cast<std::size_t>(input.quads) * 4;
  const std::uint8_t* first = input.activations + static_cast<std::size_t>(token) * row;
  int count = 0;
  for (int quad = 0; quad < input.quads; ++quad) {
    std::uint32_t any = 0;
    for (int t = 0; t < tokens; ++t) {
      std::uint32_t codes;
      __builtin_memcpy(&codes, first + static_cast<std::size_t>(t) * row + 4 * quad, 4);
      any |= codes;
    }
    present[count] = quad;
    count += any != 0 ? 1 : 0;
  }
  return count;
}

/// Channels [begin, end) of one token.
[[maybe_unused]] static void products_rest(const ProductInput& input, int token, const int* present,
                                           int count, int begin, int end, std::int32_t* sums) {
  const std::size_t channels = static_cast<std::size_t>(input.channels);
  const std::uint8_t* row = input.activations + static_cast<std::size_t>(token) *
                                                    static_cast<std::size_t>(input.quads) * 4;
  for (int i = 0; i < count; ++i) {
    int values[4];
    for (int j = 0; j < 4; ++j) {
      const std::uint8_t code = row[4 * present[i] + j];
      values[j] = input.is_signed ? static_cast<std::int8_t>(code) : code;
    }
    const std::int8_t* weights =
        input.weights + static_cast<std::size_t>(present[i]) * channels * 4;
    for (int n = begin; n < end; ++n) {
      const std::int8_t* four = weights + 4 * n;
      const int sum =
          values[0] * four[0] + values[1] * four[1] + values[2] * four[2] + values[3] * four[3];
      sums[n] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[n]) +
                                          static_cast<std::uint32_t>(sum));
    }
  }
}

/// Channels [begin, channels).
[[maybe_unused]] static int requantize_rest(const RequantizeInput& input, const std::int32_t* sums,
                                            int begin, std::uint8_t* codes) {
  int nonzero = 0;
  for (int n = begin; n < input.channels; ++n) {
    const std::int32_t sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[n]) +
                                                       static_cast<std::uint32_t>(input.bias[n]));
    const int shift = input.shift[n];
    const std::int64_t product =
        std::int64_t{sum} * input.multiplier[n] + (std::int64_t{1} << (shift - 1));
    std::int64_t y = product >> shift;
    y = y > input.clamp_hi ? input.clamp_hi : y;
    y = y < input.clamp_lo ? input.clamp_lo : y;
    y = (y < 0 ? -y : y) <= input.gate ? 0 : y;
    codes[n] = static_cast<std::uint8_t>(y);
    nonzero += y != 0 ? 1 : 0;
  }
  return nonzero;
}
