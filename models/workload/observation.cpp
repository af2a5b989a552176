// SPDX-License-Identifier: Apache-2.0
#include "workload/observation.h"

#include <algorithm>

namespace lacuna::workload {

Observation everything(const Graph& graph) {
  Observation all;
  all.used.assign(graph.values.size(), true);
  for (const Layer& layer : graph.layers) {
    all.computed.push_back(!graph.output_of(layer).output_drawn);
  }
  return all;
}

Observation observe(const Graph& graph) {
  Observation seen;
  seen.computed.assign(graph.layers.size(), false);
  seen.used.assign(graph.values.size(), false);
  std::vector<bool> awaited(graph.values.size(), false);
  std::vector<bool> viewed(graph.values.size(), false);  // compared through a view
  for (const Layer& layer : graph.layers) {
    for (const int value : layer.wait_for) {
      awaited[static_cast<std::size_t>(graph.value(value).storage)] = true;
    }
  }
  for (std::size_t i = graph.layers.size(); i-- > 0;) {
    const Layer& layer = graph.layers[i];
    const std::vector<int> readers = graph.readers(layer.output);
    const bool leaves =
        readers.empty() && !awaited[static_cast<std::size_t>(graph.value(layer.output).storage)];
    const bool is_result = graph.result && static_cast<std::size_t>(graph.result->layer) == i;
    const bool looked_at = std::any_of(readers.begin(), readers.end(), [&](int reader) {
      return graph.layers[static_cast<std::size_t>(reader)].on_engine() ||
             seen.computed[static_cast<std::size_t>(reader)];
    });
    const auto storage = static_cast<std::size_t>(graph.output_of(layer).storage);
    const bool compared = is_result || layer.expect != nullptr || viewed[storage];
    if (layer.is_view()) viewed[storage] = compared;
    seen.computed[i] = !graph.output_of(layer).output_drawn && (leaves || compared || looked_at);
    if (!seen.computed[i] && layer.op != Op::kEmbedding) continue;  // rows are looked up by value
    const auto use = [&](int value) {
      if (value == kNoValue) return;
      seen.used[static_cast<std::size_t>(graph.value(value).storage)] = true;
    };
    use(layer.input);
    use(layer.right);
    for (const int value : layer.others) use(value);
  }
  // A view is made where its storage is.
  for (std::size_t id = 0; id < graph.values.size(); ++id) {
    seen.used[id] = seen.used[static_cast<std::size_t>(graph.values[id].storage)];
  }
  return seen;
}

}  // namespace lacuna::workload
