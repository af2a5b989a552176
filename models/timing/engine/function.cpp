// SPDX-License-Identifier: Apache-2.0
//
// What a pass computes: sums of products, partial sums, requantization, clamp and gate
// (docs/reference/engine.md, section 6, and numerics.md), as a product of small dense matrices:
// zeros are left out four k at a time. Order of additions does not matter: sums wrap at 32 bits. No
// cycles here.
#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "timing/engine/kernel.h"
#include "timing/engine/products.h"
#include "timing/engine/timing.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

std::int32_t wrap_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

/// Tokens whose activations and sums are held at once.
constexpr int kTokens = 16;

/// Memory of one thread, kept between passes.
struct Scratch {
  std::vector<std::uint8_t> activations;  ///< [kTokens][quads of all ways][4], then slack
  std::vector<std::int32_t> sums;         ///< [kTokens][channels]
  std::vector<int> present;               ///< [quads of all ways]
};

/// One lane of values that several tokens share a mask of.
void expand_lane(const PackedRow& packed, int lanes, int lane, std::uint8_t* row) {
  const std::uint8_t* value = packed.values + lane;
  const std::uint64_t* mask = packed.masks;
  for (int w = 0; w < packed.windows; ++w) {
    for (int i = 0; i < packed.window_words; ++i) {
      std::uint8_t* out = row + packed.base[w] + 64 * i;
      std::memset(out, 0, 8 * size_of(packed.word_bytes));
      for (std::uint64_t bits = *mask++; bits != 0; bits &= bits - 1, value += lanes) {
        out[base::lowest_bit(bits)] = *value;
      }
    }
  }
}

/// The activations of one token, in the order of Tile::codes.
void spread(const PassInputs& in, int token, ExpandKernel expand, std::uint8_t* row) {
  const Tile& tile = in.tile;
  const Block& block = in.block;
  const int group = token / block.lanes;
  const std::size_t first_slot = size_of(group) * size_of(block.windows);
  for (int q = 0; q < block.k_ways; ++q, row += 4 * tile.quads()) {
    const std::vector<std::uint8_t>& values = block.values[size_of(q)];
    PackedRow packed{};
    packed.masks = block.masks.data() +
                   (size_of(q) * size_of(block.groups) * size_of(block.windows) + first_slot) *
                       size_of(block.window_words);
    packed.base = tile.base.data();
    packed.windows = block.windows;
    packed.window_words = block.window_words;
    packed.word_bytes = std::min(8, (block.scan_width + 7) / 8);
    packed.values = values.data() + block.slot_base[size_of(q)][first_slot] * size_of(block.lanes);
    packed.end = values.data() + values.size();
    if (block.lanes == 1) {
      expand(packed, row);
    } else {
      expand_lane(packed, block.lanes, token % block.lanes, row);
    }
    std::memset(row + tile.positions, 0, size_of(4 * tile.quads() - tile.positions));
  }
}

RequantizeInput requantize_input(const PassInputs& in) {
  const Tile& tile = in.tile;
  const PassCommand& command = in.command;
  return {tile.bias.data(), tile.multiplier.data(), tile.shift.data(), tile.channels,
          command.clamp_lo, command.clamp_hi,       command.gate};
}

/// Words of a group in the partial sum memory.
std::size_t group_words_of(const PassInputs& in) {
  return size_of(drain_beats(in.params, in.tile.rows)) * size_of(in.params.drain_width) *
         size_of(in.params.lanes);
}

}  // namespace

const FunctionKernels& function_kernels(Kernel kernel) {
  if (kernel == Kernel::kPlain || kernel == Kernel::kPortable || !have_avx2()) {
    return portable::kFunction;
  }
  return kernel == Kernel::kAvx2 || !have_avx512() ? avx2::kFunction : avx512::kFunction;
}

