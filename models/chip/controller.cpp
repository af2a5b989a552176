// SPDX-License-Identifier: Apache-2.0
#include "chip/controller.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "workload/check.h"
#include "workload/lowering.h"

namespace lacuna::chip {

Controller::Controller(sc_core::sc_module_name name, const Parts& parts,
                       const workload::Graph& graph, std::vector<Launch> launches,
                       RunResult& result, std::function<void(std::int64_t)> progress,
                       bool check_reference, bool count_effective)
    : sc_module(name),
      parts_(parts),
      graph_(graph),
      launches_(std::move(launches)),
      result_(result),
      progress_(std::move(progress)),
      check_reference_(check_reference),
      count_effective_(count_effective) {
  sc_core::sc_spawn_options options;
  options.set_stack_size(1 << 19);
  sc_core::sc_spawn([this] { loop(); }, "main", &options);
}

void Controller::loop() {
  try {
    main();
  } catch (const sc_core::sc_unwind_exception&) {
    throw;  // the kernel ends its threads this way
  } catch (...) {
    parts_.context->fail(std::current_exception());
  }
}

std::int64_t Controller::heartbeat() const {
  std::int64_t beats = parts_.context->passes + static_cast<std::int64_t>(result_.programs.size());
  for (const tlm::LayerSums& layer : parts_.context->layers) {
    beats += layer.traffic.activations + layer.traffic.weights + layer.traffic.outputs +
             layer.traffic.dram_read;
  }
  return beats;
}

void Controller::main() {
  const tlm::Clock& clock = *parts_.context->clock;
  for (std::size_t i = 0; i < launches_.size(); ++i) {
    const Launch& launch = launches_[i];
    ProgramResult program;
    program.first_sample = static_cast<int>(launch.first_sample);
    program.samples = launch.program->batch;
    program.start = clock.now();
    parts_.run->begin(*launch.program, static_cast<int>(i), launch.variant, launch.first_sample);
    const bool warm = i > 0 && launches_[i - 1].variant == launch.variant;
    parts_.dma->begin(*launch.program, warm);
    for (tlm::Core* core : parts_.cores) core->open(program.start);
    parts_.dispatcher->begin(*launch.program);
    while (!parts_.run->finished()) sc_core::wait(parts_.run->changed());
    clock.align();
    program.end = clock.now();
    LACUNA_CHECK(parts_.dma->idle(), "a program ends with fetches under way");
    for (tlm::Core* core : parts_.cores) core->close(program.end);
    result_.programs.push_back(program);
    if (i == 0) {
      for (std::size_t l = 0; l < result_.layers.size(); ++l) {
        result_.layers[l].begin = std::max<Cycle>(0, parts_.context->layers[l].begin);
        result_.layers[l].end = std::max<Cycle>(0, parts_.context->layers[l].end);
      }
    }
    collect(launch);
    if (check_reference_) compare_with_reference(launch);
    if (progress_) progress_(result_.samples);
    parts_.context->check_interrupt();
  }
  finished_ = true;
  sc_core::sc_pause();
}

void Controller::collect(const Launch& launch) {
  const workload::TensorStore& store = parts_.run->store();
  const int samples = launch.program->batch;
  result_.samples += samples;
  for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
    const workload::Layer& layer = graph_.layers[i];
    LayerResult& out = result_.layers[i];
    if (layer.on_engine()) {
      out.macs_dense += samples * layer.dense_macs();
      for (int sample = 0; count_effective_ && sample < samples; ++sample) {
        out.macs_effective += workload::effective_macs(layer, store, sample);
      }
    }
    if (layer.op == params::Op::kDepthwise) {  // the vector unit does not skip
      out.macs_dense += samples * layer.dense_macs();
      out.macs_effective += samples * layer.dense_macs();
    }
    if (layer.expect != nullptr) {
      out.has_expect = true;
      out.expect_values += samples * graph_.output_of(layer).elements();
    }
  }
  for (const workload::ExpectMismatch& mismatch : workload::check_expected(store).mismatches) {
    LayerResult& out = result_.layers[static_cast<std::size_t>(mismatch.layer)];
    out.expect_mismatches += mismatch.differences;
    if (out.first_mismatch.empty()) out.first_mismatch = workload::describe(graph_, mismatch);
  }
  if (!graph_.result.has_value()) return;
  const workload::Layer& last = graph_.layers[static_cast<std::size_t>(graph_.result->layer)];
  for (int sample = 0; sample < samples; ++sample) {
    std::vector<int> values;
    const std::int64_t elements = graph_.output_of(last).elements();
    for (std::int64_t e = 0; e < elements; ++e) values.push_back(store.at(last.output, sample, e));
    result_.result_values.push_back(std::move(values));
    const int found = workload::classify(store, sample);
    result_.result_class.push_back(found);
    const auto source = static_cast<std::size_t>(store.source_sample(sample));
    if (source < graph_.result->labels.size()) {
      result_.has_labels = true;
      result_.correct += graph_.result->labels[source] == found ? 1 : 0;
    }
  }
}

void Controller::compare_with_reference(const Launch& launch) {
  const workload::TensorStore& store = parts_.run->store();
  workload::TensorStore reference(graph_, launch.first_sample, launch.program->batch);
  for (int sample = 0; sample < launch.program->batch; ++sample) {
    workload::run_dense(reference, sample);
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      if (!parts_.run->computes(static_cast<int>(i))) continue;
      const int value = graph_.layers[i].output;
      std::int64_t& mismatches = result_.layers[i].reference_mismatches;
      mismatches = std::max<std::int64_t>(0, mismatches);
      const auto computed = store.codes(value, sample);
      const auto expected = reference.codes(value, sample);
      for (std::size_t e = 0; e < expected.size(); ++e) mismatches += computed[e] != expected[e];
    }
  }
}

}  // namespace lacuna::chip
