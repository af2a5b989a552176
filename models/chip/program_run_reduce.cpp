// SPDX-License-Identifier: Apache-2.0
//
// Layers whose K is cut into parts that may run on several cores (docs/reference/chip.md): where
// the partial sums of a part go, and what a reduction on the vector unit makes of them. Sums wrap
// at 32 bits, so that the order in which parts come does not matter.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "chip/program_run.h"
#include "workload/requantize.h"

namespace lacuna::chip {

using tlm::Transfer;

Transfer ProgramRun::partial_transfer(const mapper::Task& task, int part, std::int64_t row_begin,
                                      std::int64_t row_end) const {
  const mapper::GemmPlan& plan = gemm_of(task);
  const mapper::Split& split = plan.split;
  const std::int64_t n_begin = std::int64_t{task.n_tile} * split.tile_channels;
  const std::int64_t channels =
      std::min<std::int64_t>(split.tile_channels, layer(task.layer).gemm.n - n_begin);
  const std::int64_t plane =
      (std::int64_t{task.product % plan.partial_sums.products} * split.k_parts + part) *
          split.n_tiles +
      task.n_tile;
  const std::int64_t row_bytes = mapper::kSumBytes * channels;
  return {
      plan.partial_sums.address +
          static_cast<std::uint64_t>(plane * plan.partial_sums.plane_bytes + row_begin * row_bytes),
      (row_end - row_begin) * row_bytes};
}

std::vector<Transfer> ProgramRun::partial_sums(const mapper::Task& task, int block,
                                               const timing::engine::Tile& tile,
                                               std::vector<std::int32_t> sums) {
  const mapper::GemmPlan& plan = gemm_of(task);
  const std::int64_t row_begin = std::int64_t{block} * plan.split.block_rows;
  const std::int64_t row_end = std::min(row_begin + plan.split.block_rows, plan.rows);
  Summands& summands = summands_[{task.plan, task.product, task.n_tile, block}];
  if (summands.channels == 0) {
    summands.parts_left = plan.split.k_parts;
    summands.channels = std::int64_t{chip_.engine.drain_width} *
                        timing::engine::drain_beats(chip_.engine, tile.rows);
    summands.words = std::move(sums);
  } else {
    LACUNA_CHECK(summands.words.size() == sums.size(),
                 "parts of layer {} leave {} and {} partial sums", layer(task.layer).name,
                 summands.words.size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      summands.words[i] = workload::wrap_add(summands.words[i], sums[i]);
    }
  }
  return {partial_transfer(task, task.part, row_begin, row_end)};
}

void ProgramRun::part_stored(const mapper::Task& task, int block) {
  Summands& summands = summands_.at({task.plan, task.product, task.n_tile, block});
  LACUNA_CHECK(summands.parts_left > 0, "a part of layer {} is stored twice",
               layer(task.layer).name);
  if (--summands.parts_left == 0) changed_.notify(sc_core::SC_ZERO_TIME);
}

bool ProgramRun::summands_stored(const mapper::Task& reduction) const {
  const int plan = program_->gemm_of_layer[static_cast<std::size_t>(reduction.layer)];
  for (int block = reduction.block_begin; block < reduction.block_end; ++block) {
    const auto found = summands_.find({plan, reduction.product, reduction.n_tile, block});
    if (found == summands_.end() || found->second.parts_left > 0) return false;
  }
  return true;
}

tlm::VectorLoad ProgramRun::reduction_operands(const mapper::Task& task) const {
  const mapper::Split& split = gemm_of(task).split;
  const mapper::VectorPlan& plan = program_->vectors[static_cast<std::size_t>(task.plan)];
  tlm::VectorLoad load;
  for (int part = 0; part < split.k_parts; ++part) {
    load.transfers.push_back(partial_transfer(task, part, task.row_begin, task.row_end));
    load.sums += load.transfers.back().bytes;
  }
  const std::int64_t n_begin = std::int64_t{task.n_tile} * split.tile_channels;
  const std::int64_t channels =
      std::min<std::int64_t>(split.tile_channels, layer(task.layer).gemm.n - n_begin);
  load.transfers.push_back(
      {plan.constant_address + static_cast<std::uint64_t>(mapper::kRequantizeBytes * n_begin),
       mapper::kRequantizeBytes * channels});
  return load;
}

std::vector<std::uint8_t> ProgramRun::reduce(const mapper::Task& task) const {
  const workload::Layer& of = layer(task.layer);
  std::vector<std::uint8_t> codes;
  if (!computes(of.index)) return codes;
  const mapper::GemmPlan& plan = gemm_of(task);
  const std::int64_t n_begin = std::int64_t{task.n_tile} * plan.split.tile_channels;
  const std::int64_t n_end = std::min(n_begin + plan.split.tile_channels, of.gemm.n);
  const std::int64_t lanes = chip_.engine.lanes;
  const int index = program_->gemm_of_layer[static_cast<std::size_t>(task.layer)];
  for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
    const auto block = static_cast<int>(row / plan.split.block_rows);
    const Summands& summands = summands_.at({index, task.product, task.n_tile, block});
    const std::int64_t i = row % plan.split.block_rows;
    const std::int64_t first = i / lanes * summands.channels * lanes + i % lanes;
    for (std::int64_t n = n_begin; n < n_end; ++n) {
      const std::int32_t sum =
          summands.words[static_cast<std::size_t>(first + (n - n_begin) * lanes)];
      codes.push_back(
          static_cast<std::uint8_t>(workload::requantize(sum, of.requantize, n, of.range)));
    }
  }
  return codes;
}

}  // namespace lacuna::chip
