// SPDX-License-Identifier: Apache-2.0
#include "traffic/replay.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "base/error.h"
#include "base/interrupt.h"

namespace lacuna::traffic {

using timing::dram::kNever;

namespace {

constexpr std::int64_t kPollRequests = 4096;

class Replay {
 public:
  Replay(RequestSource& source, timing::dram::MemorySystem& memory, ChannelWatch& watch,
         const ReplayOptions& options)
      : source_(source), memory_(memory), watch_(watch), options_(options) {}

  ReplayResult run() {
    fetch();
    first_scheduled_ = has_next_ ? next_.scheduled : 0;
    while (has_next_ || under_way_ > 0) {
      now_ = std::max(now_, next_time());
      memory_.advance(now_, finished_);
      for (const timing::dram::TransactionDone& done : finished_) {
        ends_.push({done.done, static_cast<std::uint32_t>(done.id)});
      }
      finished_.clear();
      while (!ends_.empty() && ends_.top().time <= now_) finish_one();
      while (may_send() && (options_.closed_loop || arrival() <= now_)) send();
      watch_.settle(now_);
    }
    result_.cycles = now_;
    if (result_.cycles > 0) {
      result_.mean_under_way = under_way_cycles_ / static_cast<double>(result_.cycles);
    }
    result_.memory = memory_.stats(now_);
    for (int i = 0; i < memory_.channels(); ++i) {
      result_.channels.push_back(memory_.channel(i).stats(now_));
    }
    watch_.finish(now_);
    return std::move(result_);
  }

 private:
  struct UnderWay {
    Cycle scheduled = 0;
    Cycle sent = 0;
    bool is_write = false;
  };
  struct End {
    Cycle time = 0;
    std::uint32_t slot = 0;
    friend bool operator>(const End& a, const End& b) {
      return a.time != b.time ? a.time > b.time : a.slot > b.slot;
    }
  };

  [[nodiscard]] Cycle arrival() const { return next_.scheduled - first_scheduled_; }
  [[nodiscard]] bool may_send() const { return has_next_ && under_way_ < options_.outstanding; }

  [[nodiscard]] Cycle next_time() {
    Cycle time = memory_.next_event_time();
    if (may_send()) time = std::min(time, options_.closed_loop ? now_ : arrival());
    if (!ends_.empty()) time = std::min(time, ends_.top().time);
    LACUNA_CHECK(time != kNever, "{} requests under way and nothing happens", under_way_);
    return time;
  }

  void fetch() {
    has_next_ = source_.next(next_);
    if (++fetched_ % kPollRequests == 0) {
      base::throw_if_interrupted();
      if (options_.progress) options_.progress(fetched_ - under_way_);
    }
  }

  void send() {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    const Cycle scheduled = options_.closed_loop ? now_ : arrival();
    slots_[slot] = {scheduled, now_, next_.is_write};
    if (scheduled < now_) ++result_.held_back;
    if (under_way_++ == 0) busy_since_ = now_;
    result_.most_under_way = std::max(result_.most_under_way, under_way_);
    if (next_.is_write) {
      ++result_.writes;
      result_.write_bytes += next_.bytes;
    } else {
      ++result_.reads;
      result_.read_bytes += next_.bytes;
    }
    memory_.submit({slot, next_.address, next_.bytes, next_.is_write}, now_);
    fetch();
  }

  void finish_one() {
    const End end = ends_.top();
    ends_.pop();
    const UnderWay& request = slots_[end.slot];
    (request.is_write ? result_.write_latency : result_.read_latency)
        .add(end.time - request.scheduled);
    under_way_cycles_ += static_cast<double>(end.time - request.sent);
    free_.push_back(end.slot);
    if (--under_way_ == 0) result_.busy_cycles += end.time - busy_since_;
  }

  RequestSource& source_;
  timing::dram::MemorySystem& memory_;
  ChannelWatch& watch_;
  const ReplayOptions& options_;

  Cycle now_ = 0;
  Request next_;
  bool has_next_ = false;
  Cycle first_scheduled_ = 0;
  std::int64_t fetched_ = 0;
  std::int64_t under_way_ = 0;
  Cycle busy_since_ = 0;
  double under_way_cycles_ = 0;
  std::vector<UnderWay> slots_;
  std::vector<std::uint32_t> free_;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
  std::vector<timing::dram::TransactionDone> finished_;
  ReplayResult result_;
};

}  // namespace

ReplayResult replay(RequestSource& source, timing::dram::MemorySystem& memory, ChannelWatch& watch,
                    const ReplayOptions& options) {
  return Replay(source, memory, watch, options).run();
}

}  // namespace lacuna::traffic
