// SPDX-License-Identifier: Apache-2.0
//
// One matrix product without a network: operands from a file or a statistic, as named on the
// command line.
//
//   x.smtx[,seed=S]            mask of the file, values drawn with the seed (default 0)
//   x.mtx[,seed=S]             MatrixMarket; integer files bring their values
//   x.safetensors:NAME         a tensor I8 (or U8 for activations); all but the last dimension are
//   rows
//                              for activations, all but the first are k for weights
//   density=D[,pattern=P][,seed=S]   P: dense | unstructured | magnitude | N:M | bank:B | block:KxN
//     [,row_spread=X][,column_spread=X]   of magnitude
//     [,spatial=X][,channel=X]            of activations
//
// Weights have a row per output channel (n) and a column per k, activations a row per token (m) and
// a column per k.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "params/workload_params.h"
#include "tensor/mask_generator.h"
#include "workload/graph.h"

namespace lacuna::workload {

struct FileSource {
  enum class Format { kSmtx, kMatrixMarket, kSafetensors };
  Format format = Format::kSmtx;
  std::string path;
  std::string tensor;      ///< safetensors only
  std::uint64_t seed = 0;  ///< of drawn values
};

using GemmSource = std::variant<FileSource, tensor::MaskSpec>;

/// `option` ("--weights") stands in messages. UserError without a location.
[[nodiscard]] GemmSource parse_gemm_source(std::string_view text, std::string_view option);

struct GemmOptions {
  std::string weights;  ///< SRC
  std::string activations;
  std::optional<std::int64_t> m = {};  ///< needed where no file says it; else they must agree
  std::optional<std::int64_t> n = {};
  std::optional<std::int64_t> k = {};
  CodeType activation_type = CodeType::kU8;  ///< of drawn values
  CodeType output_type = CodeType::kS8;
};

/// A graph of one linear layer "gemm" with one sample; the requantization is chosen.
[[nodiscard]] Graph build_gemm(const GemmOptions& options);

}  // namespace lacuna::workload
