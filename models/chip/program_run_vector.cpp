// SPDX-License-Identifier: Apache-2.0
//
// Vector tasks of a program: which stored rows they read, and what they compute.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "chip/program_run.h"
#include "workload/lowering.h"
#include "workload/vector_ops.h"

namespace lacuna::chip {

using tlm::Transfer;

namespace {

/// Tokens [begin, end) of the input that output tokens [row_begin, row_end) are made from.
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

TokenRange input_tokens(const workload::Graph& graph, const workload::Layer& layer, int operand,
                        std::int64_t row_begin, std::int64_t row_end) {
  const workload::Value& input = graph.value(operand);
  switch (layer.op) {
    case params::Op::kAveragePool:
      return {0, input.tokens()};
    case params::Op::kDepthwise:
    case params::Op::kMaxPool: {
      const std::int64_t out_width = graph.value(layer.output).shape[1];
      const std::int64_t width = input.shape[1];
      const std::int64_t first =
          row_begin / out_width * layer.window.stride_y - layer.window.padding_y;
      const std::int64_t last = (row_end - 1) / out_width * layer.window.stride_y -
                                layer.window.padding_y + layer.window.kernel_y;
      return {std::max<std::int64_t>(first, 0) * width, std::min(last, input.shape[0]) * width};
    }
    case params::Op::kUpsample: {
      const std::int64_t out_width = graph.value(layer.output).shape[1];
      const std::int64_t width = input.shape[1];
      return {row_begin / out_width / layer.factor * width,
              ((row_end - 1) / out_width / layer.factor + 1) * width};
    }
    case params::Op::kMultiply:
      if (operand == layer.right && input.tokens() == 1) return {0, 1};  // for all tokens
      return {row_begin, row_end};
    case params::Op::kSlice:
      return {layer.begin + row_begin, layer.begin + row_end};
    case params::Op::kConcat: {
      if (layer.axis == params::Axis::kChannels) return {row_begin, row_end};
      std::int64_t before = 0;  // tokens of the operands that stand before this one
      if (operand != layer.input) {
        before += graph.value(layer.input).tokens();
        for (const int other : layer.others) {
          if (other == operand) break;
          before += graph.value(other).tokens();
        }
      }
      return {std::clamp<std::int64_t>(row_begin - before, 0, input.tokens()),
              std::clamp<std::int64_t>(row_end - before, 0, input.tokens())};
    }
    default:
      return {row_begin, row_end};
  }
}

}  // namespace

tlm::VectorLoad ProgramRun::vector_operands(const mapper::Task& task) {
  if (task.kind == mapper::TaskKind::kReduce) return reduction_operands(task);
  const workload::Layer& of = layer(task.layer);
  const mapper::VectorPlan& plan = program_->vectors[static_cast<std::size_t>(task.plan)];
  std::vector<Transfer> transfers;
  std::int64_t constant = plan.constant_bytes;
  std::vector<int> operands{of.input, of.right};
  operands.insert(operands.end(), of.others.begin(), of.others.end());
  for (const int operand : operands) {
    if (operand == workload::kNoValue) continue;
    const workload::Value& value = graph_.value(operand);
    const TokenRange tokens = input_tokens(graph_, of, operand, task.row_begin, task.row_end);
    if (tokens.begin == tokens.end) continue;
    if (value.kind == workload::ValueKind::kConstant) {
      // Only its rows, after the tables.
      const std::int64_t all = value.elements();
      const std::int64_t bytes = (tokens.end - tokens.begin) * value.channels();
      constant -= all;
      transfers.push_back({plan.constant_address + static_cast<std::uint64_t>(
                                                       constant + tokens.begin * value.channels()),
                           bytes});
      continue;
    }
    Span span;
    add_read(span, operand, task.sample, tokens.begin * value.channels(),
             tokens.end * value.channels());
    flush(span, operand, transfers);
  }
  if (of.op == params::Op::kRotary) {
    // Only the angles of its tokens.
    const std::int64_t per_row = constant / plan.rows_per_sample;
    transfers.push_back(
        {plan.constant_address + static_cast<std::uint64_t>(per_row * task.row_begin),
         per_row * (task.row_end - task.row_begin)});
  } else if (constant > 0) {
    transfers.push_back({plan.constant_address, constant});
  }
  if (of.op == params::Op::kEmbedding) {
    const std::span<const std::uint8_t> numbers = store_->codes(of.input, task.sample);
    for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
      const std::int64_t at = workload::embedding_index(of, numbers, row) * of.weights.k;
      transfers.push_back({plan.table_address + static_cast<std::uint64_t>(at), of.weights.k});
    }
  }
  return {std::move(transfers), 0};
}

timing::vector::VectorTime ProgramRun::vector_time(const mapper::Task& task) const {
  if (task.kind == mapper::TaskKind::kReduce) {
    const mapper::Split& split = gemm_of(task).split;
    const std::int64_t n_begin = std::int64_t{task.n_tile} * split.tile_channels;
    return timing::vector::partial_sum_time(
        task.row_end - task.row_begin,
        std::min<std::int64_t>(split.tile_channels, layer(task.layer).gemm.n - n_begin),
        split.k_parts, chip_.vector);
  }
  return timing::vector::vector_time(
      workload::vector_work(graph_, layer(task.layer), task.row_begin, task.row_end), chip_.vector);
}

std::vector<Transfer> ProgramRun::vector_outputs(const mapper::Task& task) {
  if (task.kind == mapper::TaskKind::kReduce) {
    return store_rows(task, task.row_begin, task.row_end, reduce(task));
  }
  const workload::Layer& of = layer(task.layer);
  if (computes(of.index)) {
    workload::run_vector_rows(of, *store_, task.sample, task.row_begin, task.row_end);
  }
  const mapper::TensorPlan& place = program_->tensors[static_cast<std::size_t>(of.output)];
  const std::int64_t channels = place.layout.channels;
  const std::span<const std::uint8_t> codes = counted(of.output, task.sample);
  const WrittenSlots slots(place.layout, 0, channels);
  std::vector<Transfer> transfers;
  Span span;
  span.sample = task.sample;
  span.begin = task.row_begin * place.layout.token_bytes();
  for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
    const auto at = static_cast<std::size_t>(row * channels);
    span.bytes += slots.traffic(
        codes.empty() ? codes : codes.subspan(at, static_cast<std::size_t>(channels)));
  }
  flush(span, of.output, transfers);
  return transfers;
}

void ProgramRun::vector_stored(const mapper::Task& task) {
  if (task.kind == mapper::TaskKind::kReduce) {
    rows_stored(task, task.row_begin, task.row_end);
    return;
  }
  const workload::Layer& of = layer(task.layer);
  store_codes(of.output, task.sample,
              (task.row_end - task.row_begin) * graph_.value(of.output).channels());
}

}  // namespace lacuna::chip
