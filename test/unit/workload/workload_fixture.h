// SPDX-License-Identifier: Apache-2.0
//
// Workloads for tests: a YAML text and a safetensors file in a fresh folder.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "config/loader.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"
#include "workload/graph_builder.h"

namespace lacuna::workload {

class WorkloadTest : public ::testing::Test {
 protected:
  /// Provenance and head of a workload whose operands are all captured (or `source`).
  static std::string head(std::string_view source = "captured") {
    return "schema: lacuna-workload-1\nname: test\ntensors: t.safetensors\nprovenance: {source: " +
           std::string(source) +
           ", model: m, data: d, method: m, pattern: dense, target_sparsity: 0, "
           "weight_sparsity: 0, accuracy_float_dense: 1, accuracy_int8: 1}\n";
  }

  Graph build(const std::string& yaml) {
    folder_.write("t.safetensors", tensors_.bytes());
    const auto loaded = config::load_text<params::WorkloadParams>(yaml, folder_.file("w.yaml"));
    return build_graph(loaded.value,
                       [&](const std::string& key) { return loaded.provenance.locate(key); });
  }

  /// The message without the folder; "" if it builds.
  std::string error_of(const std::string& yaml) {
    try {
      (void)build(yaml);
    } catch (const base::UserError& error) {
      std::string text = error.what();
      const std::string folder = folder_.path() + "/";
      for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.erase(at, folder.size());
      }
      return text;
    }
    return {};
  }

  /// Random codes with about a third of zeros.
  std::vector<std::int8_t> s8(std::int64_t count) { return draw<std::int8_t>(count, -128, 127); }
  std::vector<std::uint8_t> u8(std::int64_t count) { return draw<std::uint8_t>(count, 0, 255); }
  std::vector<std::int32_t> s32(std::int64_t count, std::int64_t low, std::int64_t high) {
    return draw<std::int32_t>(count, low, high, 0.0);
  }
  template <class T>
  std::vector<T> draw(std::int64_t count, std::int64_t low, std::int64_t high,
                      double zeros = 0.33) {
    std::vector<T> values(static_cast<std::size_t>(count));
    for (T& value : values) {
      value = rng_.bernoulli(zeros) ? T{0} : static_cast<T>(rng_.range(low, high));
    }
    return values;
  }
  /// NAME.bias, NAME.multiplier, NAME.shift, one entry per channel.
  void add_requantize(const std::string& name, std::int64_t channels) {
    tensors_.add<std::int32_t>(name + ".bias", {channels}, s32(channels, -3000, 3000));
    tensors_.add<std::int32_t>(name + ".multiplier", {channels}, s32(channels, 1 << 18, 1 << 20));
    tensors_.add<std::uint8_t>(name + ".shift", {channels},
                               std::vector<std::uint8_t>(static_cast<std::size_t>(channels), 26));
  }
  static std::string requantize(const std::string& name) {
    return "requantize: {bias: " + name + ".bias, multiplier: " + name +
           ".multiplier, shift: " + name + ".shift}";
  }

  test::TempDir folder_;
  test::SafetensorsWriter tensors_;
  base::Rng rng_{20261121};
};

}  // namespace lacuna::workload
