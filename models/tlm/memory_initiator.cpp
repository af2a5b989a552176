// SPDX-License-Identifier: Apache-2.0
#include "tlm/memory_initiator.h"

#include <algorithm>
#include <utility>

#include "base/cycles.h"
#include "base/error.h"
#include "tlm/crossing.h"

namespace lacuna::tlm {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;
using ::tlm::tlm_generic_payload;
using ::tlm::tlm_phase;
using ::tlm::tlm_sync_enum;

MemoryInitiator::MemoryInitiator(sc_core::sc_module_name name, Limits limits)
    : sc_module(name),
      socket("socket"),
      limits_(limits),
      pool_(static_cast<std::size_t>(limits.chunk_bytes)) {
  LACUNA_CHECK(limits.outstanding > 0 && base::is_power_of_two(limits.chunk_bytes));
  socket.register_nb_transport_bw(this, &MemoryInitiator::nb_transport_bw);
  SC_HAS_PROCESS(MemoryInitiator);
  SC_METHOD(process_late);
  sensitive << late_event_;
  dont_initialize();
}

void MemoryInitiator::submit(const lacuna::tlm::Transfer& transfer, bool is_write, Done done) {
  const std::int64_t bytes = transfer.bytes;
  LACUNA_CHECK(bytes > 0, "{}: a transfer of {} bytes", name(), bytes);
  std::size_t index = transfers_.size();
  if (free_transfers_.empty()) {
    transfers_.emplace_back();
  } else {
    index = free_transfers_.back();
    free_transfers_.pop_back();
  }
  transfers_[index] = {transfer.address, bytes, 0, is_write, std::move(done), bytes,
                       transfer.crossing};
  ++transfers_under_way_;
  (is_write ? bytes_written_ : bytes_read_) += bytes;
  unsent_.push_back(index);
  send();
}

void MemoryInitiator::submit(std::uint64_t address, std::int64_t bytes, bool is_write,
                             sc_core::sc_event& done) {
  submit(address, bytes, is_write, [&done] { done.notify(); });
}

void MemoryInitiator::send() {
  if (sending_ || !started_) return;  // the loop below goes on, or start_of_simulation() begins
  sending_ = true;
  while (send_one()) {
  }
  sending_ = false;
}

void MemoryInitiator::start_of_simulation() {
  started_ = true;
  send();
}

// Sends the next chunk; false if that is not possible now.
bool MemoryInitiator::send_one() {
  if (unsent_.empty() || requesting_ != nullptr || outstanding_ >= limits_.outstanding)
    return false;
  const std::size_t index = unsent_.front();
  Sending& transfer = transfers_[index];
  const auto chunk = static_cast<std::uint64_t>(limits_.chunk_bytes);
  const std::int64_t to_boundary =
      limits_.chunk_bytes - static_cast<std::int64_t>(transfer.next_address & (chunk - 1));
  const std::int64_t bytes = std::min(transfer.bytes_left, to_boundary);
  tlm_generic_payload& payload =
      pool_.acquire(transfer.next_address, static_cast<std::size_t>(bytes), transfer.is_write);
  Owner* owner = payload.get_extension<Owner>();
  if (owner == nullptr) {
    owner = new Owner;  // the payload keeps it
    payload.set_extension(owner);
  }
  owner->transfer = index;
  Crossing* crossing = payload.get_extension<Crossing>();
  if (crossing == nullptr) {
    crossing = new Crossing;  // the payload keeps it
    payload.set_extension(crossing);
  }
  crossing->bytes = -1;
  if (transfer.crossing >= 0) {
    // Each chunk its share, so that the shares add up.
    const std::int64_t sent = transfer.bytes - transfer.bytes_left + bytes;
    const std::int64_t share = transfer.crossing * sent / transfer.bytes;
    crossing->bytes = share - transfer.crossing_sent;
    transfer.crossing_sent = share;
  }
  transfer.next_address += static_cast<std::uint64_t>(bytes);
  transfer.bytes_left -= bytes;
  ++transfer.chunks_open;
  if (transfer.bytes_left == 0) unsent_.pop_front();
  ++outstanding_;

  requesting_ = &payload;
  tlm_phase phase = ::tlm::BEGIN_REQ;
  sc_time delay = SC_ZERO_TIME;
  const tlm_sync_enum answer = socket->nb_transport_fw(payload, phase, delay);
  if (answer == ::tlm::TLM_COMPLETED) {
    requesting_ = nullptr;
    complete_at(payload, delay);
  } else if (answer == ::tlm::TLM_UPDATED) {
    requesting_ = nullptr;
    if (phase == ::tlm::BEGIN_RESP) {
      complete_at(payload, delay);
      phase = ::tlm::END_RESP;
      delay = SC_ZERO_TIME;
      socket->nb_transport_fw(payload, phase, delay);
    } else {
      LACUNA_CHECK(phase == ::tlm::END_REQ, "{}: phase {} in answer to BEGIN_REQ", name(),
                   phase.get_name());
    }
  }
  return true;
}

tlm_sync_enum MemoryInitiator::nb_transport_bw(tlm_generic_payload& payload, tlm_phase& phase,
                                               sc_time& delay) {
  if (phase == ::tlm::END_REQ) {
    LACUNA_CHECK(requesting_ == &payload, "{}: END_REQ without BEGIN_REQ", name());
    requesting_ = nullptr;
    send();
    return ::tlm::TLM_ACCEPTED;
  }
  LACUNA_CHECK(phase == ::tlm::BEGIN_RESP, "{}: phase {} from a target", name(), phase.get_name());
  if (requesting_ == &payload) requesting_ = nullptr;  // BEGIN_RESP implies END_REQ
  complete_at(payload, delay);
  return ::tlm::TLM_COMPLETED;
}

void MemoryInitiator::complete_at(tlm_generic_payload& payload, const sc_time& delay) {
  if (delay == SC_ZERO_TIME) {
    complete(payload);
    return;
  }
  late_.push({sc_time_stamp() + delay, &payload});
  late_event_.notify(late_.top().time - sc_time_stamp());
}

void MemoryInitiator::process_late() {
  while (!late_.empty() && late_.top().time <= sc_time_stamp()) {
    tlm_generic_payload& payload = *late_.top().payload;
    late_.pop();
    complete(payload);
  }
  if (!late_.empty()) late_event_.notify(late_.top().time - sc_time_stamp());
}

void MemoryInitiator::complete(tlm_generic_payload& payload) {
  LACUNA_CHECK(payload.is_response_ok(), "{}: {} of {} bytes at {:#x} answered {}", name(),
               payload.is_write() ? "write" : "read", payload.get_data_length(),
               payload.get_address(), payload.get_response_string());
  const std::size_t index = payload.get_extension<Owner>()->transfer;
  payload.release();
  --outstanding_;
  Sending& transfer = transfers_[index];
  --transfer.chunks_open;
  if (transfer.chunks_open == 0 && transfer.bytes_left == 0) {
    const Done done = std::move(transfer.done);
    free_transfers_.push_back(index);
    --transfers_under_way_;
    done();
  }
  send();
}

void InitiatorPort::move(std::span<const Transfer> transfers, bool write) {
  LACUNA_CHECK(open_ == 0, "two moves at once on one port");
  for (const Transfer& transfer : transfers) {
    if (transfer.bytes == 0) continue;
    ++open_;
    initiator_.submit(transfer, write, [this] {
      if (--open_ == 0) done_.notify();
    });
  }
  // A target that completes at once has called back before we wait.
  if (open_ > 0) sc_core::wait(done_);
}

}  // namespace lacuna::tlm
