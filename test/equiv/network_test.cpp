// SPDX-License-Identifier: Apache-2.0
//
// Whole networks on the tiny chip through the command line, in every engine mode: the same cycles,
// the same outputs, no mismatch, and the same bytes for any number of threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/application.h"
#include "cli/child_process.h"
#include "cosim/plugin_cache.h"
#include "support/temp_dir.h"

namespace lacuna::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kParallel = 2;

std::string workload_of(const std::string& trace) {
  return std::string(LACUNA_SOURCE_DIR) + "/traces/" + trace + "/workload.yaml";
}

/// Reports of `lacuna run` on the tiny chip with these options, each in a process of its own.
std::vector<std::string> run_all(const std::string& workload,
                                 const std::vector<std::vector<std::string>>& variants) {
  const std::string root = LACUNA_SOURCE_DIR;
  std::vector<std::function<std::string()>> tasks;
  for (const std::vector<std::string>& options : variants) {
    tasks.emplace_back([=] {
      std::vector<std::string> arguments{
          "run", root + "/configs/chips/tiny.yaml", workload, "--samples", "1", "--format", "json"};
      arguments.insert(arguments.end(), options.begin(), options.end());
      std::ostringstream out;
      std::ostringstream err;
      const int status = cli::run_application(arguments, out, err);
      return std::to_string(status) + "\n" + out.str() + err.str();
    });
  }
  return cli::run_in_children(tasks, kParallel);
}

Json report_of(const std::string& result) {
  EXPECT_TRUE(result.starts_with("0\n")) << result.substr(0, 2000);
  return Json::parse(result.substr(result.find('\n') + 1), nullptr, false);
}

/// What may differ between engine modes: who computed, and how much was compared.
Json without_verification(Json report) {
  report.erase("verification");
  return report;
}

void expect_all_engines_equal(const std::string& trace) {
  if (const std::string reason = cosim::rtl_unavailable_reason(cosim::PluginCacheOptions{});
      !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const std::vector<std::string> results =
      run_all(workload_of(trace), {{"--engine", "model"},
                                   {"--engine", "rtl"},
                                   {"--engine", "lockstep", "--threads", "1"},
                                   {"--engine", "lockstep", "--threads", "3"},
                                   {"--shadow", "0.1", "--seed", "4"}});
  const Json model = report_of(results[0]);
  ASSERT_TRUE(model.is_object());
  EXPECT_EQ(model["outputs"]["mismatches"], 0);
  EXPECT_GT(model["outputs"]["values"], 0);
  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(without_verification(report_of(results[i])), without_verification(model)) << i;
  }
  EXPECT_EQ(results[2], results[3]);
  const Json lockstep = report_of(results[2])["verification"];
  EXPECT_EQ(lockstep["mismatches"], 0);
  EXPECT_EQ(lockstep["shadowed"], lockstep["passes"]);
  EXPECT_GT(lockstep["passes"], 100);
  const Json shadow = report_of(results[4])["verification"];
  EXPECT_EQ(shadow["mismatches"], 0);
  EXPECT_GT(shadow["shadowed"], 0);
  EXPECT_LT(shadow["shadowed"], shadow["passes"]);
}

TEST(Network, ConvolutionalNetwork) { expect_all_engines_equal("digits-cnn-unstructured-90"); }

/// A trace whose layers with `marks` in their line have K in so many parts.
std::string with_k_parts(const TempDir& folder, const std::string& trace,
                         const std::vector<std::string>& marks, int parts) {
  namespace fs = std::filesystem;
  fs::create_symlink(fs::path(workload_of(trace)).parent_path() / "tensors.safetensors",
                     folder.file("tensors.safetensors"));
  std::istringstream lines(base::read_text_file(workload_of(trace), 1 << 22));
  std::string text;
  int cut = 0;
  for (std::string line; std::getline(lines, line);) {
    for (const std::string& mark : marks) {
      if (line.find(mark) == std::string::npos) continue;
      line.insert(line.rfind('}'), ", mapping: {k_parts: " + std::to_string(parts) + "}");
      ++cut;
    }
    text += line + "\n";
  }
  EXPECT_GT(cut, 1);
  const std::string path = folder.file("workload.yaml");
  base::write_file_atomically(path, text);
  return path;
}

void expect_parts_equal(const std::string& trace, const std::vector<std::string>& marks,
                        int parts) {
  if (const std::string reason = cosim::rtl_unavailable_reason(cosim::PluginCacheOptions{});
      !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const TempDir folder;
  const std::vector<std::string> results =
      run_all(with_k_parts(folder, trace, marks, parts),
              {{"--engine", "model"}, {"--engine", "rtl"}, {"--engine", "lockstep"}});
  const Json model = report_of(results[0]);
  ASSERT_TRUE(model.is_object());
  EXPECT_EQ(model["outputs"]["mismatches"], 0);
  EXPECT_GT(model["outputs"]["values"], 0);
  EXPECT_GT(model["met"]["stored_partial_sums"], 0);
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(without_verification(report_of(results[i])), without_verification(model)) << i;
  }
  const Json lockstep = report_of(results[2])["verification"];
  EXPECT_EQ(lockstep["mismatches"], 0);
  EXPECT_EQ(lockstep["shadowed"], lockstep["passes"]);
}

TEST(Network, PartsOfKOfConvolutions) {
  expect_parts_equal("digits-cnn-unstructured-90", {"name: conv3,", "name: conv4,"}, 4);
}

TEST(Network, PartsOfKOfATransformer) {
  expect_parts_equal("digits-transformer-unstructured-90",
                     {"_query, op", "_project, op", "_reduce, op"}, 3);
}

TEST(Network, Transformer) { expect_all_engines_equal("digits-transformer-unstructured-90"); }

}  // namespace
}  // namespace lacuna::test
