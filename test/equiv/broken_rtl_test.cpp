// SPDX-License-Identifier: Apache-2.0
//
// Copies of the RTL with one deliberate fault each: lockstep must end with status 1 and say where
// it first went wrong. What proves that 0 mismatches mean something.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "base/file.h"
#include "cli/application.h"
#include "cli/child_process.h"
#include "cosim/plugin_cache.h"
#include "support/temp_dir.h"

namespace lacuna::test {
namespace {

namespace fs = std::filesystem;

/// One text of one file is replaced; it must be there.
struct Fault {
  const char* file;
  const char* right;
  const char* wrong;
};

void copy_rtl(const fs::path& from, const fs::path& to) {
  fs::create_directories(to / "models/cosim");
  fs::copy(from / "rtl", to / "rtl", fs::copy_options::recursive);
  fs::copy(from / "models/cosim/harness", to / "models/cosim/harness", fs::copy_options::recursive);
  fs::copy(from / "models/cosim/rtl_abi.h", to / "models/cosim/rtl_abi.h");
}

/// Exit status, a newline, and what the command said on stderr.
std::string lockstep_with(const Fault& fault) {
  const TempDir folder;
  copy_rtl(LACUNA_SOURCE_DIR, folder.path());
  const std::string path = folder.file(fault.file);
  std::string text = base::read_text_file(path, 1 << 22);
  const std::size_t at = text.find(fault.right);
  if (at == std::string::npos) return std::string("no place for the fault: ") + fault.right;
  text.replace(at, std::string(fault.right).size(), fault.wrong);
  base::write_file_atomically(path, text);
  const auto results = cli::run_in_children(
      {[&] {
        ::setenv("LACUNA_HOME", folder.path().c_str(), 1);
        const std::string root = LACUNA_SOURCE_DIR;
        std::ostringstream out;
        std::ostringstream err;
        testing::internal::CaptureStderr();  // the log goes to the real one
        const int status = cli::run_application(
            {"run", root + "/configs/chips/tiny.yaml",
             root + "/traces/digits-cnn-unstructured-90/workload.yaml", "--samples", "1",
             "--engine", "lockstep", "--rtl-cache", folder.file("cache"), "--format", "json"},
            out, err);
        return std::to_string(status) + "\n" + testing::internal::GetCapturedStderr() + err.str();
      }},
      1);
  return results.front();
}

class BrokenRtl : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = cosim::rtl_unavailable_reason(cosim::PluginCacheOptions{});
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(BrokenRtl, WrongRoundingIsSeenInTheOutputs) {
  const std::string said =
      lockstep_with({"rtl/engine/requantize.sv", "<< (shift - 6'd1)", "<< (shift - 6'd2)"});
  EXPECT_TRUE(said.starts_with("1\n")) << said;
  EXPECT_NE(said.find("compared passes differ between model and RTL"), std::string::npos) << said;
  EXPECT_NE(said.find(": output code of token "), std::string::npos) << said;
  EXPECT_NE(said.find("layer conv1, core "), std::string::npos) << said;
}

TEST_F(BrokenRtl, AScannerThatPausesIsSeenAtAnIssue) {
  const std::string said =
      lockstep_with({"rtl/engine/way.sv", "!(push_q && (almost_full != '0))", "!push_q"});
  EXPECT_TRUE(said.starts_with("1\n")) << said;
  EXPECT_NE(said.find(": issue of way "), std::string::npos) << said;
  EXPECT_NE(said.find("differs in: issue"), std::string::npos) << said;
  EXPECT_NE(said.find(" differ between model and RTL, then no more were compared; the first:"),
            std::string::npos)
      << said;
}

}  // namespace
}  // namespace lacuna::test