void post_process(const PassInputs& in, std::span<const std::int32_t> sums, Kernel kernel,
                  PassResult& result) {
  const int lanes = in.params.lanes;
  const int channels = in.tile.channels;
  const RequantizeInput input = requantize_input(in);
  const RequantizeKernel requantize = function_kernels(kernel).requantize;
  std::vector<std::int32_t> row(size_of(lanes == 1 ? 0 : channels));
  result.outputs.resize(size_of(in.block.tokens) * size_of(channels));
  std::int64_t nonzero = 0;
  for (int token = 0; token < in.block.tokens; ++token) {
    const std::int32_t* from =
        sums.data() + size_of(token / lanes) * group_words_of(in) + size_of(token % lanes);
    for (std::size_t n = 0; n < row.size(); ++n) row[n] = from[n * size_of(lanes)];
    nonzero += requantize(input, lanes == 1 ? from : row.data(),
                          result.outputs.data() + size_of(token) * size_of(channels));
  }
  result.counters.outputs_nonzero = static_cast<std::uint64_t>(nonzero);
}

void evaluate_function(const PassInputs& in, std::span<const std::int32_t> psum_in, Kernel kernel,
                       PassResult& result) {
  const Tile& tile = in.tile;
  const PassCommand& command = in.command;
  const int lanes = in.params.lanes;
  const int channels = tile.channels;
  const std::size_t group_words = group_words_of(in);
  const FunctionKernels& kernels = function_kernels(kernel);
  const int quads = tile.k_ways * tile.quads();

  if (command.psum_write) {
    result.psum_out.assign(size_of(in.block.groups) * group_words, 0);
    if (command.psum_read) std::copy(psum_in.begin(), psum_in.end(), result.psum_out.begin());
  } else {
    result.outputs.resize(size_of(in.block.tokens) * size_of(channels));
  }
  thread_local Scratch scratch;
  scratch.activations.resize(size_of(kTokens) * size_of(4 * quads) + kRowSlack);
  scratch.sums.resize(size_of(kTokens) * size_of(channels));
  scratch.present.resize(size_of(quads));
  const RequantizeInput requantize = requantize_input(in);
  // Word of channel n: (beat*W + n%W)*V + lane = n*V + lane.
  const auto word = [&](int token) {
    return size_of(token / lanes) * group_words + size_of(token % lanes);
  };
  std::int64_t nonzero = 0;
  for (int first = 0; first < in.block.tokens; first += kTokens) {
    const int tokens = std::min(kTokens, in.block.tokens - first);
    ProductInput input{};
    input.weights = tile.codes.data();
    input.quads = quads;
    input.channels = channels;
    input.activations = scratch.activations.data();
    input.tokens = tokens;
    input.is_signed = command.act_signed;
    for (int t = 0; t < tokens; ++t) {
      spread(in, first + t, kernels.expand,
             scratch.activations.data() + size_of(t) * size_of(4 * quads));
    }
    if (command.psum_write && lanes == 1) {
      kernels.products(input, scratch.present.data(), result.psum_out.data() + word(first),
                       static_cast<std::ptrdiff_t>(group_words));
      continue;
    }
    std::fill_n(scratch.sums.begin(), size_of(tokens) * size_of(channels), 0);
    if (command.psum_read && !command.psum_write) {
      for (int t = 0; t < tokens; ++t) {
        const std::int32_t* from = psum_in.data() + word(first + t);
        std::int32_t* sums = scratch.sums.data() + size_of(t) * size_of(channels);
        for (int n = 0; n < channels; ++n) sums[n] = from[size_of(n) * size_of(lanes)];
      }
    }
    kernels.products(input, scratch.present.data(), scratch.sums.data(), channels);
    for (int t = 0; t < tokens; ++t) {
      const std::int32_t* sums = scratch.sums.data() + size_of(t) * size_of(channels);
      if (command.psum_write) {
        std::int32_t* to = result.psum_out.data() + word(first + t);
        for (int n = 0; n < channels; ++n, to += lanes) *to = wrap_add(*to, sums[n]);
      } else {
        nonzero += kernels.requantize(
            requantize, sums, result.outputs.data() + size_of(first + t) * size_of(channels));
      }
    }
  }
  result.counters.outputs_nonzero = static_cast<std::uint64_t>(nonzero);
}

}  // namespace lacuna::timing::engine
