// SPDX-License-Identifier: Apache-2.0
//
// The JSON header of a safetensors file, parsed event by event: nothing but what the format allows
// is ever built, so nesting, duplicates and strange values are refused where they occur. Internal
// to the reader.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace lacuna::tensor {

struct HeaderEntry {
  std::string name;
  DType dtype = DType::kU8;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< offsets in the data section
  std::uint64_t end = 0;
};

struct Header {
  std::vector<HeaderEntry> entries;  ///< in the order written
  std::map<std::string, std::string> metadata;
};

/// UserError that starts with `path`.
[[nodiscard]] Header parse_safetensors_header(std::string_view json, const std::string& path);

}  // namespace lacuna::tensor
