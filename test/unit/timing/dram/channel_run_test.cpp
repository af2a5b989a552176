// SPDX-License-Identifier: Apache-2.0
//
// Does the shorter way for a bank that goes on with its row (channel_run.cpp) decide as the long
// one does? The long one alone is what a channel takes whose rows time out, only never in time.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "support/dram_driver.h"
#include "timing/dram/burst_line.h"

namespace lacuna::timing::dram {
namespace {

struct Piece {
  Cycle time = 0;
  std::uint64_t first = 0;  ///< burst
  std::uint64_t bursts = 0;
  bool is_write = false;
};

/// Streams in rows and across them, repeated addresses, single bursts, writes now and then, pauses.
std::vector<Piece> traffic(std::uint64_t seed, std::uint64_t bursts) {
  base::Rng rng(seed);
  std::vector<Piece> pieces;
  Cycle time = 0;
  std::uint64_t stream = 0;
  for (int i = 0; i < 400; ++i) {
    Piece piece;
    if (rng.bernoulli(0.1)) time += rng.range(0, rng.bernoulli(0.1) ? 30'000 : 500);
    piece.time = time;
    piece.bursts = rng.bernoulli(0.3) ? 1 : static_cast<std::uint64_t>(rng.range(1, 80));
    piece.first = rng.bernoulli(0.6) ? stream : rng.below(rng.bernoulli(0.3) ? 64 : bursts - 100);
    if (piece.first == stream) stream = (stream + piece.bursts) % (bursts - 100);
    piece.is_write = rng.bernoulli(seed % 3 == 0 ? 0.3 : 0.02);
    pieces.push_back(piece);
  }
  return pieces;
}

struct Outcome {
  std::vector<std::tuple<Cycle, int, int, int, int>> commands;
  std::vector<std::pair<std::uint64_t, Cycle>> done;
  std::int64_t read_latency = 0;
  std::int64_t queue_cycles = 0;
  std::int64_t row_hits = 0;
  std::int64_t busy = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// `stride`: cycles that the channel is advanced at once.
Outcome play(const TimingTable& table, const params::MemoryPreset& preset,
             const params::MemoryControllerParams& policy, const std::vector<Piece>& pieces,
             Cycle stride) {
  const AddressMap map(preset.controller.mapping, preset.organization, 1);
  Channel channel(table, policy);
  test::Recorder recorder;
  channel.set_observer(&recorder);
  BurstLine reads(false);
  BurstLine writes(true);
  std::uint64_t id = 0;
  Outcome outcome;
  const auto advance = [&](Cycle to) {
    while (channel.next_command_time() < to) {
      channel.advance(std::min(to, channel.next_command_time() + stride), reads, writes);
    }
    for (const BurstDone& done : channel.completions())
      outcome.done.emplace_back(done.id, done.done);
    channel.completions().clear();
  };
  for (const Piece& piece : pieces) {
    advance(piece.time);
    BurstLine& line = piece.is_write ? writes : reads;
    line.begin(id++, piece.time);
    map.for_each_burst(piece.first, piece.first + piece.bursts - 1,
                       [&](const DramAddress& at) { line.push(at.bank, at.row, at.column); });
    channel.feed(reads, writes, piece.time);
  }
  while (channel.pending() > 0) advance(channel.next_command_time() + 1000);
  EXPECT_TRUE(reads.empty() && writes.empty());
  for (const CommandRecord& record : recorder.records) {
    outcome.commands.emplace_back(record.time, static_cast<int>(record.command), record.bank,
                                  record.row, record.column);
  }
  const ChannelStats& stats = channel.stats(channel.now());
  outcome.read_latency = stats.read_latency_sum;
  outcome.queue_cycles = stats.read_queue_cycles + stats.write_queue_cycles;
  outcome.row_hits = stats.row_hits;
  outcome.busy = stats.busy_cycles;
  return outcome;
}

class ChannelRun : public testing::TestWithParam<std::string> {};

TEST_P(ChannelRun, DecidesAsTheLongWayDoes) {
  const params::MemoryPreset preset = test::load_preset(GetParam());
  const TimingTable table(preset);
  std::size_t hits = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    params::MemoryControllerParams policy = preset.controller;
    if (seed % 4 == 1) policy.read_queue = 8;
    if (seed % 4 == 2) policy.row_hit_cap = 2;
    if (seed % 4 == 3 && table.has(MemoryCommand::kREFpb) && table.refresh_bank_interval() > 0) {
      policy.refresh = params::MemoryRefresh::kPerBank;
    }
    params::MemoryControllerParams the_long_way = policy;
    the_long_way.page_policy = params::MemoryPagePolicy::kTimeout;
    the_long_way.page_timeout = 1 << 30;
    const std::vector<Piece> pieces =
        traffic(seed, static_cast<std::uint64_t>(preset.organization.channel_bytes() /
                                                 preset.organization.burst_bytes()));
    const Outcome expected = play(table, preset, the_long_way, pieces, 1);
    EXPECT_EQ(play(table, preset, policy, pieces, 1'000'000), expected) << "seed " << seed;
    EXPECT_EQ(play(table, preset, policy, pieces, 1), expected) << "seed " << seed;
    EXPECT_EQ(play(table, preset, policy, pieces, 37), expected) << "seed " << seed;
    hits += static_cast<std::size_t>(expected.row_hits);
  }
  EXPECT_GT(hits, 20'000U);
}

INSTANTIATE_TEST_SUITE_P(Presets, ChannelRun, testing::ValuesIn(test::preset_names()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(BurstLine, GivesBackWhatWasPushedInOrder) {
  BurstLine line(true);
  EXPECT_TRUE(line.empty());
  base::Rng rng(1);
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;
  const auto column = [](std::uint64_t i) { return static_cast<std::int32_t>(i * 31 % 65'536); };
  for (std::uint64_t transaction = 0; transaction < 300; ++transaction) {
    line.begin(transaction, static_cast<Cycle>(transaction) * 10);
    for (int i = 0; i < 100; ++i, ++pushed) {
      line.push(511, static_cast<std::int32_t>(pushed), column(pushed));
    }
    for (std::int64_t i = rng.range(0, 120); i > 0 && !line.empty(); --i, ++popped) {
      const BurstRequest front = line.front();
      EXPECT_EQ(front.id, popped / 100);
      EXPECT_EQ(front.arrival, static_cast<Cycle>(popped / 100) * 10);
      EXPECT_EQ(front.bank, 511);
      EXPECT_EQ(front.row, static_cast<std::int32_t>(popped));
      EXPECT_EQ(front.column, column(popped));
      EXPECT_TRUE(front.is_write);
      line.pop();
    }
  }
  for (; !line.empty(); ++popped) line.pop();
  EXPECT_EQ(popped, pushed);
}

}  // namespace
}  // namespace lacuna::timing::dram
