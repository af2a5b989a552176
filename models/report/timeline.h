// SPDX-License-Identifier: Apache-2.0
//
// timeline.json: what every unit did when, in Chrome's trace-event format, which ui.perfetto.dev
// and chrome://tracing open. One process per core with a track per unit, one for the chip's DMA,
// and counters of the bytes that DRAM and SRAM move. Written while the simulation runs; memory does
// not grow with the run.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "chip/result.h"

namespace lacuna::report {

struct TimelineOptions {
  std::string path;
  double clock_hz = 1e9;
  std::vector<std::string> layers;  ///< names, by index in the graph
  /// Later events are left out and counted; the file says so. About 100 bytes each.
  std::int64_t max_events = 2'000'000;
};

class TimelineWriter : public chip::EventSink {
 public:
  /// UserError if the file cannot be made.
  explicit TimelineWriter(TimelineOptions options);

  /// Never throws: an error of writing is kept for commit().
  void event(const chip::TimelineEvent& event) override;

  /// Adds counters and names, and puts the file in place. UserError if anything failed.
  void commit();

  [[nodiscard]] std::int64_t dropped() const { return dropped_; }

 private:
  /// Bytes per interval; the interval doubles when the run outgrows kBins.
  class Histogram {
   public:
    void add(base::Cycle begin, base::Cycle end, std::int64_t bytes);
    [[nodiscard]] base::Cycle width() const { return width_; }
    [[nodiscard]] const std::vector<double>& bins() const { return bins_; }

   private:
    static constexpr std::size_t kBins = 1024;
    base::Cycle width_ = 64;
    std::vector<double> bins_;
  };

  void write(const std::string& object);
  void write_event(const chip::TimelineEvent& event);
  void write_counter(const char* name, const Histogram& histogram);
  [[nodiscard]] double microseconds(base::Cycle cycle) const;

  TimelineOptions options_;
  base::AtomicFileWriter file_;
  std::string buffer_;
  std::exception_ptr failure_;
  bool first_ = true;
  std::int64_t written_ = 0;
  std::int64_t dropped_ = 0;
  std::set<std::pair<int, int>> tracks_;  ///< (process, thread) seen
  Histogram dram_;
  Histogram sram_;
};

}  // namespace lacuna::report
