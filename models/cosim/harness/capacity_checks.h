// SPDX-License-Identifier: Apache-2.0
//
// What an engine can be asked to do: loads and passes beyond its parameters are refused before they
// reach the RTL, which does not check them. Every function throws std::runtime_error.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "cosim/harness/rtl_test_abi.h"

namespace lacuna::cosim::harness {

/// Words (beats of the drain) of the psum memory's address.
inline constexpr std::uint64_t kPsumWords = 65536;

inline void require(bool holds, const char* otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

/// An order entry beyond the PEs would select nothing in the drain.
inline void check_order(const lacuna_rtl_parameters& p, const lacuna_rtl_load& load) {
  const auto beats = [&](std::uint64_t bits) {
    return (bits + 8 * p.load_width - 1) / (8 * p.load_width);
  };
  const std::uint64_t first =
      (beats(16ULL * load.windows) + beats(std::uint64_t{p.k_ways} * load.windows * p.scan_width)) *
      p.load_width;
  const std::uint64_t entries = std::uint64_t{p.pes} * load.rows;
  require(first + entries <= load.image_bytes, "the image ends within its tables");
  require(std::all_of(load.image + first, load.image + first + entries,
                      [&](std::uint8_t pe) { return pe < p.pes; }),
          "the image's channel order names a PE that is not there");
}

inline void check_load(const lacuna_rtl_parameters& p, const lacuna_rtl_load& load,
                       std::uint32_t kind) {
  require(load.kind == kind, "load of the wrong kind");
  require(load.image != nullptr && load.image_bytes != 0 && load.image_bytes % p.load_width == 0,
          "the image is not a positive number of load beats");
  require(load.windows >= 1 && load.windows <= p.max_windows, "windows exceed MAX_WINDOWS");
  if (kind == 0) {
    require(load.positions >= 1 && load.positions <= p.max_k / p.k_ways,
            "positions exceed MAX_POSITIONS");
    require(load.rows >= 1 && load.rows <= p.rows_per_pe, "rows exceed RowsPerPe");
    require(load.mask_log <= 3 && (8U << load.mask_log) >= load.rows,
            "the masks of the image do not hold the rows");
    check_order(p, load);
  } else {
    require(load.groups >= 1 && std::uint64_t{load.groups} * load.windows <= p.act_slots &&
                load.groups <= 0xffff,
            "groups x windows exceed ACT_SLOTS");
  }
}

/// `beats`: drain beats of a group.
inline void check_pass(const lacuna_rtl_parameters& p, const lacuna_rtl_job& job,
                       std::uint64_t beats) {
  const lacuna_rtl_pass& pass = *job.pass;
  require(pass.groups >= 1 && pass.groups == job.block->groups,
          "the pass has another number of groups than its block");
  require(job.weights->windows == job.block->windows, "tile and block have different windows");
  require(pass.tokens >= 1 && pass.tokens <= 0xffff &&
              (pass.tokens + p.lanes - 1) / p.lanes == pass.groups,
          "tokens do not fit the groups");
  require(
      pass.channels >= 1 && (pass.channels + p.pes - 1) / p.pes == std::uint64_t{job.weights->rows},
      "channels do not fit the rows of the tile");
  require(pass.clamp_lo >= -128 && pass.clamp_hi <= 255 && pass.clamp_lo <= pass.clamp_hi &&
              pass.gate <= 255,
          "clamp or gate out of range");
  require(pass.psum_write != 0 || job.weights->post != 0,
          "a pass with outputs needs a tile with bias, multiplier and shift");
  require(pass.psum_read == 0 || pass.psum_in != nullptr || job.chain != 0,
          "a pass that reads partial sums got none");
  require((pass.psum_read == 0 && pass.psum_write == 0) ||
              job.psum_base + pass.groups * beats <= kPsumWords,
          "partial sums exceed the address of the psum memory");
  require(pass.hold2 <= pass.hold1, "hold2 exceeds hold1");
  require(pass.cycle_limit != 0, "the cycle limit is 0");
  require(job.load_gaps <= 250, "a load with too many gaps");
}

}  // namespace lacuna::cosim::harness
