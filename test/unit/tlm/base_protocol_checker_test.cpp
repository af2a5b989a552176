// SPDX-License-Identifier: Apache-2.0
//
// The checker against initiators and targets that break one rule each, and against obedient ones.
#include "tlm/base_protocol_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "script_initiator.h"

namespace lacuna::tlm {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_ZERO_TIME;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::tlm::BEGIN_REQ;
using ::tlm::BEGIN_RESP;
using ::tlm::END_REQ;
using ::tlm::END_RESP;

DECLARE_EXTENDED_PHASE(foreign_phase);

class Checker : public testing::Test {
 protected:
  Checker() {
    initiator.socket.bind(checker.target_socket);
    checker.initiator_socket.bind(target.socket);
    sc_core::sc_start(SC_ZERO_TIME);
  }
  ::tlm::tlm_generic_payload& begin(std::uint64_t address = 64) {
    ::tlm::tlm_generic_payload& payload = initiator.make(address, 64, false);
    initiator.call(payload, BEGIN_REQ);
    return payload;
  }
  void respond(::tlm::tlm_generic_payload& payload) {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    target.call(payload, BEGIN_RESP);
  }
  void expect(const char* text) { EXPECT_THAT(checker.violations(), Contains(HasSubstr(text))); }
  static void wait(double ns) { sc_core::sc_start(sc_time(ns, SC_NS)); }

