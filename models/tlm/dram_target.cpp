// SPDX-License-Identifier: Apache-2.0
#include "tlm/dram_target.h"

namespace lacuna::tlm {

using sc_core::sc_time;
using sc_core::sc_time_stamp;

DramTarget::DramTarget(sc_core::sc_module_name name, const params::MemoryPreset& preset,
                       int channels, int slots)
    : AtTarget(name, slots), grid_(preset.clock_fs()), memory_(preset, channels) {}

::tlm::tlm_response_status DramTarget::check(const Payload& payload) const {
  if (payload.get_command() == ::tlm::TLM_IGNORE_COMMAND) return ::tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (payload.get_data_length() == 0) return ::tlm::TLM_BURST_ERROR_RESPONSE;
  return memory_.contains(payload.get_address(), payload.get_data_length())
             ? ::tlm::TLM_OK_RESPONSE
             : ::tlm::TLM_ADDRESS_ERROR_RESPONSE;
}

void DramTarget::begin(int slot, int, const Payload& payload) {
  timing::dram::Transaction transaction;
  transaction.id = static_cast<std::uint64_t>(slot);
  transaction.address = payload.get_address();
  transaction.bytes = payload.get_data_length();
  transaction.is_write = payload.is_write();
  memory_.submit(transaction, grid_.at_or_after(sc_time_stamp()));
}

void DramTarget::advance() {
  memory_.advance(grid_.containing(sc_time_stamp()), done_);
  for (const timing::dram::TransactionDone& done : done_) {
    finish(static_cast<int>(done.id), grid_.begin(done.done));
  }
  done_.clear();
}

sc_time DramTarget::next_event() {
  const Cycle next = memory_.next_event_time();
  return next == timing::dram::kNever ? sc_core::sc_max_time() : grid_.begin(next);
}

timing::dram::MemoryStats DramTarget::stats() {
  advance();
  return memory_.stats(grid_.containing(sc_time_stamp()));
}

}  // namespace lacuna::tlm
