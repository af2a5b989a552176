// SPDX-License-Identifier: Apache-2.0
//
// What one simulation gave, as a point on a curve over the size of its input (tokens of the
// context, length of the sequence), and the straight lines between such points.
#pragma once

#include <cstdint>
#include <vector>

namespace lacuna::cli {

struct SimulatedStep {
  std::int64_t size = 0;  ///< tokens
  double seconds = 0;
  double energy_j = 0;
  double dram_bytes = 0;
};

/// `count` whole numbers from `first` to `last`, evenly spaced, both ends included; all of them if
/// there are no more. Empty if last < first. count >= 2.
[[nodiscard]] std::vector<std::int64_t> evenly_spaced(std::int64_t first, std::int64_t last,
                                                      std::int64_t count);

/// What a step of `size` takes if those between two simulated ones lie on a straight line. `steps`
/// ascend and reach from at most `size` to at least `size`.
[[nodiscard]] SimulatedStep between(const std::vector<SimulatedStep>& steps, std::int64_t size);

/// How far the simulated points are from straight lines: each inner one is left out and taken from
/// the line between its neighbours; the largest relative distance in seconds. 0 with fewer than
/// three. For a smooth curve about four times the error that between() makes, because the gaps are
/// twice as wide.
[[nodiscard]] double left_out_error(const std::vector<SimulatedStep>& steps);

}  // namespace lacuna::cli
