// SPDX-License-Identifier: Apache-2.0
//
// All DRAM channels of a chip behind one address space: splits transactions of any length into
// bursts, deals them to the channels by the address mapping, and reports a transaction when the
// last beat of its last burst is there.
//
// Each channel takes its bursts in the order in which transactions came, reads and writes apart;
// what its queue cannot hold yet waits in front of it. Partial bursts move whole ones. Transactions
// that overlap while both are under way have no defined order between them: wait for the first to
// be done.
//
// Time: cycles of the memory clock. advance(now) performs what happens before `now`, so that at
// each cycle submissions and calls of advance() may come in any order, and calling it more often
// changes nothing. next_event_time() is a cycle before which nothing becomes known to the caller:
// one call of advance() then performs many commands.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "params/memory_params.h"
#include "timing/dram/address_map.h"
#include "timing/dram/channel.h"
#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

struct Transaction {
  std::uint64_t id = 0;  ///< the caller's; returned with the completion
  std::uint64_t address = 0;
  std::int64_t bytes = 0;  ///< above 0
  bool is_write = false;
};

struct TransactionDone {
  std::uint64_t id = 0;
  Cycle done = 0;  ///< the cycle after the last data beat, plus pipeline
};

struct MemoryStats {
  ChannelStats channels;  ///< sum
  std::int64_t transactions = 0;
  std::int64_t requested_read_bytes = 0;  ///< without the rest of partial bursts
  std::int64_t requested_write_bytes = 0;
};

class MemorySystem {
 public:
  static constexpr int kMaxChannels = 64;

  /// The preset must be valid. Throws UserError if its mapping does not fit `channels` (a power of
  /// two).
  MemorySystem(const params::MemoryPreset& preset, int channels);
  MemorySystem(const MemorySystem&) = delete;
  MemorySystem& operator=(const MemorySystem&) = delete;

  [[nodiscard]] const params::MemoryPreset& preset() const { return preset_; }
  [[nodiscard]] const AddressMap& address_map() const { return map_; }
  [[nodiscard]] std::uint64_t capacity_bytes() const { return map_.capacity_bytes(); }
  [[nodiscard]] int channels() const { return static_cast<int>(channels_.size()); }
  [[nodiscard]] Channel& channel(int number) {
    return *channels_[static_cast<std::size_t>(number)].controller;
  }
  /// Whether a transaction lies inside the memory.
  [[nodiscard]] bool contains(std::uint64_t address, std::int64_t bytes) const {
    return bytes > 0 && address < capacity_bytes() &&
           static_cast<std::uint64_t>(bytes) <= capacity_bytes() - address;
  }

  /// Requires contains(). Time does not run backwards. Bursts that find no room wait here, so
  /// callers bound what they have under way.
  void submit(const Transaction& transaction, Cycle now);
  /// Performs all commands before `now` and appends transactions whose end is known by that; they
  /// end at `now` or later if this is called at every next_event_time().
  void advance(Cycle now, std::vector<TransactionDone>& done);
  /// kNever when nothing is under way.
  [[nodiscard]] Cycle next_event_time();
  [[nodiscard]] bool idle() const { return transactions_under_way_ == 0; }

  /// Counters up to `now`, the latest time that was given to advance().
  [[nodiscard]] MemoryStats stats(Cycle now);

 private:
  struct ChannelFront {
    std::unique_ptr<Channel> controller;
    BurstLine reads{false};
    BurstLine writes{true};
  };
  struct UnderWay {
    std::uint64_t id = 0;
    std::int64_t bursts_left = 0;
    Cycle done = 0;
  };

  void advance_channel(ChannelFront& front, Cycle before);
  void collect(Channel& channel);

  params::MemoryPreset preset_;
  TimingTable table_;
  AddressMap map_;
  std::vector<ChannelFront> channels_;
  std::vector<UnderWay> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<TransactionDone> finished_;
  std::int64_t transactions_under_way_ = 0;
  MemoryStats stats_;
};

}  // namespace lacuna::timing::dram
