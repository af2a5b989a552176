// SPDX-License-Identifier: Apache-2.0
//
// Files: bounded reading, read-only mapping, and writing that never leaves half a file behind.
// Every failure is a UserError that names the path and the operating system's reason.
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace lacuna::base {

/// Writes `content` to a temporary name beside `path`, then renames it: readers see the old file or
/// the whole new one.
void write_file_atomically(const std::string& path, std::string_view content);

/// The same for results that are produced piece by piece. Without commit() nothing appears.
class AtomicFileWriter {
 public:
  explicit AtomicFileWriter(std::string path);
  AtomicFileWriter(const AtomicFileWriter&) = delete;
  AtomicFileWriter& operator=(const AtomicFileWriter&) = delete;
  ~AtomicFileWriter();

  void write(std::string_view content);
  void commit();

 private:
  std::string path_;
  std::string temporary_path_;
  std::FILE* file_ = nullptr;
};

/// The whole file; UserError if it is not a readable regular file or longer than `max_bytes`.
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t max_bytes);

/// Read-only mapping of a regular file. Does not guard against somebody truncating the file while
/// it is mapped. Movable.
class MappedFile {
 public:
  explicit MappedFile(std::string path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// `path` as seen from the folder of `from_file`; absolute paths stay. Lexically normalised.
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& from_file);

/// Creates a folder and its parents; UserError if that fails or a non-folder is in the way.
void create_folders(const std::string& path);

}  // namespace lacuna::base
