// SPDX-License-Identifier: Apache-2.0
#include "params/energy_params.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>

namespace lacuna::params {

std::vector<Violation> EnergyParams::validate() const {
  std::vector<Violation> violations;
  if (sram_byte.size() < 2) {
    violations.push_back({{"sram_byte"}, "at least two sizes are needed to interpolate between"});
  }
  for (std::size_t i = 0; i < sram_byte.size(); ++i) {
    if (i > 0 && sram_byte[i].capacity <= sram_byte[i - 1].capacity) {
      violations.push_back(
          {{"sram_byte"},
           fmt::format("sizes must grow from entry to entry; entry {} does not", i + 1)});
    }
    if (sram_byte[i].joules <= 0) {
      violations.push_back(
          {{"sram_byte"}, fmt::format("the energy of entry {} must be greater than 0", i + 1)});
    }
  }
  if (dram.empty()) {
    violations.push_back({{"dram"}, "at least one family of DRAM is needed"});
  }
  return violations;
}

double EnergyParams::sram_byte_joules(double capacity) const {
  std::size_t upper = 1;
  while (upper + 1 < sram_byte.size() &&
         static_cast<double>(sram_byte[upper].capacity) < capacity) {
    ++upper;
  }
  const SramEnergyPoint& low = sram_byte[upper - 1];
  const SramEnergyPoint& high = sram_byte[upper];
  const double share =
      std::log(capacity / static_cast<double>(low.capacity)) /
      std::log(static_cast<double>(high.capacity) / static_cast<double>(low.capacity));
  return low.joules * std::pow(high.joules / low.joules, share);
}

}  // namespace lacuna::params
