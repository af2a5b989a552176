// SPDX-License-Identifier: Apache-2.0
#include "traffic/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"

namespace lacuna::traffic {

namespace {

constexpr double kMaxRequests = 1e12;

const std::vector<std::string>& pattern_names() {
  static const std::vector<std::string> names = {"stream", "random", "conflict", "mixed"};
  return names;
}

/// A whole number, with k, M or G for thousands.
std::int64_t parse_count(std::string_view text, std::string_view what) {
  std::string_view digits = text;
  double factor = 1;
  if (!digits.empty()) {
    const char last = digits.back();
    factor = last == 'k' ? 1e3 : last == 'M' ? 1e6 : last == 'G' ? 1e9 : 1;
    if (factor > 1) digits.remove_suffix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  value *= factor;
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
      !(value >= 1 && value <= kMaxRequests) || value != std::floor(value)) {
    throw base::UserError(fmt::format("{}: '{}' is not a whole number from 1 to 1000G, such as 1M",
                                      what, base::printable(text, 40)));
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string_view pattern_name(Pattern pattern) {
  return pattern_names()[static_cast<std::size_t>(pattern)];
}

SyntheticSpec parse_synthetic(std::string_view text, std::string_view option) {
  const std::vector<std::string> parts = base::split(text, ',');
  const auto found = std::find(pattern_names().begin(), pattern_names().end(), parts.front());
  if (found == pattern_names().end()) {
    throw base::UserError(fmt::format("{}: '{}' is not one of {}{}", option,
                                      base::printable(parts.front(), 40),
                                      base::list_in_words(pattern_names(), "or"),
                                      base::did_you_mean(parts.front(), pattern_names())));
  }
  SyntheticSpec spec;
  spec.pattern = static_cast<Pattern>(found - pattern_names().begin());
  if (spec.pattern == Pattern::kMixed) spec.writes = 1.0 / 3;
  const std::vector<std::string> keys = {"requests", "seed", "writes", "span"};
  std::set<std::string> given;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals);
    if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end()) {
      throw base::UserError(fmt::format(
          "{}: '{}' is not a key=value with one of {}{}", option, base::printable(parts[i], 40),
          base::list_in_words(keys, "or"), base::did_you_mean(key, keys)));
    }
    if (!given.insert(key).second) {
      throw base::UserError(fmt::format("{}: '{}' is given twice", option, key));
    }
    const std::string value = parts[i].substr(equals + 1);
    const std::string what = fmt::format("{}: {}", option, key);
    if (key == "requests") {
      spec.requests = parse_count(value, what);
    } else if (key == "seed") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), spec.seed);
      if (value.empty() || error != std::errc{} || end != value.data() + value.size()) {
        throw base::UserError(
            fmt::format("{}: '{}' is not a 64-bit number", what, base::printable(value, 40)));
      }
    } else if (key == "writes") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), spec.writes);
      if (value.empty() || error != std::errc{} || end != value.data() + value.size() ||
          !(spec.writes >= 0 && spec.writes <= 1)) {
        throw base::UserError(
            fmt::format("{}: '{}' is not a share from 0 to 1", what, base::printable(value, 40)));
      }
    } else {
      try {
        const base::Quantity size = base::parse_quantity(value, base::Unit::kBytes);
        if (!size.is_integer || size.integer < 1) throw base::UserError("at least 1 B");
        spec.span = size.integer;
      } catch (const base::UserError& error) {
        throw base::UserError(fmt::format("{}: {}", what, error.what()));
      }
    }
  }
  return spec;
}

SyntheticSource::SyntheticSource(const SyntheticSpec& spec, std::int64_t request_bytes,
                                 const timing::dram::AddressMap& map,
                                 const params::MemoryOrganization& sizes, int channels)
    : spec_(spec),
      request_bytes_(request_bytes),
      map_(map),
      channels_(channels),
      rows_(sizes.rows),
      places_(0),
      rng_(spec.seed) {
  const auto bytes = static_cast<std::uint64_t>(request_bytes);
  std::uint64_t span = map.capacity_bytes();
  if (spec.span > 0) span = std::min(span, static_cast<std::uint64_t>(spec.span));
  places_ = span / bytes;
  if (places_ == 0) {
    throw base::UserError(
        fmt::format("a request of {} bytes does not fit into {} bytes", request_bytes, span));
  }
  if (spec.pattern == Pattern::kConflict && request_bytes > sizes.burst_bytes()) {
    throw base::UserError(fmt::format(
        "conflict traffic has one burst of {} bytes a request, not {}: leave --request-bytes out",
        sizes.burst_bytes(), request_bytes));
  }
}

bool SyntheticSource::next(Request& request) {
  if (made_ == spec_.requests) return false;
  const auto number = static_cast<std::uint64_t>(made_);
  ++made_;
  request.scheduled = 0;
  request.bytes = request_bytes_;
  switch (spec_.pattern) {
    case Pattern::kStream:
      request.address = number % places_ * static_cast<std::uint64_t>(request_bytes_);
      break;
    case Pattern::kRandom:
    case Pattern::kMixed:
      request.address = rng_.below(places_) * static_cast<std::uint64_t>(request_bytes_);
      break;
    case Pattern::kConflict: {
      timing::dram::DramAddress at;
      at.channel = static_cast<std::int32_t>(number % static_cast<std::uint64_t>(channels_));
      at.row = static_cast<std::int32_t>(number / static_cast<std::uint64_t>(channels_) %
                                         static_cast<std::uint64_t>(rows_));
      request.address = map_.encode(at);
      break;
    }
  }
  request.is_write = spec_.writes > 0 && rng_.bernoulli(spec_.writes);
  return true;
}

bool RatedSource::next(Request& request) {
  if (!inner_.next(request)) return false;
  const double cycle = std::floor(bytes_ * cycles_per_byte_);
  if (cycle > static_cast<double>(kMaxScheduled)) {
    throw base::UserError("at this rate the requests do not end in any time that can be simulated");
  }
  request.scheduled = static_cast<Cycle>(cycle);
  bytes_ += static_cast<double>(request.bytes);
  return true;
}

}  // namespace lacuna::traffic
