// SPDX-License-Identifier: Apache-2.0
//
// The timing diagrams of docs/reference/engine.md, section 11, drawn from the RTL: the worked
// example at the ports of sparse_engine. What the page shows must be what the simulation draws.
// LACUNA_WAVEFORMS=FILE writes all diagrams, to put them into the page after a change.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "Vsparse_engine.h"
#include "rtl/support/bench.h"
#include "rtl/support/images.h"

namespace lacuna::test::rtl {
namespace {

/// Section 10 of the page.
Problem worked_example() {
  Problem p;
  p.segments = 2;
  p.segment_channels = 4;
  p.channels = 4;
  p.tokens = 3;
  p.weights = {0, 0, 0,  0, -1, 0, 0,  0,  //
               2, 0, 0,  0, 0,  0, 3,  0,  //
               0, 0, 1,  2, 0,  3, 0,  0,  //
               0, 0, -3, 1, 0,  0, -1, 0};
  p.acts = {0, 5, 4, 0, 3, 1, 0, 0,  //
            0, 5, 0, 0, 0, 0, 0, 2,  //
            1, 0, 4, 3, 5, 3, 1, 4};
  p.order = {{0, 1}, {1, 0}};
  p.bias = {1, -2, 0, 3};
  p.multiplier = {3, 5, -4, 7};
  p.shift = {2, 3, 1, 2};
  p.gate = 1;
  return p;
}

Shape example_shape() {
  Shape s;
  s.pes = s.k_ways = s.rows_per_pe = s.fifo_depth = 2;
  s.drain_width = 1;
  s.max_k = 64;
  s.weight_buffer = 256;
  s.activation_buffer = 64;
  return s;
}

/// Rows of a diagram: a line of 0 and 1, or numbers where something is valid.
class Diagram {
 public:
  void line(const std::string& name, std::function<bool()> value) {
    rows_.push_back({name, [value] { return std::string(value() ? "▔▔▔▔" : "▁▁▁▁"); }, ""});
  }
  void number(const std::string& name, std::function<bool()> valid, std::function<int()> value) {
    rows_.push_back({name,
                     [valid, value] {
                       if (!valid()) return std::string("   ·");
                       const std::string digits = std::to_string(value());
                       return std::string(digits.size() < 4 ? 4 - digits.size() : 0, ' ') + digits;
                     },
                     ""});
  }
  void sample(std::int64_t cycle) {
    const std::string digits = std::to_string(cycle);
    head_ += std::string(digits.size() < 4 ? 4 - digits.size() : 0, ' ') + digits;
    for (Row& row : rows_) row.text += row.cell();
  }
  [[nodiscard]] std::string text() const {
    std::string out = pad("cycle") + head_ + "\n";
    for (const Row& row : rows_) out += pad(row.name) + row.text + "\n";
    return out;
  }

 private:
  struct Row {
    std::string name;
    std::function<std::string()> cell;
    std::string text;
  };
  static std::string pad(const std::string& name) {
    return name + std::string(name.size() < 22 ? 22 - name.size() : 1, ' ');
  }
  std::string head_;
  std::vector<Row> rows_;
};

class Waveforms : public testing::Test {
 protected:
  Waveforms() : problem_(worked_example()), images_(example_shape(), problem_) {
    auto& m = *bench_;
    m.ld_cmd_valid_i = m.ld_valid_i = m.start_valid_i = 0;
    m.release_wt_i = m.release_act_i = 0;
    m.start_hold1_i = m.start_hold2_i = 0;
    m.start_psum_read_i = m.start_psum_write_i = 0;
    m.start_psum_base_i = 0;
    m.start_release_wt_i = m.start_release_act_i = 0;
    m.start_wt_half_i = m.start_act_half_i = 0;
    bench_.reset();
  }

  /// One cycle; draws it if asked to.
  void cycle(Diagram* diagram = nullptr, std::int64_t number = 0) {
    bench_.settle();
    const bool read = bench_->psum_rd_en_o != 0;
    if (diagram != nullptr) diagram->sample(number);
    bench_.edge();
    answer_ = read;
    bench_->psum_rd_data_i = read ? 100 : 0;  // every word of the psum memory is 100
  }

