// SPDX-License-Identifier: Apache-2.0
#include "tlm/memory_initiator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "script_initiator.h"
#include "tlm/base_protocol_checker.h"

namespace lacuna::tlm {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::tlm::BEGIN_REQ;
using ::tlm::BEGIN_RESP;
using ::tlm::END_REQ;

class MemoryInitiatorTest : public testing::Test {
 protected:
  MemoryInitiatorTest() {
    initiator.socket.bind(checker.target_socket);
    checker.initiator_socket.bind(target.socket);
    target.answer = [this](auto& payload, auto& phase, auto&) {
      if (phase == BEGIN_REQ) {
        payload.acquire();
        requests.push_back(&payload);
        addresses.push_back(payload.get_address());
      }
      return ::tlm::TLM_ACCEPTED;
    };
    sc_core::sc_start(SC_ZERO_TIME);
  }
  void respond(std::size_t request, sc_time delay = SC_ZERO_TIME) {
    requests[request]->set_response_status(::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(target.call(*requests[request], BEGIN_RESP, delay), ::tlm::TLM_COMPLETED);
    requests[request]->release();
  }
  MemoryInitiator initiator{"initiator", {.outstanding = 3, .chunk_bytes = 256}};
  BaseProtocolChecker checker{"checker"};
  test::ScriptTarget target{"target"};
  std::vector<::tlm::tlm_generic_payload*> requests;
  std::vector<std::uint64_t> addresses;  ///< of the requests; payloads are used again
  int done = 0;
};

TEST_F(MemoryInitiatorTest, SendsOneRequestAtATimeInChunksUpToTheLimit) {
  initiator.submit(200, 800, false, [&] { ++done; });  // 56 + 256 + 256 + 232 bytes
  EXPECT_THAT(addresses, ElementsAre(200));
  target.call(*requests[0], END_REQ);
  EXPECT_THAT(addresses, ElementsAre(200, 256));
  target.call(*requests[1], END_REQ);
  target.call(*requests[2], END_REQ);
  EXPECT_THAT(addresses, ElementsAre(200, 256, 512)) << "three may be under way";
  respond(1);  // in any order
  EXPECT_THAT(addresses, ElementsAre(200, 256, 512, 768));
  EXPECT_EQ(requests[3]->get_data_length(), 232U);
  respond(3);  // BEGIN_RESP implies END_REQ
  respond(0);
  EXPECT_EQ(done, 0);
  respond(2);
  EXPECT_EQ(done, 1);
  EXPECT_TRUE(initiator.idle());
  EXPECT_EQ(initiator.bytes_read(), 800);
  EXPECT_THAT(checker.violations(), IsEmpty());
}

TEST_F(MemoryInitiatorTest, WaitsForAnnotatedResponses) {
  sc_time end;
  initiator.submit(0, 64, true, [&] { end = sc_time_stamp(); });
  respond(0, sc_time(30, SC_NS));
  EXPECT_EQ(end, SC_ZERO_TIME);
  sc_core::sc_start(100, SC_NS);
  EXPECT_EQ(end, sc_time(30, SC_NS));
}

TEST_F(MemoryInitiatorTest, NotifiesAnEvent) {
  sc_core::sc_event event;
  initiator.submit(0, 64, true, event);
  sc_time end;
  sc_core::sc_spawn([&] {
    sc_core::wait(event);
    end = sc_time_stamp();
  });
  sc_core::sc_spawn([&] {
    sc_core::wait(sc_time(70, SC_NS));
    respond(0);
  });
  sc_core::sc_start(100, SC_NS);
  EXPECT_EQ(end, sc_time(70, SC_NS));
}

TEST_F(MemoryInitiatorTest, MayBeUsedFromItsCallback) {
  int left = 50;
  std::function<void()> again = [&] {
    if (--left > 0) initiator.submit(0, 64, false, again);
  };
  initiator.submit(0, 64, false, again);
  for (std::size_t i = 0; i < 50; ++i) respond(i);
  EXPECT_EQ(left, 0);
  EXPECT_TRUE(initiator.idle());
  EXPECT_THAT(checker.violations(), IsEmpty());
}

TEST_F(MemoryInitiatorTest, TakesImmediateCompletions) {
  target.answer = [](auto& payload, auto&, auto&) {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    return ::tlm::TLM_COMPLETED;
  };
  // Deep recursion would end here if completions submitted from inside each other.
  initiator.submit(0, 256 * 100'000, false, [&] { ++done; });
  EXPECT_EQ(done, 1);
}

TEST_F(MemoryInitiatorTest, RefusesErrorResponses) {
  initiator.submit(0, 64, false, [&] { ++done; });
  requests[0]->set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_THROW(target.call(*requests[0], BEGIN_RESP), base::InternalError);
}

TEST_F(MemoryInitiatorTest, AThreadWaitsForAllTransfers) {
  InitiatorPort port(initiator);
  const Transfer transfers[] = {{0, 64}, {4096, 0}, {8192, 300}};
  sc_time end;
  sc_core::sc_spawn([&] {
    port.move(transfers, false);
    end = sc_time_stamp();
    port.move({}, false);  // nothing to wait for
  });
  sc_core::sc_spawn([&] {
    for (std::size_t i = 0; i < 3; ++i) {
      sc_core::wait(sc_time(10, SC_NS));
      respond(i);
    }
  });
  sc_core::sc_start(100, SC_NS);
  EXPECT_THAT(addresses, ElementsAre(0, 8192, 8448));
  EXPECT_EQ(end, sc_time(30, SC_NS));
}

TEST_F(MemoryInitiatorTest, PayloadsAreUsedAgain) {
  PayloadPool pool(64);
  for (int i = 0; i < 10; ++i) {
    ::tlm::tlm_generic_payload& payload = pool.acquire(0, 64, i % 2 == 0);
    EXPECT_EQ(payload.get_ref_count(), 1);
    EXPECT_EQ(payload.get_response_status(), ::tlm::TLM_INCOMPLETE_RESPONSE);
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    payload.release();
  }
  EXPECT_EQ(pool.made(), 1U);
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_THROW((void)pool.acquire(0, 65, false), base::InternalError);
}

}  // namespace
}  // namespace lacuna::tlm
