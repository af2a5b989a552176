// SPDX-License-Identifier: Apache-2.0
//
// The chip's memory network as a TLM-2.0 target: the banked SRAM behind its crossbar, and the way
// to DRAM. Addresses below the SRAM's capacity are SRAM; from dram_base on DRAM, which sees them
// from 0.
//
//   initiators ─► socket ─► crossbar ports ─► SRAM banks
//                                      └────► dram.socket ─► DramTarget
//
// Timing: SRAM as timing/noc/crossbar.h says. A DRAM read goes to DRAM at once; its data then
// passes the requester's port like SRAM data, request_latency being counted on that way. The data
// of a DRAM write passes the port first and then goes to DRAM; it is done when DRAM has it.
//
// With a link between memory dies and chip DRAM data cross it on the way, in order of arrival at
// it, `width` bytes a cycle and direction, and arrive `latency` cycles after their last byte. Reads
// of near-memory units (crossing.h) first pass the units, which take the bytes of all channels at
// channels x width bytes a cycle; what does not cross ends there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "params/chip_params.h"
#include "params/dram_params.h"
#include "timing/noc/crossbar.h"
#include "timing/sram/banked_sram.h"
#include "tlm/at_target.h"
#include "tlm/cycle_grid.h"
#include "tlm/memory_initiator.h"

namespace lacuna::tlm {

class Interconnect : public AtTarget {
 public:
  /// Where an initiator sits; the order is that of binding to `socket`.
  struct Place {
    int port = 0;
    int requester = 0;
  };
  struct Config {
    sc_core::sc_time clock_period = sc_core::sc_time(1, sc_core::SC_NS);
    params::SramParams sram;
    timing::noc::CrossbarConfig crossbar;
    std::vector<Place> places;
    std::uint64_t dram_base = std::uint64_t{1} << 40;
    std::int64_t largest_bytes = 4096;  ///< of one transaction; a power of two
    int slots = 256;                    ///< transactions under way at once
    std::optional<params::MemoryLinkParams> link = {};
    std::optional<params::NearMemoryParams> near_memory = {};
    int channels = 1;  ///< of the DRAM: a near-memory unit each
  };
  /// The link between memory dies and chip, and the units in front of it.
  struct LinkStats {
    std::int64_t read_bytes = 0, write_bytes = 0;    ///< across the link (without one: to the chip)
    std::int64_t read_cycles = 0, write_cycles = 0;  ///< in which the link was busy
    std::int64_t wait_cycles = 0;                    ///< of transactions, for the link
    std::int64_t near_read_bytes = 0;                ///< read by near-memory units
    std::int64_t near_sent_bytes = 0;                ///< and what they sent on
    std::int64_t near_cycles = 0;                    ///< in which the units were busy, each
  };

  Interconnect(sc_core::sc_module_name name, const Config& config);

  /// Bind dram.socket to a DramTarget.
  MemoryInitiator dram;

  [[nodiscard]] const timing::noc::Crossbar& crossbar() const { return crossbar_; }
  [[nodiscard]] const timing::sram::BankedSram& sram() const { return sram_; }
  [[nodiscard]] const LinkStats& link() const { return link_stats_; }

 protected:
  [[nodiscard]] ::tlm::tlm_response_status check(const Payload& payload) const override;
  void begin(int slot, int binding, const Payload& payload) override;
  void advance() override;
  [[nodiscard]] sc_core::sc_time next_event() override;

 private:
  struct State {
    timing::noc::CrossbarRequest request;
    bool to_dram = false;
    std::int64_t dram_bytes = 0;
    bool near = false;  ///< read by the near-memory units; request.bytes are what leaves them
  };
  enum class Stage { kLink, kDram, kCrossbar };
  struct Forward {
    sc_core::sc_time time;
    int slot = 0;
    Stage stage = Stage::kDram;
    bool operator>(const Forward& other) const {
      return time != other.time ? time > other.time : slot > other.slot;
    }
  };
  [[nodiscard]] bool is_dram(std::uint64_t address) const { return address >= config_.dram_base; }
  void to_crossbar(int slot);
  void to_dram(int slot);
  void dram_done(int slot);
  void through_link(int slot);
  void forward(const Forward& event);

  Config config_;
  CycleGrid grid_;
  timing::sram::BankedSram sram_;
  timing::noc::Crossbar crossbar_;
  std::vector<State> states_;
  std::vector<timing::noc::CrossbarDone> done_;
  std::priority_queue<Forward, std::vector<Forward>, std::greater<>> forwards_;
  Cycle near_free_ = 0;
  Cycle link_read_free_ = 0;
  Cycle link_write_free_ = 0;
  LinkStats link_stats_;
};

}  // namespace lacuna::tlm
