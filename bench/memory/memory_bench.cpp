// SPDX-License-Identifier: Apache-2.0
//
// How fast the memory models are: bursts per second of one DRAM channel kept saturated by streams,
// random reads, mixes and same-bank conflicts, for every preset; the crossbar; and a weight stream
// through the whole TLM path. Reported beside the speed: the simulated bandwidth as a share of the
// peak, so that a fast but wrong model shows.
//
//   bench_memory --benchmark_filter='dram/.*/lpddr4x'
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "config/loader.h"
#include "timing/dram/address_map.h"
#include "timing/dram/channel.h"
#include "timing/noc/crossbar.h"
#include "tlm/dram_target.h"
#include "tlm/interconnect.h"
#include "tlm/memory_initiator.h"

namespace lacuna {
namespace {

using timing::dram::AddressMap;
using timing::dram::BurstRequest;
using timing::dram::Channel;
using timing::dram::Cycle;
using timing::dram::TimingTable;

const char* const kPresets[] = {"lpddr4x-4266", "lpddr4-3200", "lpddr5-6400",
                                "ddr4-3200",    "ddr5-4800",   "hbm2-2000",
                                "hbm2e-3200",   "hbm3-6400",   "gddr6-14000"};

params::MemoryPreset load(const std::string& name) {
  return config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) + "/configs/memories/" +
                                            name + ".yaml")
      .value;
}

enum class Traffic { kStream, kRandom, kMixed, kConflict };

// A pool of requests that is played round and round: making them is not measured.
std::vector<BurstRequest> make_requests(Traffic traffic, const params::MemoryPreset& preset) {
  const AddressMap map(preset.controller.mapping, preset.organization, 1);
  const auto burst = static_cast<std::uint64_t>(preset.organization.burst_bytes());
  base::Rng rng(1);
  std::vector<BurstRequest> requests(1 << 16);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const bool in_order = traffic == Traffic::kStream;
    const timing::dram::DramAddress at =
        map.decode(in_order ? i * burst : rng.below(map.capacity_bytes()));
    requests[i].bank = at.bank;
    requests[i].row = at.row;
    requests[i].column = at.column;
    requests[i].is_write = traffic == Traffic::kMixed && rng.bernoulli(1.0 / 3);
    if (traffic == Traffic::kConflict) {
      requests[i].bank = 0;
      requests[i].row = static_cast<std::int32_t>(i % 1024);
    }
  }
  return requests;
}

void dram(benchmark::State& state, const std::string& name, Traffic traffic) {
  const params::MemoryPreset preset = load(name);
  const TimingTable table(preset);
  const std::vector<BurstRequest> requests = make_requests(traffic, preset);
  Channel channel(table, preset.controller);
  std::int64_t sent = 0;
  std::size_t next = 0;
  constexpr std::int64_t kBatch = 100'000;
  for (auto _ : state) {
    for (const std::int64_t end = sent + kBatch; sent < end;) {
      while (sent < end && channel.can_accept(requests[next])) {
        BurstRequest request = requests[next];
        request.arrival = channel.now();
        channel.enqueue(request, channel.now());
        next = (next + 1) % requests.size();
        ++sent;
      }
      channel.step(channel.next_command_time());
      channel.completions().clear();
    }
  }
  const double seconds = static_cast<double>(channel.now()) * preset.clock_period;
  state.SetItemsProcessed(sent);
  state.counters["of_peak"] = static_cast<double>(sent) * preset.organization.burst_bytes() /
                              seconds / preset.peak_bytes_per_second();
}

void crossbar(benchmark::State& state) {
  params::SramParams params;
  timing::sram::BankedSram sram(params);
  timing::noc::Crossbar network({.ports = 8, .requesters = 32}, sram);
  base::Rng rng(1);
  std::vector<timing::noc::CrossbarDone> done;
  std::int64_t sent = 0;
  Cycle now = 0;
  for (auto _ : state) {
    for (int port = 0; port < 8; ++port) {
      timing::noc::CrossbarRequest request;
      request.address = rng.below(200'000) * 64;
      request.bytes = 1024;
      request.port = port;
      request.requester = port * 4;
      request.is_write = rng.bernoulli(0.3);
      network.submit(request, now);
    }
    sent += 8;
    now += 16;
    network.advance(now, done);
    done.clear();
  }
  state.SetItemsProcessed(sent);
}

// 16 MB of weights from DRAM over the interconnect, 4 KiB transactions: AT phases, checker
// excluded. SystemC elaborates once per process, so all iterations use one platform.
void tlm_stream(benchmark::State& state) {
  struct Platform {
    Platform() {
      network.dram.socket.bind(dram.socket);
      initiator.socket.bind(network.socket);
    }
    static tlm::Interconnect::Config config() {
      tlm::Interconnect::Config config;
      config.crossbar = {.ports = 1, .requesters = 1};
      config.places = {{0, 0}};
      return config;
    }
    tlm::Interconnect network{"network", config()};
    tlm::DramTarget dram{"dram", load("lpddr4x-4266"), 8};
    tlm::MemoryInitiator initiator{"initiator", {.outstanding = 16, .chunk_bytes = 4096}};
  };
  static Platform platform;
  constexpr std::int64_t kBytes = 16 << 20;
  std::int64_t moved = 0;
  std::uint64_t at = 0;
  const double start_seconds = sc_core::sc_time_stamp().to_seconds();
  for (auto _ : state) {
    platform.initiator.submit((std::uint64_t{1} << 40) + at, kBytes, false,
                              [] { sc_core::sc_pause(); });
    at = (at + kBytes) % (std::uint64_t{1} << 32);
    sc_core::sc_start();
    moved += kBytes;
  }
  state.SetBytesProcessed(moved);
  const double seconds = sc_core::sc_time_stamp().to_seconds() - start_seconds;
  state.counters["of_peak"] = static_cast<double>(moved) / seconds /
                              (8 * platform.dram.memory().preset().peak_bytes_per_second());
}

}  // namespace
}  // namespace lacuna

int main(int argc, char** argv) {
  using lacuna::Traffic;
  const std::pair<const char*, Traffic> traffics[] = {{"stream", Traffic::kStream},
                                                      {"random", Traffic::kRandom},
                                                      {"mixed", Traffic::kMixed},
                                                      {"conflict", Traffic::kConflict}};
  for (const auto& [name, traffic] : traffics) {
    for (const char* preset : lacuna::kPresets) {
      benchmark::RegisterBenchmark(
          ("dram/" + std::string(name) + "/" + preset).c_str(),
          [preset = std::string(preset), traffic = traffic](benchmark::State& state) {
            lacuna::dram(state, preset, traffic);
          });
    }
  }
  benchmark::RegisterBenchmark("crossbar/1KiB", lacuna::crossbar);
  benchmark::RegisterBenchmark("tlm/weight_stream", lacuna::tlm_stream);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
