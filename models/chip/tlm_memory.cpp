// SPDX-License-Identifier: Apache-2.0
#include "chip/tlm_memory.h"

#include <algorithm>
#include <string>

#include "base/cycles.h"
#include "mapper/program.h"

namespace lacuna::chip {

TlmMemory::TlmMemory(const params::ChipParams& chip, const params::MemoryPreset& preset,
                     const tlm::Clock& clock)
    : chip_(chip) {
  const int core_ports = base::ceil_div(chip.cores, chip.cores_per_port);
  tlm::Interconnect::Config config;
  config.clock_period = clock.period();
  config.sram = chip.sram;
  config.crossbar.ports = core_ports + 1;
  config.crossbar.requesters = chip.cores + 1;
  config.dram_base = mapper::kDramBase;
  config.slots = std::max(256, 16 * (chip.cores + 1));
  config.link = chip.dram.link;
  if (chip.dram.has_near_memory()) config.near_memory = chip.dram.near_memory;
  config.channels = chip.dram.channels;
  for (int core = 0; core < chip.cores; ++core) {
    config.places.push_back({core / chip.cores_per_port, core});
  }
  config.places.push_back({core_ports, chip.cores});
  interconnect_ = std::make_unique<tlm::Interconnect>("interconnect", config);
  dram_ = std::make_unique<tlm::DramTarget>("dram", preset, chip.dram.channels,
                                            std::max(64, config.slots));
  interconnect_->dram.socket.bind(dram_->socket);

  const auto add = [&](const std::string& name, int outstanding, int ports) {
    initiators_.push_back(std::make_unique<tlm::MemoryInitiator>(
        name.c_str(), tlm::MemoryInitiator::Limits{outstanding, config.largest_bytes}));
    initiators_.back()->socket.bind(interconnect_->socket);
    for (int i = 0; i < ports; ++i) {
      ports_.push_back(std::make_unique<tlm::InitiatorPort>(*initiators_.back()));
    }
  };
  for (int core = 0; core < chip.cores; ++core) {
    add("core_" + std::to_string(core) + "_memory", 12, kUnits);
  }
  add("dma_memory", 2 * kDmaEngines, kDmaEngines);
}

tlm::MemoryPort& TlmMemory::core_port(int core, CoreUnit unit) {
  return *ports_[static_cast<std::size_t>(core * kUnits + static_cast<int>(unit))];
}

tlm::MemoryPort& TlmMemory::dma_port(int engine) {
  return *ports_[static_cast<std::size_t>(chip_.cores * kUnits + engine)];
}

base::Cycle TlmMemory::first_data() const {
  const timing::noc::CrossbarConfig& crossbar = interconnect_->crossbar().config();
  return crossbar.request_latency + chip_.sram.latency + crossbar.response_latency;
}

bool TlmMemory::idle() const {
  return std::all_of(initiators_.begin(), initiators_.end(),
                     [](const auto& initiator) { return initiator->idle(); });
}

std::int64_t TlmMemory::capacity() const {
  return static_cast<std::int64_t>(dram_->memory().capacity_bytes());
}

MemoryResult TlmMemory::result() {
  MemoryResult result;
  const timing::dram::MemoryStats stats = dram_->stats();
  const timing::dram::ChannelStats& channels = stats.channels;
  result.dram_read_bytes = channels.read_bytes;
  result.dram_write_bytes = channels.write_bytes;
  for (const auto& [command, name] : enum_names(params::MemoryCommand{})) {
    result.dram_commands[std::string(name)] = channels.count(command);
  }
  auto& figures = result.dram_statistics;
  const auto real = [](std::int64_t value) { return static_cast<double>(value); };
  figures["requested_read_bytes"] = real(stats.requested_read_bytes);
  figures["requested_write_bytes"] = real(stats.requested_write_bytes);
  figures["transactions"] = real(stats.transactions);
  figures["row_hits"] = real(channels.row_hits);
  figures["row_misses"] = real(channels.row_misses);
  figures["row_conflicts"] = real(channels.row_conflicts);
  figures["forwarded_reads"] = real(channels.forwarded_reads);
  figures["merged_reads"] = real(channels.merged_reads);
  figures["merged_writes"] = real(channels.merged_writes);
  figures["direction_switches"] = real(channels.direction_switches);
  figures["data_bus_cycles"] = real(channels.data_bus_cycles);
  figures["busy_cycles"] = real(channels.busy_cycles);
  figures["active_cycles"] = real(channels.active_cycles);
  figures["precharged_cycles"] = real(channels.precharged_cycles);
  figures["refreshing_cycles"] = real(channels.refreshing_cycles);
  figures["active_power_down_cycles"] = real(channels.active_power_down_cycles);
  figures["precharge_power_down_cycles"] = real(channels.precharge_power_down_cycles);
  figures["self_refresh_cycles"] = real(channels.self_refresh_cycles);
  if (channels.reads_done() > 0) {
    figures["mean_read_latency_cycles"] =
        real(channels.read_latency_sum) / real(channels.reads_done());
  }
  if (channels.writes_done() > 0) {
    figures["mean_write_latency_cycles"] =
        real(channels.write_latency_sum) / real(channels.writes_done());
  }
  const timing::sram::SramStats& sram = interconnect_->sram().stats();
  result.sram_read_bytes = sram.read_words * chip_.sram.width;
  result.sram_write_bytes = sram.write_words * chip_.sram.width;
  result.sram_statistics["bursts"] = real(sram.bursts);
  result.sram_statistics["conflicts"] = real(sram.conflicts);
  result.sram_statistics["conflict_cycles"] = real(sram.conflict_cycles);
  const timing::noc::Crossbar& crossbar = interconnect_->crossbar();
  std::int64_t waits = 0;
  std::int64_t joined = 0;
  for (int i = 0; i < crossbar.config().requesters; ++i) {
    const timing::noc::RequesterStats& requester = crossbar.requester(i);
    result.noc_bytes += requester.read_bytes + requester.write_bytes;
    waits += requester.wait_cycles;
    joined += requester.joined_reads;
    const bool is_core = i < chip_.cores;
    result.requesters.push_back({is_core ? "core " + std::to_string(i) : "dma",
                                 is_core ? i / chip_.cores_per_port : crossbar.config().ports - 1,
                                 requester.reads, requester.writes, requester.read_bytes,
                                 requester.write_bytes, requester.joined_reads,
                                 requester.wait_cycles, requester.conflict_cycles});
  }
  for (int i = 0; i < crossbar.config().ports; ++i) {
    const timing::noc::PortStats& port = crossbar.port(i);
    result.ports.push_back({port.read_cycles, port.write_cycles, port.multicast_words});
  }
  const tlm::Interconnect::LinkStats& link = interconnect_->link();
  result.link = {link.read_bytes,
                 link.write_bytes,
                 link.read_cycles,
                 link.write_cycles,
                 link.wait_cycles,
                 0,
                 chip_.dram.has_near_memory(),
                 link.near_read_bytes,
                 link.near_sent_bytes,
                 link.near_cycles};
  if (chip_.dram.link) result.link.peak_bytes_per_s = chip_.clock_hz * chip_.dram.link->width;
  result.sram_statistics["wait_cycles"] = real(waits);
  result.sram_statistics["joined_reads"] = real(joined);
  result.dram_peak_bytes_per_s =
      dram_->memory().preset().peak_bytes_per_second() * chip_.dram.channels;
  result.sram_peak_bytes_per_s = chip_.clock_hz * static_cast<double>(chip_.sram.banks) *
                                 chip_.sram.bank_ports * chip_.sram.width;
  return result;
}

}  // namespace lacuna::chip