  void command(const lacuna_rtl_load& load, int half) {
    auto& m = *bench_;
    m.ld_cmd_valid_i = 1;
    m.ld_cmd_kind_i = load.kind != 0;
    m.ld_cmd_half_i = half != 0;
    m.ld_cmd_windows_i = static_cast<std::uint16_t>(load.windows);
    m.ld_cmd_positions_i = static_cast<std::uint16_t>(load.positions);
    m.ld_cmd_rows_i = static_cast<std::uint16_t>(load.rows);
    m.ld_cmd_groups_i = static_cast<std::uint16_t>(load.groups);
    m.ld_cmd_mask_log_i = load.mask_log & 3;
    m.ld_cmd_in_place_i = load.in_place != 0;
    m.ld_cmd_post_i = load.post != 0;
  }
  void beat(const lacuna_rtl_load& load, std::size_t index) {
    std::uint64_t data = 0;
    std::memcpy(&data, load.image + 8 * index, 8);
    bench_->ld_data_i = data;
    bench_->ld_valid_i = 1;
  }
  /// A whole load; the diagram begins with the command in cycle 0.
  void load(const lacuna_rtl_load& what, int half, Diagram* diagram = nullptr) {
    command(what, half);
    cycle(diagram, 0);
    bench_->ld_cmd_valid_i = 0;
    const std::size_t beats = what.image_bytes / 8;
    for (std::size_t i = 0; i < beats; ++i) {
      beat(what, i);
      cycle(diagram, static_cast<std::int64_t>(i) + 1);
    }
    bench_->ld_valid_i = 0;
  }
  void descriptor() {
    auto& m = *bench_;
    m.start_groups_i = static_cast<std::uint16_t>(images_.pass.groups);
    m.start_tokens_i = static_cast<std::uint16_t>(images_.pass.tokens);
    m.start_channels_i = static_cast<std::uint16_t>(images_.pass.channels);
    m.start_act_signed_i = 1;
    m.start_clamp_lo_i = static_cast<std::uint16_t>(-128 & 0x1ff);
    m.start_clamp_hi_i = 127;
    m.start_gate_i = static_cast<std::uint8_t>(images_.pass.gate);
  }
  /// A pass on loaded halves from its start (cycle 0) to `last`; draws from `first` on.
  void pass(std::int64_t first, std::int64_t last, Diagram& diagram) {
    descriptor();
    bench_->start_valid_i = 1;
    for (std::int64_t t = 0; t <= last; ++t) {
      cycle(t >= first ? &diagram : nullptr, t);
      bench_->start_valid_i = 0;
    }
  }
  bool way(unsigned q, unsigned bit) { return bits(bench_->obs_way_o, 8 * q + bit, 1) != 0; }
  bool pe(unsigned q, unsigned p, unsigned bit) {
    return bits(bench_->obs_pe_o, 8 * (2 * q + p) + bit, 1) != 0;
  }

  /// Compares a diagram with the page's.
  void expect_on_page(const std::string& name, const Diagram& diagram) {
    if (const char* file = std::getenv("LACUNA_WAVEFORMS")) {
      std::ofstream(file, std::ios::app) << "<!-- waveform: " << name << " -->\n\n```\n"
                                         << diagram.text() << "```\n\n";
    }
    std::ifstream page(LACUNA_SOURCE_DIR "/docs/reference/engine.md");
    std::stringstream content;
    content << page.rdbuf();
    const std::string text = content.str();
    const std::string mark = "<!-- waveform: " + name + " -->\n\n```\n";
    const std::size_t at = text.find(mark);
    ASSERT_NE(at, std::string::npos) << "no diagram " << name << " on the page";
    const std::size_t begin = at + mark.size();
    EXPECT_EQ(text.substr(begin, text.find("```", begin) - begin), diagram.text());
  }

