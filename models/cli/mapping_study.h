// SPDX-License-Identifier: Apache-2.0
//
// How good a chosen mapping is: one engine layer with what comes before it, simulated with every
// candidate. Its input is made by the layers that make it in the network, back to the last engine
// layer (or by a copy), of all samples before it begins, in SRAM. Measured, in a warm run, is from
// the last store of those layers to the last store of this one; or, if that is more, how long the
// busiest load port works for the layer: loads ahead of the layer's input hide in a network only as
// far as earlier layers leave the port idle.
//
// Not here: layers behind it, whose weights come while it runs and take ports from its reductions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cycles.h"
#include "chip/chip.h"
#include "config/chip_files.h"
#include "mapper/layer_problem.h"
#include "workload/graph.h"

namespace lacuna::cli {

/// What a layer takes in the second, warm program of a run.
class LayerClock : public chip::EventSink {
 public:
  explicit LayerClock(int layer) : layer_(layer) {}

  void event(const chip::TimelineEvent& event) override;

  /// From the last store of the layers before it to its own last one, or how long the busiest load
  /// port works for it if that is more.
  [[nodiscard]] base::Cycle cycles() const;

 private:
  struct Port {
    base::Cycle busy = 0;
    base::Cycle until = 0;
  };
  int layer_;
  base::Cycle begin_ = 0;
  base::Cycle end_ = 0;
  std::map<int, Port> ports_;
};

/// What a split took; 0: was not simulated, because it cannot be the best (see simulate_splits).
struct SimulatedSplit {
  std::int64_t cycles = 0;
  std::int64_t passes = 0;
  std::int64_t pass_cycles = 0;
};

/// A network of that layer and those before it: what they make is drawn, the layer's operands with
/// `activation_density`; its weights are as they are. The last layer but one; the last reads its
/// output. First of all every core works for a layer that fills its weight buffer with something
/// else.
[[nodiscard]] workload::Graph single_layer(const workload::Graph& graph,
                                           const params::ChipParams& chip,
                                           const workload::Layer& layer, double activation_density);

/// Simulates each split, in processes of their own, `parallel` at a time. The first ones, which
/// should be the most promising, without condition; later ones only if the passes' drains and the
/// tiles' beats alone leave them a chance against the best so far.
[[nodiscard]] std::vector<SimulatedSplit> simulate_splits(
    const config::ChipFiles& files, const workload::Graph& graph, int layer,
    const std::vector<mapper::Candidate>& candidates, int batch, int parallel);

}  // namespace lacuna::cli
