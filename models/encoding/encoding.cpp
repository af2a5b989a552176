// SPDX-License-Identifier: Apache-2.0
#include "encoding/encoding.h"

#include <algorithm>
#include <bit>

#include "base/cycles.h"
#include "base/error.h"
#include "encoding/bit_stream.h"

namespace lacuna::encoding {

namespace {

using params::CompressParams;

constexpr int kCodeBits = 8;

/// Width of an index into a group of m.
int group_index_bits(const CompressParams& params) {
  return static_cast<int>(std::bit_width(static_cast<unsigned>(params.nm_m - 1)));
}

template <class Sink>
void put_dense(const Grid& grid, std::int64_t line, Sink& sink) {
  for (std::int64_t i = 0; i < grid.length; ++i) sink.put(grid.at(line, i), kCodeBits);
}

template <class Sink>
void put_bitmask(const Grid& grid, std::int64_t line, Sink& sink) {
  for (std::int64_t i = 0; i < grid.length; ++i) sink.put(grid.at(line, i) != 0 ? 1 : 0, 1);
  for (std::int64_t i = 0; i < grid.length; ++i) {
    const std::uint8_t code = grid.at(line, i);
    if (code != 0) sink.put(code, kCodeBits);
  }
}

template <class Sink>
void put_run_length(const Grid& grid, std::int64_t line, int run_bits, Sink& sink) {
  const std::uint32_t longest = (1U << run_bits) - 1;
  std::uint32_t run = 0;
  for (std::int64_t i = 0; i < grid.length; ++i) {
    const std::uint8_t code = grid.at(line, i);
    if (code == 0 && run < longest && i + 1 < grid.length) {
      ++run;
      continue;
    }
    sink.put(run, run_bits);
    sink.put(code, kCodeBits);
    run = 0;
  }
}

template <class Sink>
void put_coordinate(const Grid& grid, std::int64_t line, int index_bits, Sink& sink) {
  const std::int64_t piece = std::int64_t{1} << index_bits;
  for (std::int64_t begin = 0; begin < grid.length; begin += piece) {
    const std::int64_t end = std::min(begin + piece, grid.length);
    std::uint32_t count = 0;
    for (std::int64_t i = begin; i < end; ++i) count += grid.at(line, i) != 0 ? 1U : 0U;
    sink.put(count, index_bits + 1);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t code = grid.at(line, i);
      if (code == 0) continue;
      sink.put(static_cast<std::uint32_t>(i - begin), index_bits);
      sink.put(code, kCodeBits);
    }
  }
}

/// False: a group has too many non-zeros.
template <class Sink>
bool put_nm(const Grid& grid, std::int64_t line, const CompressParams& params, Sink& sink) {
  const int index_bits = group_index_bits(params);
  for (std::int64_t begin = 0; begin < grid.length; begin += params.nm_m) {
    const std::int64_t end = std::min<std::int64_t>(begin + params.nm_m, grid.length);
    std::int64_t places = std::min<std::int64_t>(params.nm_n, end - begin);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t code = grid.at(line, i);
      if (code == 0) continue;
      if (places-- == 0) return false;
      sink.put(code, kCodeBits);
      sink.put(static_cast<std::uint32_t>(i - begin), index_bits);
    }
    for (; places > 0; --places) sink.put(0, kCodeBits + index_bits);
  }
  return true;
}

template <class Sink>
bool put(const Grid& grid, Format format, const CompressParams& params, Sink& sink) {
  for (std::int64_t line = 0; line < grid.lines; ++line) {
    switch (format) {
      case Format::kDense:
        put_dense(grid, line, sink);
        break;
      case Format::kBitmask:
        put_bitmask(grid, line, sink);
        break;
      case Format::kRunLength:
        put_run_length(grid, line, params.run_bits, sink);
        break;
      case Format::kCoordinate:
        put_coordinate(grid, line, params.index_bits, sink);
        break;
      case Format::kNm:
        if (!put_nm(grid, line, params, sink)) return false;
        break;
    }
  }
  return true;
}

[[noreturn]] void nonsense(const char* what) {
  throw base::UserError(fmt::format("the encoded bits mean nothing: {}", what));
}

void get_line(BitReader& reader, std::span<std::uint8_t> line, Format format,
              const CompressParams& params) {
  const auto code = [&] { return static_cast<std::uint8_t>(reader.get(kCodeBits)); };
  switch (format) {
    case Format::kDense:
      for (std::uint8_t& each : line) each = code();
      break;
    case Format::kBitmask:
      for (std::uint8_t& each : line) each = static_cast<std::uint8_t>(reader.get(1));
      for (std::uint8_t& each : line) {
        if (each == 0) continue;
        each = code();
        if (each == 0) nonsense("a code of the bit mask is 0");
      }
      break;
    case Format::kRunLength:
      for (std::size_t i = 0; i < line.size(); ++i) {
        i += reader.get(params.run_bits);
        if (i >= line.size()) nonsense("a run of zeros passes the end of its line");
        line[i] = code();
      }
      break;
    case Format::kCoordinate: {
      const std::size_t piece = std::size_t{1} << params.index_bits;
      for (std::size_t begin = 0; begin < line.size(); begin += piece) {
        const std::size_t length = std::min(piece, line.size() - begin);
        const std::uint32_t count = reader.get(params.index_bits + 1);
        if (count > length) nonsense("a piece has more codes than places");
        for (std::uint32_t i = 0; i < count; ++i) {
          const std::uint32_t index = reader.get(params.index_bits);
          if (index >= length) nonsense("an index lies outside its line");
          line[begin + index] = code();
        }
      }
      break;
    }
    case Format::kNm: {
      const auto group = static_cast<std::size_t>(params.nm_m);
      for (std::size_t begin = 0; begin < line.size(); begin += group) {
        const std::size_t length = std::min(group, line.size() - begin);
        const std::size_t places = std::min(static_cast<std::size_t>(params.nm_n), length);
        for (std::size_t i = 0; i < places; ++i) {
          const std::uint8_t value = code();
          const std::uint32_t index = reader.get(group_index_bits(params));
          if (value == 0) continue;
          if (index >= length) nonsense("an index lies outside its group");
          line[begin + index] = value;
        }
      }
      break;
    }
  }
}

