// SPDX-License-Identifier: Apache-2.0
//
// The initiator side of the approximately-timed base protocol, so that code that moves data never
// sees a phase: submit an address and a length, and be called (or notified) when the last byte is
// there. Long transfers go out in chunks that end at multiples of chunk_bytes; up to `outstanding`
// chunks are under way at once; transfers start in the order of submission and end in any.
//
// One BEGIN_REQ at a time on the socket (request exclusion); responses are taken at once
// (TLM_COMPLETED). Timing annotations of the target are honoured.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <systemc>
#include <tlm>

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <span>
#include <vector>

#include "tlm/memory_port.h"
#include "tlm/payload_pool.h"

namespace lacuna::tlm {

class MemoryInitiator : public sc_core::sc_module {
 public:
  struct Limits {
    int outstanding = 8;
    std::int64_t chunk_bytes = 4096;  ///< a power of two
  };
  using Done = std::function<void()>;

  tlm_utils::simple_initiator_socket<MemoryInitiator> socket;

  explicit MemoryInitiator(sc_core::sc_module_name name) : MemoryInitiator(name, Limits{}) {}
  MemoryInitiator(sc_core::sc_module_name name, Limits limits);

  /// `bytes` above 0. `done` is called once, from a process or callback at the time of completion;
  /// it may submit. Never called from inside submit() unless the target completes at once. What is
  /// submitted before the simulation starts is sent when it does.
  void submit(std::uint64_t address, std::int64_t bytes, bool is_write, Done done) {
    submit(lacuna::tlm::Transfer{address, bytes}, is_write, std::move(done));
  }
  /// With what crosses the memory's link.
  void submit(const lacuna::tlm::Transfer& transfer, bool is_write, Done done);
  /// The same, notifying an event (immediately, at the time of completion).
  void submit(std::uint64_t address, std::int64_t bytes, bool is_write, sc_core::sc_event& done);

  [[nodiscard]] bool idle() const { return transfers_under_way_ == 0; }
  [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] std::int64_t bytes_written() const { return bytes_written_; }

 private:
  struct Sending {
    std::uint64_t next_address = 0;
    std::int64_t bytes_left = 0;  ///< not sent yet
    std::int64_t chunks_open = 0;
    bool is_write = false;
    Done done;
    std::int64_t bytes = 0;          ///< of all chunks
    std::int64_t crossing = -1;      ///< of all chunks
    std::int64_t crossing_sent = 0;  ///< of chunks that were sent
  };
  // Which transfer a payload belongs to.
  struct Owner : ::tlm::tlm_extension<Owner> {
    std::size_t transfer = 0;
    [[nodiscard]] tlm_extension_base* clone() const override { return new Owner(*this); }
    void copy_from(const tlm_extension_base& other) override {
      transfer = static_cast<const Owner&>(other).transfer;
    }
  };
  struct Late {
    sc_core::sc_time time;
    ::tlm::tlm_generic_payload* payload = nullptr;
    bool operator>(const Late& other) const { return time > other.time; }
  };

  ::tlm::tlm_sync_enum nb_transport_bw(::tlm::tlm_generic_payload& payload, ::tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay);
  void send();
  bool send_one();
  void complete(::tlm::tlm_generic_payload& payload);
  void complete_at(::tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void process_late();
  void start_of_simulation() override;

  Limits limits_;
  PayloadPool pool_;
  std::vector<Sending> transfers_;
  std::vector<std::size_t> free_transfers_;
  std::deque<std::size_t> unsent_;                    ///< transfers with bytes left to send
  ::tlm::tlm_generic_payload* requesting_ = nullptr;  ///< BEGIN_REQ without END_REQ
  bool started_ = false;
  bool sending_ = false;
  int outstanding_ = 0;
  std::int64_t transfers_under_way_ = 0;
  std::int64_t bytes_read_ = 0;
  std::int64_t bytes_written_ = 0;
  std::priority_queue<Late, std::vector<Late>, std::greater<>> late_;
  sc_core::sc_event late_event_;
};

/// A MemoryPort on an initiator: for threads.
class InitiatorPort : public MemoryPort {
 public:
  explicit InitiatorPort(MemoryInitiator& initiator) : initiator_(initiator) {}
  void move(std::span<const Transfer> transfers, bool write) override;

 private:
  MemoryInitiator& initiator_;
  std::int64_t open_ = 0;
  sc_core::sc_event done_;
};

}  // namespace lacuna::tlm
