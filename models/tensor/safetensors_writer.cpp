// SPDX-License-Identifier: Apache-2.0
#include "tensor/safetensors_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace lacuna::tensor {

namespace {

std::uint64_t byte_count(const TensorToWrite& tensor) {
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) bytes *= static_cast<std::uint64_t>(extent);
  return bytes;
}

std::string header_of(const std::vector<TensorToWrite>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    LACUNA_CHECK(!header.contains(tensor.name), "two tensors are called {}", tensor.name);
    const std::uint64_t end = offset + byte_count(tensor);
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.is_null()
                         ? "{}"
                         : header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    const std::size_t a_size = dtype_size(a.dtype);
    const std::size_t b_size = dtype_size(b.dtype);
    return a_size != b_size ? a_size > b_size : a.name < b.name;
  });
  const std::string header = header_of(tensors, metadata);
  std::string length(8, '\0');
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<char>((header.size() >> (8 * i)) & 0xFFU);
  }
  base::AtomicFileWriter writer(path);
  writer.write(length);
  writer.write(header);
  for (const TensorToWrite& tensor : tensors) {
    std::uint64_t written = 0;
    tensor.produce([&](std::span<const std::byte> bytes) {
      writer.write(as_text(bytes));
      written += bytes.size();
    });
    LACUNA_CHECK(written == byte_count(tensor), "tensor {} has {} bytes instead of {}", tensor.name,
                 written, byte_count(tensor));
  }
  writer.commit();
}

}  // namespace lacuna::tensor
