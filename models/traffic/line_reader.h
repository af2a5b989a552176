// SPDX-License-Identifier: Apache-2.0
//
// Lines of a text file of any length, plain or gzip-compressed, or of the standard input ("-"), in
// a fixed buffer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lacuna::traffic {

class LineReader {
 public:
  /// Longer lines are an error: no trace has them.
  static constexpr std::size_t kMaxLine = 4096;

  /// UserError if the file cannot be opened. "-" is the standard input.
  explicit LineReader(const std::string& path);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader();

  /// The next line without its end, valid until the next call; false at the end of the file.
  /// UserError: cannot be read, a line too long, damaged compression.
  bool next(std::string_view& line);

  /// What messages call the file.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of the latest line, from 1.
  [[nodiscard]] int line() const { return line_; }
  /// UserError at the latest line; `column` counts from 1.
  [[noreturn]] void fail(std::size_t column, const std::string& message) const;

 private:
  void fill();

  std::string name_;
  void* file_ = nullptr;  ///< gzFile
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
  int line_ = 0;
};

/// Words of a line with their columns; blanks and tabs separate.
class WordReader {
 public:
  explicit WordReader(std::string_view line) : line_(line) {}
  /// The next word, empty at the end of the line.
  std::string_view next();
  /// Column of the latest word, or of the end of the line.
  [[nodiscard]] std::size_t column() const { return word_ + 1; }

 private:
  std::string_view line_;
  std::size_t position_ = 0;
  std::size_t word_ = 0;
};

}  // namespace lacuna::traffic
