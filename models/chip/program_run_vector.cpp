// SPDX-License-Identifier: Apache-2.0
//
// Vector tasks of a program: which stored rows they read, and what they compute.
#include <algorithm>

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

TokenRange input_tokens(const workload::Graph& graph, const workload::Layer& layer,
                        std::int64_t row_begin, std::int64_t row_end) {
  const workload::Value& input = graph.value(layer.input);
  switch (layer.op) {
    case params::Op::kAveragePool:
      return {0, input.tokens()};
    case params::Op::kMaxPool: {
      const std::int64_t out_width = graph.value(layer.output).shape[1];
      const std::int64_t width = input.shape[1];
      const std::int64_t first = row_begin / out_width * layer.window.stride_y;
      const std::int64_t last =
          (row_end - 1) / out_width * layer.window.stride_y + layer.window.kernel_y;
      return {first * width, std::min(last, input.shape[0]) * width};
    }
    default:
      return {row_begin, row_end};
  }
}

}  // namespace

std::vector<Transfer> ProgramRun::vector_operands(const mapper::Task& task) {
  const workload::Layer& of = layer(task.layer);
  const mapper::VectorPlan& plan = program_->vectors[static_cast<std::size_t>(task.plan)];
  std::vector<Transfer> transfers;
  std::int64_t constant = plan.constant_bytes;
  for (const int operand : {of.input, of.right}) {
    if (operand == workload::kNoValue) continue;
    const workload::Value& value = graph_.value(operand);
    const TokenRange tokens = input_tokens(graph_, of, task.row_begin, task.row_end);
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
  if (constant > 0) {
    transfers.push_back({plan.constant_address, constant});
  }
  return transfers;
}

timing::vector::VectorTime ProgramRun::vector_time(const mapper::Task& task) const {
  return timing::vector::vector_time(
      workload::vector_work(graph_, layer(task.layer), task.row_begin, task.row_end), chip_.vector);
}

std::vector<Transfer> ProgramRun::vector_outputs(const mapper::Task& task) {
  const workload::Layer& of = layer(task.layer);
  workload::run_vector_rows(of, *store_, task.sample, task.row_begin, task.row_end);
  const mapper::TensorPlan& place = program_->tensors[static_cast<std::size_t>(of.output)];
  const std::int64_t channels = place.layout.channels;
  const std::span<const std::uint8_t> codes = store_->codes(of.output, task.sample);
  std::vector<Transfer> transfers;
  Span span;
  span.sample = task.sample;
  span.begin = task.row_begin * place.layout.token_bytes();
  for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
    span.bytes += store_traffic(place.layout, 0, channels,
                                codes.subspan(static_cast<std::size_t>(row * channels),
                                              static_cast<std::size_t>(channels)));
  }
  flush(span, of.output, transfers);
  return transfers;
}

void ProgramRun::vector_stored(const mapper::Task& task) {
  const workload::Layer& of = layer(task.layer);
  store_codes(of.output, task.sample,
              (task.row_end - task.row_begin) * graph_.value(of.output).channels());
}

}  // namespace lacuna::chip
