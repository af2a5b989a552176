// SPDX-License-Identifier: Apache-2.0
//
// Address traces, a request a line, read as a stream:
//
//   dramsim3   0x1A40 READ 120              (DRAMsim3: address, READ | WRITE, cycle)
//   stl        120: read 0x1A40             (DRAMSys: cycle, read | write, address; also
//              120: (64) write 0x1A40 0x..   a length in bytes, and data, which is ignored)
//   rstl       the same with cycles since the request before
//
// Blank lines and lines that begin with # are skipped. What the first request looks like decides
// between the first two. Cycles must not run backwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "traffic/line_reader.h"
#include "traffic/request.h"

namespace lacuna::traffic {

enum class TraceFormat { kDramSim3, kStl, kRelativeStl };
/// "dramsim3", "stl", "rstl".
[[nodiscard]] std::string_view trace_format_name(TraceFormat format);

struct TraceOptions {
  std::optional<TraceFormat> format = {};  ///< nothing: look at the file
  std::int64_t request_bytes = 64;         ///< where a line does not say
  std::uint64_t capacity = 0;              ///< bytes behind all channels
  bool wrap = false;                       ///< addresses modulo the capacity; else they are errors
  std::int64_t trace_clock_fs = 1;         ///< length of a cycle of the trace
  std::int64_t memory_clock_fs = 1;        ///< and of the memory
};

class TraceReader final : public RequestSource {
 public:
  /// UserError if the file cannot be opened or holds no request.
  TraceReader(const std::string& path, const TraceOptions& options);

  bool next(Request& request) override;
  [[nodiscard]] TraceFormat format() const { return format_; }

 private:
  void parse_dramsim3(std::string_view line, Request& request);
  void parse_stl(std::string_view line, Request& request);
  [[nodiscard]] Cycle to_memory_cycles(std::uint64_t cycle, std::size_t column);
  [[nodiscard]] std::uint64_t address_of(std::string_view word, std::size_t column,
                                         std::int64_t bytes);

  TraceOptions options_;
  LineReader lines_;
  TraceFormat format_ = TraceFormat::kDramSim3;
  std::uint64_t last_cycle_ = 0;
  Request first_;
  bool has_first_ = false;
};

}  // namespace lacuna::traffic
