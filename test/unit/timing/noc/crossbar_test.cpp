// SPDX-License-Identifier: Apache-2.0
#include "timing/noc/crossbar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/rng.h"

namespace lacuna::timing::noc {
namespace {

class CrossbarTest : public testing::Test {
 protected:
  CrossbarTest() { rebuild(); }

  void rebuild() {
    params::SramParams params;
    params.capacity = 1 << 20;
    params.banks = 16;
    params.width = 64;
    params.latency = 4;
    sram_ = std::make_unique<sram::BankedSram>(params);
    crossbar_ = std::make_unique<Crossbar>(config_, *sram_);
  }
  void submit(std::uint64_t id, int port, std::uint64_t address, std::int64_t bytes, Cycle now,
              bool is_write = false, int requester = -1) {
    CrossbarRequest request;
    request.id = id;
    request.port = port;
    request.requester = requester < 0 ? port * 4 : requester;
    request.address = address;
    request.bytes = bytes;
    request.is_write = is_write;
    crossbar_->submit(request, now);
  }
  // Everything that was submitted, by id.
  std::map<std::uint64_t, Cycle> drain() {
    std::vector<CrossbarDone> done;
    while (crossbar_->next_event_time() != kNever) {
      const Cycle next = crossbar_->next_event_time();
      const std::size_t before = done.size();
      crossbar_->advance(next, done);
      for (std::size_t i = before; i < done.size(); ++i) EXPECT_GE(done[i].done, next);
    }
    std::map<std::uint64_t, Cycle> result;
    for (const CrossbarDone& one : done) result[one.id] = one.done;
    return result;
  }

