// SPDX-License-Identifier: Apache-2.0
#include "tlm/at_target.h"

#include <algorithm>

#include "base/error.h"

namespace lacuna::tlm {

using sc_core::sc_max_time;
using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;
using ::tlm::tlm_phase;
using ::tlm::tlm_sync_enum;

AtTarget::AtTarget(sc_core::sc_module_name name, int slots)
    : sc_module(name), socket("socket"), slots_(static_cast<std::size_t>(slots)) {
  LACUNA_CHECK(slots > 0);
  for (int slot = slots; slot > 0; --slot) free_slots_.push_back(slot - 1);
  socket.register_nb_transport_fw(this, &AtTarget::nb_transport_fw);
  socket.register_b_transport(this, &AtTarget::b_transport);
  socket.register_get_direct_mem_ptr(this, &AtTarget::get_dmi);
  socket.register_transport_dbg(this, &AtTarget::transport_debug);
  SC_HAS_PROCESS(AtTarget);
  SC_METHOD(process);
  sensitive << wake_;
  dont_initialize();
}

tlm_sync_enum AtTarget::nb_transport_fw(int number, Payload& payload, tlm_phase& phase,
                                        sc_time& delay) {
  if (phase == ::tlm::BEGIN_REQ) {
    ::tlm::tlm_response_status status = check(payload);
    if (payload.get_byte_enable_ptr() != nullptr) status = ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    if (payload.get_streaming_width() < payload.get_data_length()) {
      status = ::tlm::TLM_BURST_ERROR_RESPONSE;
    }
    if (status != ::tlm::TLM_OK_RESPONSE) {
      payload.set_response_status(status);
      return ::tlm::TLM_COMPLETED;
    }
    LACUNA_CHECK(payload.has_mm(), "{}: a payload without memory manager", name());
    payload.acquire();
    const Request request{number, &payload};
    if (delay != SC_ZERO_TIME) {
      late_.push({sc_time_stamp() + delay, order_++, 0, request});
      reschedule();
      return ::tlm::TLM_ACCEPTED;
    }
    if (free_slots_.empty() || !waiting_.empty()) {
      waiting_.push_back(request);
      return ::tlm::TLM_ACCEPTED;
    }
    begin_request(request);
    reschedule();
    phase = ::tlm::END_REQ;
    return ::tlm::TLM_UPDATED;
  }
  if (phase == ::tlm::END_RESP) {
    Binding& from = binding(number);
    LACUNA_CHECK(from.responding == &payload, "{}: END_RESP of a transaction without response",
                 name());
    from.responding = nullptr;
    payload.release();
    respond(number);
    return ::tlm::TLM_COMPLETED;
  }
  LACUNA_CHECK(false, "{}: phase {} from an initiator", this->name(), phase.get_name());
  return ::tlm::TLM_ACCEPTED;
}

void AtTarget::begin_request(const Request& request) {
  const int slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[static_cast<std::size_t>(slot)] = {request.payload, request.binding};
  begin(slot, request.binding, *request.payload);
}

void AtTarget::finish(int slot, const sc_time& time) {
  responses_.push({time, order_++, slot, {}});
}

void AtTarget::reschedule() {
  sc_time next = next_event();
  if (!responses_.empty()) next = std::min(next, responses_.top().time);
  if (!late_.empty()) next = std::min(next, late_.top().time);
  if (next >= scheduled_) return;  // waking too early only costs time
  const sc_time& now = sc_time_stamp();
  scheduled_ = std::max(next, now);
  wake_.notify(scheduled_ - now);
}

void AtTarget::process() {
  scheduled_ = sc_max_time();
  const sc_time& now = sc_time_stamp();
  advance();
  while (!responses_.empty() && responses_.top().time <= now) {
    const int slot = responses_.top().slot;
    responses_.pop();
    const Slot done = slots_[static_cast<std::size_t>(slot)];
    free_slots_.push_back(slot);
    done.payload->set_response_status(::tlm::TLM_OK_RESPONSE);
    binding(done.binding).responses.push_back(done.payload);
    respond(done.binding);
  }
  while (!late_.empty() && late_.top().time <= now) {
    waiting_.push_back(late_.top().request);
    late_.pop();
  }
  while (!waiting_.empty() && !free_slots_.empty()) {
    const Request request = waiting_.front();
    waiting_.pop_front();
    begin_request(request);
    tlm_phase phase = ::tlm::END_REQ;
    sc_time delay = SC_ZERO_TIME;
    const tlm_sync_enum answer =
        socket[request.binding]->nb_transport_bw(*request.payload, phase, delay);
    LACUNA_CHECK(answer == ::tlm::TLM_ACCEPTED, "{}: an initiator answered END_REQ with {}", name(),
                 static_cast<int>(answer));
  }
  reschedule();
}

// Sends responses of an initiator until it takes its time with one.
void AtTarget::respond(int number) {
  Binding& to = binding(number);
  while (to.responding == nullptr && !to.responses.empty()) {
    Payload* payload = to.responses.front();
    to.responses.pop_front();
    to.responding = payload;
    tlm_phase phase = ::tlm::BEGIN_RESP;
    sc_time delay = SC_ZERO_TIME;
    const tlm_sync_enum answer = socket[number]->nb_transport_bw(*payload, phase, delay);
    const bool over = answer == ::tlm::TLM_COMPLETED ||
                      (answer == ::tlm::TLM_UPDATED && phase == ::tlm::END_RESP);
    // The call may have come back to us with END_RESP or new requests: look again.
    if (over && to.responding == payload) {
      to.responding = nullptr;
      payload->release();
    }
  }
}

void AtTarget::b_transport(int, Payload& payload, sc_time&) {
  payload.set_response_status(::tlm::TLM_COMMAND_ERROR_RESPONSE);
}

bool AtTarget::get_dmi(int, Payload&, ::tlm::tlm_dmi& dmi) {
  dmi.set_start_address(0);
  dmi.set_end_address(~sc_dt::uint64{0});
  return false;
}

unsigned AtTarget::transport_debug(int, Payload&) { return 0; }

}  // namespace lacuna::tlm
