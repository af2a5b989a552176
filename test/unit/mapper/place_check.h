// SPDX-License-Identifier: Apache-2.0
//
// Do the places of a program keep apart what is needed at the same time, also of samples that take
// turns in one place, and does whoever stores wait for all who read what was there?
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

using LayerSample = std::pair<int, int>;

/// What a sample of a value, or the partial sums of a group of samples of a layer, take in memory,
/// from the task that stores the first of it to the one that reads the last of it.
struct Place {
  std::string name;
  std::uint64_t begin = 0, end = 0;
  bool in_sram = false;
  std::set<int> users;  ///< layers
  int sample_begin = 0, sample_end = 0;
  int first_task = 1 << 30, last_task = -1;
  /// (layer, sample) that have been stored when something is stored in it; of all that do.
  std::vector<std::vector<LayerSample>> after;
};

/// Of everything that is stored; `waits`: by (layer, sample), what is stored before it can be.
[[nodiscard]] std::vector<Place> places_of(const workload::Graph& graph, const Program& program,
                                           std::map<LayerSample, std::vector<LayerSample>>& waits);

/// Complaints about the places of a program.
[[nodiscard]] std::vector<std::string> check_places(const workload::Graph& graph,
                                                    const params::ChipParams& chip,
                                                    const Program& program);

}  // namespace lacuna::mapper