  CrossbarConfig config_{.ports = 4, .requesters = 16, .request_latency = 1, .response_latency = 2};
  std::unique_ptr<sram::BankedSram> sram_;
  std::unique_ptr<Crossbar> crossbar_;
};

TEST_F(CrossbarTest, OneWordTakesTheLatencies) {
  submit(1, 0, 0, 64, 100);
  EXPECT_EQ(drain()[1], 100 + 1 + 4 + 2);
  EXPECT_EQ(crossbar_->requester(0).read_bytes, 64);
  EXPECT_EQ(crossbar_->requester(0).wait_cycles, 0);
}

TEST_F(CrossbarTest, ABurstAddsACyclePerWord) {
  submit(1, 0, 32, 640, 100);  // touches 11 words
  EXPECT_EQ(drain()[1], 100 + 1 + 10 + 4 + 2);
  EXPECT_EQ(crossbar_->port(0).read_cycles, 11);
}

TEST_F(CrossbarTest, ReadsOfAPortFollowEachOther) {
  submit(1, 0, 0, 640, 0);
  submit(2, 0, 4096, 640, 0, false, 1);
  auto done = drain();
  EXPECT_EQ(done[1], 1 + 9 + 4 + 2);
  EXPECT_EQ(done[2], done[1] + 10);
  EXPECT_EQ(crossbar_->requester(1).wait_cycles, 10);
  EXPECT_EQ(crossbar_->requester(1).conflict_cycles, 0);
}

TEST_F(CrossbarTest, AReadAndAWriteOfAPortOverlap) {
  submit(1, 0, 0, 640, 0);
  submit(2, 0, 64 * 5, 640, 0, true);
  auto done = drain();
  EXPECT_EQ(done[1], done[2]);
}

TEST_F(CrossbarTest, PortsWorkSideBySideInDifferentBanks) {
  for (std::uint64_t port = 0; port < 4; ++port) {
    submit(port, static_cast<int>(port), port * 64, 6400, 0);
  }
  auto done = drain();
  for (std::uint64_t port = 0; port < 4; ++port) EXPECT_EQ(done[port], 1 + 99 + 4 + 2);
}

TEST_F(CrossbarTest, PortsThatMeetInABankAreCountedAndShifted) {
  for (std::uint64_t port = 0; port < 4; ++port)
    submit(port, static_cast<int>(port), port * 1024, 640, 0);
  auto done = drain();
  std::vector<Cycle> times;
  std::int64_t conflicts = 0;
  for (const auto& [id, time] : done) times.push_back(time);
  for (int i = 0; i < 4; ++i) conflicts += crossbar_->requester(i * 4).conflict_cycles;
  std::sort(times.begin(), times.end());
  EXPECT_EQ(times, (std::vector<Cycle>{16, 17, 18, 19}));
  EXPECT_EQ(conflicts, 0 + 1 + 2 + 3);
  EXPECT_EQ(sram_->stats().conflict_cycles, 6);
}

TEST_F(CrossbarTest, NoPortIsPreferredForEver) {
  // All ports always want bank 0: starts rotate.
  std::map<int, int> first;
  for (int round = 0; round < 64; ++round) {
    const Cycle now = round * 101;
    for (int port = 0; port < 4; ++port) {
      submit(static_cast<std::uint64_t>(port), port, static_cast<std::uint64_t>(port) * 1024, 64,
             now);
    }
    auto done = drain();
    const auto winner = std::min_element(done.begin(), done.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
    ++first[static_cast<int>(winner->first)];
  }
  EXPECT_EQ(first.size(), 4U);
}

TEST_F(CrossbarTest, EqualReadsOfAPortShareOneSramRead) {
  submit(9, 0, 8192, 640, 0);  // keeps the port busy
  for (int core = 0; core < 4; ++core) {
    submit(static_cast<std::uint64_t>(core), 0, 0, 640, core, false, core);
  }
  auto done = drain();
  EXPECT_EQ(done[0], done[9] + 10);
  for (std::uint64_t core = 1; core < 4; ++core) EXPECT_EQ(done[core], done[0]);
  EXPECT_EQ(sram_->stats().read_words, 20);
  EXPECT_EQ(crossbar_->port(0).multicast_words, 30);
  EXPECT_EQ(crossbar_->requester(3).joined_reads, 1);
  EXPECT_EQ(crossbar_->requester(3).read_bytes, 640);
}

TEST_F(CrossbarTest, ReadsThatComeTooLateOrDifferDoNotJoin) {
  submit(0, 0, 0, 640, 0);
  submit(1, 0, 0, 640, 1, false, 1);  // the first has started
  submit(2, 0, 0, 641, 1, false, 2);  // longer
  submit(3, 1, 0, 640, 0, false, 4);  // other port
  auto done = drain();
  EXPECT_EQ(done[1], done[0] + 10);
  EXPECT_EQ(done[2], done[1] + 11);
  EXPECT_EQ(sram_->stats().read_words, 10 + 10 + 11 + 10);
}

TEST_F(CrossbarTest, WithoutJoiningEveryReadReads) {
  config_.join_equal_reads = false;
  rebuild();
  for (int core = 0; core < 4; ++core)
    submit(static_cast<std::uint64_t>(core), 0, 0, 640, 0, false, core);
  drain();
  EXPECT_EQ(sram_->stats().read_words, 40);
}

TEST_F(CrossbarTest, AskedMulticastServesSeveralAtOnce) {
  CrossbarRequest request;
  request.bytes = 640;
  request.also = 3;
  crossbar_->submit(request, 0);
  drain();
  EXPECT_EQ(sram_->stats().read_words, 10);
  EXPECT_EQ(crossbar_->port(0).multicast_words, 30);
}

// How often and when advance() is called between submissions makes no difference.
TEST_F(CrossbarTest, TheResultDoesNotDependOnWhoAsksWhen) {
  const auto run = [&](bool often) {
    rebuild();
    base::Rng rng(11);
    std::vector<CrossbarDone> done;
    Cycle now = 0;
    for (std::uint64_t i = 0; i < 3000; ++i) {
      const Cycle next = now + rng.range(0, 30);
      for (; often && now < next; ++now) crossbar_->advance(now, done);
      now = next;
      crossbar_->advance(now, done);
      submit(i, static_cast<int>(rng.below(4)), rng.below(16000) * 64, rng.range(1, 2000), now,
             rng.bernoulli(0.4), static_cast<int>(rng.below(16)));
    }
    crossbar_->advance(now + 10'000'000, done);
    std::map<std::uint64_t, Cycle> result;
    for (const CrossbarDone& one : done) result[one.id] = one.done;
    return result;
  };
  const auto lazy = run(false);
  EXPECT_EQ(lazy.size(), 3000U);
  EXPECT_EQ(lazy, run(true));
}

}  // namespace
}  // namespace lacuna::timing::noc
