// SPDX-License-Identifier: Apache-2.0
#include "tlm/interconnect.h"

#include <algorithm>

#include "base/cycles.h"
#include "base/error.h"
#include "tlm/crossing.h"

namespace lacuna::tlm {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

Interconnect::Interconnect(sc_core::sc_module_name name, const Config& config)
    : AtTarget(name, config.slots),
      dram("dram", {.outstanding = config.slots, .chunk_bytes = config.largest_bytes}),
      config_(config),
      grid_(config.clock_period),
      sram_(config.sram),
      crossbar_(config.crossbar, sram_),
      states_(static_cast<std::size_t>(config.slots)) {
  LACUNA_CHECK(config.dram_base >= static_cast<std::uint64_t>(config.sram.capacity));
}

::tlm::tlm_response_status Interconnect::check(const Payload& payload) const {
  const std::uint64_t address = payload.get_address();
  const std::int64_t bytes = payload.get_data_length();
  if (payload.get_command() == ::tlm::TLM_IGNORE_COMMAND) return ::tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (bytes == 0 || bytes > config_.largest_bytes) return ::tlm::TLM_BURST_ERROR_RESPONSE;
  const auto capacity = static_cast<std::uint64_t>(config_.sram.capacity);
  const bool in_sram =
      address < capacity && static_cast<std::uint64_t>(bytes) <= capacity - address;
  return in_sram || is_dram(address) ? ::tlm::TLM_OK_RESPONSE : ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void Interconnect::begin(int slot, int binding, const Payload& payload) {
  LACUNA_CHECK(static_cast<std::size_t>(binding) < config_.places.size(),
               "{}: no place for initiator {}", name(), binding);
  const Place& place = config_.places[static_cast<std::size_t>(binding)];
  State& state = states_[static_cast<std::size_t>(slot)];
  state.to_dram = is_dram(payload.get_address());
  timing::noc::CrossbarRequest& request = state.request;
  request = {};
  request.id = static_cast<std::uint64_t>(slot);
  request.address = payload.get_address();
  request.bytes = payload.get_data_length();
  request.port = place.port;
  request.requester = place.requester;
  request.is_write = payload.is_write();
  request.passes = state.to_dram;
  state.dram_bytes = request.bytes;
  const Crossing* crossing = payload.get_extension<Crossing>();
  state.near = crossing != nullptr && crossing->bytes >= 0;
  if (state.near) {
    LACUNA_CHECK(state.to_dram && !request.is_write && config_.near_memory,
                 "{}: no near-memory unit serves a transaction at {:#x}", name(), request.address);
    request.bytes = crossing->bytes;
  }
  if (state.to_dram && !request.is_write) {
    to_dram(slot);
  } else {
    to_crossbar(slot);
  }
}

void Interconnect::to_crossbar(int slot) {
  crossbar_.submit(states_[static_cast<std::size_t>(slot)].request,
                   grid_.at_or_after(sc_time_stamp()));
}

void Interconnect::to_dram(int slot) {
  const State& state = states_[static_cast<std::size_t>(slot)];
  dram.submit(state.request.address - config_.dram_base, state.dram_bytes, state.request.is_write,
              [this, slot] { dram_done(slot); });
}

void Interconnect::dram_done(int slot) {
  const State& state = states_[static_cast<std::size_t>(slot)];
  const Cycle now = grid_.at_or_after(sc_time_stamp());
  if (state.request.is_write) {
    finish(slot, sc_time_stamp());
  } else if (state.near) {
    const Cycle work = base::ceil_div<Cycle>(state.dram_bytes,
                                             Cycle{config_.near_memory->width} * config_.channels);
    near_free_ = std::max(now, near_free_) + work;
    link_stats_.near_cycles += work;
    link_stats_.near_read_bytes += state.dram_bytes;
    link_stats_.near_sent_bytes += state.request.bytes;
    const sc_time ready = grid_.begin(near_free_ + config_.near_memory->latency);
    if (state.request.bytes == 0) {
      finish(slot, ready);
    } else {
      forwards_.push({ready, slot, Stage::kLink});
    }
  } else if (config_.link) {
    through_link(slot);
  } else {
    link_stats_.read_bytes += state.request.bytes;
    to_crossbar(slot);
  }
  reschedule();
}

// Data of a transaction stand at the link now.
void Interconnect::through_link(int slot) {
  const timing::noc::CrossbarRequest& request = states_[static_cast<std::size_t>(slot)].request;
  const Stage next = request.is_write ? Stage::kDram : Stage::kCrossbar;
  (request.is_write ? link_stats_.write_bytes : link_stats_.read_bytes) += request.bytes;
  if (!config_.link) {
    forward({sc_time_stamp(), slot, next});
    return;
  }
  const Cycle now = grid_.at_or_after(sc_time_stamp());
  Cycle& free = request.is_write ? link_write_free_ : link_read_free_;
  const Cycle start = std::max(now, free);
  const Cycle busy = base::ceil_div<Cycle>(request.bytes, config_.link->width);
  free = start + busy;
  link_stats_.wait_cycles += start - now;
  (request.is_write ? link_stats_.write_cycles : link_stats_.read_cycles) += busy;
  forwards_.push({grid_.begin(free + config_.link->latency), slot, next});
}

void Interconnect::forward(const Forward& event) {
  switch (event.stage) {
    case Stage::kLink:
      through_link(event.slot);
      break;
    case Stage::kDram:
      to_dram(event.slot);
      break;
    case Stage::kCrossbar:
      to_crossbar(event.slot);
      break;
  }
}

void Interconnect::advance() {
  const sc_time& now = sc_time_stamp();
  crossbar_.advance(grid_.containing(now), done_);
  for (const timing::noc::CrossbarDone& done : done_) {
    const int slot = static_cast<int>(done.id);
    const State& state = states_[static_cast<std::size_t>(slot)];
    const sc_time time = grid_.begin(done.done);
    if (state.to_dram && state.request.is_write) {
      forwards_.push({time, slot, Stage::kLink});
    } else {
      finish(slot, time);
    }
  }
  done_.clear();
  while (!forwards_.empty() && forwards_.top().time <= now) {
    const Forward event = forwards_.top();
    forwards_.pop();
    forward(event);
  }
}

sc_time Interconnect::next_event() {
  sc_time next = sc_core::sc_max_time();
  const Cycle crossbar = crossbar_.next_event_time();
  if (crossbar != timing::noc::kNever) next = grid_.begin(crossbar);
  if (!forwards_.empty()) next = std::min(next, forwards_.top().time);
  return next;
}

}  // namespace lacuna::tlm
