// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_writer.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "config/values.h"

namespace lacuna::trace {

namespace {

namespace fs = std::filesystem;

constexpr const char* kHead =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Made by `lacuna trace`; format: docs/reference/workload.md\n";

std::string workload_path(const std::string& folder) { return folder + "/workload.yaml"; }
std::string tensors_path(const std::string& folder) { return folder + "/tensors.safetensors"; }

}  // namespace

void check_output_folder(const std::string& folder, const std::string& workload_file) {
  std::error_code ignored;
  if (fs::equivalent(workload_path(folder), workload_file, ignored)) {
    throw base::UserError(
        fmt::format("the trace in '{}' would replace the workload that it is made from", folder));
  }
}

std::vector<tensor::TensorToWrite> copied_tensors(const workload::Graph& graph,
                                                  const params::WorkloadParams& params,
                                                  const std::set<std::string>& without) {
  std::vector<tensor::TensorToWrite> result;
  for (const auto& file : graph.files) {
    if (file->path() != params.tensors) continue;
    for (const tensor::TensorView& view : file->tensors()) {
      if (without.contains(view.name)) continue;
      result.push_back({view.name, view.dtype, view.shape,
                        [file, &view](const tensor::ByteSink& sink) { sink(view.data); }});
    }
  }
  return result;
}

std::set<std::string> drop_expected(params::WorkloadParams& params) {
  std::set<std::string> dropped;
  for (params::LayerParams& layer : params.layers) {
    if (layer.expect) dropped.insert(*layer.expect);
    layer.expect.reset();
  }
  if (params.result) {
    dropped.insert(params.result->labels);
    if (params.result->expect) dropped.insert(*params.result->expect);
    params.result.reset();
  }
  return dropped;
}

std::vector<std::int64_t> weight_tensor_shape(const workload::Layer& layer) {
  const std::int64_t y = layer.window.kernel_y;
  const std::int64_t x = layer.window.kernel_x;
  if (layer.op == params::Op::kDepthwise) return {layer.weights.n, y, x};
  if (layer.op != params::Op::kConv2d) return {layer.weights.n, layer.weights.k};
  return {layer.weights.n, y, x, layer.weights.k / (y * x * layer.gemm.groups)};
}

namespace {

/// Whether the loader chooses constants for the layer, which it only does for statistics.
bool has_chosen_constants(const params::LayerParams& layer) {
  switch (layer.op) {
    case params::Op::kSoftmax:
      return !layer.table;
    case params::Op::kLayerNorm:
    case params::Op::kRmsNorm:
      return !layer.gamma;
    case params::Op::kMatmul:
      return !layer.requantize;
    default:
      return false;
  }
}

}  // namespace

std::string source_of(const params::WorkloadParams& params) {
  bool tensors = false;
  bool statistics = false;
  for (const params::InputParams& input : params.inputs) {
    (input.tensor.empty() ? statistics : tensors) = true;
  }
  for (const params::LayerParams& layer : params.layers) {
    if (layer.weights) (layer.weights->tensor.empty() ? statistics : tensors) = true;
    if (layer.activations || (layer.output && layer.output->drawn)) statistics = true;
    if (has_chosen_constants(layer)) statistics = true;
  }
  return !statistics ? "captured" : tensors ? "mixed" : "statistic";
}

void complete_provenance(params::WorkloadParams& params) {
  params.provenance["source"] = source_of(params);
  std::vector<std::string> needed{"model"};
  if (params.provenance["source"] != "statistic") {
    for (const char* key : {"data", "method", "pattern", "target_sparsity", "weight_sparsity",
                            "accuracy_float_dense", "accuracy_int8"}) {
      needed.emplace_back(key);
    }
  }
  for (const std::string& key : needed) params.provenance.try_emplace(key, "not stated");
}

void write_trace(const std::string& folder, params::WorkloadParams params,
                 std::vector<tensor::TensorToWrite> tensors) {
  base::create_folders(folder);
  params.tensors = tensors.empty() ? "" : tensors_path(folder);
  if (!tensors.empty()) {
    tensor::write_safetensors(params.tensors, std::move(tensors),
                              {{"workload", params.name}, {"schema", params.schema}});
  }
  const std::string text = config::dump(params, workload_path(folder));
  base::write_file_atomically(workload_path(folder), kHead + text);
}

}  // namespace lacuna::trace
