// SPDX-License-Identifier: Apache-2.0
#include "cli/formats_command.h"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/cycles.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "encoding/encoding.h"
#include "report/format.h"
#include "report/json_report.h"
#include "report/line_chart.h"
#include "workload/gemm_source.h"

namespace lacuna::cli {

namespace {

using Json = nlohmann::ordered_json;
using encoding::Format;

constexpr std::int64_t kMaxSize = 65536;
constexpr std::int64_t kCheckedCodes = 1 << 20;
constexpr std::size_t kMaxDensities = 1000;
constexpr std::size_t kFormats = encoding::kFormats.size();

/// What one matrix needs.
struct Sizes {
  double density = 0;
  std::int64_t codes = 0;
  /// Bytes by format, whole bursts; nothing where nm does not hold the codes.
  std::array<std::optional<std::int64_t>, kFormats> bytes;
  std::array<std::optional<std::int64_t>, kFormats> bits;  ///< without alignment
  std::int64_t auto_bytes = 0;                             ///< tags and alignment included
  std::array<std::int64_t, kFormats> chosen{};             ///< pieces that `auto` gave a format
};

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "0.05:1:0.05" or "0.1,0.5".
std::vector<double> parse_densities(const std::string& text) {
  const auto refuse = [&](const char* why) {
    throw base::UserError(fmt::format("--density '{}': {}", base::printable(text), why));
  };
  std::vector<double> densities;
  const std::vector<std::string> range = base::split(text, ':');
  if (range.size() == 3) {
    const auto from = parse_number(range[0]);
    const auto to = parse_number(range[1]);
    const auto step = parse_number(range[2]);
    if (!from || !to || !step || !(*step > 0) || !(*from <= *to)) {
      refuse("a range is FROM:TO:STEP with FROM at most TO and STEP above 0");
    }
    // Counted, not summed up: no rounding drifts in.
    const double steps = (*to - *from) / *step + 1e-9;
    if (!(steps < static_cast<double>(kMaxDensities))) refuse("more than 1000 densities");
    for (int i = 0; i <= static_cast<int>(steps); ++i) densities.push_back(*from + i * *step);
  } else {
    for (const std::string& part : base::split(text, ',')) {
      const auto density = parse_number(part);
      if (!density) refuse("expected FROM:TO:STEP or numbers with commas between them");
      densities.push_back(*density);
    }
  }
  for (double& density : densities) {
    if (!(density >= 0 && density <= 1 + 1e-9)) refuse("a density lies from 0 to 1");
    density = std::min(density, 1.0);
  }
  if (densities.size() > kMaxDensities) refuse("more than 1000 densities");
  return densities;
}

class FormatsCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "formats"; }
  [[nodiscard]] std::string summary() const override {
    return "sizes of the sparse formats over density, or of a given tensor";
  }

  void add_options(CLI::App& app) override {
    app.add_option("--density", density_, "densities: FROM:TO:STEP or D,D,... [0.05:1:0.05]")
        ->type_name("D");
    app.add_option("--pattern", pattern_,
                   "how non-zeros lie: unstructured | magnitude | bank:B | block:KxN")
        ->type_name("P");
    app.add_option("--weights", weights_,
                   "a tensor in place of drawn ones: x.smtx | x.mtx | x.safetensors:NAME | "
                   "density=D,pattern=P,seed=S")
        ->type_name("SRC");
    add_integer(app, "--n", n_, 1, kMaxSize, "lines: output channels [512]");
    add_integer(app, "--k", k_, 1, kMaxSize, "codes of a line: k [1024]");
    add_integer(app, "--seed", seed_, 0, std::int64_t{1} << 62U, "of drawn codes [1]");
    add_integer(app, "--burst", burst_, 1, 4096, "a piece is rounded up to so many bytes [32]");
    add_integer(app, "--piece", piece_, 1, kMaxSize,
                "cut lines into pieces of so many codes, stored apart, as activations are "
                "(default: everything is one piece)");
    add_integer(app, "--run-bits", run_bits_, 1, 16, "rle: width of a run [4]");
    add_integer(app, "--index-bits", index_bits_, 1, 16, "csc: width of an index [8]");
    app.add_option("--nm", nm_, "nm: N:M [2:4]")->type_name("N:M");
    app.add_option("--csv", csv_, "also write the table there")->type_name("FILE");
    app.add_option("--svg", svg_, "also draw the bits per code over density there")
        ->type_name("FILE");
    add_format_option(app, format_);
  }

