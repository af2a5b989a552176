// SPDX-License-Identifier: Apache-2.0
#include "tlm/dram_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "config/loader.h"
#include "script_initiator.h"
#include "tlm/base_protocol_checker.h"
#include "tlm/memory_initiator.h"

namespace lacuna::tlm {
namespace {

using sc_core::SC_NS;
using sc_core::SC_PS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_US;
using sc_core::SC_ZERO_TIME;
using ::testing::IsEmpty;
using ::tlm::BEGIN_REQ;
using ::tlm::BEGIN_RESP;
using ::tlm::END_REQ;

params::MemoryPreset load(const std::string& name) {
  params::MemoryPreset preset =
      config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) + "/configs/memories/" +
                                         name + ".yaml")
          .value;
  return preset;
}

class DramTargetTest : public testing::Test {
 protected:
  void build(int channels, int slots, params::MemoryPreset preset = load("lpddr4x-4266")) {
    target = std::make_unique<DramTarget>("dram", preset, channels, slots);
    initiator.socket.bind(checker.target_socket);
    checker.initiator_socket.bind(target->socket);
    sc_core::sc_start(SC_ZERO_TIME);
  }
  test::ScriptInitiator initiator{"initiator"};
  BaseProtocolChecker checker{"checker"};
  std::unique_ptr<DramTarget> target;
};

TEST_F(DramTargetTest, LatencyOfAClosedBankIsTheFormula) {
  build(1, 4);
  EXPECT_EQ(initiator.call(initiator.make(0, 32, false), BEGIN_REQ), ::tlm::TLM_UPDATED);
  sc_core::sc_start(1, SC_US);
  // ACT (4 cycles) + tRCD + RL + tDQSCK + burst + pipeline, at 0.46875 ns.
  const Cycle cycles = 3 + 39 + 36 + 4 + 8 + 43;
  ASSERT_EQ(initiator.times(BEGIN_RESP).size(), 1U);
  EXPECT_EQ(initiator.times(BEGIN_RESP)[0], sc_time(std::ceil(cycles * 468.75), SC_PS));
  EXPECT_THAT(checker.violations(), IsEmpty());
}

TEST_F(DramTargetTest, HoldsBackEndReqWhenSlotsAreTaken) {
  build(1, 2);
  EXPECT_EQ(initiator.call(initiator.make(0, 32, false), BEGIN_REQ), ::tlm::TLM_UPDATED);
  EXPECT_EQ(initiator.call(initiator.make(32, 32, true), BEGIN_REQ), ::tlm::TLM_UPDATED);
  EXPECT_EQ(initiator.call(initiator.make(64, 32, false), BEGIN_REQ), ::tlm::TLM_ACCEPTED);
  sc_core::sc_start(1, SC_US);
  const auto end_reqs = initiator.times(END_REQ);
  const auto responses = initiator.times(BEGIN_RESP);
  ASSERT_EQ(end_reqs.size(), 3U);
  ASSERT_EQ(responses.size(), 3U);
  EXPECT_EQ(end_reqs[2], responses[0]) << "a slot is free with the first response";
  EXPECT_THAT(checker.violations(), IsEmpty());
  EXPECT_TRUE(target->idle());
}

TEST_F(DramTargetTest, HonoursAnnotatedDelays) {
  build(1, 2);
  initiator.call(initiator.make(0, 32, false), BEGIN_REQ, sc_time(500, SC_NS));
  sc_core::sc_start(2, SC_US);
  ASSERT_EQ(initiator.times(END_REQ).size(), 1U);
  EXPECT_EQ(initiator.times(END_REQ)[0], sc_time(500, SC_NS));
  EXPECT_GT(initiator.times(BEGIN_RESP)[0], sc_time(560, SC_NS));
  EXPECT_THAT(checker.violations(), IsEmpty());
}

TEST_F(DramTargetTest, OneResponseAtATimePerInitiator) {
  build(1, 16);
  initiator.response_time = sc_time(100, SC_NS);
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(initiator.call(initiator.make(i * 32, 32, false), BEGIN_REQ), ::tlm::TLM_UPDATED);
  }
  sc_core::sc_start(2, SC_US);
  const auto responses = initiator.times(BEGIN_RESP);
  ASSERT_EQ(responses.size(), 8U);
  for (std::size_t i = 1; i < 8; ++i)
    EXPECT_GE(responses[i] - responses[i - 1], sc_time(100, SC_NS));
  EXPECT_THAT(checker.violations(), IsEmpty());
  EXPECT_EQ(checker.unfinished(), 0U);
}

