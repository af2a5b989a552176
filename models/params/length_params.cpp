// SPDX-License-Identifier: Apache-2.0
#include "params/length_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace lacuna::params {

namespace {

/// A whole number from 1 to kMaxLength, written without sign or leading zeros.
std::optional<std::int64_t> length_of(const std::string& key) {
  std::int64_t length = 0;
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data(), end, length);
  if (error != std::errc{} || stop != end || length < 1 || length > kMaxLength || key[0] == '0') {
    return std::nullopt;
  }
  return length;
}

}  // namespace

std::vector<Violation> LengthParams::validate() const {
  std::vector<Violation> found;
  if (schema != kLengthSchema) {
    found.push_back(
        {{"schema"},
         fmt::format("schema '{}' is not known; this version reads '{}'", schema, kLengthSchema)});
  }
  double sum = 0;
  for (const auto& [key, count] : counts) {
    const std::optional<std::int64_t> length = length_of(key);
    if (!length) {
      found.push_back(
          {{"counts." + key},
           fmt::format("'{}' is not a length: a whole number from 1 to {}", key, kMaxLength)});
    } else if (*length > limit) {
      found.push_back({{"counts." + key, "limit"},
                       fmt::format("length {} is beyond the limit of {}", *length, limit)});
    }
    sum += count;
  }
  if (!(sum > 0)) found.push_back({{"counts"}, "there is no sequence: every count is 0"});
  return found;
}

std::vector<LengthCount> LengthParams::lengths() const {
  std::vector<LengthCount> result;
  for (const auto& [key, count] : counts) {
    if (count > 0) result.push_back({length_of(key).value(), count});
  }
  std::sort(result.begin(), result.end(),
            [](const LengthCount& a, const LengthCount& b) { return a.length < b.length; });
  return result;
}

}  // namespace lacuna::params
