// SPDX-License-Identifier: Apache-2.0
//
// Initiators and targets whose every protocol step a test decides: obedient ones to exercise our
// targets in all legal ways, and ones that break a rule to prove the checker.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <systemc>
#include <tlm>

#include <functional>
#include <map>
#include <vector>

#include "tlm/payload_pool.h"

namespace lacuna::tlm::test {

/// Sends what it is told and keeps a log. Takes `response_time` before END_RESP if that is not
/// zero.
class ScriptInitiator : public sc_core::sc_module {
 public:
  struct Event {
    ::tlm::tlm_generic_payload* payload;
    ::tlm::tlm_phase phase;
    sc_core::sc_time time;
  };
  tlm_utils::simple_initiator_socket<ScriptInitiator> socket;
  PayloadPool pool{1 << 20};
  std::vector<Event> events;  ///< backward calls and forward answers
  sc_core::sc_time response_time = sc_core::SC_ZERO_TIME;
  std::function<void(Event&)> on_event;

  explicit ScriptInitiator(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_nb_transport_bw(this, &ScriptInitiator::backward);
    SC_HAS_PROCESS(ScriptInitiator);
    SC_METHOD(respond);
    sensitive << respond_;
    dont_initialize();
  }

  ::tlm::tlm_generic_payload& make(std::uint64_t address, std::size_t bytes, bool is_write) {
    return pool.acquire(address, bytes, is_write);
  }
  ::tlm::tlm_sync_enum call(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase phase,
                            sc_core::sc_time delay = sc_core::SC_ZERO_TIME) {
    const ::tlm::tlm_phase sent = phase;
    const ::tlm::tlm_sync_enum answer = socket->nb_transport_fw(payload, phase, delay);
    if (answer == ::tlm::TLM_UPDATED && phase != sent) {
      events.push_back({&payload, phase, sc_core::sc_time_stamp() + delay});
    }
    return answer;
  }
  /// Times at which `phase` came, in order.
  [[nodiscard]] std::vector<sc_core::sc_time> times(const ::tlm::tlm_phase& phase) const {
    std::vector<sc_core::sc_time> result;
    for (const Event& event : events) {
      if (event.phase == phase) result.push_back(event.time);
    }
    return result;
  }

 private:
  ::tlm::tlm_sync_enum backward(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase& phase,
                                sc_core::sc_time& delay) {
    Event event{&payload, phase, sc_core::sc_time_stamp() + delay};
    events.push_back(event);
    if (on_event) on_event(event);
    if (phase != ::tlm::BEGIN_RESP) return ::tlm::TLM_ACCEPTED;
    if (response_time == sc_core::SC_ZERO_TIME) {
      payload.release();
      return ::tlm::TLM_COMPLETED;
    }
    responding_ = &payload;
    respond_.notify(response_time);
    return ::tlm::TLM_ACCEPTED;
  }
  void respond() {
    ::tlm::tlm_generic_payload* payload = responding_;
    responding_ = nullptr;
    call(*payload, ::tlm::END_RESP);
    payload->release();
  }

  ::tlm::tlm_generic_payload* responding_ = nullptr;
  sc_core::sc_event respond_;
};

/// A target that answers BEGIN_REQ with whatever a test says, and lets it call back.
class ScriptTarget : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<ScriptTarget> socket;
  std::function<::tlm::tlm_sync_enum(::tlm::tlm_generic_payload&, ::tlm::tlm_phase&,
                                     sc_core::sc_time&)>
      answer;

  explicit ScriptTarget(sc_core::sc_module_name name) : sc_module(name), socket("socket") {
    socket.register_nb_transport_fw(this, &ScriptTarget::forward);
  }
  ::tlm::tlm_sync_enum call(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase phase,
                            sc_core::sc_time delay = sc_core::SC_ZERO_TIME) {
    return socket->nb_transport_bw(payload, phase, delay);
  }

 private:
  ::tlm::tlm_sync_enum forward(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase& phase,
                               sc_core::sc_time& delay) {
    return answer ? answer(payload, phase, delay) : ::tlm::TLM_ACCEPTED;
  }
};

}  // namespace lacuna::tlm::test
