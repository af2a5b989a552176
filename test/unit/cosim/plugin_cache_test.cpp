// SPDX-License-Identifier: Apache-2.0
//
// The cache on a make-believe source folder whose build script only writes down that it ran.
#include "cosim/plugin_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.h"
#include "cosim/plugin.h"
#include "support/temp_dir.h"

namespace lacuna::cosim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScript = R"(#!/bin/sh
echo "built $*" >> "$(dirname "$0")/../runs"
sleep 0.2
shift
printf 'not a shared object' > "$1"
)";

class PluginCacheTest : public testing::Test {
 protected:
  PluginCacheTest() {
    script("rtl/build_plugin", kScript);
    folder_.write("rtl/engine/a.sv", "module a; endmodule\n");
    folder_.write("models/cosim/rtl_abi.h", "#define X 1\n");
    folder_.write("models/cosim/harness/h.cpp", "int x;\n");
    script("bin/verilator", "#!/bin/sh\necho Verilator 1.0\n");
    script("bin/cxx", "#!/bin/sh\necho compiler 1.0\n");
    old_path_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.file("bin") + ":" + old_path_).c_str(), 1);
    ::setenv("CXX", "cxx", 1);
    options_.home = folder_.path();
    options_.folder = folder_.file("cache/rtl");
  }
  ~PluginCacheTest() override {
    ::setenv("PATH", old_path_.c_str(), 1);
    ::unsetenv("CXX");
  }

  void script(const char* name, const char* text) const {
    ::chmod(folder_.write(name, text).c_str(), 0755);
  }
  int runs() const {
    std::ifstream in(folder_.file("runs"));
    int count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  }
  std::string find() const { return PluginCache(options_).find_or_build(engine_); }
  std::string error() const {
    try {
      (void)find();
    } catch (const base::UserError& error) {
      return error.what();
    }
    return "no error";
  }

  test::TempDir folder_;
  std::string old_path_;
  PluginCacheOptions options_;
  params::EngineParams engine_;
};

TEST_F(PluginCacheTest, BuildsOnceAndKeepsTheFile) {
  const std::string path = find();
  EXPECT_TRUE(fs::exists(path));
  EXPECT_EQ(find(), path);
  EXPECT_EQ(runs(), 1);
}

TEST_F(PluginCacheTest, HandsTheParametersToTheScript) {
  engine_.pes = 8;
  (void)find();
  std::ifstream in(folder_.file("runs"));
  std::string line;
  std::getline(in, line);
  EXPECT_NE(line.find(" --jobs 2 Pes=8 KWays=4 RowsPerPe=32 Lanes=1 FifoDepth=16 ScanWidth=32 "
                      "SkipEmpty=1 DrainWidth=16 LoadWidth=16 WeightWord=8 MaxK=4096 ActBlock=64 "
                      "WeightBuffer=131072 ActivationBuffer=16384 PsumBuffer=131072 "
                      "OutputBuffer=16384"),
            std::string::npos)
      << line;
}

TEST_F(PluginCacheTest, AnythingThatMattersMakesAnotherFile) {
  std::vector<std::string> paths{find()};
  engine_.fifo_depth = 4;
  paths.push_back(find());
  folder_.write("rtl/engine/a.sv", "module a; wire x; endmodule\n");
  paths.push_back(find());
  folder_.write("rtl/engine/b.sv", "");
  paths.push_back(find());
  folder_.write("models/cosim/harness/h.cpp", "int y;\n");
  paths.push_back(find());
  folder_.write("models/cosim/rtl_abi.h", "#define X 2\n");
  paths.push_back(find());
  script("bin/verilator", "#!/bin/sh\necho Verilator 1.1\n");
  paths.push_back(find());
  script("bin/cxx", "#!/bin/sh\necho compiler 1.1\n");
  paths.push_back(find());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(paths[i], paths[j]) << i << " " << j;
  }
  EXPECT_EQ(runs(), static_cast<int>(paths.size()));
}

TEST_F(PluginCacheTest, OtherFilesDoNotMatter) {
  const std::string path = find();
  folder_.write("rtl/README.md", "text");
  folder_.write("rtl/formal/proof.sv", "module proof; endmodule\n");
  folder_.write("models/cosim/plugin.cpp", "int z;");
  engine_.skip_weights = false;  // a property of images, not of the RTL
  EXPECT_EQ(find(), path);
}

TEST_F(PluginCacheTest, AssertionsAndCoverPointsMatterWhereTheyAreBuiltIn) {
  const auto of = [&](bool checks, bool coverage) {
    options_.checks = checks;
    options_.coverage = coverage;
    return find();
  };
  const std::string plain = of(false, false);
  const std::string checked = of(true, false);
  const std::string covered = of(true, true);
  EXPECT_NE(plain, checked);
  EXPECT_NE(checked, covered);
  folder_.write("rtl/assert/a_checks.sv", "module a_checks; endmodule\n");
  EXPECT_EQ(of(false, false), plain);
  const std::string checked_now = of(true, false);
  EXPECT_NE(checked_now, checked);
  folder_.write("rtl/cover/a_cover.sv", "module a_cover; endmodule\n");
  EXPECT_EQ(of(false, false), plain);
  EXPECT_EQ(of(true, false), checked_now);
  EXPECT_NE(of(true, true), covered);
}

TEST_F(PluginCacheTest, TwoThatAskAtOnceBuildOnce) {
  std::string first;
  std::string second;
  std::thread other([&] { first = find(); });
  second = find();
  other.join();
  EXPECT_EQ(first, second);
  EXPECT_EQ(runs(), 1);
}

