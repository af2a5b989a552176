// SPDX-License-Identifier: Apache-2.0
#include "params/dram_params.h"

#include <fmt/format.h>

#include <utility>

namespace lacuna::params {

namespace {

template <class T>
void replace(T& value, const std::optional<T>& override_value) {
  if (override_value) value = *override_value;
}

}  // namespace

MemoryControllerParams MemoryControllerOverrides::applied_to(MemoryControllerParams policy) const {
  replace(policy.scheduler, scheduler);
  replace(policy.read_queue, read_queue);
  replace(policy.write_queue, write_queue);
  replace(policy.write_high, write_high);
  replace(policy.write_low, write_low);
  replace(policy.min_batch, min_batch);
  replace(policy.write_age, write_age);
  replace(policy.row_hit_cap, row_hit_cap);
  replace(policy.page_policy, page_policy);
  replace(policy.page_timeout, page_timeout);
  replace(policy.power_down, power_down);
  replace(policy.self_refresh, self_refresh);
  replace(policy.refresh, refresh);
  replace(policy.refresh_postpone, refresh_postpone);
  replace(policy.pipeline_cycles, pipeline_cycles);
  replace(policy.mapping, mapping);
  return policy;
}

MemoryPreset DramParams::applied_to(MemoryPreset memory) const {
  memory.controller = controller.applied_to(std::move(memory.controller));
  return memory;
}

std::vector<Violation> DramParams::check_against(const MemoryPreset& memory) const {
  std::vector<Violation> found;
  const int width = memory.organization.channel_width * memory.organization.pseudo_channels;
  if (channel_width != width) {
    found.push_back({{"channel_width", "preset"},
                     fmt::format("channel_width ({} bits) is not that of the memory '{}', {} bits",
                                 channel_width, memory.name, width)});
  }
  // The rules between policy keys belong to the policy; here they are reported against the chip.
  for (Violation& violation : applied_to(memory).validate()) {
    std::vector<std::string> keys;
    for (const std::string& key : violation.keys) {
      keys.push_back(key.starts_with("controller") ? key : std::string("controller"));
    }
    if (keys.empty()) keys.emplace_back("controller");
    found.push_back({std::move(keys), violation.message});
  }
  for (Violation& violation : applied_to(memory).controller.validate()) {
    std::vector<std::string> keys;
    for (const std::string& key : violation.keys) keys.push_back("controller." + key);
    found.push_back({std::move(keys), violation.message});
  }
  return found;
}

}  // namespace lacuna::params
