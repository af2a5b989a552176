// SPDX-License-Identifier: Apache-2.0
#include "tlm/base_protocol_checker.h"

#include <fmt/format.h>

namespace lacuna::tlm {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using ::tlm::tlm_phase;
using ::tlm::tlm_sync_enum;

BaseProtocolChecker::BaseProtocolChecker(sc_core::sc_module_name name)
    : sc_module(name), target_socket("target_socket"), initiator_socket("initiator_socket") {
  target_socket.register_nb_transport_fw(this, &BaseProtocolChecker::forward);
  target_socket.register_b_transport(this, &BaseProtocolChecker::b_transport);
  target_socket.register_get_direct_mem_ptr(this, &BaseProtocolChecker::get_dmi);
  target_socket.register_transport_dbg(this, &BaseProtocolChecker::debug);
  initiator_socket.register_nb_transport_bw(this, &BaseProtocolChecker::backward);
  initiator_socket.register_invalidate_direct_mem_ptr(this, &BaseProtocolChecker::invalidate);
}

void BaseProtocolChecker::report(const Payload& payload, const std::string& what) {
  violations_.push_back(fmt::format("{}: {} of {} bytes at {:#x}: {}", sc_time_stamp().to_string(),
                                    payload.is_write() ? "write" : "read",
                                    payload.get_data_length(), payload.get_address(), what));
}

void BaseProtocolChecker::begin(Payload& payload, const sc_time& time) {
  if (open_.contains(&payload)) {
    report(payload, "BEGIN_REQ of a transaction that is under way");
    return;
  }
  if (requesting_ != nullptr)
    report(payload, "BEGIN_REQ before the END_REQ of another transaction");
  if (!payload.has_mm()) report(payload, "no memory manager");
  if (payload.has_mm() && payload.get_ref_count() < 1) report(payload, "reference count is 0");
  if (payload.get_response_status() != ::tlm::TLM_INCOMPLETE_RESPONSE) {
    report(payload, "response status is set in a request");
  }
  if (payload.get_data_ptr() == nullptr) report(payload, "no data pointer");
  if (payload.get_data_length() == 0) report(payload, "data length is 0");
  if (payload.get_streaming_width() == 0) report(payload, "streaming width is 0");
  if (payload.is_dmi_allowed()) report(payload, "DMI hint is set in a request");
  if (time < last_request_) report(payload, "BEGIN_REQ is earlier than the request before it");
  last_request_ = time;
  open_[&payload] = {State::kBeginReq,       time,
                     payload.get_command(),  payload.get_address(),
                     payload.get_data_ptr(), payload.get_data_length()};
  requesting_ = &payload;
}

void BaseProtocolChecker::end_request(Payload& payload) {
  if (requesting_ == &payload) requesting_ = nullptr;
}

void BaseProtocolChecker::end(Payload& payload) {
  end_request(payload);
  if (responding_ == &payload) responding_ = nullptr;
  open_.erase(&payload);
  ++finished_;
}

void BaseProtocolChecker::check_attributes(const Payload& payload, const Open& open) {
  if (payload.get_command() != open.command || payload.get_address() != open.address ||
      payload.get_data_ptr() != open.data || payload.get_data_length() != open.length) {
    report(payload, "command, address, data pointer or length changed under way");
  }
}

void BaseProtocolChecker::enter(Payload& payload, const tlm_phase& phase, const sc_time& delay,
                                bool by_target) {
  const sc_time time = sc_time_stamp() + delay;
  if (phase == ::tlm::BEGIN_REQ) {
    if (by_target) {
      report(payload, "BEGIN_REQ from a target");
    } else {
      begin(payload, time);
    }
    return;
  }
  const auto found = open_.find(&payload);
  if (found == open_.end()) {
    report(payload, fmt::format("{} of a transaction that is not under way", phase.get_name()));
    return;
  }
  Open& open = found->second;
  if (time < open.time) {
    report(payload, fmt::format("{} is earlier than the phase before it", phase.get_name()));
  }
  open.time = time;
  check_attributes(payload, open);
  if (phase == ::tlm::END_REQ) {
    if (!by_target) report(payload, "END_REQ from an initiator");
    if (open.state != State::kBeginReq) report(payload, "END_REQ without BEGIN_REQ");
    open.state = State::kEndReq;
    end_request(payload);
  } else if (phase == ::tlm::BEGIN_RESP) {
    if (!by_target) report(payload, "BEGIN_RESP from an initiator");
    if (open.state == State::kBeginResp) report(payload, "BEGIN_RESP twice");
    if (responding_ != nullptr && responding_ != &payload) {
      report(payload, "BEGIN_RESP before the END_RESP of another transaction");
    }
    if (payload.get_response_status() == ::tlm::TLM_INCOMPLETE_RESPONSE) {
      report(payload, "BEGIN_RESP without a response status");
    }
    if (time < last_response_) report(payload, "BEGIN_RESP is earlier than the response before it");
    last_response_ = time;
    open.state = State::kBeginResp;
    responding_ = &payload;
    end_request(payload);
  } else if (phase == ::tlm::END_RESP) {
    if (by_target) report(payload, "END_RESP from a target");
    if (open.state != State::kBeginResp) report(payload, "END_RESP without BEGIN_RESP");
    end(payload);
  } else {
    report(payload, fmt::format("{} is not a phase of the base protocol", phase.get_name()));
  }
}

// What the callee said by its return value.
void BaseProtocolChecker::check_answer(Payload& payload, tlm_sync_enum answer,
                                       const tlm_phase& before, const tlm_phase& after,
                                       const sc_time& delay_before, const sc_time& delay_after,
                                       bool answered_by_target) {
  switch (answer) {
    case ::tlm::TLM_ACCEPTED:
      if (after != before) report(payload, "TLM_ACCEPTED with a changed phase");
      if (delay_after != delay_before) report(payload, "TLM_ACCEPTED with a changed delay");
      break;
    case ::tlm::TLM_UPDATED:
      if (delay_after < delay_before) report(payload, "the delay became shorter");
      if (after == before) {
        report(payload, "TLM_UPDATED without a new phase");
      } else {
        enter(payload, after, delay_after, answered_by_target);
      }
      break;
    case ::tlm::TLM_COMPLETED:
      if (before == ::tlm::END_REQ) report(payload, "TLM_COMPLETED in answer to END_REQ");
      if (before == ::tlm::BEGIN_REQ &&
          payload.get_response_status() == ::tlm::TLM_INCOMPLETE_RESPONSE) {
        report(payload, "TLM_COMPLETED without a response status");
      }
      if (before != ::tlm::END_RESP && open_.contains(&payload)) end(payload);
      break;
  }
}

tlm_sync_enum BaseProtocolChecker::forward(Payload& payload, tlm_phase& phase, sc_time& delay) {
  const tlm_phase before = phase;
  const sc_time delay_before = delay;
  const bool ends = phase == ::tlm::END_RESP;
  enter(payload, phase, delay, false);
  const tlm_sync_enum answer = initiator_socket->nb_transport_fw(payload, phase, delay);
  // After END_RESP the payload may have been given back already.
  if (ends) {
    if (answer == ::tlm::TLM_UPDATED) report(payload, "TLM_UPDATED in answer to END_RESP");
    return answer;
  }
  check_answer(payload, answer, before, phase, delay_before, delay, true);
  return answer;
}

tlm_sync_enum BaseProtocolChecker::backward(Payload& payload, tlm_phase& phase, sc_time& delay) {
  const tlm_phase before = phase;
  const sc_time delay_before = delay;
  enter(payload, phase, delay, true);
  const tlm_sync_enum answer = target_socket->nb_transport_bw(payload, phase, delay);
  check_answer(payload, answer, before, phase, delay_before, delay, false);
  return answer;
}

void BaseProtocolChecker::b_transport(Payload& payload, sc_time& delay) {
  initiator_socket->b_transport(payload, delay);
}
bool BaseProtocolChecker::get_dmi(Payload& payload, ::tlm::tlm_dmi& dmi) {
  return initiator_socket->get_direct_mem_ptr(payload, dmi);
}
unsigned BaseProtocolChecker::debug(Payload& payload) {
  return initiator_socket->transport_dbg(payload);
}
void BaseProtocolChecker::invalidate(sc_dt::uint64 start, sc_dt::uint64 end) {
  target_socket->invalidate_direct_mem_ptr(start, end);
}

}  // namespace lacuna::tlm