std::int64_t whole_bytes(std::int64_t bits) { return base::ceil_div<std::int64_t>(bits, 8); }

std::int64_t count_nonzeros(const Grid& grid) {
  std::int64_t count = 0;
  for (std::int64_t line = 0; line < grid.lines; ++line) {
    for (std::int64_t i = 0; i < grid.length; ++i) count += grid.at(line, i) != 0 ? 1 : 0;
  }
  return count;
}

Choice smallest(const Grid& grid, const CompressParams& params, std::span<const Format> formats) {
  Choice best;
  bool found = false;
  for (const Format format : formats) {
    const auto bits = encoded_bits(grid, format, params);
    if (!bits) continue;
    const std::int64_t bytes = kTagBytes + whole_bytes(*bits);
    if (!found || bytes < best.bytes) best = {format, bytes};
    found = true;
  }
  LACUNA_CHECK(found, "no format holds the codes");
  return best;
}

Choice only(const Grid& grid, const CompressParams& params, Format format) {
  const auto bits = encoded_bits(grid, format, params);
  LACUNA_CHECK(bits.has_value(), "format {} does not hold the codes", format_name(format));
  return {format, whole_bytes(*bits)};
}

}  // namespace

std::string_view format_name(Format format) {
  switch (format) {
    case Format::kDense:
      return "dense";
    case Format::kBitmask:
      return "bitmask";
    case Format::kRunLength:
      return "rle";
    case Format::kCoordinate:
      return "csc";
    case Format::kNm:
      return "nm";
  }
  return "";
}

std::optional<std::int64_t> encoded_bits(const Grid& grid, Format format,
                                         const CompressParams& params) {
  // Two formats have a closed form; a test holds them to what the encoder writes.
  if (format == Format::kDense) return grid.lines * grid.length * kCodeBits;
  if (format == Format::kBitmask) {
    return grid.lines * grid.length + count_nonzeros(grid) * kCodeBits;
  }
  BitCounter counter;
  if (!put(grid, format, params, counter)) return std::nullopt;
  return counter.bits();
}

std::optional<Encoded> encode(const Grid& grid, Format format, const CompressParams& params) {
  BitWriter writer;
  if (!put(grid, format, params, writer)) return std::nullopt;
  Encoded encoded;
  encoded.bits = writer.bits();
  encoded.bytes = writer.take();
  return encoded;
}

std::vector<std::uint8_t> decode(std::span<const std::uint8_t> bytes, std::int64_t lines,
                                 std::int64_t length, Format format, const CompressParams& params) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(lines * length), 0);
  BitReader reader(bytes);
  for (std::int64_t line = 0; line < lines; ++line) {
    get_line(reader,
             std::span(codes).subspan(static_cast<std::size_t>(line * length),
                                      static_cast<std::size_t>(length)),
             format, params);
  }
  return codes;
}

Choice choose(const Grid& grid, const CompressParams& params, params::WeightFormat format) {
  LACUNA_CHECK(format != params::WeightFormat::kImage, "an image is not encoded here");
  if (const auto fixed = fixed_format(format)) return only(grid, params, *fixed);
  if (format == params::WeightFormat::kAuto) return smallest(grid, params, kFormats);
  const auto bits = encoded_bits(grid, Format::kNm, params);
  Choice choice =
      bits ? Choice{Format::kNm, whole_bytes(*bits)} : only(grid, params, Format::kBitmask);
  choice.bytes += kTagBytes;
  return choice;
}

Choice choose(const Grid& grid, const CompressParams& params, params::ActivationFormat format) {
  if (const auto fixed = fixed_format(format)) return only(grid, params, *fixed);
  return smallest(grid, params, kSlotFormats);
}

std::int64_t worst_bytes(std::int64_t codes, const CompressParams& params,
                         params::ActivationFormat format) {
  const std::int64_t dense = codes * kCodeBits;
  switch (format) {
    case params::ActivationFormat::kDense:
      return whole_bytes(dense);
    case params::ActivationFormat::kBitmask:
      return whole_bytes(codes + dense);
    case params::ActivationFormat::kRunLength:
      return whole_bytes(codes * (params.run_bits + kCodeBits));
    case params::ActivationFormat::kCoordinate:
      return whole_bytes(base::ceil_div<std::int64_t>(codes, std::int64_t{1} << params.index_bits) *
                             (params.index_bits + 1) +
                         codes * (params.index_bits + kCodeBits));
    case params::ActivationFormat::kAuto:
      return kTagBytes + whole_bytes(dense);
  }
  return whole_bytes(dense);
}

}  // namespace lacuna::encoding
