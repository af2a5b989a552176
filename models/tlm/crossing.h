// SPDX-License-Identifier: Apache-2.0
//
// Payload extension for reads of near-memory units: how many of the bytes that a transaction reads
// from DRAM leave the memory dies. Absent or negative: an ordinary transaction, all of them do.
#pragma once

#include <tlm>

#include <cstdint>

namespace lacuna::tlm {

struct Crossing : ::tlm::tlm_extension<Crossing> {
  std::int64_t bytes = -1;
  [[nodiscard]] tlm_extension_base* clone() const override { return new Crossing(*this); }
  void copy_from(const tlm_extension_base& other) override {
    bytes = static_cast<const Crossing&>(other).bytes;
  }
};

}  // namespace lacuna::tlm
