// SPDX-License-Identifier: Apache-2.0
//
// Makes the bytes of safetensors files for tests, good ones from tensors and bad ones from raw
// parts.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::test {

/// 8 bytes of header length, the header, the data: nothing is checked.
inline std::string raw_safetensors(std::string_view header, std::string_view data) {
  std::string bytes(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  bytes += header;
  bytes += data;
  return bytes;
}

class SafetensorsWriter {
 public:
  template <class T>
  SafetensorsWriter& add(const std::string& name, const std::vector<std::int64_t>& shape,
                         const std::vector<T>& values) {
    static_assert(sizeof(T) <= 4);
    std::string dimensions;
    for (const std::int64_t d : shape)
      dimensions += (dimensions.empty() ? "" : ",") + std::to_string(d);
    const std::size_t begin = data_.size();
    data_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    header_ += (header_.empty() ? "" : ",");
    header_ += "\"" + name + "\":{\"dtype\":\"" + dtype<T>() + "\",\"shape\":[" + dimensions +
               "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data_.size()) +
               "]}";
    return *this;
  }
  [[nodiscard]] std::string bytes() const { return raw_safetensors("{" + header_ + "}", data_); }

 private:
  template <class T>
  static std::string dtype() {
    if constexpr (std::is_floating_point_v<T>) return "F32";
    return std::string(std::is_signed_v<T> ? "I" : "U") + std::to_string(8 * sizeof(T));
  }
  std::string header_;
  std::string data_;
};

}  // namespace lacuna::test
