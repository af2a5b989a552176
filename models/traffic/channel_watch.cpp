// SPDX-License-Identifier: Apache-2.0
#include "traffic/channel_watch.h"

#include <algorithm>

#include "timing/dram/timing_table.h"

namespace lacuna::traffic {

using timing::dram::Cycle;

ChannelWatch::ChannelWatch(timing::dram::MemorySystem& memory, CommandLogWriter* log, bool check)
    : memory_(memory),
      log_(log),
      listeners_(static_cast<std::size_t>(memory.channels())),
      window_cycles_(Cycle{kWindowBursts} * memory.preset().organization.burst_cycles()) {
  const timing::dram::TimingTable table(memory.preset());
  read_data_ = table.read_done() - table.burst_cycles();
  write_data_ = table.write_done() - table.burst_cycles();
  for (int i = 0; i < memory.channels(); ++i) {
    Listener& listener = listeners_[static_cast<std::size_t>(i)];
    listener.watch = this;
    listener.channel = i;
    memory.channel(i).set_observer(&listener);
    if (check) checkers_.emplace_back(memory.preset());
  }
}

ChannelWatch::~ChannelWatch() {
  for (int i = 0; i < memory_.channels(); ++i) memory_.channel(i).set_observer(nullptr);
}

void ChannelWatch::see(int channel, const timing::dram::CommandRecord& record) {
  if (timing::dram::is_column(record.command)) {
    const Cycle data =
        record.time + (timing::dram::is_read(record.command) ? read_data_ : write_data_);
    const auto window = static_cast<std::size_t>(data / window_cycles_ - first_window_);
    if (window >= windows_.size()) windows_.resize(window + 1);
    ++windows_[window];
  }
  if (log_ != nullptr) log_->write(channel, record);
  if (!checkers_.empty()) checkers_[static_cast<std::size_t>(channel)].on_command(record);
}

void ChannelWatch::settle(Cycle now) {
  const std::int64_t current = now / window_cycles_;
  while (first_window_ < current && !windows_.empty()) {
    busiest_ = std::max(busiest_, windows_.front());
    windows_.pop_front();
    ++first_window_;
  }
  if (windows_.empty()) first_window_ = std::max(first_window_, current);
}

void ChannelWatch::finish(Cycle end) {
  for (timing::dram::TimingChecker& checker : checkers_) checker.finish(end);
}

std::int64_t ChannelWatch::busiest_window() const {
  std::int64_t most = busiest_;
  for (const std::int64_t bursts : windows_) most = std::max(most, bursts);
  return most;
}

}  // namespace lacuna::traffic
