// SPDX-License-Identifier: Apache-2.0
//
// The link between memory dies and chip, and near-memory units, to the cycle.
#include <gtest/gtest.h>

#include <memory>

#include "config/loader.h"
#include "tlm/dram_target.h"
#include "tlm/interconnect.h"
#include "tlm/memory_initiator.h"

namespace lacuna::tlm {
namespace {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using enum sc_core::sc_time_unit;

constexpr std::uint64_t kDram = std::uint64_t{1} << 40;
// interconnect_test.cpp: data of a closed bank in cycle 63, then port request, word, response.
constexpr int kData = 63;
constexpr int kPort = 1 + 1 + 2;

class LinkTest : public testing::Test {
 protected:
  void build(std::optional<params::MemoryLinkParams> link,
             std::optional<params::NearMemoryParams> near_memory) {
    Interconnect::Config config;
    config.sram = {1 << 20, 16, 64, 4};
    config.crossbar = {.ports = 1, .requesters = 1, .request_latency = 1, .response_latency = 2};
    config.places = {{0, 0}};
    config.link = link;
    config.near_memory = near_memory;
    config.channels = 2;
    network = std::make_unique<Interconnect>("network", config);
    const auto preset = config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) +
                                                           "/configs/memories/lpddr4x-4266.yaml")
                            .value;
    dram = std::make_unique<DramTarget>("dram", preset, 2);
    initiator = std::make_unique<MemoryInitiator>(
        "initiator", MemoryInitiator::Limits{.outstanding = 8, .chunk_bytes = 4096});
    initiator->socket.bind(network->socket);
    network->dram.socket.bind(dram->socket);
  }
  sc_time time_of(const Transfer& transfer, bool is_write = false) {
    const sc_time start = sc_time_stamp();
    sc_time end;
    initiator->submit(transfer, is_write, [&] { end = sc_time_stamp(); });
    sc_core::sc_start(100, SC_US);
    return end - start;
  }

  std::unique_ptr<Interconnect> network;
  std::unique_ptr<DramTarget> dram;
  std::unique_ptr<MemoryInitiator> initiator;
};

TEST_F(LinkTest, AReadTakesItsBytesAndTheLatencyLonger) {
  build(params::MemoryLinkParams{8, 5}, std::nullopt);
  EXPECT_EQ(time_of({kDram, 32}), sc_time(kData + 4 + 5 + kPort, SC_NS));
  EXPECT_EQ(network->link().read_bytes, 32);
  EXPECT_EQ(network->link().read_cycles, 4);
}

TEST_F(LinkTest, ReadsFollowEachOtherOnTheLink) {
  build(params::MemoryLinkParams{1, 5}, std::nullopt);
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    initiator->submit(kDram + static_cast<std::uint64_t>(i) * 4096, 100, false, [&] { ++done; });
  }
  sc_core::sc_start(500, SC_NS);
  EXPECT_LE(done, 4);
  sc_core::sc_start(100, SC_US);
  EXPECT_EQ(done, 10);
  EXPECT_EQ(network->link().read_cycles, 1000);
  EXPECT_GT(network->link().wait_cycles, 3000);
}

TEST_F(LinkTest, WritesHaveTheirOwnWay) {
  build(params::MemoryLinkParams{2, 5}, std::nullopt);
  const sc_time without = time_of({kDram, 64}, true);
  EXPECT_GT(without, sc_time(32 + 5, SC_NS));
  EXPECT_EQ(network->link().write_bytes, 64);
  EXPECT_EQ(network->link().write_cycles, 32);
  EXPECT_EQ(network->link().read_cycles, 0);
}

TEST_F(LinkTest, UnitsTakeWhatIsReadAndTheLinkWhatCrosses) {
  build(params::MemoryLinkParams{8, 5}, params::NearMemoryParams{true, true, 4, 20});
  // 32 bytes at 2 channels x 4 bytes, 20 cycles through, 9 bytes on the link.
  EXPECT_EQ(time_of({kDram, 32, 9}), sc_time(kData + 4 + 20 + 2 + 5 + kPort, SC_NS));
  EXPECT_EQ(network->link().read_bytes, 9);
  EXPECT_EQ(network->link().near_read_bytes, 32);
  EXPECT_EQ(network->link().near_sent_bytes, 9);
  EXPECT_EQ(dram->stats().requested_read_bytes, 32);
  EXPECT_EQ(network->crossbar().requester(0).read_bytes, 9);
}

TEST_F(LinkTest, WhatEndsAtTheUnitsDoesNotCross) {
  build(params::MemoryLinkParams{8, 5}, params::NearMemoryParams{true, true, 4, 20});
  EXPECT_EQ(time_of({kDram, 32, 0}), sc_time(kData + 4 + 20, SC_NS));
  EXPECT_EQ(network->link().read_bytes, 0);
  EXPECT_EQ(network->crossbar().requester(0).reads, 0);
}

// Chunks of a long read share what crosses, to the byte.
TEST_F(LinkTest, SharesOfChunksAddUp) {
  build(std::nullopt, params::NearMemoryParams{true, true, 64, 0});
  (void)time_of({kDram + 100, 20'001, 7'777});
  EXPECT_EQ(network->link().near_read_bytes, 20'001);
  EXPECT_EQ(network->link().near_sent_bytes, 7'777);
  EXPECT_EQ(network->link().read_bytes, 7'777);
  // A plain read of the same payloads afterwards is plain again.
  (void)time_of({kDram + 100, 5'000});
  EXPECT_EQ(network->link().near_read_bytes, 20'001);
  EXPECT_EQ(network->link().read_bytes, 7'777 + 5'000);
}

}  // namespace
}  // namespace lacuna::tlm
