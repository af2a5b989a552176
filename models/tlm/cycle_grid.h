// SPDX-License-Identifier: Apache-2.0
//
// Maps SystemC time (whole picoseconds) to the cycles of a clock whose period need not be whole
// picoseconds: cycle c begins at ceil(c * period), with the period in femtoseconds, so that nothing
// drifts. Exact for 2.5 hours of simulated time.
#pragma once

#include <systemc>

#include <cstdint>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::tlm {

using base::Cycle;

class CycleGrid {
 public:
  explicit CycleGrid(std::int64_t period_fs) : period_fs_(period_fs) {
    LACUNA_CHECK(period_fs > kResolutionFs, "a period of {} fs", period_fs);
    LACUNA_CHECK(sc_core::sc_get_time_resolution() == sc_core::sc_time(1, sc_core::SC_PS),
                 "SystemC's time resolution must be 1 ps");
  }
  explicit CycleGrid(const sc_core::sc_time& period)
      : CycleGrid(static_cast<std::int64_t>(period.value()) * kResolutionFs) {}

  [[nodiscard]] std::int64_t period_fs() const { return period_fs_; }

  /// The first cycle that begins at `time` or later.
  [[nodiscard]] Cycle at_or_after(const sc_core::sc_time& time) const {
    const std::int64_t stamp = femtoseconds(time);
    return stamp == 0 ? 0 : (stamp - kResolutionFs) / period_fs_ + 1;
  }
  /// The cycle in which `time` lies.
  [[nodiscard]] Cycle containing(const sc_core::sc_time& time) const {
    return femtoseconds(time) / period_fs_;
  }
  /// When a cycle begins, rounded up to a picosecond.
  [[nodiscard]] sc_core::sc_time begin(Cycle cycle) const {
    return sc_core::sc_time::from_value(
        static_cast<sc_dt::uint64>(base::ceil_div(cycle * period_fs_, kResolutionFs)));
  }

 private:
  static constexpr std::int64_t kResolutionFs = 1000;
  static std::int64_t femtoseconds(const sc_core::sc_time& time) {
    return static_cast<std::int64_t>(time.value()) * kResolutionFs;
  }
  std::int64_t period_fs_;
};

}  // namespace lacuna::tlm
