// SPDX-License-Identifier: Apache-2.0
//
// `--out DIR`: report.txt, report.json, layers.csv, timeline.json and chip.yaml, the resolved chip,
// which runs again without --set. Every file appears whole or not at all.
#pragma once

#include <memory>
#include <string>

#include "report/summary.h"
#include "report/timeline.h"

namespace lacuna::report {

class OutputFolder {
 public:
  /// Makes the folder and begins the timeline, so that a folder that cannot be written is found out
  /// before the run. UserError.
  OutputFolder(std::string path, double clock_hz, const workload::Graph& graph);

  /// For the run.
  [[nodiscard]] chip::EventSink& timeline() { return timeline_; }

  /// After the run. UserError when a file cannot be written; the ones before it stay.
  void write(const ReportInput& input, const Summary& summary);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  TimelineWriter timeline_;
};

}  // namespace lacuna::report
