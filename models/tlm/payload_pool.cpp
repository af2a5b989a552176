// SPDX-License-Identifier: Apache-2.0
#include "tlm/payload_pool.h"

#include "base/error.h"

namespace lacuna::tlm {

// Payloads that are still under way when a simulation ends go with the pool.
PayloadPool::~PayloadPool() = default;

::tlm::tlm_generic_payload& PayloadPool::acquire(std::uint64_t address, std::size_t bytes,
                                                 bool is_write) {
  LACUNA_CHECK(bytes > 0 && bytes <= scratch_.size(), "a payload of {} bytes", bytes);
  if (free_.empty()) {
    all_.push_back(std::make_unique<::tlm::tlm_generic_payload>(this));
    free_.push_back(all_.back().get());
  }
  ::tlm::tlm_generic_payload& payload = *free_.back();
  free_.pop_back();
  payload.acquire();
  payload.set_command(is_write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(scratch_.data());
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  payload.set_byte_enable_ptr(nullptr);
  payload.set_byte_enable_length(0);
  payload.set_dmi_allowed(false);
  payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  return payload;
}

void PayloadPool::free(::tlm::tlm_generic_payload* payload) {
  payload->reset();  // auto extensions
  free_.push_back(payload);
}

}  // namespace lacuna::tlm
