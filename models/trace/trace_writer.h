// SPDX-License-Identifier: Apache-2.0
//
// Writes a trace: a folder with workload.yaml and tensors.safetensors, each whole or not at all.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "params/workload_params.h"
#include "tensor/safetensors_writer.h"
#include "workload/graph.h"

namespace lacuna::trace {

/// UserError when a trace in `folder` would replace the workload file that it is made from.
void check_output_folder(const std::string& folder, const std::string& workload_file);

/// All tensors of the workload's default file except those named.
[[nodiscard]] std::vector<tensor::TensorToWrite> copied_tensors(
    const workload::Graph& graph, const params::WorkloadParams& params,
    const std::set<std::string>& without);

/// Forgets reference outputs and classes, which do not hold for other operands, and returns the
/// names of their tensors.
std::set<std::string> drop_expected(params::WorkloadParams& params);

/// Shape of the tensor that holds a layer's weights: [n, rows, columns, channels of a group] of a
/// conv2d, [channels, rows, columns] of a depthwise one, else [n, k].
[[nodiscard]] std::vector<std::int64_t> weight_tensor_shape(const workload::Layer& layer);

/// The provenance's `source` as it has to be: captured, statistic or mixed.
[[nodiscard]] std::string source_of(const params::WorkloadParams& params);

/// Adds what a provenance must have and does not, as `not stated`; sets `source`.
void complete_provenance(params::WorkloadParams& params);

/// `params.tensors` is set to the new file (or emptied when there is no tensor at all).
void write_trace(const std::string& folder, params::WorkloadParams params,
                 std::vector<tensor::TensorToWrite> tensors);

}  // namespace lacuna::trace
