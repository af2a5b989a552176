// SPDX-License-Identifier: Apache-2.0
//
// Command logs as CSV, a command a line, in order of time within each channel:
//
//   cycle,channel,command,pseudo_channel,rank,bank_group,bank,row,column
//   57,0,ACT,0,0,0,3,1742,
//
// Cycle: first one on the command bus. Commands to a whole rank name its first bank. Row and column
// (in bursts) are empty where a command has none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "params/memory_params.h"
#include "timing/dram/command_log.h"
#include "traffic/line_reader.h"

namespace lacuna::traffic {

class CommandLogWriter {
 public:
  /// Nothing appears at `path` before commit(). UserError: cannot be written.
  CommandLogWriter(const std::string& path, const params::MemoryOrganization& organization);
  void write(int channel, const timing::dram::CommandRecord& record);
  void commit();

 private:
  void flush();

  params::MemoryOrganization organization_;
  base::AtomicFileWriter file_;
  std::string buffer_;
};

struct LoggedCommand {
  int channel = 0;
  timing::dram::CommandRecord record;
};

/// Reads what CommandLogWriter writes, or another tool: the columns in any order, those that the
/// memory has only one of may be missing. UserError with file, line and column.
class CommandLogReader {
 public:
  /// `max_channels`: more are an error.
  CommandLogReader(const std::string& path, const params::MemoryOrganization& organization,
                   int max_channels);
  bool next(LoggedCommand& command);
  [[nodiscard]] int line() const { return lines_.line(); }
  [[nodiscard]] const std::string& name() const { return lines_.name(); }

 private:
  enum Column : std::size_t {
    kCycle,
    kChannel,
    kCommand,
    kPseudoChannel,
    kRank,
    kBankGroup,
    kBank,
    kRow,
    kColumn,
  };
  static constexpr std::size_t kColumns = 9;
  static const std::vector<std::string>& names();

  void read_header();
  [[nodiscard]] std::int64_t number(std::size_t field, std::int64_t missing,
                                    std::int64_t limit) const;
  [[nodiscard]] timing::dram::MemoryCommand command_of(std::size_t field) const;
  // Position in the line, from 0, of a column, or npos.
  [[nodiscard]] std::size_t place(Column column) const {
    return places_[static_cast<std::size_t>(column)];
  }
  void split_line(std::string_view line);

  params::MemoryOrganization organization_;
  int max_channels_;
  LineReader lines_;
  std::vector<std::size_t> places_;
  std::size_t width_ = 0;
  struct Cell {
    std::string_view text;
    std::size_t column = 1;
  };
  std::vector<Cell> cells_;
};

}  // namespace lacuna::traffic
