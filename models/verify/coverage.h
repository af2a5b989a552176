// SPDX-License-Identifier: Apache-2.0
//
// What a regression reached of the RTL: lines and branches, toggled bits, and the cover points of
// rtl/cover. The Verilated engine counts per instance; a place of the source counts as reached when
// any instance in any parameter set reached it, since widths and generated parts differ between
// sets. What cannot be reached is excluded by rules with a reason (rtl/cover/exclusions.txt).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lacuna::verify {

enum class CoverageKind { kLine, kToggle, kPoint };
inline constexpr int kCoverageKinds = 3;

/// "line", "toggle", "point".
[[nodiscard]] std::string_view coverage_kind_name(CoverageKind kind);

/// Counts of a file in Verilator's format, or of several added up.
class CoverageDatabase {
 public:
  /// Adds the counts of a file. UserError: it cannot be read, or is no such file (with the line).
  void add_file(const std::string& path);
  /// Writes all counts in Verilator's format, sorted: `verilator_coverage` reads it.
  void write(const std::string& path) const;
  void add(const CoverageDatabase& other);

  /// By record of the file without its count.
  [[nodiscard]] const std::unordered_map<std::string, std::uint64_t>& counts() const {
    return counts_;
  }

 private:
  std::unordered_map<std::string, std::uint64_t> counts_;
};

/// A place of the source.
struct CoverageItem {
  CoverageKind kind = CoverageKind::kLine;
  std::string file;  ///< below rtl/: "common/fifo.sv"
  int line = 0;
  int column = 0;
  std::string name;  ///< "else", "count_q[3]", "blocked_by_full"
  std::uint64_t count = 0;
  std::string excluded;  ///< the reason; empty: not excluded
};

/// A rule of the exclusions: "KIND FILE NAME: reason". In FILE and NAME * and ? match any text and
/// character. NAME may end in a range of bits, "[9..15]", or of bits of each M, "[5..7/8]".
struct CoverageExclusion {
  std::string kind, file, name, reason;
  int first_bit = -1, last_bit = -1;  ///< -1: the name is meant whole
  int of_bits = 0;                    ///< 0: the bit itself, else the bit modulo this
  int line = 0;                       ///< of the file of rules
};

/// UserError: a line that is no rule (file:line).
[[nodiscard]] std::vector<CoverageExclusion> parse_exclusions(const std::string& text,
                                                              const std::string& file);

struct CoverageTotals {
  std::int64_t items = 0;
  std::int64_t hit = 0;
  std::int64_t excluded = 0;  ///< not hit, with a reason
  [[nodiscard]] std::int64_t missed() const { return items - hit - excluded; }
  /// Hit, of those that are not excluded; 100 if there are none.
  [[nodiscard]] double percent() const;
};

struct CoverageResult {
  std::vector<std::string> sets;  ///< whose engines counted
  std::int64_t passes = 0;
  std::vector<CoverageItem> items;        ///< sorted by file, line, kind, name
  std::vector<CoverageExclusion> unused;  ///< rules that exclude nothing

  [[nodiscard]] CoverageTotals totals(CoverageKind kind) const;
  [[nodiscard]] CoverageTotals totals(CoverageKind kind, const std::string& file) const;
};

/// Folds instances and sets into places of the source and applies the rules; an item that was hit
/// is never excluded. Code of the checkers themselves (rtl/assert, and all but the points of
/// rtl/cover) does not count.
[[nodiscard]] CoverageResult fold_coverage(const CoverageDatabase& database,
                                           const std::vector<CoverageExclusion>& exclusions);

/// One line per kind.
[[nodiscard]] std::string coverage_summary(const CoverageResult& result);

/// Tables by file, what was missed, what is excluded and why.
[[nodiscard]] std::string coverage_text(const CoverageResult& result);

/// Schema "lacuna-coverage-1".
[[nodiscard]] std::string coverage_json(const CoverageResult& result);

}  // namespace lacuna::verify
