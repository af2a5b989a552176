// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/capacity.h"

#include <fmt/format.h>

#include <algorithm>

#include "timing/engine/pass.h"

namespace lacuna::timing::engine {
namespace {

std::int64_t ceil_div(std::int64_t value, std::int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

void require_at_most(std::vector<std::string>& violations, std::string_view what,
                     std::int64_t value, std::int64_t limit) {
  if (value > limit) violations.push_back(fmt::format("{}: {}, at most {}", what, value, limit));
}

}  // namespace

int mask_bytes_for(int rows) {
  int bytes = 1;
  while (8 * bytes < rows) bytes *= 2;
  return bytes;
}

int max_positions(const params::EngineParams& params) { return params.max_k / params.k_ways; }

std::int64_t pe_weight_capacity(const params::EngineParams& params) {
  return params.weight_buffer / (std::int64_t{params.pes} * params.k_ways);
}

std::int64_t pe_weight_bytes(const params::EngineParams& params, int positions, int rows,
                             std::int64_t values) {
  return std::int64_t{positions} * (mask_bytes_for(rows) + 2) +
         ceil_div(values, params.weight_word) * params.weight_word;
}

std::int64_t psum_bytes(const params::EngineParams& params, int rows, int groups) {
  return 4 * psum_words(params, rows, groups);
}

std::int64_t output_bytes(const params::EngineParams& params, int tokens, int channels) {
  return tokens * ceil_div(channels, params.act_block) * (params.act_block + params.act_block / 8);
}

std::vector<std::string> capacity_violations(const params::EngineParams& params, const Tile& tile) {
  std::vector<std::string> violations;
  require_at_most(violations, "positions per way", tile.positions, max_positions(params));
  require_at_most(violations, "windows", tile.windows, params.max_windows());
  require_at_most(violations, "rows per PE", tile.rows, params.rows_per_pe);
  const std::uint32_t values = *std::max_element(tile.pe_values.begin(), tile.pe_values.end());
  require_at_most(violations, "weight bytes of a PE",
                  pe_weight_bytes(params, tile.positions, tile.rows, values),
                  pe_weight_capacity(params));
  return violations;
}

std::vector<std::string> capacity_violations(const params::EngineParams& params,
                                             const Block& block) {
  std::vector<std::string> violations;
  require_at_most(violations, "activation slots (groups x windows)",
                  std::int64_t{block.groups} * block.windows, params.act_slots());
  for (int q = 0; q < block.k_ways; ++q) {
    require_at_most(violations, fmt::format("activation bytes of way {}", q),
                    block.lanes * block.set_bits(q), params.activation_buffer / params.k_ways);
  }
  return violations;
}

std::vector<std::string> capacity_violations(const params::EngineParams& params, const Tile& tile,
                                             const Block& block, bool psum, bool outputs) {
  std::vector<std::string> violations;
  if (psum) {
    require_at_most(violations, "partial sum bytes", psum_bytes(params, tile.rows, block.groups),
                    params.psum_buffer);
  }
  if (outputs) {
    require_at_most(violations, "output bytes", output_bytes(params, block.tokens, tile.channels),
                    params.output_buffer);
  }
  return violations;
}

}  // namespace lacuna::timing::engine
