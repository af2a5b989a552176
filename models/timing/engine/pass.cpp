// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/pass.h"

#include <algorithm>

#include "base/error.h"
#include "timing/engine/latencies.h"
#include "timing/engine/products.h"
#include "timing/engine/timing.h"

namespace lacuna::timing::engine {
namespace {

void check_pass(const PassInputs& in, std::span<const std::int32_t> psum_in,
                const EvaluateOptions& options) {
  const auto& [params, tile, block, command] = in;
  LACUNA_CHECK(tile.pes == params.pes && tile.k_ways == params.k_ways &&
                   tile.scan_width == params.scan_width && tile.weight_word == params.weight_word,
               "the tile was made for other parameters");
  LACUNA_CHECK(block.k_ways == params.k_ways && block.lanes == params.lanes &&
                   block.scan_width == params.scan_width,
               "the block was made for other parameters");
  LACUNA_CHECK(tile.windows == block.windows && tile.positions == block.positions,
               "tile of {} windows, {} positions; block of {} and {}", tile.windows, tile.positions,
               block.windows, block.positions);
  LACUNA_CHECK(command.hold1 >= command.hold2 && command.hold2 >= 0, "holds {} and {}",
               command.hold1, command.hold2);
  if (!options.functional) return;
  LACUNA_CHECK(tile.has_codes(), "a tile without codes cannot be computed with");
  LACUNA_CHECK(block.has_values(), "a block without values cannot be computed with");
  LACUNA_CHECK(command.psum_write || tile.has_post, "outputs need requantization");
  if (options.own_sums) return;
  LACUNA_CHECK(!command.psum_read || psum_in.size() == static_cast<std::size_t>(psum_words(
                                                           params, tile.rows, block.groups)),
               "{} words of partial sums", psum_in.size());
}

}  // namespace

int drain_beats(const params::EngineParams& params, int rows) {
  return (params.pes * rows + params.drain_width - 1) / params.drain_width;
}

std::int64_t psum_words(const params::EngineParams& params, int rows, int groups) {
  return std::int64_t{groups} * drain_beats(params, rows) * params.drain_width * params.lanes;
}

CarryIn carry_in(const PassResult& before, const PassCommand& before_command, base::Cycle start) {
  const std::size_t groups = before.drain_end.size();
  const base::Cycle last = before.drain_end.back();
  const base::Cycle second = groups > 1 ? before.drain_end[groups - 2] : before_command.hold1;
  return {std::max<base::Cycle>(0, last - start), std::max<base::Cycle>(0, second - start)};
}

void count_structure(const PassInputs& in, Kernel kernel, Counters& counters) {
  const Tile& tile = in.tile;
  const Block& block = in.block;
  std::int64_t set_bits = 0;
  for (int way = 0; way < block.k_ways; ++way) set_bits += block.set_bits(way);
  // With one lane and no zero among the values both arrays are equal: half the memory.
  const bool equal = block.lanes == 1 && block.nonzeros == set_bits;
  const std::uint32_t* nonzero_lanes = equal ? block.set_groups.data() : block.nonzero_lanes.data();
  const EntrySums sums = function_kernels(kernel).sum_entries(
      {block.set_groups.data(), nonzero_lanes, tile.count_sum.data(), tile.word_sum.data(),
       tile.count_sum.size()});
  counters.acc_writes = sums.acc_writes;
  counters.weight_words = sums.weight_words;
  counters.macs = sums.macs;
  counters.macs_gated =
      counters.acc_writes * static_cast<std::uint64_t>(block.lanes) - counters.macs;

  const std::uint64_t beats = static_cast<std::uint64_t>(drain_beats(in.params, tile.rows)) *
                              static_cast<std::uint64_t>(block.groups);
  const std::uint64_t words =
      beats * static_cast<std::uint64_t>(in.params.drain_width * in.params.lanes);
  counters.drain_beats = beats;
  counters.psum_reads = in.command.psum_read ? words : 0;
  counters.psum_writes = in.command.psum_write ? words : 0;
  counters.outputs = in.command.psum_write ? 0
                                           : static_cast<std::uint64_t>(block.tokens) *
                                                 static_cast<std::uint64_t>(tile.channels);
}

void finish_counters(const PassInputs& in, PassResult& result) {
  Counters& counters = result.counters;
  const std::uint64_t pes = static_cast<std::uint64_t>(in.params.pes);
  const std::uint64_t with_k = counters.broadcasts - counters.entries_without_k;
  counters.activation_reads = with_k;
  counters.fifo_pushes = pes * counters.broadcasts;
  counters.metadata_reads = pes * with_k;
  counters.acc_reads = counters.acc_writes - counters.acc_reads;  // it held the first writes
}

PassResult evaluate(const params::EngineParams& params, const Tile& tile, const Block& block,
                    const PassCommand& command, std::span<const std::int32_t> psum_in,
                    const EvaluateOptions& options) {
  const PassInputs inputs{params, tile, block, command};
  check_pass(inputs, psum_in, options);
  PassResult result;
  if (options.timing || options.trace) {
    result.group_end.reserve(static_cast<std::size_t>(block.groups));
    result.drain_end.reserve(static_cast<std::size_t>(block.groups));
    const bool plain = options.trace || options.kernel == Kernel::kPlain;
    count_structure(inputs, options.kernel, result.counters);
    if (plain || !evaluate_vector(inputs, options.kernel, result)) {
      result = PassResult{};
      count_structure(inputs, options.kernel, result.counters);
      evaluate_plain(inputs, options.trace, result);
      result.carry_in_used = command.hold1 > 0;  // it does not look
    }
    finish_counters(inputs, result);
  }
  if (options.functional && options.own_sums) {
    PassCommand sums = command;
    sums.psum_read = false;
    sums.psum_write = true;
    evaluate_function({params, tile, block, sums}, {}, options.kernel, result);
  } else if (options.functional) {
    evaluate_function(inputs, psum_in, options.kernel, result);
  }
  return result;
}

void add_partial_sums(const params::EngineParams& params, const Tile& tile, const Block& block,
                      const PassCommand& command, std::span<const std::int32_t> psum_in,
                      PassResult& result) {
  const PassInputs inputs{params, tile, block, command};
  check_pass(inputs, psum_in, {});
  LACUNA_CHECK(result.psum_out.size() ==
                   static_cast<std::size_t>(psum_words(params, tile.rows, block.groups)),
               "{} words of sums", result.psum_out.size());
  for (std::size_t i = 0; i < psum_in.size(); ++i) {
    result.psum_out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(result.psum_out[i]) +
                                                   static_cast<std::uint32_t>(psum_in[i]));
  }
  if (command.psum_write) return;
  post_process(inputs, result.psum_out, Kernel::kAuto, result);
  result.psum_out.clear();
}

base::Cycle dense_pass_length(const params::EngineParams& params, int positions, int rows,
                              int groups) {
  const base::Cycle slots = base::Cycle{positions} * rows;
  const base::Cycle drain = kDrainLatency + drain_beats(params, rows);
  if (slots >= drain + kMacLatency) return kFillLatency + groups * slots + kMacLatency;
  base::Cycle slots_end = kFillLatency;  // U(g-1)
  base::Cycle drained_1 = 0;
  base::Cycle drained_2 = 0;
  base::Cycle finished = 0;
  for (int g = 0; g < groups; ++g) {
    slots_end = std::max(slots_end, drained_2) + slots;
    finished = slots_end + kMacLatency;
    drained_2 = drained_1;
    drained_1 = std::max(finished, drained_1) + drain;
  }
  return finished;
}

}  // namespace lacuna::timing::engine
