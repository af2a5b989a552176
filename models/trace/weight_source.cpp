// SPDX-License-Identifier: Apache-2.0
#include "trace/weight_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "tensor/elements.h"
#include "tensor/matrix_market.h"
#include "tensor/smtx.h"

namespace lacuna::trace {

namespace {

namespace fs = std::filesystem;
using base::UserError;

constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20U;
constexpr const char* kIndexSuffix = ".safetensors.index.json";

/// Matrix files by stem.
class MatrixFiles final : public WeightSource {
 public:
  explicit MatrixFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> result;
    for (const auto& [name, path] : files_) result.push_back(name);
    return result;
  }
  [[nodiscard]] SourceTensor read(const std::string& name, std::uint64_t seed) override {
    const std::string& path = files_.at(name);
    const tensor::SparsePattern pattern =
        path.ends_with(".smtx") ? tensor::read_smtx(path) : tensor::read_matrix_market(path);
    SourceTensor result;
    result.text = fs::path(path).filename().string();
    result.shape = {pattern.rows, pattern.columns};
    result.codes = tensor::to_codes(pattern, tensor::CodeKind::kS8, seed, path);
    return result;
  }

 private:
  std::map<std::string, std::string> files_;
};

/// One or more safetensors files. `shards` empty: all tensors of `files`.
class SafetensorsSet final : public WeightSource {
 public:
  /// `files`: paths; `shards`: tensor -> path, as an index file claims.
  SafetensorsSet(const std::vector<std::string>& files, std::map<std::string, std::string> shards)
      : shards_(std::move(shards)) {
    if (!shards_.empty()) return;
    for (const std::string& path : files) {
      for (const tensor::TensorView& view : open(path).tensors()) {
        const auto [found, is_new] = shards_.emplace(view.name, path);
        if (!is_new) {
          throw UserError(fmt::format("'{}' and '{}' both hold a tensor '{}'", found->second, path,
                                      base::printable(view.name)));
        }
      }
    }
  }

  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> result;
    for (const auto& [name, path] : shards_) result.push_back(name);
    return result;
  }
  [[nodiscard]] SourceTensor read(const std::string& name, std::uint64_t) override {
    const std::string& path = shards_.at(name);
    const tensor::TensorView& view = open(path).get(name);
    if (view.dtype != tensor::DType::kI8 && !tensor::is_real(view.dtype)) {
      throw UserError(fmt::format("{}: tensor '{}' is {}; weights are I8, F16, BF16, F32 or F64",
                                  path, base::printable(name), dtype_name(view.dtype)));
    }
    SourceTensor result;
    result.text = fmt::format("{}:{}", fs::path(path).filename().string(), name);
    result.shape = view.shape;
    result.view = &view;
    return result;
  }

 private:
  const tensor::SafetensorsFile& open(const std::string& path) {
    auto& entry = open_[path];
    if (entry == nullptr) entry = tensor::SafetensorsFile::open(path);
    return *entry;
  }

  std::map<std::string, std::string> shards_;
  std::map<std::string, std::shared_ptr<const tensor::SafetensorsFile>> open_;
};

std::unique_ptr<WeightSource> open_index(const std::string& path) {
  const std::string text = base::read_text_file(path, kMaxIndexBytes);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("weight_map") ||
      !json["weight_map"].is_object() || json["weight_map"].empty()) {
    throw UserError(fmt::format(
        "{}: is not the index of a sharded model (a JSON object with 'weight_map')", path));
  }
  std::map<std::string, std::string> shards;
  for (const auto& [name, file] : json["weight_map"].items()) {
    const std::string shard = file.is_string() ? file.get<std::string>() : "";
    if (shard.empty() || shard.find('/') != std::string::npos || shard == "..") {
      throw UserError(fmt::format("{}: the file of tensor '{}' is not the name of a file beside it",
                                  path, base::printable(name)));
    }
    shards.emplace(name, base::resolve_path(shard, path));
  }
  return std::make_unique<SafetensorsSet>(std::vector<std::string>{}, std::move(shards));
}

std::unique_ptr<WeightSource> open_folder(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    files.push_back(at->path().string());
  }
  if (error) throw UserError(fmt::format("cannot read '{}': {}", path, error.message()));
  std::sort(files.begin(), files.end());

  std::map<std::string, std::string> matrices;
  std::vector<std::string> safetensors;
  std::vector<std::string> indices;
  for (const std::string& file : files) {
    if (file.ends_with(".smtx") || file.ends_with(".mtx")) {
      const std::string stem = fs::path(file).stem().string();
      if (!matrices.emplace(stem, file).second) {
        throw UserError(fmt::format("'{}' has two matrices '{}' (.mtx and .smtx)", path, stem));
      }
    } else if (file.ends_with(kIndexSuffix)) {
      indices.push_back(file);
    } else if (file.ends_with(".safetensors")) {
      safetensors.push_back(file);
    }
  }
  if (!matrices.empty() && !(safetensors.empty() && indices.empty())) {
    throw UserError(fmt::format("'{}' holds matrices and safetensors; name one of them", path));
  }
  if (!matrices.empty()) return std::make_unique<MatrixFiles>(std::move(matrices));
  if (indices.size() > 1) {
    throw UserError(
        fmt::format("'{}' holds {} index files; name one of them", path, indices.size()));
  }
  if (indices.size() == 1) return open_index(indices[0]);
  if (!safetensors.empty()) {
    return std::make_unique<SafetensorsSet>(safetensors, std::map<std::string, std::string>{});
  }
  throw UserError(fmt::format("'{}' holds no .smtx, .mtx or .safetensors file", path));
}

}  // namespace

std::unique_ptr<WeightSource> open_weight_source(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return open_folder(path);
  if (path.ends_with(".smtx") || path.ends_with(".mtx")) {
    return std::make_unique<MatrixFiles>(
        std::map<std::string, std::string>{{fs::path(path).stem().string(), path}});
  }
  if (path.ends_with(".safetensors")) {
    return std::make_unique<SafetensorsSet>(std::vector<std::string>{path},
                                            std::map<std::string, std::string>{});
  }
  if (path.ends_with(".json")) return open_index(path);
  if (path.ends_with(".onnx")) {
    throw UserError(
        fmt::format("'{}' is a network of its own, not weights for one: /usr/bin/python3 "
                    "scripts/trace/import.py onnx {} --out DIR",
                    path, path));
  }
  for (const char* suffix : {".pt", ".pth", ".bin", ".ckpt"}) {
    if (!path.ends_with(suffix)) continue;
    throw UserError(
        fmt::format("'{}' needs PyTorch: /usr/bin/python3 scripts/trace/import.py state {} --out "
                    "FILE.safetensors",
                    path, path));
  }
  throw UserError(
      fmt::format("'{}' is no folder, .smtx, .mtx, .safetensors or .safetensors.index.json", path));
}

}  // namespace lacuna::trace
