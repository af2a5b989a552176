// SPDX-License-Identifier: Apache-2.0
#include "traffic/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/interrupt.h"
#include "base/text.h"

namespace lacuna::traffic {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 17;

gzFile gz(void* file) { return static_cast<gzFile>(file); }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

}  // namespace

LineReader::LineReader(const std::string& path)
    : name_(path == "-" ? "standard input" : path), buffer_(kBufferBytes) {
  const auto cannot = [&](const char* why) {
    return base::UserError(fmt::format("cannot read {}: {}", base::printable(name_, 200), why));
  };
  const int descriptor =
      path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw cannot(std::strerror(errno));
  struct stat info {};
  if (::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(descriptor);
    throw cannot("it is a folder");
  }
  file_ = ::gzdopen(descriptor, "rb");  // reads plain files as they are
  if (file_ == nullptr) {
    ::close(descriptor);
    throw cannot("out of memory");
  }
  ::gzbuffer(gz(file_), static_cast<unsigned>(kBufferBytes));
}

LineReader::~LineReader() { ::gzclose_r(gz(file_)); }

void LineReader::fill() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  const int got =
      ::gzread(gz(file_), buffer_.data() + end_, static_cast<unsigned>(buffer_.size() - end_));
  base::throw_if_interrupted();
  int code = Z_OK;
  ::gzerror(gz(file_), &code);
  // A compressed file that was cut off reads as far as it goes and ends with Z_BUF_ERROR.
  if (got < 0 || code != Z_OK) {
    const char* why = code == Z_ERRNO       ? std::strerror(errno)
                      : code == Z_BUF_ERROR ? "the compressed data end too early"
                                            : "the compressed data are damaged";
    throw base::UserError(base::SourceLocation{name_, line_, 0},
                          fmt::format("cannot be read on from here: {}", why));
  }
  end_ += static_cast<std::size_t>(got);
  at_end_ = got == 0;
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = 0;
  while (true) {
    const char* from = buffer_.data() + begin_;
    const void* found = std::memchr(from + searched, '\n', end_ - begin_ - searched);
    std::size_t length = end_ - begin_;
    if (found != nullptr) length = static_cast<std::size_t>(static_cast<const char*>(found) - from);
    if (length > kMaxLine) {
      ++line_;
      fail(kMaxLine + 1, fmt::format("the line is longer than {} bytes: this is no text file of "
                                     "requests or commands",
                                     kMaxLine));
    }
    if (found != nullptr || at_end_) {
      if (found == nullptr && length == 0) return false;
      if (line_ == std::numeric_limits<int>::max()) line_ = 0;  // only a number in messages
      ++line_;
      line = {from, length};
      begin_ += length + (found != nullptr ? 1 : 0);
      return true;
    }
    searched = length;
    fill();
  }
}

void LineReader::fail(std::size_t column, const std::string& message) const {
  throw base::UserError(base::SourceLocation{name_, line_, static_cast<int>(column)}, message);
}

std::string_view WordReader::next() {
  while (position_ < line_.size() && is_blank(line_[position_])) ++position_;
  word_ = position_;
  while (position_ < line_.size() && !is_blank(line_[position_])) ++position_;
  return line_.substr(word_, position_ - word_);
}

}  // namespace lacuna::traffic
