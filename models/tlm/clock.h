// SPDX-License-Identifier: Apache-2.0
//
// The chip clock in SystemC time. Cycle c begins at c periods exactly; the period is rounded once
// to SystemC's time resolution. Memories run on their own clocks: what comes back from them counts
// from the next chip cycle on.
#pragma once

#include <systemc>

#include <cmath>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::tlm {

using base::Cycle;

class Clock {
 public:
  explicit Clock(double hertz) : period_(1.0 / hertz, sc_core::SC_SEC) {
    LACUNA_CHECK(period_.value() > 0, "a clock of {} Hz is beyond SystemC's resolution", hertz);
  }
  [[nodiscard]] const sc_core::sc_time& period() const { return period_; }
  /// The first cycle that begins now or later.
  [[nodiscard]] Cycle now() const {
    const sc_dt::uint64 stamp = sc_core::sc_time_stamp().value();
    return static_cast<Cycle>((stamp + period_.value() - 1) / period_.value());
  }
  /// When a cycle begins.
  [[nodiscard]] sc_core::sc_time at(Cycle cycle) const {
    return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(cycle) * period_.value());
  }
  /// For threads: returns at the beginning of `cycle`, at once if that is past.
  void wait_until(Cycle cycle) const {
    const sc_core::sc_time target = at(cycle);
    if (target > sc_core::sc_time_stamp()) sc_core::wait(target - sc_core::sc_time_stamp());
  }
  /// For threads: returns at the next cycle boundary.
  void align() const { wait_until(now()); }

 private:
  sc_core::sc_time period_;
};

}  // namespace lacuna::tlm
