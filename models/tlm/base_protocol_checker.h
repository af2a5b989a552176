// SPDX-License-Identifier: Apache-2.0
//
// Sits between an initiator and a target and checks every call against the approximately-timed base
// protocol (IEEE 1666-2011, 15.2 and 14): phase order, request and response exclusion, what a
// return value may say, untouched attributes, memory management, response status, time annotations
// that do not run backwards. Passes everything on unchanged. Findings are kept, not raised, so that
// a test can ask for them; proven by initiators and targets that break each rule.
//
// Not checked: b_transport, DMI and debug calls (passed on).
#pragma once

#include <tlm_utils/passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <tlm>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lacuna::tlm {

class BaseProtocolChecker : public sc_core::sc_module {
 public:
  tlm_utils::passthrough_target_socket<BaseProtocolChecker> target_socket;   ///< initiator side
  tlm_utils::simple_initiator_socket<BaseProtocolChecker> initiator_socket;  ///< target side

  explicit BaseProtocolChecker(sc_core::sc_module_name name);

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  /// Transactions that have begun and are not over: none when a simulation ends in good order.
  [[nodiscard]] std::size_t unfinished() const { return open_.size(); }
  /// Transactions that are over.
  [[nodiscard]] std::int64_t finished() const { return finished_; }

 private:
  using Payload = ::tlm::tlm_generic_payload;
  enum class State { kBeginReq, kEndReq, kBeginResp };
  struct Open {
    State state = State::kBeginReq;
    sc_core::sc_time time;  ///< effective time of the latest phase
    // As the initiator set them.
    ::tlm::tlm_command command = ::tlm::TLM_IGNORE_COMMAND;
    sc_dt::uint64 address = 0;
    unsigned char* data = nullptr;
    unsigned length = 0;
  };

  ::tlm::tlm_sync_enum forward(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay);
  ::tlm::tlm_sync_enum backward(Payload& payload, ::tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void b_transport(Payload& payload, sc_core::sc_time& delay);
  bool get_dmi(Payload& payload, ::tlm::tlm_dmi& dmi);
  unsigned debug(Payload& payload);
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end);

  void report(const Payload& payload, const std::string& what);
  void begin(Payload& payload, const sc_core::sc_time& time);
  /// A phase took effect; `by_target` says who caused it.
  void enter(Payload& payload, const ::tlm::tlm_phase& phase, const sc_core::sc_time& delay,
             bool by_target);
  void end_request(Payload& payload);
  void end(Payload& payload);
  void check_answer(Payload& payload, ::tlm::tlm_sync_enum answer, const ::tlm::tlm_phase& before,
                    const ::tlm::tlm_phase& after, const sc_core::sc_time& delay_before,
                    const sc_core::sc_time& delay_after, bool answered_by_target);
  void check_attributes(const Payload& payload, const Open& open);

  std::map<const Payload*, Open> open_;
  const Payload* requesting_ = nullptr;  ///< BEGIN_REQ without END_REQ
  const Payload* responding_ = nullptr;  ///< BEGIN_RESP without END_RESP
  sc_core::sc_time last_request_;
  sc_core::sc_time last_response_;
  std::int64_t finished_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace lacuna::tlm
