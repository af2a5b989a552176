// SPDX-License-Identifier: Apache-2.0
//
// `lacuna describe CHIP --mapping WORKLOAD`: for each engine layer the chosen split, what it is
// predicted to take and why, and the candidates that come next and why they lose.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/mapping_study.h"
#include "mapper/layer_problem.h"
#include "workload/graph.h"

namespace lacuna::cli {

struct StudiedLayer {
  const workload::Layer* layer = nullptr;
  mapper::LayerStudy study;
  std::vector<SimulatedSplit> simulated;  ///< as study.ranked; empty: nothing was simulated
};

/// {"schema": "lacuna-mapping-1", chip, workload, batch, objective, layers[]};
/// docs/guide/mapping.md names the keys.
[[nodiscard]] nlohmann::ordered_json mapping_json(const params::ChipParams& chip,
                                                  const std::string& workload, std::int64_t batch,
                                                  const std::vector<StudiedLayer>& layers);
/// `shown`: candidates of a layer in the text.
[[nodiscard]] std::string mapping_text(const nlohmann::ordered_json& report, std::size_t shown);

/// In words: what the other candidate spends more of than the chosen one.
[[nodiscard]] std::string why_it_loses(params::Objective objective, const mapper::Candidate& chosen,
                                       const mapper::Candidate& other);

}  // namespace lacuna::cli
