// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

namespace lacuna::base {

namespace {

std::atomic<int> pending_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may only touch lock-free state");

extern "C" void remember_signal(int signal_number) {
  pending_signal.store(signal_number, std::memory_order_relaxed);
}

}  // namespace

Interrupted::Interrupted(int signal_number)
    : std::runtime_error(fmt::format("stopped by signal {}", signal_number)),
      signal_number_(signal_number) {}

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = remember_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one has its default effect
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int pending_interrupt() { return pending_signal.load(std::memory_order_relaxed); }

void throw_if_interrupted() {
  const int signal_number = pending_interrupt();
  if (signal_number != 0) throw Interrupted(signal_number);
}

}  // namespace lacuna::base
