// SPDX-License-Identifier: Apache-2.0
#include "report/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/format.h"

namespace lacuna::report {
namespace {

constexpr std::size_t kListed = 8;  ///< divisions in a report

std::string bytes(std::int64_t count) { return si(static_cast<double>(count), "B"); }

}  // namespace

nlohmann::ordered_json memory_plan_json(const mapper::MemoryPlan& plan) {
  using Json = nlohmann::ordered_json;
  Json json{{"weights_resident", plan.weights_resident},
            {"sram", Json{{"activations_bytes", plan.sram_activations},
                          {"constants_bytes", plan.sram_constants},
                          {"weights_bytes", plan.sram_weights},
                          {"pinned_bytes", plan.sram_pinned}}},
            {"dram", Json{{"weights_bytes", plan.dram_weights},
                          {"activations_bytes", plan.dram_activations},
                          {"spilled_bytes", plan.spilled}}},
            {"considered", Json::array()},
            {"groups", Json::array()}};
  for (std::size_t i = 0; i < std::min(plan.splits.size(), kListed); ++i) {
    const mapper::MemorySplit& split = plan.splits[i];
    json["considered"].push_back(Json{{"activations_bytes", split.activations},
                                      {"pinned_bytes", split.pinned},
                                      {"ring_bytes", split.ring},
                                      {"first_cycles", split.first_cycles},
                                      {"next_cycles", split.next_cycles},
                                      {"dram_bytes", split.dram_bytes}});
  }
  for (const mapper::Grouping& grouping : plan.groupings) {
    json["groups"].push_back(Json{{"samples", grouping.samples},
                                  {"chains", grouping.chains},
                                  {"layers", grouping.layers},
                                  {"first_cycles", grouping.expected.first_cycles},
                                  {"next_cycles", grouping.expected.next_cycles},
                                  {"dram_bytes", grouping.expected.dram_bytes},
                                  {"chosen", grouping.chosen}});
  }
  return json;
}

std::string memory_plan_text(const mapper::MemoryPlan& plan) {
  std::string text = bytes(plan.sram_activations) + " activations, ";
  if (plan.sram_constants > 0) text += bytes(plan.sram_constants) + " constants, ";
  if (plan.weights_resident) {
    text += bytes(plan.sram_weights) + " weights that all stay";
  } else {
    text += fmt::format("{} of {} weights stay, the others through a ring of {}",
                        bytes(plan.sram_pinned), bytes(plan.dram_weights),
                        bytes(plan.sram_weights - plan.sram_pinned));
  }
  for (const mapper::Grouping& grouping : plan.groupings) {
    if (!grouping.chosen || grouping.chains == 0) continue;
    text += fmt::format("; {} layers in {} chains take {} sample{} of the batch at a time",
                        grouping.layers, grouping.chains, grouping.samples,
                        grouping.samples == 1 ? "" : "s");
  }
  if (plan.spilled > 0) text += "; activations in DRAM: " + bytes(plan.spilled);
  return text;
}

}  // namespace lacuna::report
