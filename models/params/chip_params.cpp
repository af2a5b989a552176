// SPDX-License-Identifier: Apache-2.0
#include "params/chip_params.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cycles.h"

namespace lacuna::params {

int EngineParams::max_windows() const {
  return std::max(16, 2 * base::ceil_div(max_k, k_ways * scan_width));
}

int EngineParams::act_slots() const {
  const std::int64_t slots = 2 * activation_buffer / (std::int64_t{k_ways} * lanes * scan_width);
  return static_cast<int>(std::max<std::int64_t>(64, slots));
}

std::vector<Violation> EngineParams::validate() const {
  std::vector<Violation> found;
  const auto require = [&](bool holds, std::vector<std::string> keys, std::string message) {
    if (!holds) found.push_back({std::move(keys), std::move(message)});
  };
  require(drain_width > 0 && pes > 0 && (pes % drain_width == 0 || drain_width % pes == 0),
          {"drain_width", "pes"},
          fmt::format("drain_width ({}) must divide pes ({}) or be a multiple of it", drain_width,
                      pes));
  require(pes < 1 || drain_width <= pes * rows_per_pe, {"drain_width", "pes", "rows_per_pe"},
          fmt::format("drain_width ({}) is more than the pes * rows_per_pe = {} channels of a tile",
                      drain_width, pes * rows_per_pe));
  require(weight_word > 0 && load_width % weight_word == 0, {"load_width", "weight_word"},
          fmt::format("load_width ({} B) must be a multiple of weight_word ({} B)", load_width,
                      weight_word));
  require(lanes > 0 && load_width % lanes == 0, {"lanes", "load_width"},
          fmt::format("load_width ({} B) must be a multiple of lanes ({})", load_width, lanes));
  require(k_ways > 0 && max_k % k_ways == 0, {"max_k", "k_ways"},
          fmt::format("max_k ({}) must be a multiple of k_ways ({})", max_k, k_ways));
  require(
      drain_width > 0 && act_block % drain_width == 0, {"act_block", "drain_width"},
      fmt::format("act_block ({}) must be a multiple of drain_width ({})", act_block, drain_width));
  const std::int64_t weight_step = std::int64_t{pes} * k_ways * weight_word;
  require(
      weight_step > 0 && weight_buffer % weight_step == 0,
      {"weight_buffer", "pes", "k_ways", "weight_word"},
      fmt::format("weight_buffer ({} B) must be a multiple of pes * k_ways * weight_word = {} B, "
                  "a word of every PE",
                  weight_buffer, weight_step));
  const std::int64_t activation_step = std::int64_t{k_ways} * load_width;
  require(
      activation_step > 0 && activation_buffer % activation_step == 0,
      {"activation_buffer", "k_ways", "load_width"},
      fmt::format("activation_buffer ({} B) must be a multiple of k_ways * load_width = {} B, a "
                  "word of every way",
                  activation_buffer, activation_step));
  return found;
}

std::vector<Violation> EngineParams::rtl_limits() const {
  std::vector<Violation> found;
  if (rows_per_pe > 64) {
    found.push_back({{"rows_per_pe"},
                     fmt::format("the RTL holds at most 64 rows per PE, not {}", rows_per_pe)});
  }
  return found;
}

std::vector<Violation> SramParams::validate() const {
  std::vector<Violation> found;
  const std::int64_t row = std::int64_t{banks} * width;
  if (row <= 0 || capacity % row != 0) {
    found.push_back(
        {{"capacity", "banks", "width"},
         fmt::format("capacity ({} B) must be a multiple of banks * width = {} B", capacity, row)});
  }
  return found;
}

std::vector<Violation> ChipParams::validate() const {
  std::vector<Violation> found;
  if (cores_per_port < 1 || cores % cores_per_port != 0) {
    found.push_back({{"chip.cores", "chip.cores_per_port"},
                     fmt::format("cores ({}) must be a multiple of cores_per_port ({})", cores,
                                 cores_per_port)});
  }
  if (name.empty()) found.push_back({{"chip.name"}, "the name of a chip must not be empty"});
  return found;
}

}  // namespace lacuna::params
