// SPDX-License-Identifier: Apache-2.0
//
// How the channels of a tile are dealt to PEs. Only permutations inside a row (P consecutive
// channels) are allowed, because the drain restores channel order with a P-wide multiplexer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// The `order` of a tile. Deals the channels of each row, heaviest first, to the PE with the least
/// load so far, then takes each row back and deals it again, a few times over; a channel's load is
/// its number of mask bits (kGreedy), or their sum weighted with how often the activation at that k
/// is non-zero (kActivation). kNone: place i on PE i.
///
/// `source.order` is ignored. `density`: one weight per k of the tile's windows (k_range order),
/// used by kActivation only; empty counts as all 1. Deterministic: ties go to the lower channel and
/// the lower PE.
[[nodiscard]] std::vector<std::uint8_t> balance_order(const params::EngineParams& params,
                                                      const TileSource& source,
                                                      params::Balance balance,
                                                      std::span<const float> density = {});

}  // namespace lacuna::timing::engine
