// SPDX-License-Identifier: Apache-2.0
#include "cosim/plugin_calls.h"

#include "base/error.h"

namespace lacuna::cosim {

namespace {

using timing::engine::Block;
using timing::engine::PassCommand;
using timing::engine::PassResult;
using timing::engine::Tile;

std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// More cycles than any correct pass takes: every entry one after the other with all its rows.
std::uint64_t cycle_limit(const params::EngineParams& engine, const Tile& tile, const Block& block,
                          const PassCommand& command) {
  const std::int64_t per_group = std::int64_t{tile.positions} * (tile.rows + 3) + tile.windows +
                                 timing::engine::drain_beats(engine, tile.rows) + 32;
  return static_cast<std::uint64_t>(command.hold1 + per_group * block.groups + 1000);
}

std::vector<std::vector<base::Cycle>> lists(const std::uint32_t* values,
                                            const std::uint64_t* offsets, std::size_t count) {
  std::vector<std::vector<base::Cycle>> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i].assign(values + offsets[i], values + offsets[i + 1]);
  }
  return result;
}

timing::engine::Counters counters_of(const lacuna_rtl_counters& rtl) {
  // Both have the counters of section 8 in its order and nothing else.
  timing::engine::Counters counters;
  static_assert(sizeof(rtl) == sizeof(counters));
  const auto* next = reinterpret_cast<const std::uint64_t*>(&rtl);
  timing::engine::Counters::visit(counters,
                                  [&](std::string_view, std::uint64_t& value) { value = *next++; });
  return counters;
}

}  // namespace

lacuna_rtl_load weight_load(const Tile& tile, const std::vector<std::uint8_t>& image) {
  lacuna_rtl_load weights{};
  weights.kind = 0;
  weights.windows = u32(tile.windows);
  weights.positions = u32(tile.positions);
  weights.rows = u32(tile.rows);
  weights.mask_log = u32(tile.mask_log());
  weights.in_place = tile.in_place ? 1 : 0;
  weights.post = tile.has_post ? 1 : 0;
  weights.image = image.data();
  weights.image_bytes = image.size();
  weights.key = tile.key;
  return weights;
}

lacuna_rtl_load block_load(const Block& block, const std::vector<std::uint8_t>& image) {
  lacuna_rtl_load activations{};
  activations.kind = 1;
  activations.windows = u32(block.windows);
  activations.positions = u32(block.positions);
  activations.groups = u32(block.groups);
  activations.image = image.data();
  activations.image_bytes = image.size();
  activations.key = block.key;
  return activations;
}

lacuna_rtl_pass pass_call(const params::EngineParams& engine, const Tile& tile, const Block& block,
                          const PassCommand& command, std::span<const std::int32_t> psum_in,
                          bool chain, bool want_trace) {
  lacuna_rtl_pass pass{};
  pass.groups = u32(block.groups);
  pass.tokens = u32(block.tokens);
  pass.channels = u32(tile.channels);
  pass.act_signed = command.act_signed ? 1 : 0;
  pass.psum_read = command.psum_read ? 1 : 0;
  pass.psum_write = command.psum_write ? 1 : 0;
  pass.clamp_lo = command.clamp_lo;
  pass.clamp_hi = command.clamp_hi;
  pass.gate = u32(command.gate);
  pass.hold1 = u32(command.hold1);
  pass.hold2 = u32(command.hold2);
  if (command.psum_read && !chain) {
    const auto words =
        static_cast<std::size_t>(timing::engine::psum_words(engine, tile.rows, block.groups));
    LACUNA_CHECK(psum_in.size() == words, "{} partial sums for {} words", psum_in.size(), words);
    pass.psum_in = psum_in.data();
  }
  pass.want_trace = want_trace ? 1 : 0;
  pass.cycle_limit = cycle_limit(engine, tile, block, command);
  return pass;
}

RtlPassResult take_result(const params::EngineParams& engine, const Tile& tile, const Block& block,
                          bool traced, const lacuna_rtl_result& rtl) {
  RtlPassResult out;
  PassResult& result = out.result;
  result.length = static_cast<base::Cycle>(rtl.length);
  result.group_end.assign(rtl.group_end, rtl.group_end + rtl.groups);
  result.drain_end.assign(rtl.drain_end, rtl.drain_end + rtl.groups);
  result.counters = counters_of(rtl.counters);
  if (rtl.outputs != nullptr) {
    const std::size_t bytes =
        static_cast<std::size_t>(block.tokens) * static_cast<std::size_t>(tile.channels);
    result.outputs.assign(rtl.outputs, rtl.outputs + bytes);
  }
  if (rtl.psum_out != nullptr) {
    const auto words =
        static_cast<std::size_t>(timing::engine::psum_words(engine, tile.rows, block.groups));
    result.psum_out.assign(rtl.psum_out, rtl.psum_out + words);
  }
  if (traced) {
    const auto ways = static_cast<std::size_t>(engine.k_ways);
    const std::size_t pes = ways * static_cast<std::size_t>(engine.pes);
    result.trace.issue = lists(rtl.issue, rtl.issue_offset, ways);
    result.trace.mask_stage = lists(rtl.mask, rtl.mask_offset, pes);
    result.trace.mac_stage = lists(rtl.mac, rtl.mac_offset, pes);
  }
  out.weight_load_cycles = static_cast<base::Cycle>(rtl.load_cycles_weights);
  out.block_load_cycles = static_cast<base::Cycle>(rtl.load_cycles_block);
  out.rtl_cycles = rtl.rtl_cycles;
  return out;
}

}  // namespace lacuna::cosim
