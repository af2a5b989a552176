// SPDX-License-Identifier: Apache-2.0
#include "traffic/command_log_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::traffic {

using timing::dram::CommandRecord;
using timing::dram::MemoryCommand;

namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 16;
constexpr std::int64_t kMaxCycle = std::int64_t{1} << 58;
constexpr std::size_t kNone = std::string::npos;

}  // namespace

CommandLogWriter::CommandLogWriter(const std::string& path,
                                   const params::MemoryOrganization& organization)
    : organization_(organization), file_(path) {
  buffer_ = base::join(std::vector<std::string>{"cycle", "channel", "command", "pseudo_channel",
                                                "rank", "bank_group", "bank", "row", "column"},
                       ",");
  buffer_ += '\n';
}

void CommandLogWriter::write(int channel, const CommandRecord& record) {
  int rest = record.bank;
  const int bank = rest % organization_.banks;
  rest /= organization_.banks;
  const int group = rest % organization_.bank_groups;
  rest /= organization_.bank_groups;
  const int rank = rest % organization_.ranks;
  const int pseudo_channel = rest / organization_.ranks;
  auto out = std::back_inserter(buffer_);
  fmt::format_to(out, "{},{},{},{},{},{},{},", record.time, channel,
                 params::enum_name(record.command), pseudo_channel, rank, group, bank);
  if (record.row >= 0) fmt::format_to(out, "{}", record.row);
  buffer_ += ',';
  if (record.column >= 0) fmt::format_to(out, "{}", record.column);
  buffer_ += '\n';
  if (buffer_.size() >= kFlushBytes) flush();
}

void CommandLogWriter::flush() {
  file_.write(buffer_);
  buffer_.clear();
}

void CommandLogWriter::commit() {
  flush();
  file_.commit();
}

const std::vector<std::string>& CommandLogReader::names() {
  static const std::vector<std::string> kNames = {"cycle",          "channel", "command",
                                                  "pseudo_channel", "rank",    "bank_group",
                                                  "bank",           "row",     "column"};
  return kNames;
}

CommandLogReader::CommandLogReader(const std::string& path,
                                   const params::MemoryOrganization& organization, int max_channels)
    : organization_(organization), max_channels_(max_channels), lines_(path) {
  read_header();
}

void CommandLogReader::split_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  cells_.clear();
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(line.find(',', begin), line.size());
    cells_.push_back({base::trim(line.substr(begin, end - begin)), begin + 1});
    if (end == line.size()) return;
    begin = end + 1;
  }
}

void CommandLogReader::read_header() {
  std::string_view line;
  if (!lines_.next(line)) {
    throw base::UserError(base::SourceLocation{lines_.name(), 0, 0},
                          "the command log is empty: not even a header");
  }
  split_line(line);
  width_ = cells_.size();
  places_.assign(kColumns, kNone);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const std::string name(cells_[i].text);
    const auto found = std::find(names().begin(), names().end(), name);
    if (found == names().end()) {
      lines_.fail(cells_[i].column, fmt::format("'{}' is no column of a command log ({}){}",
                                                base::printable(name, 40), base::join(names(), ","),
                                                base::did_you_mean(name, names())));
    }
    std::size_t& place = places_[static_cast<std::size_t>(found - names().begin())];
    if (place != kNone) lines_.fail(cells_[i].column, fmt::format("a second column {}", name));
    place = i;
  }
  const auto require = [&](Column column, bool needed) {
    if (needed && place(column) == kNone) {
      lines_.fail(
          1, fmt::format("the header has no column {}", names()[static_cast<std::size_t>(column)]));
    }
  };
  require(kCycle, true);
  require(kCommand, true);
  require(kPseudoChannel, organization_.pseudo_channels > 1);
  require(kRank, organization_.ranks > 1);
  require(kBankGroup, organization_.bank_groups > 1);
  require(kBank, organization_.banks > 1);
  require(kRow, true);
}

std::int64_t CommandLogReader::number(std::size_t field, std::int64_t missing,
                                      std::int64_t limit) const {
  const std::size_t at = places_[field];
  if (at == kNone || cells_[at].text.empty()) {
    if (field == kCycle) lines_.fail(cells_[at].column, "the cycle is missing");
    return missing;
  }
  const std::string_view text = cells_[at].text;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    lines_.fail(cells_[at].column, fmt::format("{} '{}' is not a whole number", names()[field],
                                               base::printable(text, 40)));
  }
  if (error != std::errc{} || value < 0 || value >= limit) {
    lines_.fail(cells_[at].column, fmt::format("{} {} is not in 0..{}", names()[field],
                                               base::printable(text, 40), limit - 1));
  }
  return value;
}

MemoryCommand CommandLogReader::command_of(std::size_t field) const {
  const Cell& cell = cells_[places_[field]];
  for (const auto& [value, name] : enum_names(MemoryCommand{})) {
    if (name == cell.text) return value;
  }
  lines_.fail(cell.column,
              fmt::format("'{}' is no command{}", base::printable(cell.text, 40),
                          base::did_you_mean(cell.text, params::enum_spellings<MemoryCommand>())));
}

bool CommandLogReader::next(LoggedCommand& command) {
  std::string_view line;
  do {
    if (!lines_.next(line)) return false;
  } while (base::trim(line).empty());
  split_line(line);
  if (cells_.size() != width_) {
    lines_.fail(cells_.back().column,
                fmt::format("the line has {} cells, the header {}", cells_.size(), width_));
  }
  CommandRecord& record = command.record;
  record.time = number(kCycle, 0, kMaxCycle);
  command.channel = static_cast<int>(number(kChannel, 0, max_channels_));
  record.command = command_of(kCommand);
  std::int64_t bank = number(kPseudoChannel, 0, organization_.pseudo_channels);
  bank = bank * organization_.ranks + number(kRank, 0, organization_.ranks);
  bank = bank * organization_.bank_groups + number(kBankGroup, 0, organization_.bank_groups);
  bank = bank * organization_.banks + number(kBank, 0, organization_.banks);
  record.bank = static_cast<int>(bank);
  constexpr std::int64_t kMaxInt = std::numeric_limits<int>::max();
  record.row = static_cast<int>(number(kRow, -1, kMaxInt));
  record.column = static_cast<int>(number(kColumn, -1, kMaxInt));
  return true;
}

}  // namespace lacuna::traffic
