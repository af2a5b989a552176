// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace lacuna::base {

Progress::Progress(std::string label, std::int64_t total)
    : label_(std::move(label)), total_(total), visible_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(std::int64_t done) {
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  drawn_ = true;
  if (total_ > 0) {
    fmt::print(stderr, "\r\x1b[K{} {}/{} ({} %)", label_, done, total_, done * 100 / total_);
  } else {
    fmt::print(stderr, "\r\x1b[K{} {}", label_, done);
  }
  std::fflush(stderr);
}

}  // namespace lacuna::base
