// SPDX-License-Identifier: Apache-2.0
//
// Requests that need no file.
//
//   stream     addresses one after the other
//   random     anywhere in the memory, aligned to the request size
//   conflict   row after row of one bank (of every channel in turn): every request a row conflict
//   mixed      random, a third of them writes
//
// A specification is a name and keys: "random,requests=2M,seed=7,writes=0.25,span=64MiB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "timing/dram/address_map.h"
#include "traffic/request.h"

namespace lacuna::traffic {

enum class Pattern { kStream, kRandom, kConflict, kMixed };
[[nodiscard]] std::string_view pattern_name(Pattern pattern);

struct SyntheticSpec {
  Pattern pattern = Pattern::kStream;
  std::int64_t requests = 1'000'000;
  std::uint64_t seed = 1;
  double writes = 0;      ///< share of requests
  std::int64_t span = 0;  ///< bytes from address 0 on that are touched; 0: all
};

/// UserError that names what is wrong; `option` ("--traffic") stands in messages.
[[nodiscard]] SyntheticSpec parse_synthetic(std::string_view text, std::string_view option);

class SyntheticSource final : public RequestSource {
 public:
  /// `map` outlives this. UserError if a request does not fit the memory or the span.
  SyntheticSource(const SyntheticSpec& spec, std::int64_t request_bytes,
                  const timing::dram::AddressMap& map, const params::MemoryOrganization& sizes,
                  int channels);
  bool next(Request& request) override;

 private:
  SyntheticSpec spec_;
  std::int64_t request_bytes_;
  const timing::dram::AddressMap& map_;
  int channels_;
  std::int64_t rows_;
  std::uint64_t places_;  ///< of requests in the span
  base::Rng rng_;
  std::int64_t made_ = 0;
};

/// Requests of another source, evenly spaced by the bytes that they move.
class RatedSource final : public RequestSource {
 public:
  /// `bytes_per_cycle` above 0; `inner` outlives this.
  RatedSource(RequestSource& inner, double bytes_per_cycle)
      : inner_(inner), cycles_per_byte_(1 / bytes_per_cycle) {}
  /// UserError when the end of time is reached.
  bool next(Request& request) override;

 private:
  RequestSource& inner_;
  double cycles_per_byte_;
  double bytes_ = 0;
};

}  // namespace lacuna::traffic
