// SPDX-License-Identifier: Apache-2.0
#include "workload/gemm_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "tensor/gaussian_masks.h"
#include "tensor/matrix_market.h"
#include "tensor/smtx.h"
#include "workload/operand_loader.h"

namespace lacuna::workload {

namespace {

using base::printable;
using base::UserError;
using tensor::CodeKind;
using tensor::CodeMatrix;
using tensor::MaskSpec;
using tensor::PatternKind;

constexpr std::int64_t kMaxK = 65536;

[[noreturn]] void refuse(std::string_view option, std::string_view text,
                         const std::string& message) {
  throw UserError(fmt::format("{} '{}': {}", option, printable(text), message));
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// A positive count below 2^16.
std::optional<std::int64_t> parse_count(std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (!value || *value < 0 || *value > 65536) return std::nullopt;
  return value;
}

class StatisticParser {
 public:
  StatisticParser(std::string_view text, std::string_view option) : text_(text), option_(option) {}

  MaskSpec parse() {
    for (const std::string& part : base::split(text_, ',')) {
      const std::size_t equals = part.find('=');
      if (equals == std::string::npos) {
        refuse(option_, text_, fmt::format("'{}' is not KEY=VALUE", printable(part)));
      }
      const std::string key(base::trim(std::string_view(part).substr(0, equals)));
      take(key, base::trim(std::string_view(part).substr(equals + 1)));
    }
    finish();
    return spec_;
  }

 private:
  void once(bool& seen, const std::string& key) {
    if (seen) refuse(option_, text_, fmt::format("'{}' is given twice", key));
    seen = true;
  }

  void take(const std::string& key, std::string_view value) {
    if (key == "density") {
      once(has_density_, key);
      const auto density = parse_number<double>(value);
      if (!density || !(*density >= 0 && *density <= 1)) {
        refuse(option_, text_,
               fmt::format("density '{}' is not a number between 0 and 1", printable(value)));
      }
      spec_.density = *density;
    } else if (key == "seed") {
      once(has_seed_, key);
      const auto seed = parse_number<std::uint64_t>(value);
      if (!seed) {
        refuse(option_, text_,
               fmt::format("seed '{}' is not a non-negative integer", printable(value)));
      }
      spec_.seed = *seed;
    } else if (key == "pattern") {
      once(has_pattern_, key);
      pattern(value);
    } else {
      for (Extra& extra : extras_) {
        if (key == extra.name) return take_extra(extra, value);
      }
      const std::vector<std::string> known{"density",       "pattern", "seed",   "row_spread",
                                           "column_spread", "spatial", "channel"};
      refuse(option_, text_,
             fmt::format("unknown key '{}'{} (known: {})", printable(key),
                         base::did_you_mean(key, known), base::join(known, ", ")));
    }
  }

  /// A key that only some statistics have; ranges as in workload files.
  struct Extra {
    const char* name;
    double most;
    std::optional<double> value;
  };

  void take_extra(Extra& extra, std::string_view text) const {
    if (extra.value) refuse(option_, text_, fmt::format("'{}' is given twice", extra.name));
    const auto value = parse_number<double>(text);
    if (!value || !(*value >= 0 && *value <= extra.most)) {
      refuse(option_, text_,
             fmt::format("{} '{}' is not a number between 0 and {:g}", extra.name, printable(text),
                         extra.most));
    }
    extra.value = *value;
  }

  /// Spreads go with magnitude, correlations with activations at random places.
  void finish_extras() {
    auto& [row, column, spatial, channel] = extras_;
    if (row.value || column.value) {
      if (spec_.kind != PatternKind::kMagnitude) {
        refuse(option_, text_, "row_spread and column_spread go with pattern=magnitude");
      }
      spec_.row_spread = row.value.value_or(spec_.row_spread);
      spec_.column_spread = column.value.value_or(spec_.column_spread);
    }
    if (spatial.value || channel.value) {
      if (spec_.kind != PatternKind::kUnstructured || option_ != "--acts") {
        refuse(option_, text_, "spatial and channel go with --acts and no other pattern");
      }
      spec_.kind = PatternKind::kField;
      spec_.spatial = spatial.value.value_or(0);
      spec_.channel = channel.value.value_or(0);
    }
  }

  void pattern(std::string_view value) {
    const std::size_t colon = value.find(':');
    const std::string_view head = value.substr(0, colon);
    const std::string_view tail =
        colon == std::string_view::npos ? std::string_view{} : value.substr(colon + 1);
    const bool bare = colon == std::string_view::npos;
    if (value == "dense" || value == "unstructured") {
      spec_.kind = value == "dense" ? PatternKind::kDense : PatternKind::kUnstructured;
      return;
    }
    if (value == "magnitude") {
      spec_.kind = PatternKind::kMagnitude;
      spec_.row_spread = tensor::kUsualRowSpread;
      spec_.column_spread = tensor::kUsualColumnSpread;
      return;
    }
    if (head == "bank" && !bare) {
      const auto bank = parse_count(tail);
      if (!bank || *bank < 1) bad_pattern(value);
      spec_.kind = PatternKind::kBank;
      spec_.bank = *bank;
      return;
    }
    if (head == "block" && !bare) {
      const std::size_t times = tail.find('x');
      if (times == std::string_view::npos) bad_pattern(value);
      const auto along_k = parse_count(tail.substr(0, times));
      const auto along_n = parse_count(tail.substr(times + 1));
      if (!along_k || !along_n || *along_k < 1 || *along_n < 1) bad_pattern(value);
      spec_.kind = PatternKind::kBlock;
      spec_.block_k = *along_k;
      spec_.block_n = *along_n;
      return;
    }
    const auto n = parse_count(head);
    const auto m = parse_count(tail);
    if (bare || !n || !m || *m < 1) bad_pattern(value);
    if (*n > *m) {
      refuse(option_, text_, fmt::format("pattern '{}' keeps more than there are", value));
    }
    spec_.kind = PatternKind::kNOfM;
    spec_.n = *n;
    spec_.m = *m;
  }

  [[noreturn]] void bad_pattern(std::string_view value) const {
    refuse(option_, text_,
           fmt::format(
               "pattern '{}' is not dense, unstructured, magnitude, N:M (2:4), bank:B (bank:32) or "
               "block:KxN (block:4x4)",
               printable(value)));
  }

  void finish() {
    if (!has_pattern_) spec_.kind = PatternKind::kUnstructured;
    if (spec_.kind == PatternKind::kNOfM) {
      const double density = static_cast<double>(spec_.n) / static_cast<double>(spec_.m);
      if (has_density_ && spec_.density != density) {
        refuse(option_, text_,
               fmt::format("pattern {}:{} is a density of {:g}, not {:g}", spec_.n, spec_.m,
                           density, spec_.density));
      }
      spec_.density = density;
    } else if (spec_.kind == PatternKind::kDense) {
      if (has_density_ && spec_.density != 1) {
        refuse(option_, text_,
               fmt::format("pattern dense is a density of 1, not {:g}", spec_.density));
      }
    } else if (!has_density_) {
      refuse(option_, text_, "'density' is missing");
    }
    finish_extras();
  }

  std::string_view text_;
  std::string_view option_;
  MaskSpec spec_;
  std::array<Extra, 4> extras_{
      {{"row_spread", 4, {}}, {"column_spread", 4, {}}, {"spatial", 0.99, {}}, {"channel", 4, {}}}};
  bool has_density_ = false;
  bool has_seed_ = false;
  bool has_pattern_ = false;
};

/// One operand with its codes: a matrix of our own, or a view of a mapped tensor.
struct Operand {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  CodeType type = CodeType::kS8;
  std::shared_ptr<const void> owner;
  std::span<const std::uint8_t> codes;
  const tensor::TensorView* view = nullptr;
  std::shared_ptr<const tensor::SafetensorsFile> file;
  Provenance provenance;
};

Operand from_matrix(CodeMatrix matrix) {
  auto owner = std::make_shared<CodeMatrix>(std::move(matrix));
  Operand operand;
  operand.rows = owner->rows;
  operand.columns = owner->columns;
  operand.type = owner->kind == CodeKind::kS8 ? CodeType::kS8 : CodeType::kU8;
  operand.codes = owner->codes;
  operand.owner = owner;
  return operand;
}

Operand load_tensor(const FileSource& source, std::string_view option, bool is_weights) {
  Operand operand;
  operand.file = tensor::SafetensorsFile::open(source.path);
  const tensor::TensorView& view = operand.file->get(source.tensor);
  const auto complain = [&](const std::string& message) {
    throw UserError(
        fmt::format("{}: tensor '{}' of {} {}", option, source.tensor, source.path, message));
  };
  const bool is_u8 = view.dtype == tensor::DType::kU8;
  if (view.dtype != tensor::DType::kI8 && (is_weights || !is_u8)) {
    complain(fmt::format("is {}, not {}: values must be quantized codes", dtype_name(view.dtype),
                         is_weights ? "I8" : "I8 or U8"));
  }
  if (view.shape.size() < 2 || view.elements() == 0) {
    complain(fmt::format("has shape {}; a matrix needs two dimensions or more, none of them 0",
                         tensor::shape_text(view.shape)));
  }
  operand.rows = is_weights ? view.shape.front() : view.elements() / view.shape.back();
  operand.columns = view.elements() / operand.rows;
  operand.type = is_u8 ? CodeType::kU8 : CodeType::kS8;
  operand.codes = {reinterpret_cast<const std::uint8_t*>(view.data.data()), view.data.size()};
  operand.owner = operand.file;
  operand.view = &view;
  operand.provenance = {
      Origin::kCaptured,
      fmt::format("{}:{}", std::filesystem::path(source.path).filename().string(), source.tensor)};
  return operand;
}

Operand load_file(const FileSource& source, std::string_view option, bool is_weights,
                  CodeKind drawn_kind) {
  if (source.format == FileSource::Format::kSafetensors) {
    return load_tensor(source, option, is_weights);
  }
  const tensor::SparsePattern pattern = source.format == FileSource::Format::kSmtx
                                            ? tensor::read_smtx(source.path)
                                            : tensor::read_matrix_market(source.path);
  // Integer files bring their values; negative ones make the operand s8.
  CodeKind kind = drawn_kind;
  if (std::any_of(pattern.values.begin(), pattern.values.end(), [](int v) { return v < 0; })) {
    kind = CodeKind::kS8;
  }
  const bool drawn = pattern.values.empty();
  Operand operand = from_matrix(tensor::to_codes(pattern, kind, source.seed, source.path));
  const std::string name = std::filesystem::path(source.path).filename().string();
  operand.provenance = {
      Origin::kCaptured,
      drawn ? fmt::format("mask of {}, values drawn with seed {}", name, source.seed) : name};
  return operand;
}

/// The dimension that the options or one of the two operands says.
std::int64_t settle(const char* name, std::optional<std::int64_t> wanted,
                    std::optional<std::int64_t> from_weights,
                    std::optional<std::int64_t> from_activations) {
  const auto clash = [&](const char* a, std::int64_t x, const char* b, std::int64_t y) {
    throw UserError(fmt::format("{} is {} by {}, but {} by {}", name, x, a, y, b));
  };
  if (wanted && *wanted < 1) throw UserError(fmt::format("--{} must be at least 1", name));
  if (from_weights && from_activations && *from_weights != *from_activations) {
    clash("the weights", *from_weights, "the activations", *from_activations);
  }
  const std::optional<std::int64_t> known = from_weights ? from_weights : from_activations;
  if (known && wanted && *known != *wanted) {
    clash(from_weights ? "the weights" : "the activations", *known, "the option", *wanted);
  }
  if (known) return *known;
  if (!wanted) {
    throw UserError(
        fmt::format("--{} is needed: no operand's file says how large {} is", name, name));
  }
  return *wanted;
}

}  // namespace

GemmSource parse_gemm_source(std::string_view text, std::string_view option) {
  const std::string_view trimmed = base::trim(text);
  if (trimmed.empty()) refuse(option, text, "a file or a statistic is needed");

  const std::size_t tensors = trimmed.find(".safetensors");
  if (tensors != std::string_view::npos) {
    const std::size_t end = tensors + std::string_view(".safetensors").size();
    if (end >= trimmed.size() || trimmed[end] != ':' || end + 1 == trimmed.size()) {
      refuse(option, text, "a tensor must be named: FILE.safetensors:NAME");
    }
    return FileSource{FileSource::Format::kSafetensors, std::string(trimmed.substr(0, end)),
                      std::string(trimmed.substr(end + 1)), 0};
  }

  // A seed may follow the file's name; commas may also be part of the name.
  std::string_view path = trimmed;
  std::uint64_t seed = 0;
  if (const std::size_t comma = trimmed.rfind(",seed="); comma != std::string_view::npos) {
    path = trimmed.substr(0, comma);
    if (path.ends_with(".smtx") || path.ends_with(".mtx")) {
      const auto parsed = parse_number<std::uint64_t>(trimmed.substr(comma + 6));
      if (!parsed) {
        refuse(option, text,
               fmt::format("seed '{}' is not a non-negative integer",
                           printable(trimmed.substr(comma + 6))));
      }
      seed = *parsed;
    } else {
      path = trimmed;
    }
  }
  if (path.ends_with(".smtx"))
    return FileSource{FileSource::Format::kSmtx, std::string(path), {}, seed};
  if (path.ends_with(".mtx")) {
    return FileSource{FileSource::Format::kMatrixMarket, std::string(path), {}, seed};
  }
  if (trimmed.find('=') == std::string_view::npos) {
    refuse(option, text,
           "neither a file (.smtx, .mtx, .safetensors:NAME) nor a statistic "
           "(density=.3,pattern=2:4,seed=1)");
  }
  return StatisticParser(trimmed, option).parse();
}

Graph build_gemm(const GemmOptions& options) {
  const GemmSource weight_source = parse_gemm_source(options.weights, "--weights");
  const GemmSource activation_source = parse_gemm_source(options.activations, "--acts");
  const CodeKind drawn_kind =
      options.activation_type == CodeType::kS8 ? CodeKind::kS8 : CodeKind::kU8;

  std::optional<Operand> weights;
  std::optional<Operand> activations;
  if (const auto* file = std::get_if<FileSource>(&weight_source)) {
    weights = load_file(*file, "--weights", true, CodeKind::kS8);
  }
  if (const auto* file = std::get_if<FileSource>(&activation_source)) {
    activations = load_file(*file, "--acts", false, drawn_kind);
  }
  const auto rows = [](const std::optional<Operand>& operand) {
    return operand ? std::optional(operand->rows) : std::nullopt;
  };
  const auto columns = [](const std::optional<Operand>& operand) {
    return operand ? std::optional(operand->columns) : std::nullopt;
  };
  const std::int64_t k = settle("k", options.k, columns(weights), columns(activations));
  const std::int64_t n = settle("n", options.n, rows(weights), std::nullopt);
  const std::int64_t m = settle("m", options.m, std::nullopt, rows(activations));
  if (k > kMaxK) {
    throw UserError(
        fmt::format("k is {}; sums of more than {} products are not supported", k, kMaxK));
  }
  tensor::check_matrix_size(m, k, "the activations");
  tensor::check_matrix_size(n, k, "the weights");
  tensor::check_matrix_size(m, n, "the output");

  if (!weights) {
    const MaskSpec& spec = std::get<MaskSpec>(weight_source);
    weights = from_matrix(tensor::draw_codes(n, k, CodeKind::kS8, spec, "--weights"));
    weights->provenance = {Origin::kStatistic, spec.text()};
  }

  Graph graph;
  graph.name = "gemm";
  graph.samples = 1;

  Value input;
  input.name = "activations";
  input.kind = ValueKind::kInput;
  input.shape = {m, k};
  input.storage = 0;
  if (activations) {
    input.type = activations->type;
    input.provenance = activations->provenance;
    input.codes = activations->codes;
    input.owner = activations->owner;
    if (activations->file != nullptr) graph.files.push_back(activations->file);
  } else {
    input.type = options.activation_type;
    input.drawn = std::get<MaskSpec>(activation_source);
    input.provenance = {Origin::kStatistic, input.drawn.text()};
  }

  Value output;
  output.name = "gemm";
  output.kind = ValueKind::kLayer;
  output.layer = 0;
  output.shape = {m, n};
  output.type = options.output_type;
  output.storage = 1;

  Layer layer;
  layer.name = "gemm";
  layer.op = Op::kLinear;
  layer.input = layer.declared_input = 0;
  layer.output = 1;
  layer.range = {params::lowest_code(output.type), params::highest_code(output.type), 0};
  layer.gemm.m = m;
  layer.gemm.n = n;
  layer.gemm.k = k;
  layer.gemm.segment_channels = k;
  layer.weights.n = n;
  layer.weights.k = k;
  layer.weights.codes = {reinterpret_cast<const std::int8_t*>(weights->codes.data()),
                         weights->codes.size()};
  layer.weights.owner = weights->owner;
  count_weights(layer.weights);
  layer.weights.provenance = weights->provenance;
  if (weights->file != nullptr) graph.files.push_back(weights->file);
  layer.requantize =
      choose_requantize(n, mean_sum_squares(layer.weights), assumed_square(input), layer.range);

  const bool all_captured = input.provenance.origin == Origin::kCaptured &&
                            layer.weights.provenance.origin == Origin::kCaptured;
  const bool all_drawn = input.provenance.origin == Origin::kStatistic &&
                         layer.weights.provenance.origin == Origin::kStatistic;
  graph.provenance = {{"source", all_captured ? "captured"
                                 : all_drawn  ? "statistic"
                                              : "mixed"},
                      {"model", "one matrix product"},
                      {"weights", layer.weights.provenance.text},
                      {"activations", input.provenance.text}};
  graph.values = {std::move(input), std::move(output)};
  graph.inputs = {0};
  graph.layers.push_back(std::move(layer));
  return graph;
}

}  // namespace lacuna::workload
