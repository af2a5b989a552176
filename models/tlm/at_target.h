// SPDX-License-Identifier: Apache-2.0
//
// The target side of the approximately-timed base protocol (IEEE 1666-2011, 15.2), for memories
// that work on many transactions at once: any number of initiators, four phases, back-pressure by
// holding back END_REQ while all slots are taken, one response at a time per initiator. Derived
// classes do the timing.
//
//   BEGIN_REQ ─► slot free? ─► try_begin() ... finish(slot, time) ─► BEGIN_RESP ─► END_RESP
//
// Initiators that wait for a slot get one in the order in which they asked. Timing annotations of
// BEGIN_REQ are honoured; END_RESP takes effect at once. Data is not touched (see PayloadPool).
//
// Does not support: b_transport (simulated time passes in phases only), DMI, debug transport, byte
// enables, streaming. Each is answered as the standard says for a target that does not do it.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <systemc>
#include <tlm>

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <vector>

namespace lacuna::tlm {

class AtTarget : public sc_core::sc_module {
 public:
  using Payload = ::tlm::tlm_generic_payload;

  tlm_utils::multi_passthrough_target_socket<AtTarget> socket;

  /// Transactions that have begun and whose response has not been sent.
  [[nodiscard]] int under_way() const {
    return static_cast<int>(slots_.size() - free_slots_.size());
  }
  /// Nothing is under way and nobody waits.
  [[nodiscard]] bool idle() const { return under_way() == 0 && waiting_.empty() && late_.empty(); }

 protected:
  AtTarget(sc_core::sc_module_name name, int slots);

  /// Whether the target can serve this at all: TLM_OK_RESPONSE, or the error to answer with.
  [[nodiscard]] virtual ::tlm::tlm_response_status check(const Payload& payload) const = 0;
  /// A transaction begins now. `binding` numbers the initiators in order of binding.
  virtual void begin(int slot, int binding, const Payload& payload) = 0;
  /// Simulated time moved on: perform what is due and call finish().
  virtual void advance() = 0;
  /// When advance() must be called next; sc_max_time() for never.
  [[nodiscard]] virtual sc_core::sc_time next_event() = 0;

  /// The slot's response is due at `time`, now or later.
  void finish(int slot, const sc_core::sc_time& time);
  /// next_event() may have moved to an earlier time for a reason that the base cannot know.
  void reschedule();

 private:
  struct Slot {
    Payload* payload = nullptr;
    int binding = 0;
  };
  struct Request {
    int binding = 0;
    Payload* payload = nullptr;
  };
  struct Timed {
    sc_core::sc_time time;
    std::uint64_t order = 0;  ///< equal times in order of entry
    int slot = 0;
    Request request;
    bool operator>(const Timed& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  using TimedQueue = std::priority_queue<Timed, std::vector<Timed>, std::greater<>>;
  struct Binding {
    std::deque<Payload*> responses;  ///< that wait for their turn
    Payload* responding = nullptr;   ///< BEGIN_RESP sent, END_RESP not here yet
  };

  ::tlm::tlm_sync_enum nb_transport_fw(int binding, Payload& payload, ::tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay);
  void b_transport(int binding, Payload& payload, sc_core::sc_time& delay);
  bool get_dmi(int binding, Payload& payload, ::tlm::tlm_dmi& dmi);
  unsigned transport_debug(int binding, Payload& payload);

  void process();
  void admit(const Request& request, bool in_call);
  void begin_request(const Request& request);
  void respond(int binding);
  Binding& binding(int number) {
    const auto at = static_cast<std::size_t>(number);
    if (at >= bindings_.size()) bindings_.resize(at + 1);
    return bindings_[at];
  }

  std::vector<Slot> slots_;
  std::vector<int> free_slots_;
  std::deque<Request> waiting_;
  TimedQueue late_;  ///< BEGIN_REQ with a timing annotation
  TimedQueue responses_;
  std::deque<Binding> bindings_;  ///< a place, once there, does not move
  std::uint64_t order_ = 0;
  sc_core::sc_event wake_;
  sc_core::sc_time scheduled_ = sc_core::sc_max_time();
};

}  // namespace lacuna::tlm
