// SPDX-License-Identifier: Apache-2.0
//
// How long the sequences of a task are: the file behind `lacuna lengths --distribution`.
//
//   schema: lacuna-length-counts-1
//   name: squad-1.1
//   source: who counted what
//   limit: 384                            # longer ones were cut; what padding fills up to
//   counts: {36: 3, 37: 2, 39: 9}         # length: sequences (or shares) of this length
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "params/field.h"

namespace lacuna::params {

inline constexpr std::string_view kLengthSchema = "lacuna-length-counts-1";
inline constexpr std::int64_t kMaxLength = 1 << 20;

/// Sequences of one length; `count` may be a share.
struct LengthCount {
  std::int64_t length = 0;
  double count = 0;
  friend bool operator==(const LengthCount&, const LengthCount&) = default;
};

struct LengthParams {
  std::string schema;
  std::string name;
  std::string source;
  std::int64_t limit = 0;
  std::map<std::string, double> counts;

  /// Keys that are no lengths, lengths beyond the limit, nothing but zeros.
  [[nodiscard]] std::vector<Violation> validate() const;
  /// Ascending, without those that do not occur; only of a valid file.
  [[nodiscard]] std::vector<LengthCount> lengths() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("schema", "version of this format: lacuna-length-counts-1"), self.schema);
    visitor(field("name", "name of the distribution"), self.name);
    visitor(field("source", "who counted what, for people"), self.source);
    visitor(field("limit", "longest sequence; padding fills up to it, in tokens")
                .range(1, static_cast<double>(kMaxLength)),
            self.limit);
    visitor(field("counts", "length in tokens: how many sequences have it, or their share")
                .range(0, 1e15),
            self.counts);
  }
};

}  // namespace lacuna::params
