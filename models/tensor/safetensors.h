// SPDX-License-Identifier: Apache-2.0
//
// Reader of safetensors files (format: https://github.com/huggingface/safetensors, "Format"): 8
// bytes little-endian header length, a JSON header {"name": {"dtype", "shape", "data_offsets"}},
// then the data. The file is mapped, never copied; opening it checks everything that the header
// claims, so that a TensorView can be read without a further check:
//   - header length within the file and at most kMaxHeaderBytes; a JSON object, no deeper than the
//     format needs, no duplicate and no unknown keys, `__metadata__` only strings;
//   - known element type; shape non-negative, product without overflow;
//   - offsets in order, within the data, as long as type and shape say; together they cover the
//   data
//     without hole, overlap or rest.
// Data need not be aligned (the format does not ask for it): elements are read with memcpy.
// Not handled: big-endian machines, files that somebody truncates while they are mapped.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "tensor/dtype.h"

namespace lacuna::tensor {

/// "[2, 3, 4]".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

/// One tensor of a mapped file; valid as long as the SafetensorsFile lives.
struct TensorView {
  std::string name;
  DType dtype = DType::kU8;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  ///< elements() * dtype_size(dtype) bytes, row-major

  [[nodiscard]] std::int64_t elements() const {
    return static_cast<std::int64_t>(data.size() / dtype_size(dtype));
  }
  /// Element at a row-major index; T must match dtype. Safe for unaligned data.
  template <class T>
  [[nodiscard]] T at(std::int64_t index) const {
    LACUNA_CHECK(DTypeOf<T>::kValue == dtype, "tensor {} read as another type", name);
    LACUNA_CHECK(index >= 0 && index < elements(), "tensor {} read at {}", name, index);
    T value;
    std::memcpy(&value, data.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
    return value;
  }
  /// All elements, copied out; T must match dtype.
  template <class T>
  [[nodiscard]] std::vector<T> copy() const {
    LACUNA_CHECK(DTypeOf<T>::kValue == dtype, "tensor {} read as another type", name);
    std::vector<T> values(static_cast<std::size_t>(elements()));
    if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
    return values;
  }
};

class SafetensorsFile {
 public:
  static constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  ///< as in the reference reader

  /// Maps and validates; UserError with the file's name, and the tensor's where there is one.
  [[nodiscard]] static std::shared_ptr<const SafetensorsFile> open(const std::string& path);

  /// nullptr if there is none of that name.
  [[nodiscard]] const TensorView* find(std::string_view name) const;
  /// UserError (without a location, the message names the file and the nearest name).
  [[nodiscard]] const TensorView& get(std::string_view name) const;
  /// In order of their data in the file.
  [[nodiscard]] const std::vector<TensorView>& tensors() const { return tensors_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  explicit SafetensorsFile(const std::string& path);

  base::MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace lacuna::tensor