  int run(std::ostream& out) override {
    read_parameters();
    std::vector<Sizes> rows;
    std::string source = weights_;
    if (weights_.empty()) {
      source = fmt::format("{}, {} lines of {} codes, seed {}", pattern_, n_, k_, seed_);
      for (const double density : parse_densities(density_)) {
        rows.push_back(
            measure(fmt::format("density={},pattern={},seed={}", density, pattern_, seed_)));
      }
    } else {
      rows.push_back(measure(weights_));
    }
    if (!csv_.empty()) base::write_file_atomically(csv_, csv(rows));
    if (!svg_.empty()) {
      if (rows.size() < 2) throw base::UserError("--svg needs at least two densities");
      base::write_file_atomically(svg_, svg(rows, source));
    }
    out << (format_ == Format::kJson ? report::json_text(json(rows, source)) : text(rows, source));
    return kExitDone;
  }

 private:
  using Format = cli::Format;

  void read_parameters() {
    params_.run_bits = static_cast<int>(run_bits_);
    params_.index_bits = static_cast<int>(index_bits_);
    const std::vector<std::string> parts = base::split(nm_, ':');
    const auto n = parse_number(parts.front());
    const auto m = parse_number(parts.back());
    if (parts.size() != 2 || !n || !m || !(*n >= 1 && *n < *m && *m <= 64) ||
        *n != static_cast<int>(*n) || *m != static_cast<int>(*m)) {
      throw base::UserError(
          fmt::format("--nm '{}': expected N:M with N from 1 and M from 2 to 64, N less than M",
                      base::printable(nm_)));
    }
    params_.nm_n = static_cast<int>(*n);
    params_.nm_m = static_cast<int>(*m);
    if (!weights_.empty() && !svg_.empty()) {
      throw base::UserError("--svg does not go with --weights: one tensor has one density");
    }
  }

  [[nodiscard]] Sizes measure(const std::string& source) const {
    base::throw_if_interrupted();
    workload::GemmOptions options;
    options.weights = source;
    options.activations = "density=1";
    options.m = 1;
    if (weights_.empty() || weights_.find('=') != std::string::npos) {
      options.n = n_;
      options.k = k_;
    }
    const workload::Graph graph = workload::build_gemm(options);
    const workload::WeightMatrix weights = graph.layers.front().weights.with_codes();
    const auto* codes = reinterpret_cast<const std::uint8_t*>(weights.codes.data());
    Sizes sizes;
    sizes.codes = weights.n * weights.k;
    sizes.density = static_cast<double>(weights.non_zeros) / static_cast<double>(sizes.codes);
    for (std::size_t i = 0; i < kFormats; ++i) sizes.bytes[i] = sizes.bits[i] = 0;
    if (piece_ == 0) {
      add({codes, weights.n, weights.k, weights.k, 1}, sizes);
    } else {
      for (std::int64_t line = 0; line < weights.n; ++line) {
        for (std::int64_t begin = 0; begin < weights.k; begin += piece_) {
          const std::int64_t length = std::min(piece_, weights.k - begin);
          add({codes + line * weights.k + begin, 1, length, 0, 1}, sizes);
        }
      }
    }
    return sizes;
  }

  [[nodiscard]] std::int64_t aligned(std::int64_t bytes) const {
    return base::round_up(bytes, burst_);
  }

