// SPDX-License-Identifier: Apache-2.0
#include "report/output_folder.h"

#include <utility>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "config/values.h"
#include "report/csv_report.h"
#include "report/json_report.h"
#include "report/text_report.h"

namespace lacuna::report {

namespace {

TimelineOptions timeline_options(const std::string& folder, double clock_hz,
                                 const workload::Graph& graph) {
  base::create_folders(folder);
  TimelineOptions options;
  options.path = folder + "/timeline.json";
  options.clock_hz = clock_hz;
  for (const workload::Layer& layer : graph.layers) options.layers.push_back(layer.name);
  return options;
}

}  // namespace

OutputFolder::OutputFolder(std::string path, double clock_hz, const workload::Graph& graph)
    : path_(std::move(path)), timeline_(timeline_options(path_, clock_hz, graph)) {}

void OutputFolder::write(const ReportInput& input, const Summary& summary) {
  timeline_.commit();
  if (timeline_.dropped() > 0) {
    base::log().warn("{}/timeline.json leaves out the last {} events", path_, timeline_.dropped());
  }
  const std::string chip_file = path_ + "/chip.yaml";
  base::write_file_atomically(chip_file, config::dump(input.chip, chip_file));
  base::write_file_atomically(path_ + "/layers.csv", layers_csv(input, summary));
  base::write_file_atomically(path_ + "/requesters.csv", requesters_csv(input));
  base::write_file_atomically(path_ + "/report.txt", run_text(input, summary, false));
  base::write_file_atomically(path_ + "/report.json", json_text(run_json(input, summary)));
}

}  // namespace lacuna::report
