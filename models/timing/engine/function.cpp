// SPDX-License-Identifier: Apache-2.0
//
// What a pass computes: sums of products, partial sums, requantization, clamp and gate
// (docs/reference/engine.md, section 6, and numerics.md). Order of additions does not matter: sums
// wrap at 32 bits. No cycles here.
#include <algorithm>

#include "base/bits.h"
#include "timing/engine/kernel.h"
#include "timing/engine/timing.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

/// The non-zero activations of one lane of a group, with the rows of weights they multiply.
struct Products {
  std::vector<const std::int8_t*> rows;
  std::vector<std::int16_t> values;
};

void gather(const PassInputs& in, int group, int lane, Products& products) {
  products.rows.clear();
  products.values.clear();
  const Tile& tile = in.tile;
  const Block& block = in.block;
  const std::size_t lanes = size_of(block.lanes);
  for (int q = 0; q < block.k_ways; ++q) {
    const std::size_t first_slot = size_of(group) * size_of(block.windows);
    const std::uint8_t* value = block.values[size_of(q)].data() +
                                block.slot_base[size_of(q)][first_slot] * lanes + size_of(lane);
    const std::uint64_t* mask =
        block.masks.data() +
        (size_of(q) * size_of(block.groups) * size_of(block.windows) + first_slot) *
            size_of(block.window_words);
    for (int w = 0; w < block.windows; ++w) {
      for (int i = 0; i < block.window_words; ++i) {
        for (std::uint64_t bits = *mask++; bits != 0; bits &= bits - 1) {
          const std::uint8_t code = *value;
          value += lanes;
          if (code == 0) continue;
          const int x = tile.base[size_of(w)] + 64 * i + base::lowest_bit(bits);
          const std::size_t entry = tile.entry(q, x);
          if (tile.count_sum[entry] == 0) continue;
          products.rows.push_back(tile.codes.data() + entry * size_of(tile.channels));
          products.values.push_back(in.command.act_signed
                                        ? static_cast<std::int16_t>(static_cast<std::int8_t>(code))
                                        : std::int16_t{code});
        }
      }
    }
  }
}

std::int32_t wrap_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

std::uint8_t requantize(const Tile& tile, const PassCommand& command, int channel,
                        std::int32_t sum) {
  const std::size_t n = size_of(channel);
  const int shift = tile.shift[n];
  const std::int64_t product = std::int64_t{wrap_add(sum, tile.bias[n])} * tile.multiplier[n] +
                               (std::int64_t{1} << (shift - 1));
  const std::int64_t y =
      std::clamp<std::int64_t>(product >> shift, command.clamp_lo, command.clamp_hi);
  const bool gated = (y < 0 ? -y : y) <= command.gate;
  return static_cast<std::uint8_t>(gated ? 0 : y);
}

}  // namespace

void evaluate_function(const PassInputs& in, std::span<const std::int32_t> psum_in, Kernel kernel,
                       PassResult& result) {
  const Tile& tile = in.tile;
  const PassCommand& command = in.command;
  const int lanes = in.params.lanes;
  const int beats = drain_beats(in.params, tile.rows);
  const std::size_t group_words = size_of(beats) * size_of(in.params.drain_width) * size_of(lanes);
  const bool avx2 = kernel != Kernel::kPortable && kernel != Kernel::kPlain && have_avx2();
  const SumKernel sum_products = avx2 ? avx2::sum_products : portable::sum_products;

  if (command.psum_write) {
    result.psum_out.assign(size_of(in.block.groups) * group_words, 0);
    if (command.psum_read) std::copy(psum_in.begin(), psum_in.end(), result.psum_out.begin());
  } else {
    result.outputs.assign(size_of(in.block.tokens) * size_of(tile.channels), 0);
  }
  Products products;
  std::vector<std::int32_t> sums(size_of(tile.channels));
  std::uint64_t nonzero = 0;
  for (int token = 0; token < in.block.tokens; ++token) {
    const int group = token / lanes;
    const int lane = token % lanes;
    gather(in, group, lane, products);
    std::fill(sums.begin(), sums.end(), 0);
    sum_products(products.rows.data(), products.values.data(),
                 static_cast<int>(products.rows.size()), tile.channels, sums.data());
    // Word of channel n: (beat*W + n%W)*V + lane = n*V + lane.
    const std::size_t word = size_of(group) * group_words + size_of(lane);
    for (int n = 0; n < tile.channels; ++n) {
      const std::size_t at = word + size_of(n) * size_of(lanes);
      std::int32_t sum = sums[size_of(n)];
      if (command.psum_write) {
        result.psum_out[at] = wrap_add(result.psum_out[at], sum);
        continue;
      }
      if (command.psum_read) sum = wrap_add(sum, psum_in[at]);
      const std::uint8_t code = requantize(tile, command, n, sum);
      result.outputs[size_of(token) * size_of(tile.channels) + size_of(n)] = code;
      nonzero += code != 0 ? 1 : 0;
    }
  }
  result.counters.outputs_nonzero = nonzero;
}

}  // namespace lacuna::timing::engine
