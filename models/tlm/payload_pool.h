// SPDX-License-Identifier: Apache-2.0
//
// TLM-2.0 memory manager: generic payloads that are used again instead of allocated per
// transaction.
//
// Data: our transactions carry addresses, lengths and timing; the contents of tensors are kept by
// the chip and move in zero time. So every payload of a pool points to the same scratch bytes,
// valid for its length, as the standard demands; nobody reads meaning into them.
#pragma once

#include <tlm>

#include <cstddef>
#include <memory>
#include <vector>

namespace lacuna::tlm {

class PayloadPool : public ::tlm::tlm_mm_interface {
 public:
  explicit PayloadPool(std::size_t largest_bytes) : scratch_(largest_bytes) {}
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;
  ~PayloadPool() override;

  /// A payload with one reference held, set up for a transfer. `bytes` is at most what the pool was
  /// made for.
  [[nodiscard]] ::tlm::tlm_generic_payload& acquire(std::uint64_t address, std::size_t bytes,
                                                    bool is_write);

  /// Called by the last release().
  void free(::tlm::tlm_generic_payload* payload) override;

  [[nodiscard]] std::size_t in_use() const { return all_.size() - free_.size(); }
  [[nodiscard]] std::size_t made() const { return all_.size(); }

 private:
  std::vector<unsigned char> scratch_;
  std::vector<std::unique_ptr<::tlm::tlm_generic_payload>> all_;
  std::vector<::tlm::tlm_generic_payload*> free_;
};

}  // namespace lacuna::tlm
