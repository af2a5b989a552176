// SPDX-License-Identifier: Apache-2.0
#include "report/source_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/format.h"

namespace lacuna::report {

namespace {

using workload::Origin;

constexpr std::size_t kLongestText = 200;

/// Adds an operand of `elements` codes; `zeros` is their share, negative if nobody counted.
void count(OperandSummary& summary, Origin origin, double zeros, double elements, double& weight) {
  if (origin == Origin::kComputed) {
    ++summary.computed;
    return;
  }
  ++(origin == Origin::kCaptured ? summary.captured : summary.drawn);
  if (zeros < 0) return;
  summary.least = std::min(summary.least, zeros);
  summary.most = std::max(summary.most, zeros);
  summary.zeros += zeros * elements;
  weight += elements;
}

/// "3 captured, 13 drawn (7 different), 4 computed".
std::string origins(const OperandSummary& summary, const std::string& computed) {
  std::vector<std::string> parts;
  if (summary.captured > 0) parts.push_back(fmt::format("{} captured", summary.captured));
  if (summary.drawn > 0) parts.push_back(fmt::format("{} drawn", summary.drawn));
  const std::int64_t given = summary.captured + summary.drawn;
  if (summary.distinct > 0 && summary.distinct < given) {
    parts.back() += fmt::format(" ({} different)", summary.distinct);
  }
  if (summary.computed > 0) parts.push_back(fmt::format("{} {}", summary.computed, computed));
  return base::join(parts, ", ");
}

std::string zeros_text(const OperandSummary& summary, const std::string& whose) {
  if (summary.least > summary.most) return "";
  if (summary.most - summary.least < 5e-4) {
    return fmt::format("; {} {}", whose, percent(summary.zeros));
  }
  return fmt::format("; {} {}, by layer {} to {}", whose, percent(summary.zeros),
                     percent(summary.least), percent(summary.most));
}

std::string said(const workload::Graph& graph, const std::string& key) {
  const auto found = graph.provenance.find(key);
  return found == graph.provenance.end() ? std::string()
                                         : base::printable(found->second, kLongestText);
}

void add(std::vector<SourceLine>& lines, const std::string& label, const std::string& said,
         const std::string& counted) {
  if (!said.empty()) lines.push_back({label, said});
  if (!counted.empty()) lines.push_back({said.empty() ? label : "", counted});
}

}  // namespace

SourceSummary summarize_sources(const workload::Graph& graph) {
  SourceSummary summary;
  double weights = 0;
  double inputs = 0;
  std::set<const void*> matrices;
  for (const workload::Layer& layer : graph.layers) {
    if (!layer.on_engine()) continue;
    if (layer.run_time_weights()) {
      count(summary.weights, Origin::kComputed, -1, 0, weights);
    } else {
      const workload::WeightMatrix& matrix = layer.weights;
      const double elements = static_cast<double>(matrix.n) * static_cast<double>(matrix.k) /
                              static_cast<double>(layer.gemm.groups);
      count(summary.weights, matrix.provenance.origin,
            1 - static_cast<double>(matrix.non_zeros) / elements, elements, weights);
      matrices.insert(matrix.identity());
    }
    const workload::Value& input = graph.input_of(layer);
    const bool drawn = input.provenance.origin == Origin::kStatistic;
    count(summary.inputs, input.provenance.origin, drawn ? 1 - input.drawn.expected_density() : -1,
          static_cast<double>(input.elements()), inputs);
    if (drawn && !input.drawn.source.empty()) summary.inputs.sources.insert(input.drawn.source);
  }
  summary.weights.distinct = static_cast<std::int64_t>(matrices.size());
  if (weights > 0) summary.weights.zeros /= weights;
  if (inputs > 0) summary.inputs.zeros /= inputs;
  return summary;
}

std::vector<SourceLine> source_lines(const workload::Graph& graph) {
  std::vector<SourceLine> lines;
  std::string source = said(graph, "source");
  for (const char* key : {"model", "work", "method", "data"}) {
    const std::string value = said(graph, key);
    if (!value.empty()) source += (source.empty() ? "" : "; ") + value;
  }
  if (!source.empty()) lines.push_back({"Source", source});

  const SourceSummary summary = summarize_sources(graph);
  const OperandSummary& weights = summary.weights;
  const std::int64_t matrices = weights.captured + weights.drawn;
  std::string counted;
  if (matrices + weights.computed > 0) {
    counted = fmt::format("of {} engine layers: {}{}", matrices + weights.computed,
                          origins(weights, "computed (products of two activations)"),
                          zeros_text(weights, "zeros"));
  }
  add(lines, "Weights", said(graph, "weights"), counted);

  const OperandSummary& inputs = summary.inputs;
  counted.clear();
  if (inputs.captured + inputs.drawn + inputs.computed > 0) {
    counted = "inputs of engine layers: " + origins(inputs, "computed") +
              zeros_text(inputs, "zeros of the drawn");
    if (!inputs.sources.empty()) {
      const std::vector<std::string> sources(inputs.sources.begin(), inputs.sources.end());
      counted += fmt::format(" ({})", base::printable(base::join(sources, "; "), kLongestText));
    }
  }
  add(lines, "Activations", said(graph, "activations"), counted);
  return lines;
}

}  // namespace lacuna::report
