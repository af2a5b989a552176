// SPDX-License-Identifier: Apache-2.0
//
// What `lacuna dram` reports: one JSON object (schema "lacuna-dram-1", docs/guide/dram.md), and the
// same for people.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "params/memory_params.h"
#include "timing/dram/timing_checker.h"
#include "traffic/channel_watch.h"
#include "traffic/replay.h"

namespace lacuna::cli {

struct DramRun {
  const params::MemoryPreset& preset;
  int channels = 1;
  std::string traffic;  ///< for people: "trace x.trc (dramsim3)", "random, seed 1"
  std::string loop;     ///< "open", "closed", "rate"
  std::optional<double> rate_bytes_per_s;
  std::int64_t outstanding = 0;
  std::int64_t capacity_bytes = 0;
  const traffic::ReplayResult& result;
  const traffic::ChannelWatch& watch;
};

[[nodiscard]] nlohmann::ordered_json dram_json(const DramRun& run);
[[nodiscard]] std::string dram_text(const nlohmann::ordered_json& report);

}  // namespace lacuna::cli
