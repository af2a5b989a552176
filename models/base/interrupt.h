// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C and SIGTERM: the handler only sets a flag; long loops poll it between units of work and
// throw Interrupted, so that destructors run and no half-written file stays behind.
#pragma once

#include <stdexcept>

namespace lacuna::base {

class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal_number);
  [[nodiscard]] int signal_number() const { return signal_number_; }

 private:
  int signal_number_;
};

/// Installs the handlers for SIGINT and SIGTERM; a second signal ends the process at once. Called
/// once by cli/.
void install_interrupt_handlers();

/// The signal that asked us to stop, or 0. Async-signal-safe, cheap enough for every work item.
[[nodiscard]] int pending_interrupt();

/// Throws Interrupted if a signal is pending.
void throw_if_interrupted();

}  // namespace lacuna::base
