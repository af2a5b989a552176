// SPDX-License-Identifier: Apache-2.0
#include "report/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"

namespace lacuna::report {

namespace {

using Unit = chip::TimelineEvent::Unit;

constexpr std::size_t kBufferBytes = std::size_t{1} << 16U;
/// Process 0 is the chip itself, core c is process c + 1.
constexpr int kChipProcess = 0;

const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::kEngine:
      return "engine";
    case Unit::kDrain:
      return "drain";
    case Unit::kWeightLoad:
      return "weight load";
    case Unit::kActivationLoad:
      return "activation load";
    case Unit::kVector:
      return "vector";
    case Unit::kStore:
      return "store";
    case Unit::kFetch:
      return "DMA";
  }
  return "?";
}

/// JSON string with its quotes.
std::string json_string(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void TimelineWriter::Histogram::add(base::Cycle begin, base::Cycle end, std::int64_t bytes) {
  begin = std::max<base::Cycle>(begin, 0);
  end = std::max(end, begin + 1);
  while (static_cast<std::size_t>((end - 1) / width_) >= kBins) {
    width_ *= 2;
    const std::vector<double> old = std::exchange(bins_, {});
    bins_.resize((old.size() + 1) / 2, 0);
    for (std::size_t i = 0; i < old.size(); ++i) bins_[i / 2] += old[i];
  }
  const auto last = static_cast<std::size_t>((end - 1) / width_);
  if (bins_.size() <= last) bins_.resize(last + 1, 0);
  const double rate = static_cast<double>(bytes) / static_cast<double>(end - begin);
  for (auto bin = static_cast<std::size_t>(begin / width_); bin <= last; ++bin) {
    const base::Cycle from = std::max(begin, static_cast<base::Cycle>(bin) * width_);
    const base::Cycle to = std::min(end, static_cast<base::Cycle>(bin + 1) * width_);
    bins_[bin] += rate * static_cast<double>(to - from);
  }
}

TimelineWriter::TimelineWriter(TimelineOptions options)
    : options_(std::move(options)),
      file_(options_.path),
      buffer_("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n") {}

double TimelineWriter::microseconds(base::Cycle cycle) const {
  return 1e6 * static_cast<double>(cycle) / options_.clock_hz;
}

void TimelineWriter::write(const std::string& object) {
  if (!first_) buffer_ += ",\n";
  first_ = false;
  buffer_ += object;
  if (buffer_.size() >= kBufferBytes) {
    file_.write(buffer_);
    buffer_.clear();
  }
}

void TimelineWriter::event(const chip::TimelineEvent& event) {
  if (failure_) return;
  switch (event.unit) {
    case Unit::kFetch:
      dram_.add(event.begin, event.end, event.amount);
      break;
    case Unit::kWeightLoad:
    case Unit::kActivationLoad:
    case Unit::kStore:
      sram_.add(event.begin, event.end, event.amount);
      break;
    default:
      break;
  }
  if (written_ >= options_.max_events) {
    ++dropped_;
    return;
  }
  ++written_;
  try {
    write_event(event);
  } catch (const base::UserError&) {
    failure_ = std::current_exception();
  }
}

void TimelineWriter::write_event(const chip::TimelineEvent& event) {
  const int process = event.core < 0 ? kChipProcess : event.core + 1;
  const int thread = static_cast<int>(event.unit);
  tracks_.emplace(process, thread);
  const auto layer = static_cast<std::size_t>(event.layer);
  const std::string name = event.layer >= 0 && layer < options_.layers.size()
                               ? options_.layers[layer]
                               : unit_name(event.unit);
  const char* amount = event.unit == Unit::kEngine ? "macs" : "bytes";
  write(fmt::format(R"({{"ph":"X","pid":{},"tid":{},"ts":{:.4f},"dur":{:.4f},"name":{},)"
                    R"("args":{{"batch":{},"begin_cycle":{},"cycles":{},"{}":{}}}}})",
                    process, thread, microseconds(event.begin),
                    microseconds(event.end - event.begin), json_string(name), event.program,
                    event.begin, event.end - event.begin, amount, event.amount));
}

void TimelineWriter::write_counter(const char* name, const Histogram& histogram) {
  const double seconds = static_cast<double>(histogram.width()) / options_.clock_hz;
  const auto sample = [&](std::size_t bin, double bytes) {
    write(fmt::format(R"({{"ph":"C","pid":{},"ts":{:.4f},"name":"{}","args":{{"GB/s":{:.4f}}}}})",
                      kChipProcess, microseconds(static_cast<base::Cycle>(bin) * histogram.width()),
                      name, bytes / seconds / 1e9));
  };
  for (std::size_t bin = 0; bin < histogram.bins().size(); ++bin) {
    sample(bin, histogram.bins()[bin]);
  }
  if (!histogram.bins().empty()) sample(histogram.bins().size(), 0);
}

void TimelineWriter::commit() {
  if (failure_) std::rethrow_exception(failure_);
  write_counter("DRAM to SRAM", dram_);
  write_counter("SRAM and cores", sram_);
  std::set<int> processes{kChipProcess};
  for (const auto& [process, thread] : tracks_) {
    processes.insert(process);
    write(
        fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})",
                    process, thread, unit_name(static_cast<Unit>(thread))));
    write(fmt::format(
        R"({{"ph":"M","pid":{},"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}}}})",
        process, thread, thread));
  }
  for (const int process : processes) {
    const std::string name = process == kChipProcess ? "chip" : fmt::format("core {}", process - 1);
    write(fmt::format(R"({{"ph":"M","pid":{},"name":"process_name","args":{{"name":"{}"}}}})",
                      process, name));
    write(fmt::format(
        R"({{"ph":"M","pid":{},"name":"process_sort_index","args":{{"sort_index":{}}}}})", process,
        process));
  }
  file_.write(buffer_);
  file_.write(fmt::format("\n],\n\"otherData\": {{\"clock_hz\": {}, \"events_left_out\": {}}}}}\n",
                          options_.clock_hz, dropped_));
  file_.commit();
}

}  // namespace lacuna::report
