// SPDX-License-Identifier: Apache-2.0
#include "tensor/dtype.h"

#include <array>

namespace lacuna::tensor {

namespace {

struct Entry {
  DType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Entry, 13> kEntries{{{DType::kBool, "BOOL", 1},
                                          {DType::kI8, "I8", 1},
                                          {DType::kU8, "U8", 1},
                                          {DType::kI16, "I16", 2},
                                          {DType::kU16, "U16", 2},
                                          {DType::kF16, "F16", 2},
                                          {DType::kBF16, "BF16", 2},
                                          {DType::kI32, "I32", 4},
                                          {DType::kU32, "U32", 4},
                                          {DType::kF32, "F32", 4},
                                          {DType::kI64, "I64", 8},
                                          {DType::kU64, "U64", 8},
                                          {DType::kF64, "F64", 8}}};

}  // namespace

std::optional<DType> parse_dtype(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.type;
  }
  return std::nullopt;
}

std::string_view dtype_name(DType type) { return kEntries[static_cast<std::size_t>(type)].name; }

std::size_t dtype_size(DType type) { return kEntries[static_cast<std::size_t>(type)].size; }

}  // namespace lacuna::tensor
