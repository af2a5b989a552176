// SPDX-License-Identifier: Apache-2.0
//
// One line of progress on stderr, only when a human watches (stderr is a terminal). Never part of a
// result.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lacuna::base {

class Progress {
 public:
  /// `total` units of work, or 0 when unknown.
  Progress(std::string label, std::int64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line.
  ~Progress();

  /// Cheap: writes at most ten times a second. Not thread-safe: one thread reports.
  void update(std::int64_t done);

 private:
  std::string label_;
  std::int64_t total_;
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace lacuna::base
