// SPDX-License-Identifier: Apache-2.0
#include "traffic/trace_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "support/temp_dir.h"

namespace lacuna::traffic {
namespace {

class Traces : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    base::write_file_atomically(path, text);
    return path;
  }
  static TraceOptions options() {
    TraceOptions options;
    options.request_bytes = 32;
    options.capacity = 1 << 20;
    return options;
  }
  static std::vector<Request> all(TraceReader& reader) {
    std::vector<Request> requests;
    for (Request request; reader.next(request);) requests.push_back(request);
    return requests;
  }

  test::TempDir folder_;
};

TEST_F(Traces, OfDramSim3AreAddressKindCycle) {
  TraceReader reader(
      file("a.trc", "# head\n\n0x1A40 READ 10\r\n  1a80\tWRITE  15 \n0x0 P_MEM_WR 15"), options());
  EXPECT_EQ(reader.format(), TraceFormat::kDramSim3);
  EXPECT_EQ(all(reader), (std::vector<Request>{
                             {10, 0x1A40, 32, false}, {15, 0x1A80, 32, true}, {15, 0, 32, true}}));
}

TEST_F(Traces, OfDramSysHaveTheCycleInFront) {
  TraceReader reader(
      file("a.stl", "31:\tread\t0x4000\n33: (64) write 0x40 0x00ff\n33:write 0x80\n"), options());
  EXPECT_EQ(reader.format(), TraceFormat::kStl);
  EXPECT_EQ(all(reader), (std::vector<Request>{
                             {31, 0x4000, 32, false}, {33, 0x40, 64, true}, {33, 0x80, 32, true}}));
}

TEST_F(Traces, RelativeOnesAddUp) {
  TraceReader reader(file("a.rstl", "5: read 0x0\n7: read 0x20\n0: read 0x40\n"), options());
  EXPECT_EQ(reader.format(), TraceFormat::kRelativeStl);
  std::vector<Cycle> cycles;
  for (const Request& request : all(reader)) cycles.push_back(request.scheduled);
  EXPECT_EQ(cycles, (std::vector<Cycle>{5, 12, 12}));
}

TEST_F(Traces, CyclesOfAnotherClockAreRoundedUp) {
  TraceOptions clocks = options();
  clocks.trace_clock_fs = 1'000'000;
  clocks.memory_clock_fs = 300'000;
  TraceReader reader(file("a.trc", "0x0 READ 3\n0x0 READ 4\n"), clocks);
  const std::vector<Request> requests = all(reader);
  EXPECT_EQ(requests[0].scheduled, 10);
  EXPECT_EQ(requests[1].scheduled, 14);  // 13.33
}

TEST_F(Traces, WrapBringsAddressesInside) {
  TraceOptions wrap = options();
  wrap.wrap = true;
  TraceReader reader(file("a.trc", "0x100040 READ 3\n0xFFFFF READ 4\n"), wrap);
  const std::vector<Request> requests = all(reader);
  EXPECT_EQ(requests[0].address, 0x40);
  EXPECT_EQ(requests[1].address, (1 << 20) - 32);
}

// Lines across the edge of the reader's buffer, plain and compressed.
TEST_F(Traces, OfAnyLengthReadTheSameCompressed) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) {
    text += fmt::format("0x{:x} {} {}\n", i % 30'000 * 32, i % 3 == 0 ? "WRITE" : "READ", i * 7);
  }
  TraceReader plain(file("a.trc", text), options());
  const std::string path = folder_.path() + "/a.trc.gz";
  gzFile gz = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(gz, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  gzclose(gz);
  TraceReader compressed(path, options());
  const std::vector<Request> requests = all(plain);
  ASSERT_EQ(requests.size(), 40'000);
  EXPECT_EQ(requests[39'999], (Request{39'999 * 7, 9'999 * 32, 32, true}));
  EXPECT_EQ(requests, all(compressed));
}

TEST_F(Traces, MistakesHaveLineAndColumn) {
  const auto message = [&](const std::string& text) {
    try {
      TraceReader reader(file("bad.trc", text), options());
      all(reader);
    } catch (const base::UserError& error) {
      return error.where().text().substr(folder_.path().size() + 1);
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message("0x0 READ 1\n0x20 REED 2\n"), "bad.trc:2:6");
  EXPECT_EQ(message("0x0 READ 10\n0x20 READ 9\n"), "bad.trc:2:11");
  EXPECT_EQ(message("0x0 READ 10\n0x100000 READ 11\n"), "bad.trc:2:1");
  EXPECT_EQ(message("0x0 READ 10\n0x20 READ\n"), "bad.trc:2:10");
  EXPECT_EQ(message("3: read 0x0\n4: (0) read 0x0\n"), "bad.trc:2:4");
  EXPECT_EQ(message("3: read 0x0\n4 read 0x0\n"), "bad.trc:2:1");
  EXPECT_EQ(message("\n# only\n"), "bad.trc");
  EXPECT_EQ(message("0x0 READ 1\n" + std::string(5000, 'x')), "bad.trc:2:4097");
}

}  // namespace
}  // namespace lacuna::traffic
