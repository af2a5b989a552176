// SPDX-License-Identifier: Apache-2.0
#include "traffic/trace_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace lacuna::traffic {

namespace {

template <class Number>
bool parse(std::string_view text, int base, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view without_0x(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0X")) word.remove_prefix(2);
  return word;
}

/// true: write, false: read, nothing: neither.
std::optional<bool> direction(std::string_view word) {
  for (const char* write : {"WRITE", "write", "P_MEM_WR", "W", "w"}) {
    if (word == write) return true;
  }
  for (const char* read : {"READ", "read", "P_MEM_RD", "R", "r"}) {
    if (word == read) return false;
  }
  return std::nullopt;
}

std::string neither(std::string_view word) {
  if (word.empty()) return "the line ends where READ or WRITE is expected";
  static const std::vector<std::string> kWords = {"READ", "WRITE"};
  return fmt::format("'{}' is neither READ nor WRITE{}", base::printable(word, 40),
                     base::did_you_mean(word, kWords));
}

/// Index of the first character that is no blank, or npos for a line to skip.
std::size_t content(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first != std::string_view::npos && line[first] == '#' ? std::string_view::npos : first;
}

}  // namespace

std::string_view trace_format_name(TraceFormat format) {
  switch (format) {
    case TraceFormat::kDramSim3:
      return "dramsim3";
    case TraceFormat::kStl:
      return "stl";
    case TraceFormat::kRelativeStl:
      return "rstl";
  }
  return "";
}

TraceReader::TraceReader(const std::string& path, const TraceOptions& options)
    : options_(options), lines_(path) {
  std::string_view line;
  bool found = false;
  while (!found && lines_.next(line)) found = content(line) != std::string_view::npos;
  if (!found) {
    throw base::UserError(base::SourceLocation{lines_.name(), 0, 0}, "the trace holds no request");
  }
  if (options_.format) {
    format_ = *options_.format;
  } else {
    // "120:" or a hexadecimal address
    WordReader words(line);
    const std::string_view word = words.next();
    const std::string_view digits = without_0x(word.substr(0, word.find(':')));
    const bool is_number =
        !digits.empty() && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
    if (!is_number) {
      lines_.fail(words.column(), fmt::format("'{}': a request is '0xADDRESS READ|WRITE CYCLE' or "
                                              "'CYCLE: read|write 0xADDRESS'",
                                              base::printable(word, 40)));
    }
    format_ = line.find(':') != std::string_view::npos ? TraceFormat::kStl : TraceFormat::kDramSim3;
    const std::string_view plain =
        path.ends_with(".gz") ? std::string_view(path).substr(0, path.size() - 3) : path;
    if (format_ == TraceFormat::kStl && plain.ends_with(".rstl")) {
      format_ = TraceFormat::kRelativeStl;
    }
  }
  format_ == TraceFormat::kDramSim3 ? parse_dramsim3(line, first_) : parse_stl(line, first_);
  has_first_ = true;
}

bool TraceReader::next(Request& request) {
  if (has_first_) {
    request = first_;
    has_first_ = false;
    return true;
  }
  std::string_view line;
  do {
    if (!lines_.next(line)) return false;
  } while (content(line) == std::string_view::npos);
  format_ == TraceFormat::kDramSim3 ? parse_dramsim3(line, request) : parse_stl(line, request);
  return true;
}

void TraceReader::parse_dramsim3(std::string_view line, Request& request) {
  WordReader words(line);
  const std::string_view address = words.next();
  request.bytes = options_.request_bytes;
  request.address = address_of(address, words.column(), request.bytes);
  const std::string_view word = words.next();
  const auto is_write = direction(word);
  if (!is_write) lines_.fail(words.column(), neither(word));
  request.is_write = *is_write;
  const std::string_view cycle = words.next();
  std::uint64_t value = 0;
  if (!parse(cycle, 10, value)) {
    lines_.fail(words.column(), cycle.empty() ? "the line ends where the cycle is expected"
                                              : fmt::format("'{}' is not a cycle: a whole number",
                                                            base::printable(cycle, 40)));
  }
  request.scheduled = to_memory_cycles(value, words.column());
  const std::string_view extra = words.next();
  if (!extra.empty()) {
    lines_.fail(words.column(),
                fmt::format("'{}' follows a complete request", base::printable(extra, 40)));
  }
}

void TraceReader::parse_stl(std::string_view line, Request& request) {
  WordReader words(line);
  std::string_view word = words.next();
  const std::size_t colon = word.find(':');
  std::uint64_t cycle = 0;
  if (colon == std::string_view::npos || !parse(word.substr(0, colon), 10, cycle)) {
    lines_.fail(words.column(),
                fmt::format("'{}' is not 'CYCLE:' with a whole number", base::printable(word, 40)));
  }
  const std::size_t cycle_column = words.column();
  request.bytes = options_.request_bytes;
  // What follows the colon directly is the next word.
  std::size_t column = words.column() + colon + 1;
  word = word.substr(colon + 1);
  const auto advance = [&] {
    word = words.next();
    column = words.column();
  };
  if (word.empty()) advance();
  if (word.starts_with('(')) {
    if (!word.ends_with(')') || !parse(word.substr(1, word.size() - 2), 10, request.bytes) ||
        request.bytes < 1 || request.bytes > kMaxRequestBytes) {
      lines_.fail(column, fmt::format("'{}' is not a length '(BYTES)' from 1 to {}",
                                      base::printable(word, 40), kMaxRequestBytes));
    }
    advance();
  }
  const auto is_write = direction(word);
  if (!is_write) lines_.fail(column, neither(word));
  request.is_write = *is_write;
  advance();
  request.address = address_of(word, column, request.bytes);
  if (format_ == TraceFormat::kRelativeStl) {
    if (cycle > static_cast<std::uint64_t>(kMaxScheduled)) cycle = kMaxScheduled;
    cycle += last_cycle_;
  }
  request.scheduled = to_memory_cycles(cycle, cycle_column);
  advance();  // data
  if (!word.empty() &&
      without_0x(word).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    lines_.fail(column, fmt::format("'{}' follows a complete request and is no hexadecimal data",
                                    base::printable(word, 40)));
  }
  advance();
  if (!word.empty()) {
    lines_.fail(column, fmt::format("'{}' follows a complete request", base::printable(word, 40)));
  }
}

Cycle TraceReader::to_memory_cycles(std::uint64_t cycle, std::size_t column) {
  if (cycle < last_cycle_) {
    lines_.fail(column, fmt::format("cycle {} comes after cycle {} of an earlier line: a trace is "
                                    "in order of time",
                                    cycle, last_cycle_));
  }
  last_cycle_ = cycle;
  __extension__ using Wide = unsigned __int128;
  // The first memory cycle that begins at the same time or later.
  const Wide scaled = (static_cast<Wide>(cycle) * static_cast<Wide>(options_.trace_clock_fs) +
                       static_cast<Wide>(options_.memory_clock_fs - 1)) /
                      static_cast<Wide>(options_.memory_clock_fs);
  if (scaled > static_cast<Wide>(kMaxScheduled)) {
    lines_.fail(column, fmt::format("cycle {} is too far away: the limit is {} memory cycles",
                                    cycle, kMaxScheduled));
  }
  return static_cast<Cycle>(scaled);
}

std::uint64_t TraceReader::address_of(std::string_view word, std::size_t column,
                                      std::int64_t bytes) {
  if (word.empty()) lines_.fail(column, "the line ends where the address is expected");
  std::uint64_t address = 0;
  if (!parse(without_0x(word), 16, address)) {
    lines_.fail(column, fmt::format("'{}' is not a hexadecimal address of 64 bits",
                                    base::printable(word, 40)));
  }
  const auto size = static_cast<std::uint64_t>(bytes);
  if (options_.wrap) {
    address %= options_.capacity;
    // Only what would cross the end moves: to the last place where it fits.
    return std::min(address, options_.capacity - size);
  }
  if (address >= options_.capacity || size > options_.capacity - address) {
    lines_.fail(column, fmt::format("{} bytes at {:#x} are not inside the memory of {:#x} bytes; "
                                    "more --channels, or --wrap",
                                    bytes, address, options_.capacity));
  }
  return address;
}

}  // namespace lacuna::traffic