  test::ScriptInitiator initiator{"initiator"};
  BaseProtocolChecker checker{"checker"};
  test::ScriptTarget target{"target"};
};

TEST_F(Checker, AcceptsFourPhases) {
  initiator.response_time = sc_time(3, SC_NS);
  ::tlm::tlm_generic_payload& payload = begin();
  wait(1);
  target.call(payload, END_REQ);
  wait(10);
  respond(payload);
  wait(10);
  EXPECT_THAT(checker.violations(), IsEmpty());
  EXPECT_EQ(checker.finished(), 1);
  EXPECT_EQ(checker.unfinished(), 0U);
}

TEST_F(Checker, AcceptsTheShortForms) {
  target.answer = [](auto& payload, auto& phase, auto&) {
    if (payload.get_address() == 0) {
      payload.set_response_status(::tlm::TLM_OK_RESPONSE);
      return ::tlm::TLM_COMPLETED;
    }
    phase = END_REQ;
    return ::tlm::TLM_UPDATED;
  };
  begin(0);
  respond(begin(64));  // END_REQ came as the answer
  target.answer = nullptr;
  respond(begin(128));  // BEGIN_RESP implies END_REQ
  EXPECT_THAT(checker.violations(), IsEmpty());
  EXPECT_EQ(checker.finished(), 3);
}

TEST_F(Checker, FindsARequestBeforeEndReq) {
  begin();
  begin(128);
  expect("BEGIN_REQ before the END_REQ of another transaction");
}
TEST_F(Checker, FindsARequestSentTwice) {
  ::tlm::tlm_generic_payload& payload = begin();
  initiator.call(payload, BEGIN_REQ);
  expect("BEGIN_REQ of a transaction that is under way");
}
TEST_F(Checker, FindsAMissingMemoryManager) {
  ::tlm::tlm_generic_payload payload;
  unsigned char byte = 0;
  payload.set_data_ptr(&byte);
  payload.set_data_length(1);
  payload.set_streaming_width(1);
  initiator.call(payload, BEGIN_REQ);
  expect("no memory manager");
}
TEST_F(Checker, FindsAReleasedPayload) {
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  payload.acquire();
  payload.release();
  payload.release();  // back in the pool
  initiator.call(payload, BEGIN_REQ);
  expect("reference count is 0");
}
TEST_F(Checker, FindsAStatusThatIsSetInARequest) {
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  initiator.call(payload, BEGIN_REQ);
  expect("response status is set in a request");
}
TEST_F(Checker, FindsEmptyData) {
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  payload.set_data_length(0);
  payload.set_streaming_width(0);
  payload.set_data_ptr(nullptr);
  initiator.call(payload, BEGIN_REQ);
  expect("data length is 0");
  expect("streaming width is 0");
  expect("no data pointer");
}
TEST_F(Checker, FindsRequestsThatRunBackwards) {
  target.answer = [](auto&, auto& phase, auto&) {
    phase = END_REQ;
    return ::tlm::TLM_UPDATED;
  };
  initiator.call(initiator.make(0, 64, false), BEGIN_REQ, sc_time(10, SC_NS));
  initiator.call(initiator.make(64, 64, false), BEGIN_REQ, sc_time(5, SC_NS));
  expect("BEGIN_REQ is earlier than the request before it");
}
TEST_F(Checker, FindsPhasesFromTheWrongSide) {
  ::tlm::tlm_generic_payload& payload = begin();
  initiator.call(payload, END_REQ);
  expect("END_REQ from an initiator");
  ::tlm::tlm_generic_payload& other = initiator.make(128, 64, false);
  target.call(other, BEGIN_REQ);
  expect("BEGIN_REQ from a target");
}
TEST_F(Checker, FindsEndReqTwice) {
  ::tlm::tlm_generic_payload& payload = begin();
  target.call(payload, END_REQ);
  target.call(payload, END_REQ);
  expect("END_REQ without BEGIN_REQ");
}
TEST_F(Checker, FindsEndRespWithoutBeginResp) {
  ::tlm::tlm_generic_payload& payload = begin();
  target.call(payload, END_REQ);
  initiator.call(payload, END_RESP);
  expect("END_RESP without BEGIN_RESP");
}
TEST_F(Checker, FindsAResponseDuringAnother) {
  initiator.response_time = sc_time(10, SC_NS);
  ::tlm::tlm_generic_payload& first = begin();
  target.call(first, END_REQ);
  ::tlm::tlm_generic_payload& second = begin(128);
  target.call(second, END_REQ);
  respond(first);
  respond(second);
  expect("BEGIN_RESP before the END_RESP of another transaction");
}
TEST_F(Checker, FindsAResponseWithoutStatus) {
  ::tlm::tlm_generic_payload& payload = begin();
  target.call(payload, BEGIN_RESP);
  expect("BEGIN_RESP without a response status");
}
TEST_F(Checker, FindsAnAnswerToNothing) {
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  target.call(payload, END_REQ);
  expect("END_REQ of a transaction that is not under way");
}
TEST_F(Checker, FindsChangedAttributes) {
  ::tlm::tlm_generic_payload& payload = begin();
  payload.set_address(4096);
  target.call(payload, END_REQ);
  expect("changed under way");
}
TEST_F(Checker, FindsAResponseBeforeItsRequestInTime) {
  ::tlm::tlm_generic_payload& payload = initiator.make(0, 64, false);
  initiator.call(payload, BEGIN_REQ, sc_time(10, SC_NS));
  target.call(payload, END_REQ, sc_time(5, SC_NS));
  expect("END_REQ is earlier than the phase before it");
}
TEST_F(Checker, FindsAcceptedWithAChangedPhaseOrDelay) {
  target.answer = [](auto&, auto& phase, auto& delay) {
    phase = END_REQ;
    delay = sc_time(1, SC_NS);
    return ::tlm::TLM_ACCEPTED;
  };
  begin();
  expect("TLM_ACCEPTED with a changed phase");
  expect("TLM_ACCEPTED with a changed delay");
}
TEST_F(Checker, FindsUpdatedWithoutANewPhase) {
  target.answer = [](auto&, auto&, auto&) { return ::tlm::TLM_UPDATED; };
  begin();
  expect("TLM_UPDATED without a new phase");
}
TEST_F(Checker, FindsAShorterDelay) {
  target.answer = [](auto&, auto& phase, auto& delay) {
    phase = END_REQ;
    delay = SC_ZERO_TIME;
    return ::tlm::TLM_UPDATED;
  };
  initiator.call(initiator.make(0, 64, false), BEGIN_REQ, sc_time(10, SC_NS));
  expect("the delay became shorter");
}
TEST_F(Checker, FindsCompletionWithoutStatus) {
  target.answer = [](auto&, auto&, auto&) { return ::tlm::TLM_COMPLETED; };
  begin();
  expect("TLM_COMPLETED without a response status");
}
TEST_F(Checker, FindsForeignPhases) {
  begin();
  initiator.call(begin(128), foreign_phase);
  expect("is not a phase of the base protocol");
}
TEST_F(Checker, CountsWhatIsNeverAnswered) {
  begin();
  EXPECT_EQ(checker.unfinished(), 1U);
}

}  // namespace
}  // namespace lacuna::tlm
