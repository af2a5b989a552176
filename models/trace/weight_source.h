// SPDX-License-Identifier: Apache-2.0
//
// Weights from outside, by name: a folder of .smtx or .mtx files (each named by its stem) or one of
// them, a safetensors file, a sharded set (model.safetensors.index.json, or the folder that holds
// the shards). Nothing is read before it is asked for, and one tensor at a time: memory holds at
// most one matrix, safetensors are mapped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tensor/code_matrix.h"
#include "tensor/safetensors.h"

namespace lacuna::trace {

/// One foreign tensor; either `codes` or `view`.
struct SourceTensor {
  std::string text;  ///< "model.safetensors:conv1.weight", for messages and provenance
  std::vector<std::int64_t> shape;
  std::optional<tensor::CodeMatrix> codes;   ///< s8
  const tensor::TensorView* view = nullptr;  ///< I8, F16, BF16, F32 or F64
};

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// Sorted.
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
  /// `name` is one of names(). `seed` draws the values where the file has none.
  [[nodiscard]] virtual SourceTensor read(const std::string& name, std::uint64_t seed) = 0;
};

/// UserError for what is none of the above; a file of a training framework comes with the command
/// that imports it.
[[nodiscard]] std::unique_ptr<WeightSource> open_weight_source(const std::string& path);

}  // namespace lacuna::trace
