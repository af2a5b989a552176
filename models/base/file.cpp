// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lacuna::base {

namespace {

[[noreturn]] void fail(const std::string& action, const std::string& path, int error) {
  throw UserError(
      fmt::format("cannot {} '{}': {}", action, path, std::generic_category().message(error)));
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      // O_NONBLOCK: opening a FIFO must not hang; regular files ignore it.
      : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (value_ < 0) fail("open", path, errno);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }

  /// Size of the file; UserError unless it is a regular one.
  [[nodiscard]] std::size_t regular_size(const std::string& path) const {
    struct stat status {};
    if (::fstat(value_, &status) != 0) fail("read", path, errno);
    if (S_ISDIR(status.st_mode)) fail("read", path, EISDIR);
    if (!S_ISREG(status.st_mode)) {
      throw UserError(fmt::format("cannot read '{}': it is not a regular file", path));
    }
    return static_cast<std::size_t>(status.st_size);
  }
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.tmp.{}.{}", path, ::getpid(), counter.fetch_add(1));
}

}  // namespace

AtomicFileWriter::AtomicFileWriter(std::string path)
    : path_(std::move(path)), temporary_path_(temporary_name(path_)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) fail("write", path_, EISDIR);
  file_ = std::fopen(temporary_path_.c_str(), "wbe");
  if (file_ == nullptr) fail("write", path_, errno);
}

AtomicFileWriter::~AtomicFileWriter() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(temporary_path_.c_str());
}

void AtomicFileWriter::write(std::string_view content) {
  LACUNA_CHECK(file_ != nullptr, "write after commit to '{}'", path_);
  if (content.empty()) return;
  if (std::fwrite(content.data(), 1, content.size(), file_) != content.size()) {
    fail("write", path_, errno);
  }
}

void AtomicFileWriter::commit() {
  LACUNA_CHECK(file_ != nullptr, "second commit of '{}'", path_);
  const bool flushed = std::fflush(file_) == 0;
  const int flush_error = errno;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  const int close_error = errno;
  if (!flushed || !closed || std::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    const int error = !flushed ? flush_error : !closed ? close_error : errno;
    ::unlink(temporary_path_.c_str());
    fail("write", path_, error);
  }
}

void write_file_atomically(const std::string& path, std::string_view content) {
  AtomicFileWriter writer(path);
  writer.write(content);
  writer.commit();
}

std::string read_text_file(const std::string& path, std::size_t max_bytes) {
  const Descriptor descriptor(path);
  const std::size_t size = descriptor.regular_size(path);
  if (size > max_bytes) {
    throw UserError(fmt::format("cannot read '{}': it has {} bytes, more than the {} allowed here",
                                path, size, max_bytes));
  }
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor.value(), content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const Descriptor descriptor(path_);
  size_ = descriptor.regular_size(path_);
  if (size_ == 0) return;  // mmap refuses length 0
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.value(), 0);
  if (address == MAP_FAILED) fail("map", path_, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string_view MappedFile::text() const { return {reinterpret_cast<const char*>(data_), size_}; }

std::string resolve_path(const std::string& path, const std::string& from_file) {
  const std::filesystem::path target(path);
  if (target.is_absolute()) return target.lexically_normal().string();
  return (std::filesystem::path(from_file).parent_path() / target).lexically_normal().string();
}

void create_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) {
    throw UserError(fmt::format("cannot create the folder '{}': {}", path, error.message()));
  }
}

}  // namespace lacuna::base
