// SPDX-License-Identifier: Apache-2.0
#include "timing/noc/crossbar.h"

#include <algorithm>

#include "base/error.h"

namespace lacuna::timing::noc {

namespace {

Cycle least_of(const std::vector<Cycle>& times) {
  Cycle least = kNever;
  for (const Cycle time : times) least = std::min(least, time);
  return least;
}

}  // namespace

Crossbar::Crossbar(const CrossbarConfig& config, sram::BankedSram& sram)
    : config_(config),
      sram_(sram),
      paths_(static_cast<std::size_t>(config.ports) * 2),
      starts_(paths_.size(), kNever),
      firsts_(paths_.size(), kNever),
      requester_stats_(static_cast<std::size_t>(config.requesters)),
      port_stats_(static_cast<std::size_t>(config.ports)) {
  LACUNA_CHECK(config.ports > 0 && config.requesters > 0 && config.request_latency >= 0 &&
               config.response_latency >= 0);
}

int Crossbar::store(const CrossbarRequest& request, Cycle ready) {
  int slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<int>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[static_cast<std::size_t>(slot)] = {request, ready};
  return slot;
}

void Crossbar::submit(const CrossbarRequest& request, Cycle now) {
  LACUNA_CHECK(request.port >= 0 && request.port < config_.ports && request.requester >= 0 &&
                   request.requester < config_.requesters && request.bytes > 0,
               "SRAM request of {} bytes from requester {} at port {}", request.bytes,
               request.requester, request.port);
  LACUNA_CHECK(request.passes || request.address + static_cast<std::uint64_t>(request.bytes) <=
                                     static_cast<std::uint64_t>(sram_.capacity()),
               "SRAM request of {} bytes at {:#x}", request.bytes, request.address);
  const int slot = store(request, now + config_.request_latency);
  const auto number =
      static_cast<std::size_t>(request.port * 2 + (request.is_write ? kWrites : kReads));
  paths_[number].line.push_back(slot);
  if (starts_[number] == kNever) renew(number);
  ++waiting_;
}

void Crossbar::renew(std::size_t path_number) {
  const Path& path = paths_[path_number];
  if (path.empty()) {
    starts_[path_number] = firsts_[path_number] = kNever;
    return;
  }
  const Waiting& first = slots_[static_cast<std::size_t>(path.line[path.head])];
  starts_[path_number] = std::max(path.free_at, first.ready);
  firsts_[path_number] = starts_[path_number] + latency_of(first.request);
}

Cycle Crossbar::next_event_time() const { return waiting_ == 0 ? kNever : least_of(firsts_); }

void Crossbar::advance(Cycle now, std::vector<CrossbarDone>& done) {
  while (waiting_ > 0) {
    const Cycle earliest = least_of(starts_);
    if (earliest >= now) return;
    // All that start in this cycle, in an order that rotates with the cycle.
    const std::size_t count = paths_.size();
    const std::size_t offset = static_cast<std::size_t>(earliest) % count;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = i + offset < count ? i + offset : i + offset - count;
      if (starts_[number] == earliest) start(number, earliest, done);
    }
  }
}

void Crossbar::start(std::size_t path_number, Cycle now, std::vector<CrossbarDone>& done) {
  Path& path = paths_[path_number];
  const int slot = path.line[path.head];
  ++path.head;
  --waiting_;
  const Waiting first = slots_[static_cast<std::size_t>(slot)];
  const CrossbarRequest& request = first.request;
  const std::int64_t words = sram_.words(request.address, request.bytes);
  const Cycle begin =
      request.passes ? now : sram_.reserve(request.address, words, request.is_write, now);
  path.free_at = begin + words;
  const Cycle end = begin + words - 1 + latency_of(request);
  PortStats& port = port_stats_[path_number / 2];
  (request.is_write ? port.write_cycles : port.read_cycles) += words;
  port.multicast_words += words * request.also;
  finish(first, begin, begin - now, end, false, done);
  free_slots_.push_back(slot);

  if (!request.is_write && !request.passes && config_.join_equal_reads) {
    for (std::size_t i = path.head; i < path.line.size();) {
      const int other_slot = path.line[i];
      const Waiting other = slots_[static_cast<std::size_t>(other_slot)];
      if (other.request.passes || other.request.address != request.address ||
          other.request.bytes != request.bytes || other.ready > now) {
        ++i;
        continue;
      }
      path.line.erase(path.line.begin() + static_cast<std::ptrdiff_t>(i));
      --waiting_;
      port.multicast_words += words * (1 + other.request.also);
      finish(other, begin, 0, end, true, done);
      free_slots_.push_back(other_slot);
    }
  }
  if (path.empty()) {
    path.line.clear();
    path.head = 0;
  } else if (path.head >= 1024 && path.head * 2 >= path.line.size()) {
    path.line.erase(path.line.begin(), path.line.begin() + static_cast<std::ptrdiff_t>(path.head));
    path.head = 0;
  }
  renew(path_number);
}

void Crossbar::finish(const Waiting& waiting, Cycle first, Cycle conflict, Cycle end, bool joined,
                      std::vector<CrossbarDone>& done) {
  const CrossbarRequest& request = waiting.request;
  RequesterStats& stats = requester_stats_[static_cast<std::size_t>(request.requester)];
  if (request.is_write) {
    ++stats.writes;
    stats.write_bytes += request.bytes;
  } else {
    ++stats.reads;
    stats.read_bytes += request.bytes;
    if (joined) ++stats.joined_reads;
  }
  stats.wait_cycles += first - waiting.ready;
  stats.conflict_cycles += conflict;
  done.push_back({request.id, end});
}

}  // namespace lacuna::timing::noc