TEST_F(PluginCacheTest, AFailingBuildShowsTheEndOfItsOutput) {
  script("rtl/build_plugin", "#!/bin/sh\nseq 1 50\necho '%Error: no such thing' >&2\nexit 3\n");
  const std::string text = error();
  EXPECT_NE(text.find("building the RTL engine (4 ways of 16 PEs) failed with exit status 3"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("%Error: no such thing"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n  39\n"), std::string::npos) << text;
  const std::size_t at = text.find(options_.folder);
  ASSERT_NE(at, std::string::npos);
  EXPECT_TRUE(fs::exists(text.substr(at, text.find(".log") + 4 - at)));
  script("rtl/build_plugin", kScript);
  EXPECT_TRUE(fs::exists(find()));
}

TEST_F(PluginCacheTest, AScriptThatMakesNothingIsAFailure) {
  script("rtl/build_plugin", "#!/bin/sh\nexit 0\n");
  EXPECT_NE(error().find("failed with exit status 0"), std::string::npos);
}

TEST_F(PluginCacheTest, NoVerilator) {
  ::setenv("PATH", folder_.file("empty").c_str(), 1);
  EXPECT_EQ(error(),
            "the RTL needs the program 'verilator', which is not in PATH: install it (Debian: "
            "verilator), or use --engine model");
  EXPECT_EQ(rtl_unavailable_reason(options_), "verilator is not in PATH");
}

TEST_F(PluginCacheTest, NoSources) {
  options_.home = folder_.file("nowhere");
  EXPECT_EQ(error(), "the RTL sources are not at " + options_.home +
                         "/rtl: set LACUNA_HOME to the folder that has rtl/build_plugin, or use "
                         "--engine model");
}

TEST_F(PluginCacheTest, ParametersThatTheRtlCannotHave) {
  engine_.rows_per_pe = 65;
  EXPECT_EQ(error(),
            "the RTL cannot be built for these parameters:\n  the RTL holds at most 64 rows per "
            "PE, not 65\nUse --engine model, or other parameters.");
  EXPECT_EQ(runs(), 0);
}

TEST_F(PluginCacheTest, AFolderThatCannotBe) {
  folder_.write("file", "");
  options_.folder = folder_.file("file/below");
  EXPECT_NE(error().find("file"), std::string::npos);
  EXPECT_NE(error(), "no error");
}

TEST_F(PluginCacheTest, ListTellsWhatIsThere) {
  EXPECT_TRUE(PluginCache(options_).list().empty());
  const std::string path = find();
  options_.trace = true;
  const std::string traced = find();
  EXPECT_NE(path, traced);
  engine_.pes = 8;
  EXPECT_FALSE(PluginCache(options_).contains(engine_));
  options_.trace = false;
  const std::string other = find();
  EXPECT_TRUE(PluginCache(options_).contains(engine_));
  const auto plugins = PluginCache(options_).list();
  ASSERT_EQ(plugins.size(), 3u);
  for (const CachedPlugin& plugin : plugins) {
    EXPECT_TRUE(plugin.current);
    EXPECT_EQ(plugin.bytes, 19);
    EXPECT_EQ(plugin.variant.empty(), plugin.path != traced);
    EXPECT_EQ(plugin.arguments.size(), 16u);
    EXPECT_EQ(plugin.arguments.front(), plugin.path == other ? "Pes=8" : "Pes=16");
  }
  std::ifstream in(folder_.file("runs"));
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line.find("--trace"), std::string::npos);
  std::getline(in, line);
  EXPECT_NE(line.find(" --trace Pes=16"), std::string::npos) << line;
}

TEST_F(PluginCacheTest, CleanRemovesWhatIsOutOfDate) {
  const std::string old = find();
  folder_.write("rtl/engine/a.sv", "module a; wire y; endmodule\n");
  const std::string now = find();
  folder_.write("cache/rtl/unknown.so", "from elsewhere");
  folder_.write("cache/rtl/failed.log", "no");
  const PluginCache cache(options_);
  int out_of_date = 0;
  for (const CachedPlugin& plugin : cache.list()) out_of_date += plugin.current ? 0 : 1;
  EXPECT_EQ(out_of_date, 2);
  const CleanedCache cleaned = cache.clean(false);
  EXPECT_EQ(cleaned.plugins, 2);
  EXPECT_EQ(cleaned.bytes, 19 + 14);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(now));
  EXPECT_FALSE(fs::exists(options_.folder + "/failed.log"));
  EXPECT_EQ(find(), now);
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(cache.clean(true).plugins, 1);
  EXPECT_TRUE(fs::is_empty(options_.folder));
}

TEST_F(PluginCacheTest, CleanLeavesAloneWhatIsBeingBuilt) {
  const std::string path = find();
  const std::string lock = path.substr(0, path.size() - 3) + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  CleanedCache cleaned = PluginCache(options_).clean(true);
  EXPECT_EQ(cleaned.plugins, 0);
  EXPECT_EQ(cleaned.in_use, 1);
  EXPECT_TRUE(fs::exists(path));
  ::close(fd);
  EXPECT_EQ(PluginCache(options_).clean(true).plugins, 1);
}

TEST_F(PluginCacheTest, AnUnloadableFileIsBuiltAnewOnce) {
  // The script never makes anything loadable: load_rtl() must give up after its second try.
  EXPECT_THROW((void)load_rtl(engine_, options_), base::UserError);
  EXPECT_EQ(runs(), 2);
}

}  // namespace
}  // namespace lacuna::cosim
