// SPDX-License-Identifier: Apache-2.0
#include "tensor/safetensors.h"

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "tensor/safetensors_header.h"

namespace lacuna::tensor {

static_assert(std::endian::native == std::endian::little,
              "safetensors data is little-endian and is read in place");

namespace {

constexpr std::size_t kLengthBytes = 8;

/// elements * size, or an error.
std::uint64_t data_bytes(const HeaderEntry& entry, const std::string& path) {
  std::uint64_t bytes = dtype_size(entry.dtype);
  bool is_empty = false;
  for (const std::int64_t dimension : entry.shape) is_empty = is_empty || dimension == 0;
  if (is_empty) return 0;
  for (const std::int64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
      throw base::UserError(fmt::format("{}: tensor '{}': shape {} overflows", path,
                                        base::printable(entry.name), shape_text(entry.shape)));
    }
  }
  return bytes;
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::shared_ptr<const SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  return std::shared_ptr<const SafetensorsFile>(new SafetensorsFile(path));
}

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < kLengthBytes) {
    throw base::UserError(fmt::format(
        "{}: not a safetensors file: {} bytes, but the length of the header alone takes 8", path,
        bytes.size()));
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  if (header_bytes > kMaxHeaderBytes) {
    throw base::UserError(
        fmt::format("{}: header length {} is more than the {} bytes that are allowed (is this a "
                    "safetensors file?)",
                    path, header_bytes, kMaxHeaderBytes));
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    throw base::UserError(
        fmt::format("{}: header length {} goes past the end of the file ({} bytes): truncated?",
                    path, header_bytes, bytes.size()));
  }
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes,
                              static_cast<std::size_t>(header_bytes));
  Header header = parse_safetensors_header(json, path);
  metadata_ = std::move(header.metadata);

  const auto data = bytes.subspan(kLengthBytes + static_cast<std::size_t>(header_bytes));
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
                   });
  std::uint64_t position = 0;
  for (HeaderEntry& entry : header.entries) {
    const auto complain = [&](const std::string& message) {
      throw base::UserError(
          fmt::format("{}: tensor '{}': {}", path, base::printable(entry.name), message));
    };
    if (entry.begin > entry.end) {
      complain(fmt::format("data_offsets [{}, {}] end before they begin", entry.begin, entry.end));
    }
    const std::uint64_t wanted = data_bytes(entry, path);
    if (entry.end - entry.begin != wanted) {
      complain(fmt::format("data_offsets [{}, {}] hold {} bytes, but {} {} takes {}", entry.begin,
                           entry.end, entry.end - entry.begin, dtype_name(entry.dtype),
                           shape_text(entry.shape), wanted));
    }
    if (entry.end > data.size()) {
      complain(
          fmt::format("data_offsets [{}, {}] go past the end of the data ({} bytes): "
                      "truncated?",
                      entry.begin, entry.end, data.size()));
    }
    if (entry.begin < position) {
      complain(fmt::format("data_offsets [{}, {}] overlap the tensor before, which ends at {}",
                           entry.begin, entry.end, position));
    }
    if (entry.begin > position) {
      complain(fmt::format("data_offsets [{}, {}] leave a hole after byte {}", entry.begin,
                           entry.end, position));
    }
    position = entry.end;
    index_.emplace(entry.name, tensors_.size());
    tensors_.push_back(
        {std::move(entry.name), entry.dtype, std::move(entry.shape),
         data.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(wanted))});
  }
  if (position != data.size()) {
    throw base::UserError(fmt::format("{}: {} bytes after the last tensor belong to none", path,
                                      data.size() - position));
  }
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorView& SafetensorsFile::get(std::string_view name) const {
  if (const TensorView* view = find(name)) return *view;
  std::vector<std::string> names;
  for (const TensorView& view : tensors_) names.push_back(view.name);
  throw base::UserError(fmt::format("{} has no tensor '{}'{}", path(), base::printable(name),
                                    base::did_you_mean(name, names)));
}

}  // namespace lacuna::tensor
