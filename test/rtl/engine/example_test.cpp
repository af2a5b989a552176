// SPDX-License-Identifier: Apache-2.0
//
// The worked example of engine.md (section 10) on the RTL: every number of
// test/support/worked_example.json, and the oracle of these tests against the same numbers.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rtl/support/plugin.h"

namespace lacuna::test::rtl {
namespace {

using nlohmann::json;

struct Example {
  json data;
  Problem problem;
  Expected expected;

  Example() {
    std::ifstream file(LACUNA_SOURCE_DIR "/test/support/worked_example.json");
    data = json::parse(file);
    problem.segments = data.at("segments").at("count");
    problem.segment_channels = data.at("segments").at("channels");
    problem.channels = static_cast<int>(data.at("weights").size());
    problem.tokens = static_cast<int>(data.at("activations").size());
    for (const auto& row : data.at("weights")) {
      for (const auto& value : row) problem.weights.push_back(value);
    }
    for (const auto& row : data.at("activations")) {
      for (const auto& value : row) problem.acts.push_back(value);
    }
    problem.order = data.at("order").get<std::vector<std::vector<int>>>();
    problem.bias = data.at("bias").get<std::vector<int>>();
    problem.multiplier = data.at("multiplier").get<std::vector<int>>();
    problem.shift = data.at("shift").get<std::vector<int>>();
    problem.clamp_lo = data.at("clamp").at(0);
    problem.clamp_hi = data.at("clamp").at(1);
    problem.gate = data.at("gate");
    problem.act_signed = data.at("act_signed");

    expected.issue = data.at("issue").get<std::vector<std::vector<std::uint32_t>>>();
    for (const char* name : {"mask_stage", "mac_stage"}) {
      auto& list = std::string(name) == "mask_stage" ? expected.mask : expected.mac;
      for (const auto& way : data.at(name)) {
        for (const auto& pe : way) list.push_back(pe.get<std::vector<std::uint32_t>>());
      }
    }
    expected.group_end = data.at("group_end").get<std::vector<std::uint64_t>>();
    expected.drain_end = data.at("drain_end").get<std::vector<std::uint64_t>>();
    expected.length = data.at("length");
    for (const auto& token : data.at("outputs")) {
      for (int code : token) expected.outputs.push_back(static_cast<std::uint8_t>(code));
    }
    const json& c = data.at("counters");
    lacuna_rtl_counters& counters = expected.counters;
    EXPECT_EQ(c.size(), sizeof(counters) / sizeof(std::uint64_t));
    counters.windows_visited = c.at("windows_visited");
    counters.windows_empty = c.at("windows_empty");
    counters.broadcasts = c.at("broadcasts");
    counters.entries_without_k = c.at("entries_without_k");
    counters.activation_reads = c.at("activation_reads");
    counters.fifo_pushes = c.at("fifo_pushes");
    counters.metadata_reads = c.at("metadata_reads");
    counters.weight_words = c.at("weight_words");
    counters.macs = c.at("macs");
    counters.macs_gated = c.at("macs_gated");
    counters.acc_writes = c.at("acc_writes");
    counters.acc_reads = c.at("acc_reads");
    counters.psum_reads = c.at("psum_reads");
    counters.psum_writes = c.at("psum_writes");
    counters.drain_beats = c.at("drain_beats");
    counters.outputs = c.at("outputs");
    counters.outputs_nonzero = c.at("outputs_nonzero");
    counters.blocked_cycles = c.at("blocked_cycles");
    counters.pe_mac = c.at("pe_mac");
    counters.pe_slot = c.at("pe_slot");
    counters.pe_bank = c.at("pe_bank");
    counters.pe_edge = c.at("pe_edge");
    counters.pe_imbalance = c.at("pe_imbalance");
    counters.pe_window = c.at("pe_window");
    counters.pe_issue = c.at("pe_issue");
  }
};

TEST(WorkedExample, RtlShowsEveryNumber) {
  Example example;
  Plugin plugin(engine_file("example"));
  const lacuna_rtl_parameters p = plugin.parameters();
  const json& given = example.data.at("parameters");
  EXPECT_EQ(p.pes, given.at("pes"));
  EXPECT_EQ(p.k_ways, given.at("k_ways"));
  EXPECT_EQ(p.rows_per_pe, given.at("rows_per_pe"));
  EXPECT_EQ(p.lanes, given.at("lanes"));
  EXPECT_EQ(p.fifo_depth, given.at("fifo_depth"));
  EXPECT_EQ(p.scan_width, given.at("scan_width"));
  EXPECT_EQ(p.skip_empty, given.at("skip_empty") == "decoupled" ? 1 : 0);
  EXPECT_EQ(p.drain_width, given.at("drain_width"));
  EXPECT_EQ(p.load_width, given.at("load_width"));
  EXPECT_EQ(p.weight_word, given.at("weight_word"));
  EXPECT_EQ(p.max_k, given.at("max_k"));
  EXPECT_EQ(p.act_block, given.at("act_block"));
  EXPECT_EQ(p.weight_buffer, given.at("weight_buffer"));
  EXPECT_EQ(p.activation_buffer, given.at("activation_buffer"));
  EXPECT_EQ(p.psum_buffer, given.at("psum_buffer"));
  EXPECT_EQ(p.output_buffer, given.at("output_buffer"));

  const Images images(plugin.shape(), example.problem);
  lacuna_rtl_result result{};
  ASSERT_EQ(plugin.run(images, result), 0) << plugin.error();
  expect_same(result, example.expected);
}

TEST(WorkedExample, OracleAgrees) {
  Example example;
  Plugin plugin(engine_file("example"));
  const Expected said = Oracle(plugin.shape(), example.problem).run();
  EXPECT_EQ(said.issue, example.expected.issue);
  EXPECT_EQ(said.mask, example.expected.mask);
  EXPECT_EQ(said.mac, example.expected.mac);
  EXPECT_EQ(said.group_end, example.expected.group_end);
  EXPECT_EQ(said.drain_end, example.expected.drain_end);
  EXPECT_EQ(said.outputs, example.expected.outputs);
  expect_counters(said.counters, example.expected.counters);
}

}  // namespace
}  // namespace lacuna::test::rtl