  void add(const encoding::Grid& grid, Sizes& sizes) const {
    for (std::size_t i = 0; i < kFormats; ++i) {
      const auto bits = encoding::encoded_bits(grid, encoding::kFormats[i], params_);
      if (!bits || !sizes.bits[i]) {
        sizes.bits[i] = sizes.bytes[i] = std::nullopt;
        continue;
      }
      *sizes.bits[i] += *bits;
      *sizes.bytes[i] += aligned(base::ceil_div<std::int64_t>(*bits, 8));
    }
    const encoding::Choice choice = encoding::choose(grid, params_, params::WeightFormat::kAuto);
    sizes.auto_bytes += aligned(choice.bytes);
    ++sizes.chosen[static_cast<std::size_t>(choice.format)];
    check(grid);
  }

  /// What is counted is what is encoded, and it can be decoded: for as many lines as keep this
  /// quick.
  void check(encoding::Grid grid) const {
    grid.lines =
        std::min(grid.lines,
                 std::max<std::int64_t>(1, kCheckedCodes / std::max<std::int64_t>(1, grid.length)));
    for (const encoding::Format format : encoding::kFormats) {
      const auto encoded = encoding::encode(grid, format, params_);
      const auto bits = encoding::encoded_bits(grid, format, params_);
      LACUNA_CHECK(encoded.has_value() == bits.has_value(), "{}", encoding::format_name(format));
      if (!encoded) continue;
      LACUNA_CHECK(encoded->bits == *bits, "{}: {} bits counted, {} encoded",
                   encoding::format_name(format), *bits, encoded->bits);
      const std::vector<std::uint8_t> codes =
          encoding::decode(encoded->bytes, grid.lines, grid.length, format, params_);
      for (std::int64_t line = 0; line < grid.lines; ++line) {
        for (std::int64_t i = 0; i < grid.length; ++i) {
          LACUNA_CHECK(codes[static_cast<std::size_t>(line * grid.length + i)] == grid.at(line, i),
                       "{} does not decode to what was encoded", encoding::format_name(format));
        }
      }
    }
  }

  /// The format that most pieces of `auto` have.
  [[nodiscard]] static encoding::Format usual(const Sizes& sizes) {
    const auto most = std::max_element(sizes.chosen.begin(), sizes.chosen.end());
    return encoding::kFormats[static_cast<std::size_t>(most - sizes.chosen.begin())];
  }
  [[nodiscard]] static double per_code(std::int64_t bytes, const Sizes& sizes) {
    return 8.0 * static_cast<double>(bytes) / static_cast<double>(sizes.codes);
  }

  [[nodiscard]] static std::string csv(const std::vector<Sizes>& rows) {
    std::string made = "density,codes";
    for (const encoding::Format format : encoding::kFormats) {
      made += fmt::format(",{}_bytes", encoding::format_name(format));
    }
    made += ",auto_bytes,auto_format\n";
    for (const Sizes& row : rows) {
      made += fmt::format("{:.6g},{}", row.density, row.codes);
      for (const auto& bytes : row.bytes) made += bytes ? fmt::format(",{}", *bytes) : ",";
      made += fmt::format(",{},{}\n", row.auto_bytes, encoding::format_name(usual(row)));
    }
    return made;
  }

  [[nodiscard]] std::string svg(const std::vector<Sizes>& rows, const std::string& source) const {
    report::LineChart chart;
    chart.title = "Bits per code: " + source;
    chart.x_label = "density: share of non-zero codes";
    chart.y_label = "bits per 8-bit code";
    chart.y_limit = 15;
    for (const Sizes& row : rows) chart.x.push_back(row.density);
    for (std::size_t i = 0; i < kFormats; ++i) {
      report::ChartCurve curve;
      curve.name = std::string(encoding::format_name(encoding::kFormats[i]));
      for (const Sizes& row : rows) {
        curve.y.push_back(row.bytes[i] ? per_code(*row.bytes[i], row) : -1);
      }
      chart.curves.push_back(std::move(curve));
    }
    report::ChartCurve least{"auto", {}, true};
    for (const Sizes& row : rows) least.y.push_back(per_code(row.auto_bytes, row));
    chart.curves.push_back(std::move(least));
    return report::chart_svg(chart);
  }

