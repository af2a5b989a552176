// SPDX-License-Identifier: Apache-2.0
#include "report/text_report.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "example_run.h"
#include "report/csv_report.h"
#include "report/format.h"

namespace lacuna::report {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(TextReport, SaysWhatMatters) {
  const ExampleRun run;
  const std::string text = run_text(run.input(), summarize(run.input()), false);
  EXPECT_TRUE(has(text, "example: 2 cores of 8 MACs at 1 GHz, 32 GOP/s dense peak")) << text;
  EXPECT_TRUE(has(text, "net: 6 samples in batches of 2"));
  EXPECT_TRUE(has(text, "captured; example, net"));
  EXPECT_TRUE(has(text, "cold 500 cycles (500 ns)"));
  EXPECT_TRUE(
      has(text, "warm mean 250 cycles (250 ns); min 200, p99 300, max 300, over 4 samples"));
  EXPECT_TRUE(has(text, "8e+06 samples/s; whole run 1,000 cycles (1 us)"));
  EXPECT_TRUE(has(text, "5 of 6 samples right (83.3 %); reference 87.5 %"));
  EXPECT_TRUE(has(text, "660 values of 2 layers against the captured reference: 2 differ"));
  EXPECT_TRUE(has(text, "sample 3: 2 of 10 codes differ"));
  EXPECT_TRUE(
      has(text, "lockstep, 24 passes; 24 compared with the RTL in every cycle, 1 mismatches"));
  EXPECT_TRUE(has(text, "first mismatch: layer conv1, core 0, pass 3"));
  EXPECT_TRUE(has(text, "3 kB read, 1 kB written; 4 GB/s of 16 GB/s (25.0 %)"));
  EXPECT_TRUE(has(text, "Met         k_split 3"));
  EXPECT_TRUE(has(text, "Never met   blocked"));
}

TEST(TextReport, IsPlainUnlessColourIsWanted) {
  const ExampleRun run;
  const Summary summary = summarize(run.input());
  EXPECT_FALSE(has(run_text(run.input(), summary, false), "\x1b"));
  EXPECT_TRUE(has(run_text(run.input(), summary, true), "\x1b[31m"));
}

TEST(TextReport, NoBlanksAtLineEnds) {
  const ExampleRun run;
  EXPECT_FALSE(has(run_text(run.input(), summarize(run.input()), false), " \n"));
}

TEST(Format, Prefixes) {
  EXPECT_EQ(si(0, "J"), "0 J");
  EXPECT_EQ(si(1, "s"), "1 s");
  EXPECT_EQ(si(999.96, "B"), "1 kB");
  EXPECT_EQ(si(12345678, "B/s"), "12.35 MB/s");
  EXPECT_EQ(si(0.00125, "W"), "1.25 mW");
  EXPECT_EQ(si(4e-15, "J"), "0.004 pJ");
  EXPECT_EQ(si(-2500, "x"), "-2.5 kx");
}

TEST(Format, Percent) {
  EXPECT_EQ(percent(0), "0.0 %");
  EXPECT_EQ(percent(0.0001), "<0.1 %");
  EXPECT_EQ(percent(0.12345), "12.3 %");
  EXPECT_EQ(percent(1), "100.0 %");
}

TEST(Format, TableAlignsColumns) {
  Table table({false, true});
  table.row({"a", "1"});
  table.row({"long", "234"});
  EXPECT_EQ(table.text(2), "  a       1\n  long  234\n");
}

/// Fields of an RFC 4180 line.
int fields(const std::string& line) {
  int count = 1;
  bool inside = false;
  for (const char c : line) {
    if (c == '"') inside = !inside;
    if (c == ',' && !inside) ++count;
  }
  EXPECT_FALSE(inside) << line;
  return count;
}

TEST(CsvReport, EveryLineHasTheColumnsOfTheHead) {
  const ExampleRun run;
  std::istringstream lines(layers_csv(run.input(), summarize(run.input())));
  std::string head;
  std::getline(lines, head);
  EXPECT_TRUE(head.starts_with("name,op,unit,begin_cycle,end_cycle,"));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_EQ(fields(line), fields(head));
  EXPECT_EQ(count, 4);
}

TEST(CsvReport, QuotesNames) {
  const ExampleRun run;
  EXPECT_TRUE(
      has(layers_csv(run.input(), summarize(run.input())), "\n\"fc, \"\"last\"\"\",linear,"));
}

TEST(CsvReport, ALineForEachRequester) {
  const ExampleRun run;
  EXPECT_EQ(requesters_csv(run.input()),
            "name,port,reads,writes,read_bytes,write_bytes,joined_reads,wait_cycles,"
            "conflict_cycles\n"
            "core 0,0,10,2,4000,500,3,70,20\n"
            "core 1,0,9,1,3000,200,0,50,5\n"
            "dma,1,4,4,150,150,0,8,0\n");
}

TEST(TextReport, PortsAndLinkAreShown) {
  const ExampleRun run;
  const std::string text = run_text(run.input(), summarize(run.input()), false);
  EXPECT_TRUE(has(text, "core 0 to 1  11.0 %  1.2 %"));
  EXPECT_TRUE(has(text, "2.9 kB read beside the banks, 1.5 kB of it crossed the link"));
}

}  // namespace
}  // namespace lacuna::report
