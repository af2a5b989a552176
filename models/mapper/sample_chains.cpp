// SPDX-License-Identifier: Apache-2.0
#include "mapper/sample_chains.h"

#include <algorithm>
#include <limits>

#include "mapper/lifetimes.h"

namespace lacuna::mapper {

std::vector<SampleChain> cut_chains(const workload::Graph& graph, const Program& program,
                                    const std::vector<LayerDemand>& demands,
                                    std::int64_t weight_bytes, int samples) {
  const auto layers = static_cast<int>(graph.layers.size());
  std::vector<double> traffic(graph.values.size() + program.gemms.size(), 0.0);
  for (const LayerDemand& demand : demands) {
    for (const LayerDemand::Access& each : demand.accesses) {
      traffic[static_cast<std::size_t>(each.value)] += each.bytes;
    }
  }
  // What leaves the chip does so in any case.
  std::vector<int> last_reader(static_cast<std::size_t>(layers), kNone);
  for (const workload::Layer& layer : graph.layers) {
    if (layer.is_view() || leaves_chip(graph, layer.output)) continue;
    last_reader[static_cast<std::size_t>(layer.index)] = graph.readers(layer.output).back();
  }
  // least[i]: of the first i layers, cut before layer i; begin[i]: where their last run begins.
  std::vector<double> least(static_cast<std::size_t>(layers) + 1,
                            std::numeric_limits<double>::max());
  std::vector<int> begin(least.size(), 0);
  least[0] = 0;
  for (int end = 1; end <= layers; ++end) {
    double crossing = 0;
    double weights = 0;
    for (int first = end - 1; first >= 0; --first) {
      const auto at = static_cast<std::size_t>(first);
      weights += static_cast<double>(demands[at].weights) + demands[at].selected_bytes;
      if (first < end - 1 && weights > static_cast<double>(weight_bytes)) break;
      if (last_reader[at] >= end) {
        crossing += traffic[static_cast<std::size_t>(graph.layers[at].output)];
      }
      if (least[at] + crossing < least[static_cast<std::size_t>(end)]) {
        least[static_cast<std::size_t>(end)] = least[at] + crossing;
        begin[static_cast<std::size_t>(end)] = first;
      }
    }
  }
  std::vector<SampleChain> chains;
  for (int end = layers; end > 0; end = begin[static_cast<std::size_t>(end)]) {
    const int first = begin[static_cast<std::size_t>(end)];
    bool keeps = false;
    for (int i = first; i < end; ++i) {
      const int reader = last_reader[static_cast<std::size_t>(i)];
      keeps = keeps || (reader != kNone && reader < end);
    }
    if (keeps) chains.push_back({first, end, samples});
  }
  std::reverse(chains.begin(), chains.end());
  return chains;
}

std::vector<int> group_sizes(int batch) {
  std::vector<int> sizes;
  for (int size = 1; size < batch; ++size) {
    if (batch % size == 0) sizes.push_back(size);
  }
  return sizes;
}

}  // namespace lacuna::mapper