  [[nodiscard]] Json json(const std::vector<Sizes>& rows, const std::string& source) const {
    Json made{{"schema", "lacuna-formats-1"},
              {"source", source},
              {"run_bits", params_.run_bits},
              {"index_bits", params_.index_bits},
              {"nm", nm_},
              {"burst_bytes", burst_},
              {"piece", piece_},
              {"rows", Json::array()}};
    for (const Sizes& row : rows) {
      Json formats = Json::object();
      for (std::size_t i = 0; i < kFormats; ++i) {
        const std::string format(encoding::format_name(encoding::kFormats[i]));
        if (!row.bytes[i]) {
          formats[format] = nullptr;
          continue;
        }
        formats[format] = Json{{"bits", *row.bits[i]},
                               {"bytes", *row.bytes[i]},
                               {"bits_per_code", per_code(*row.bytes[i], row)}};
      }
      Json chosen = Json::object();
      for (std::size_t i = 0; i < kFormats; ++i) {
        chosen[std::string(encoding::format_name(encoding::kFormats[i]))] = row.chosen[i];
      }
      made["rows"].push_back(Json{{"density", row.density},
                                  {"codes", row.codes},
                                  {"formats", formats},
                                  {"auto", Json{{"bytes", row.auto_bytes},
                                                {"bits_per_code", per_code(row.auto_bytes, row)},
                                                {"pieces", chosen}}}});
    }
    return made;
  }

  [[nodiscard]] std::string text(const std::vector<Sizes>& rows, const std::string& source) const {
    std::string made = fmt::format(
        "Bits per 8-bit code: {}\nrle: runs of {} bits; csc: indices of {} bits; nm: {}; {}, "
        "rounded "
        "up to {} bytes\n\n",
        base::printable(source, 120), params_.run_bits, params_.index_bits, nm_,
        piece_ == 0 ? "everything is one piece" : fmt::format("pieces of {} codes", piece_),
        burst_);
    report::Table table(std::vector<bool>(kFormats + 3, true));
    std::vector<std::string> head = {"density"};
    for (const encoding::Format format : encoding::kFormats) {
      head.emplace_back(encoding::format_name(format));
    }
    head.insert(head.end(), {"auto", "mostly"});
    table.row(head);
    for (const Sizes& row : rows) {
      std::vector<std::string> cells = {fmt::format("{:.4f}", row.density)};
      for (const auto& bytes : row.bytes) {
        cells.push_back(bytes ? fmt::format("{:.3f}", per_code(*bytes, row)) : "-");
      }
      cells.push_back(fmt::format("{:.3f}", per_code(row.auto_bytes, row)));
      cells.emplace_back(encoding::format_name(usual(row)));
      table.row(cells);
    }
    return made + table.text(0) +
           "\n-: a group has more non-zeros than nm holds. Encoded, decoded and compared.\n";
  }

  std::string density_ = "0.05:1:0.05";
  std::string pattern_ = "unstructured";
  std::string weights_;
  std::int64_t n_ = 512, k_ = 1024;
  std::int64_t seed_ = 1;
  std::int64_t burst_ = 32;
  std::int64_t piece_ = 0;
  std::int64_t run_bits_ = 4, index_bits_ = 8;
  std::string nm_ = "2:4";
  std::string csv_, svg_;
  Format format_ = Format::kText;
  params::CompressParams params_;
};

}  // namespace

std::unique_ptr<Command> make_formats_command() { return std::make_unique<FormatsCommand>(); }

}  // namespace lacuna::cli
