// SPDX-License-Identifier: Apache-2.0
#include "tlm/interconnect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "config/loader.h"
#include "tlm/base_protocol_checker.h"
#include "tlm/dram_target.h"
#include "tlm/memory_initiator.h"

namespace lacuna::tlm {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_US;
using ::testing::IsEmpty;

constexpr std::uint64_t kDram = std::uint64_t{1} << 40;

// Four initiators on two ports, SRAM and DRAM behind them, a checker on every link.
class InterconnectTest : public testing::Test {
 protected:
  InterconnectTest() {
    Interconnect::Config config;
    config.sram.capacity = 1 << 20;
    config.sram.banks = 16;
    config.sram.width = 64;
    config.sram.latency = 4;
    config.crossbar = {.ports = 2, .requesters = 4, .request_latency = 1, .response_latency = 2};
    config.places = {{0, 0}, {0, 1}, {1, 2}, {1, 3}};
    network = std::make_unique<Interconnect>("network", config);
    const auto preset = config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) +
                                                           "/configs/memories/lpddr4x-4266.yaml")
                            .value;
    dram = std::make_unique<DramTarget>("dram", preset, 2);
    for (int i = 0; i < 4; ++i) {
      initiators.push_back(std::make_unique<MemoryInitiator>(
          ("initiator" + std::to_string(i)).c_str(),
          MemoryInitiator::Limits{.outstanding = 4, .chunk_bytes = 4096}));
      connect(initiators.back()->socket, network->socket);
    }
    connect(network->dram.socket, dram->socket);
  }
  template <class From, class To>
  void connect(From& from, To& to) {
    checkers.push_back(std::make_unique<BaseProtocolChecker>(
        ("checker" + std::to_string(checkers.size())).c_str()));
    from.bind(checkers.back()->target_socket);
    checkers.back()->initiator_socket.bind(to);
  }
  sc_time time_of(int initiator, std::uint64_t address, std::int64_t bytes, bool is_write) {
    const sc_time start = sc_time_stamp();
    sc_time end;
    initiators[static_cast<std::size_t>(initiator)]->submit(address, bytes, is_write,
                                                            [&] { end = sc_time_stamp(); });
    sc_core::sc_start(100, SC_US);
    return end - start;
  }
  void expect_good_order() {
    for (const auto& checker : checkers) {
      EXPECT_THAT(checker->violations(), IsEmpty()) << checker->name();
      EXPECT_EQ(checker->unfinished(), 0U) << checker->name();
    }
    EXPECT_TRUE(network->idle());
    EXPECT_TRUE(dram->idle());
  }

  std::unique_ptr<Interconnect> network;
  std::unique_ptr<DramTarget> dram;
  std::vector<std::unique_ptr<MemoryInitiator>> initiators;
  std::vector<std::unique_ptr<BaseProtocolChecker>> checkers;
};

TEST_F(InterconnectTest, SramLatencyIsTheCrossbars) {
  EXPECT_EQ(time_of(0, 0, 64, false), sc_time(1 + 4 + 2, SC_NS));
  EXPECT_EQ(time_of(3, 4096, 640, true), sc_time(1 + 9 + 4 + 2, SC_NS));
  expect_good_order();
}

TEST_F(InterconnectTest, DramReadsPassThePort) {
  // Closed bank: 133 memory cycles (dram_target_test.cpp) = 62.34 ns, so the data is there in cycle
  // 63; then request latency, one word, response latency.
  EXPECT_EQ(time_of(0, kDram, 32, false), sc_time(63 + 1 + 1 + 2, SC_NS));
  EXPECT_EQ(network->crossbar().port(0).read_cycles, 1);
  EXPECT_EQ(network->sram().stats().read_words, 0);
  EXPECT_EQ(dram->stats().requested_read_bytes, 32);
  expect_good_order();
}

TEST_F(InterconnectTest, DramWritesPassThePortFirst) {
  const sc_time time = time_of(0, kDram + 64, 64, true);
  EXPECT_GT(time, sc_time(1 + 1 + 2 + 39 * 0.46875, SC_NS));
  EXPECT_EQ(network->crossbar().port(0).write_cycles, 1);
  EXPECT_EQ(dram->stats().requested_write_bytes, 64);
  expect_good_order();
}

TEST_F(InterconnectTest, TwoCoresOfAPortShareEqualReads) {
  int done = 0;
  initiators[0]->submit(0, 4096, false, [&] { ++done; });
  initiators[0]->submit(8192, 4096, false, [&] { ++done; });
  initiators[1]->submit(8192, 4096, false, [&] { ++done; });
  sc_core::sc_start(1, SC_US);
  EXPECT_EQ(done, 3);
  EXPECT_EQ(network->sram().stats().read_words, 128);
  EXPECT_EQ(network->crossbar().port(0).multicast_words, 64);
  EXPECT_EQ(network->crossbar().requester(1).joined_reads, 1);
}

TEST_F(InterconnectTest, RandomTrafficIsAllAnswered) {
  base::Rng rng(9);
  int done = 0;
  std::int64_t bytes = 0;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t size = rng.range(1, 10'000);
    bytes += size;
    const std::uint64_t address =
        rng.bernoulli(0.5) ? rng.below((1 << 20) - 10'000) : kDram + rng.below(1 << 22);
    initiators[rng.below(4)]->submit(address, size, rng.bernoulli(0.4), [&] { ++done; });
  }
  sc_core::sc_start();
  EXPECT_EQ(done, 400);
  std::int64_t moved = 0;
  for (int i = 0; i < 4; ++i) {
    const timing::noc::RequesterStats& stats = network->crossbar().requester(i);
    moved += stats.read_bytes + stats.write_bytes;
  }
  EXPECT_EQ(moved, bytes);
  expect_good_order();
}

TEST_F(InterconnectTest, AddressesBetweenSramAndDramAreErrors) {
  PayloadPool pool(4096);
  ::tlm::tlm_generic_payload& payload = pool.acquire(1 << 20, 64, false);
  ::tlm::tlm_phase phase = ::tlm::BEGIN_REQ;
  sc_time delay = sc_core::SC_ZERO_TIME;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_EQ(initiators[0]->socket->nb_transport_fw(payload, phase, delay), ::tlm::TLM_COMPLETED);
  EXPECT_EQ(payload.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

}  // namespace
}  // namespace lacuna::tlm
