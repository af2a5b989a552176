// SPDX-License-Identifier: Apache-2.0
//
// Crossbar between requesters (cores, DMA engines) and the banked SRAM. Several requesters share a
// port; a port moves one SRAM word per cycle and direction, so that a read and a write of a port
// overlap and two reads do not. Requests of a port and direction are served in order of arrival, as
// a whole; a port starts its next request when its path is free and the request's first bank is
// (BankedSram). When several ports could start in the same cycle, they go in rotating order.
//
// Multicast: a request may name several requesters of the port, and reads that wait in
// the port when an equal one starts join it: one SRAM read, one use of the port, all get the data.
//
// Data of another memory (DRAM) passes the port alike, but touches no bank: its last word arrives
// n + response_latency cycles after its start.
//
// Timing contract: a request that is submitted at t starts in the first cycle >= t +
// request_latency that suits; with start s and n words its last word arrives at s + n - 1 +
// sram.latency + response_latency, writes alike (that is when the write is acknowledged).
// advance(now) performs what happens before `now`, so that at each cycle submissions and calls of
// advance() may come in any order. Completion times are exact when reported.
//
// Does not model: per-beat arbitration between bursts (a burst owns its port and lane),
// back-pressure inside the network, links between crossbar stages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cycles.h"
#include "timing/sram/banked_sram.h"

namespace lacuna::timing::noc {

using base::Cycle;

/// Later than any real time.
inline constexpr Cycle kNever = std::int64_t{1} << 60;

struct CrossbarConfig {
  int ports = 8;
  int requesters = 32;       ///< in all; figures are kept for each
  int request_latency = 1;   ///< cycles from the requester to the arbiter
  int response_latency = 1;  ///< cycles from the bank's data to the requester
  bool join_equal_reads = true;
};

struct CrossbarRequest {
  std::uint64_t id = 0;
  std::uint64_t address = 0;
  std::int64_t bytes = 0;  ///< above 0
  int port = 0;
  int requester = 0;
  bool is_write = false;
  bool passes = false;  ///< data of another memory: uses the port, no bank
  /// Requesters besides `requester` that receive the data of a read.
  std::int32_t also = 0;
};

struct CrossbarDone {
  std::uint64_t id = 0;
  Cycle done = 0;  ///< when the last word is at the requester, or its write is acknowledged
};

/// Per requester. Bytes are those asked for, not whole words.
struct RequesterStats {
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;
  std::int64_t joined_reads = 0;     ///< served by another requester's SRAM read
  std::int64_t wait_cycles = 0;      ///< from arrival at the arbiter to the first word
  std::int64_t conflict_cycles = 0;  ///< part of the former: the bank was taken
};

struct PortStats {
  std::int64_t read_cycles = 0;  ///< words moved, one a cycle
  std::int64_t write_cycles = 0;
  std::int64_t multicast_words = 0;  ///< words that nobody had to read again, thanks to multicast
};

class Crossbar {
 public:
  /// The SRAM outlives the crossbar and is used by it alone.
  Crossbar(const CrossbarConfig& config, sram::BankedSram& sram);

  [[nodiscard]] const CrossbarConfig& config() const { return config_; }
  [[nodiscard]] const sram::BankedSram& sram() const { return sram_; }

  /// Time does not run backwards. Requests wait here, so callers bound what they have under way.
  void submit(const CrossbarRequest& request, Cycle now);
  /// Starts everything that can start before `now` and appends what is known to end by that; it
  /// ends at `now` or later if this is called at every next_event_time().
  void advance(Cycle now, std::vector<CrossbarDone>& done);
  /// Nothing new becomes known before this cycle; kNever when nothing waits.
  [[nodiscard]] Cycle next_event_time() const;

  [[nodiscard]] const RequesterStats& requester(int number) const {
    return requester_stats_[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] const PortStats& port(int number) const {
    return port_stats_[static_cast<std::size_t>(number)];
  }

 private:
  struct Waiting {
    CrossbarRequest request;
    Cycle ready = 0;  ///< when it is at the arbiter
  };
  // One direction of a port: requests in order, served one after the other.
  struct Path {
    std::vector<int> line;  ///< slots, oldest at head
    std::size_t head = 0;
    Cycle free_at = 0;

    [[nodiscard]] bool empty() const { return head == line.size(); }
  };
  static constexpr int kReads = 0;
  static constexpr int kWrites = 1;

  /// The path's first request, free_at or the line changed.
  void renew(std::size_t path_number);
  /// From the first word's cycle to the end of that word.
  [[nodiscard]] Cycle latency_of(const CrossbarRequest& request) const {
    return (request.passes ? 1 : sram_.latency()) + config_.response_latency;
  }
  int store(const CrossbarRequest& request, Cycle ready);
  void start(std::size_t path_number, Cycle now, std::vector<CrossbarDone>& done);
  void finish(const Waiting& waiting, Cycle first, Cycle wait_conflict, Cycle end, bool joined,
              std::vector<CrossbarDone>& done);

  CrossbarConfig config_;
  sram::BankedSram& sram_;
  std::vector<Path> paths_;  ///< port after port, reads then writes
  /// By path: when its first request can start, if its bank is free; and when its first word would
  /// then be there. kNever: nobody waits.
  std::vector<Cycle> starts_, firsts_;
  std::vector<Waiting> slots_;
  std::vector<int> free_slots_;
  std::vector<RequesterStats> requester_stats_;
  std::vector<PortStats> port_stats_;
  std::int64_t waiting_ = 0;
};

}  // namespace lacuna::timing::noc
