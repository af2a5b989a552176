// SPDX-License-Identifier: Apache-2.0
#include "tensor/safetensors_header.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::tensor {

namespace {

using base::printable;
using nlohmann::json;

constexpr std::size_t kMaxDimensions = 16;

/// Receives the parser's events. A function that returns false ends the parse; `error_` says why.
class HeaderReader : public json::json_sax_t {
 public:
  Header header;

  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool complete() const { return state_ == State::kEnd; }

  bool null() override { return unexpected("null"); }
  bool boolean(bool value) override { return unexpected(value ? "true" : "false"); }
  bool number_float(json::number_float_t, const std::string& text) override {
    return unexpected("the number " + printable(text, 40));
  }
  bool binary(json::binary_t&) override { return unexpected("binary data"); }

  bool number_integer(json::number_integer_t value) override {
    // Non-negative numbers arrive as unsigned.
    if (state_ == State::kShape) {
      return fail(fmt::format("dimension {} of 'shape' is negative", value));
    }
    return unexpected(fmt::format("the number {}", value));
  }

  bool number_unsigned(json::number_unsigned_t value) override {
    if (state_ == State::kShape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(fmt::format("dimension {} of 'shape' is too large", value));
      }
      if (entry_.shape.size() == kMaxDimensions) {
        return fail(fmt::format("'shape' has more than {} dimensions", kMaxDimensions));
      }
      entry_.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (state_ == State::kOffsets) {
      if (offsets_ == 2) return fail("'data_offsets' has more than 2 numbers");
      (offsets_ == 0 ? entry_.begin : entry_.end) = value;
      ++offsets_;
      return true;
    }
    return unexpected(fmt::format("the number {}", value));
  }

  bool string(json::string_t& value) override {
    if (state_ == State::kMetadataValue) {
      header.metadata[key_] = value;
      state_ = State::kMetadata;
      return true;
    }
    if (state_ == State::kDType) {
      const std::optional<DType> parsed = parse_dtype(value);
      if (!parsed) return fail(fmt::format("dtype '{}' is not known", printable(value, 40)));
      entry_.dtype = *parsed;
      state_ = State::kTensor;
      return true;
    }
    return unexpected("the string '" + printable(value, 40) + "'");
  }

  bool start_object(std::size_t) override {
    switch (state_) {
      case State::kBegin:
        state_ = State::kTop;
        return true;
      case State::kTopValue:
        seen_keys_.clear();
        if (name_ == "__metadata__") {
          state_ = State::kMetadata;
        } else {
          entry_ = HeaderEntry{};
          entry_.name = name_;
          offsets_ = 0;
          state_ = State::kTensor;
        }
        return true;
      default:
        return unexpected("an object");
    }
  }

  bool key(json::string_t& value) override {
    if (state_ == State::kTop) {
      name_ = value;
      in_tensor_ = false;
      if (!names_.insert(value).second) {
        return fail(fmt::format("'{}' appears twice in the header", printable(value)));
      }
      in_tensor_ = true;
      state_ = State::kTopValue;
      return true;
    }
    if (!seen_keys_.insert(value).second) {
      return fail(fmt::format("key '{}' appears twice", printable(value, 40)));
    }
    key_ = value;
    if (state_ == State::kMetadata) {
      state_ = State::kMetadataValue;
    } else if (value == "dtype") {
      state_ = State::kDType;
    } else if (value == "shape") {
      state_ = State::kShapeBegin;
    } else if (value == "data_offsets") {
      state_ = State::kOffsetsBegin;
    } else {
      return fail(fmt::format("unknown key '{}' (known: dtype, shape, data_offsets)",
                              printable(value, 40)));
    }
    return true;
  }

  bool end_object() override {
    switch (state_) {
      case State::kTensor:
        for (const char* wanted : {"dtype", "shape", "data_offsets"}) {
          if (!seen_keys_.contains(wanted)) return fail(fmt::format("'{}' is missing", wanted));
        }
        header.entries.push_back(std::move(entry_));
        state_ = State::kTop;
        in_tensor_ = false;
        return true;
      case State::kMetadata:
        state_ = State::kTop;
        in_tensor_ = false;
        return true;
      case State::kTop:
        state_ = State::kEnd;
        return true;
      default:
        return unexpected("the end of an object");
    }
  }

  bool start_array(std::size_t) override {
    if (state_ == State::kShapeBegin) {
      state_ = State::kShape;
      return true;
    }
    if (state_ == State::kOffsetsBegin) {
      state_ = State::kOffsets;
      return true;
    }
    return unexpected("a list");
  }

  bool end_array() override {
    if (state_ == State::kOffsets && offsets_ != 2) {
      return fail(fmt::format("'data_offsets' must be [begin, end], not {} number{}", offsets_,
                              offsets_ == 1 ? "" : "s"));
    }
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail(fmt::format("the header is not valid JSON (near byte {} of the header)", position));
  }

 private:
  enum class State {
    kBegin,
    kTop,
    kTopValue,
    kMetadata,
    kMetadataValue,
    kTensor,
    kDType,
    kShapeBegin,
    kShape,
    kOffsetsBegin,
    kOffsets,
    kEnd
  };

  bool fail(const std::string& message) {
    if (error_.empty()) {
      error_ = in_tensor_ ? fmt::format("tensor '{}': {}", printable(name_), message) : message;
    }
    return false;
  }

  bool unexpected(const std::string& what) {
    const char* wanted = "";
    switch (state_) {
      case State::kBegin:
        wanted = "the header must be a JSON object";
        break;
      case State::kTopValue:
        wanted = "an object with dtype, shape and data_offsets belongs here";
        break;
      case State::kMetadataValue:
        wanted = "metadata values must be strings";
        break;
      case State::kDType:
        wanted = "'dtype' must be a string";
        break;
      case State::kShapeBegin:
      case State::kShape:
        wanted = "'shape' must be a list of non-negative integers";
        break;
      case State::kOffsetsBegin:
      case State::kOffsets:
        wanted = "'data_offsets' must be a list of two non-negative integers";
        break;
      default:
        wanted = "malformed header";
        break;
    }
    return fail(fmt::format("{}, not {}", wanted, what));
  }

  State state_ = State::kBegin;
  std::string error_;
  std::string name_;  ///< of the tensor at hand
  std::string key_;
  bool in_tensor_ = false;
  HeaderEntry entry_;
  int offsets_ = 0;
  std::set<std::string> names_;
  std::set<std::string> seen_keys_;
};

}  // namespace

Header parse_safetensors_header(std::string_view text, const std::string& path) {
  if (text.empty() || text.front() != '{') {
    throw base::UserError(fmt::format(
        "{}: not a safetensors file: the header must be a JSON object that begins with '{{'",
        path));
  }
  HeaderReader reader;
  const bool parsed = json::sax_parse(text.begin(), text.end(), &reader);
  if (!parsed || !reader.complete()) {
    throw base::UserError(fmt::format(
        "{}: {}", path, reader.error().empty() ? "the header is not valid JSON" : reader.error()));
  }
  return std::move(reader.header);
}

}  // namespace lacuna::tensor
