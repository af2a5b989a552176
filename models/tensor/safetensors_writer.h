// SPDX-License-Identifier: Apache-2.0
//
// Writer of safetensors files (format: safetensors.h). Tensors are produced one at a time while the
// file is written, so a file may be far larger than the memory; it appears under its name only when
// it is whole. Tensors stand by falling element size, then by name, without gaps: each is aligned
// for its type, and the same tensors give the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace lacuna::tensor {

/// Takes the next bytes of a tensor, row-major.
using ByteSink = std::function<void(std::span<const std::byte>)>;

struct TensorToWrite {
  std::string name;
  DType dtype = DType::kU8;
  std::vector<std::int64_t> shape;
  /// Hands all bytes of the tensor to the sink, in one or more pieces; called once.
  std::function<void(const ByteSink&)> produce;
};

/// One tensor whose bytes are at hand.
template <class T>
[[nodiscard]] TensorToWrite tensor_of(std::string name, std::vector<std::int64_t> shape,
                                      std::vector<T> values) {
  return {std::move(name), DTypeOf<T>::kValue, std::move(shape),
          [values = std::move(values)](const ByteSink& sink) {
            sink(std::as_bytes(std::span<const T>(values)));
          }};
}

/// Names must differ, and each producer must hand over exactly what its shape says (LACUNA_CHECK).
/// UserError when the file cannot be written; what a producer throws goes through, and nothing is
/// left behind.
void write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace lacuna::tensor