  Problem problem_;
  Images images_;
  Bench<Vsparse_engine> bench_;
  bool answer_ = false;  // psum_rd_data_i answers the read of the cycle before
};

TEST_F(Waveforms, LoadAndStart) {
  load(images_.tile_load, 0);
  Diagram d;
  d.line("ld_cmd_valid_i", [&] { return bench_->ld_cmd_valid_i; });
  d.line("ld_cmd_ready_o", [&] { return bench_->ld_cmd_ready_o; });
  d.line("ld_valid_i", [&] { return bench_->ld_valid_i; });
  d.line("ld_ready_o", [&] { return bench_->ld_ready_o; });
  d.line("acts_loaded_o[0]", [&] { return bench_->acts_loaded_o & 1; });
  d.line("start_valid_i", [&] { return bench_->start_valid_i; });
  d.line("start_ready_o", [&] { return bench_->start_ready_o; });
  d.line("issue, way 0", [&] { return way(0, 0); });
  descriptor();
  bench_->start_valid_i = 1;  // waits for the block
  load(images_.block_load, 0, &d);
  for (std::int64_t t = 5; t < 9; ++t) {
    bench_.settle();
    const bool taken = bench_->start_ready_o != 0;
    cycle(&d, t);
    if (taken) bench_->start_valid_i = 0;
  }
  expect_on_page("load", d);
}

TEST_F(Waveforms, Pass) {
  load(images_.tile_load, 0);
  load(images_.block_load, 0);
  Diagram d;
  d.line("start", [&] { return bench_->start_valid_i && bench_->start_ready_o; });
  for (unsigned q = 0; q < 2; ++q) {
    const std::string of = ", way " + std::to_string(q);
    d.line("issue" + of, [this, q] { return way(q, 0); });
    d.line("  without k", [this, q] { return way(q, 1); });
    d.line("  empty", [this, q] { return way(q, 3); });
    d.line("  blocked", [this, q] { return way(q, 4); });
    d.line("push" + of, [this, q] { return way(q, 6); });
    for (unsigned p = 0; p < 2; ++p) {
      const std::string name = std::to_string(q) + "," + std::to_string(p);
      d.line("pop, PE " + name, [this, q, p] { return pe(q, p, 0); });
      d.line("take, PE " + name, [this, q, p] { return pe(q, p, 1); });
      d.line("MAC, PE " + name, [this, q, p] { return pe(q, p, 2); });
    }
  }
  d.line("group_done_o", [&] { return bench_->group_done_o; });
  d.line("pass_done_o", [&] { return bench_->pass_done_o; });
  pass(0, 20, d);
  expect_on_page("pass", d);
}

TEST_F(Waveforms, Drain) {
  load(images_.tile_load, 0);
  load(images_.block_load, 0);
  Diagram d;
  d.line("group_done_o", [&] { return bench_->group_done_o; });
  d.line("drain beat", [&] { return bench_->obs_beat_o; });
  d.line("drain_done_o", [&] { return bench_->drain_done_o; });
  const auto valid = [&] { return bench_->out_valid_o != 0; };
  d.line("out_valid_o", valid);
  d.number("out_group_o", valid, [&] { return bench_->out_group_o; });
  d.number("out_beat_o", valid, [&] { return bench_->out_beat_o; });
  d.number("out_mask_o", valid, [&] { return bench_->out_mask_o; });
  d.number(
      "out_data_o", [&] { return bench_->out_valid_o && bench_->out_mask_o; },
      [&] { return static_cast<std::int8_t>(bench_->out_data_o); });
  d.line("out_block_valid_o", [&] { return bench_->out_block_valid_o; });
  d.number(
      "out_block_mask_o", [&] { return bench_->out_block_valid_o != 0; },
      [&] { return bench_->out_block_mask_o; });
  pass(8, 29, d);
  expect_on_page("drain", d);
}

TEST_F(Waveforms, PartialSums) {
  load(images_.tile_load, 0);
  load(images_.block_load, 0);
  auto& m = *bench_;
  m.start_psum_read_i = m.start_psum_write_i = 1;
  m.start_psum_base_i = 40;
  Diagram d;
  d.line("group_done_o", [&] { return bench_->group_done_o; });
  d.line("drain beat", [&] { return bench_->obs_beat_o; });
  d.line("psum_rd_en_o", [&] { return bench_->psum_rd_en_o; });
  d.number(
      "psum_rd_addr_o", [&] { return bench_->psum_rd_en_o != 0; },
      [&] { return bench_->psum_rd_addr_o; });
  d.number(
      "psum_rd_data_i", [&] { return answer_; },
      [&] { return static_cast<int>(bench_->psum_rd_data_i); });
  d.line("psum_wr_en_o", [&] { return bench_->psum_wr_en_o; });
  const auto written = [&] { return bench_->psum_wr_en_o != 0; };
  d.number("psum_wr_addr_o", written, [&] { return bench_->psum_wr_addr_o; });
  d.number("psum_wr_data_o", written, [&] { return static_cast<int>(bench_->psum_wr_data_o); });
  pass(8, 22, d);
  expect_on_page("psum", d);
}

TEST_F(Waveforms, ReleaseAndNextStart) {
  for (int half = 0; half < 2; ++half) {
    load(images_.tile_load, half);
    load(images_.block_load, half);
  }
  Diagram d;
  auto& m = *bench_;
  d.line("start_valid_i", [&] { return bench_->start_valid_i; });
  d.line("start_ready_o", [&] { return bench_->start_ready_o; });
  d.line("pass_done_o", [&] { return bench_->pass_done_o; });
  d.line("weights_loaded_o[0]", [&] { return bench_->weights_loaded_o & 1; });
  d.line("acts_loaded_o[0]", [&] { return bench_->acts_loaded_o & 1; });
  d.line("weights_loaded_o[1]", [&] { return bench_->weights_loaded_o & 2; });
  d.line("issue, way 0", [&] { return way(0, 0); });
  d.line("drain beat", [&] { return bench_->obs_beat_o; });
  descriptor();
  m.start_release_wt_i = m.start_release_act_i = 1;
  m.start_valid_i = 1;
  cycle();
  m.start_wt_half_i = m.start_act_half_i = 1;  // the next pass, offered at once
  for (std::int64_t t = 1; t <= 24; ++t) {
    bench_.settle();
    const bool taken = m.start_valid_i != 0 && m.start_ready_o != 0;
    cycle(t >= 16 ? &d : nullptr, t);
    if (taken) m.start_valid_i = 0;
  }
  expect_on_page("release", d);
}

/// Section 9: one cycle of reset, whenever it comes, and the next pass is as on a fresh engine.
TEST_F(Waveforms, OneCycleOfResetAtAnyTime) {
  const auto draw = [this] {
    load(images_.tile_load, 0);
    load(images_.block_load, 0);
    Diagram d;
    for (unsigned q = 0; q < 2; ++q) {
      d.number(
          "events of way", [] { return true; },
          [this, q] { return static_cast<int>(bits(bench_->obs_way_o, 8 * q, 8)); });
      d.number(
          "events of PEs", [] { return true; },
          [this, q] { return static_cast<int>(bits(bench_->obs_pe_o, 16 * q, 16)); });
    }
    const auto valid = [this] { return bench_->out_valid_o != 0; };
    d.line("group_done_o", [this] { return bench_->group_done_o; });
    d.line("drain_done_o", [this] { return bench_->drain_done_o; });
    d.number("out_data_o", valid, [this] { return bench_->out_data_o; });
    d.number(
        "out_block_mask_o", [this] { return bench_->out_block_valid_o != 0; },
        [this] { return bench_->out_block_mask_o; });
    pass(0, 29, d);
    return d.text();
  };
  const std::string fresh = draw();
  for (std::int64_t cut = 0; cut < 30; ++cut) {
    SCOPED_TRACE("reset in cycle " + std::to_string(cut));
    bench_.reset();
    load(images_.tile_load, 0);
    load(images_.block_load, 0);
    Diagram ignored;
    pass(0, cut, ignored);
    bench_.reset();
    ASSERT_EQ(bench_->weights_loaded_o, 0);
    ASSERT_EQ(draw(), fresh);
  }
}

/// Every port of the top is in the table of section 9, by name.
TEST(Ports, AreOnThePage) {
  std::stringstream source, page;
  source << std::ifstream(LACUNA_SOURCE_DIR "/rtl/engine/sparse_engine.sv").rdbuf();
  page << std::ifstream(LACUNA_SOURCE_DIR "/docs/reference/engine.md").rdbuf();
  const std::regex port(R"(^  (?:input|output) +logic[^;]*?(\w+)(?:,|$))");
  std::size_t ports = 0;
  for (std::string line; std::getline(source, line) && line != ");";) {
    std::smatch found;
    if (!std::regex_search(line, found, port)) continue;
    ++ports;
    const std::string name = found[1];
    if (name.compare(0, 4, "obs_") == 0) continue;  // rtl/README.md
    EXPECT_NE(page.str().find("`" + name + "`"), std::string::npos) << name;
  }
  EXPECT_EQ(ports, 59u);
}

}  // namespace
}  // namespace lacuna::test::rtl