TEST_F(DramTargetTest, AnswersBadTransactionsWithErrors) {
  build(1, 4);
  const auto status = [&](auto change) {
    ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
    change(payload);
    EXPECT_EQ(initiator.call(payload, BEGIN_REQ), ::tlm::TLM_COMPLETED);
    return payload.get_response_status();
  };
  unsigned char enable = 0xff;
  EXPECT_EQ(status([](auto& p) { p.set_address(std::uint64_t{1} << 60); }),
            ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status([](auto& p) { p.set_address((std::uint64_t{2} << 30) - 32); }),
            ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status([](auto& p) { p.set_command(::tlm::TLM_IGNORE_COMMAND); }),
            ::tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(status([](auto& p) { p.set_streaming_width(32); }), ::tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status([&](auto& p) { p.set_byte_enable_ptr(&enable); }),
            ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  sc_time delay = SC_ZERO_TIME;
  initiator.socket->b_transport(payload, delay);
  EXPECT_EQ(payload.get_response_status(), ::tlm::TLM_COMMAND_ERROR_RESPONSE);
}

// Two initiators, chunked transfers, mixed directions: everything is answered, nothing is broken.
TEST(DramTargetTraffic, ManyInitiatorsObeyTheProtocol) {
  DramTarget target("dram", load("lpddr4x-4266"), 2, 6);
  std::vector<std::unique_ptr<MemoryInitiator>> initiators;
  std::vector<std::unique_ptr<BaseProtocolChecker>> checkers;
  for (int i = 0; i < 3; ++i) {
    initiators.push_back(std::make_unique<MemoryInitiator>(
        ("initiator" + std::to_string(i)).c_str(),
        MemoryInitiator::Limits{.outstanding = 4, .chunk_bytes = 512}));
    checkers.push_back(
        std::make_unique<BaseProtocolChecker>(("checker" + std::to_string(i)).c_str()));
    initiators.back()->socket.bind(checkers.back()->target_socket);
    checkers.back()->initiator_socket.bind(target.socket);
  }
  base::Rng rng(3);
  int done = 0;
  std::int64_t bytes = 0;
  for (int i = 0; i < 300; ++i) {
    const std::int64_t size = rng.range(1, 5000);
    bytes += size;
    initiators[static_cast<std::size_t>(i % 3)]->submit(rng.below(1 << 20), size,
                                                        rng.bernoulli(0.4), [&] { ++done; });
  }
  sc_core::sc_start();
  EXPECT_EQ(done, 300);
  for (const auto& checker : checkers) {
    EXPECT_THAT(checker->violations(), IsEmpty());
    EXPECT_EQ(checker->unfinished(), 0U);
    EXPECT_GT(checker->finished(), 300);
  }
  const timing::dram::MemoryStats stats = target.stats();
  EXPECT_EQ(stats.requested_read_bytes + stats.requested_write_bytes, bytes);
  EXPECT_TRUE(target.idle());
  // The simulation ended by itself: an idle memory asks for no events, refresh or not.
  EXPECT_LT(sc_time_stamp(), sc_time(1000, SC_US));
}

// Picoseconds and cycles do not drift apart: a million cycles of 468.75 ps.
TEST(CycleGrid, RoundsUpWithoutDrift) {
  const CycleGrid grid(468'750);
  EXPECT_EQ(grid.begin(0), SC_ZERO_TIME);
  EXPECT_EQ(grid.begin(1), sc_time(469, SC_PS));
  EXPECT_EQ(grid.begin(2), sc_time(938, SC_PS));
  EXPECT_EQ(grid.begin(4), sc_time(1875, SC_PS));
  EXPECT_EQ(grid.begin(4'000'000), sc_time(1'875'000'000, SC_PS));
  for (Cycle cycle = 0; cycle < 100'000; ++cycle) {
    ASSERT_EQ(grid.containing(grid.begin(cycle)), cycle);
    ASSERT_EQ(grid.at_or_after(grid.begin(cycle)), cycle);
    ASSERT_EQ(grid.at_or_after(grid.begin(cycle) + sc_time(1, SC_PS)), cycle + 1);
  }
  EXPECT_THROW(CycleGrid(1000), base::InternalError);
}

}  // namespace
}  // namespace lacuna::tlm
