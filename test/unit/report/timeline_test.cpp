// SPDX-License-Identifier: Apache-2.0
#include "report/timeline.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "example_run.h"
#include "report/output_folder.h"
#include "support/temp_dir.h"

namespace lacuna::report {
namespace {

using Json = nlohmann::json;
using Unit = chip::TimelineEvent::Unit;

Json parsed(const std::string& path) { return Json::parse(base::read_text_file(path, 1 << 26)); }

TEST(Timeline, EventsBecomeTracks) {
  const test::TempDir folder;
  TimelineWriter writer({folder.file("t.json"), 2e9, {"conv \"1\"", "fc"}});
  writer.event({0, Unit::kEngine, 0, 0, 100, 300, 77});
  writer.event({1, Unit::kStore, 1, 2, 300, 340, 64});
  writer.event({-1, Unit::kFetch, -1, 0, 0, 64, 640});
  writer.commit();
  const Json json = parsed(folder.file("t.json"));
  std::map<std::string, Json> by_name;
  std::map<std::pair<int, int>, std::string> threads;
  std::map<int, std::string> processes;
  for (const Json& event : json["traceEvents"]) {
    if (event["ph"] == "X") by_name[event["name"]] = event;
    if (event["name"] == "thread_name") {
      threads[{event["pid"], event["tid"]}] = event["args"]["name"];
    }
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
  }
  ASSERT_EQ(by_name.size(), 3u);
  const Json& pass = by_name.at("conv \"1\"");
  EXPECT_DOUBLE_EQ(pass["ts"], 0.05);  // 100 cycles at 2 GHz in us
  EXPECT_DOUBLE_EQ(pass["dur"], 0.1);
  EXPECT_EQ(pass["args"]["macs"], 77);
  EXPECT_EQ(threads.at({pass["pid"], pass["tid"]}), "engine");
  EXPECT_EQ(processes.at(pass["pid"]), "core 0");
  const Json& store = by_name.at("fc");
  EXPECT_EQ(store["args"]["batch"], 2);
  EXPECT_EQ(threads.at({store["pid"], store["tid"]}), "store");
  EXPECT_EQ(processes.at(by_name.at("DMA")["pid"]), "chip");
}

TEST(Timeline, CountersHoldAllBytesHoweverLongTheRun) {
  const test::TempDir folder;
  TimelineWriter writer({folder.file("t.json"), 1e9, {}});
  // 2 B per cycle for 300,000 cycles in uneven pieces: more than 1024 of the first intervals.
  base::Cycle at = 0;
  for (int i = 0; at < 300'000; ++i) {
    const base::Cycle length = std::min<base::Cycle>(1 + i % 777, 300'000 - at);
    writer.event({-1, Unit::kFetch, -1, 0, at, at + length, 2 * length});
    at += length;
  }
  writer.commit();
  double bytes = 0;
  double previous = -1;
  double previous_rate = 0;
  const Json json = parsed(folder.file("t.json"));
  for (const Json& event : json["traceEvents"]) {
    if (event["ph"] != "C" || event["name"] != "DRAM to SRAM") continue;
    const double now = event["ts"];
    if (previous >= 0) bytes += previous_rate * 1e9 * (now - previous) * 1e-6;
    previous = now;
    previous_rate = event["args"]["GB/s"];
  }
  EXPECT_EQ(previous_rate, 0);
  EXPECT_NEAR(bytes, 600'000, 100);
}

TEST(Timeline, TooManyEventsAreCounted) {
  const test::TempDir folder;
  TimelineOptions options{folder.file("t.json"), 1e9, {}};
  options.max_events = 3;
  TimelineWriter writer(options);
  for (int i = 0; i < 10; ++i) writer.event({0, Unit::kEngine, -1, 0, i, i + 1, 1});
  EXPECT_EQ(writer.dropped(), 7);
  writer.commit();
  EXPECT_EQ(parsed(folder.file("t.json"))["otherData"]["events_left_out"], 7);
}

TEST(Timeline, NothingAppearsWithoutCommit) {
  const test::TempDir folder;
  {
    TimelineWriter writer({folder.file("t.json"), 1e9, {}});
    writer.event({0, Unit::kEngine, -1, 0, 0, 1, 1});
  }
  EXPECT_EQ(folder.entries(), 0);
}

/// While alive, files cannot grow beyond `bytes`: writing fails as on a full disk.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  void (*handler_)(int);
};

TEST(Timeline, AFullDiskIsReportedAtCommitAndLeavesNothing) {
  const test::TempDir folder;
  {
    TimelineWriter writer({folder.file("t.json"), 1e9, {}});
    const SmallDisk small(100'000);
    for (int i = 0; i < 10'000; ++i) {
      EXPECT_NO_THROW(writer.event({0, Unit::kEngine, -1, 0, i, i + 1, 1}));
    }
    EXPECT_THROW(writer.commit(), base::UserError);
  }
  EXPECT_EQ(folder.entries(), 0);
}

TEST(OutputFolder, WritesWholeFilesThatSayTheSame) {
  const test::TempDir folder;
  const ExampleRun run;
  OutputFolder output(folder.file("a/b"), 1e9, run.graph);
  output.timeline().event({0, Unit::kEngine, 0, 0, 0, 10, 5});
  output.write(run.input(), summarize(run.input()));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file("a/b"))) {
    ++files;
    EXPECT_GT(entry.file_size(), 0u);
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos);
  }
  EXPECT_EQ(files, 6);
  EXPECT_EQ(parsed(folder.file("a/b/report.json"))["latency"]["total_cycles"], 1000);
}

TEST(OutputFolder, AFileInTheWayIsAUserErrorBeforeTheRun) {
  const test::TempDir folder;
  folder.write("x", "");
  EXPECT_THROW(OutputFolder(folder.file("x"), 1e9, workload::Graph{}), base::UserError);
}

}  // namespace
}  // namespace lacuna::report
