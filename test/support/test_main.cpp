// SPDX-License-Identifier: Apache-2.0
//
// main() of every test executable. Beside GoogleTest's options:
//   --source=STEM   run only the tests written in STEM.cpp; an error if there are none
//   --isolated      run each selected test in a process of its own (SystemC elaborates once per
//                   process, and its simulation context cannot be reset)
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::vector<std::string> registered_tests(const std::string& stem) {
  std::vector<std::string> names;
  const auto& registry = *testing::UnitTest::GetInstance();
  for (int s = 0; s < registry.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *registry.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const testing::TestInfo& test = *suite.GetTestInfo(t);
      if (!stem.empty() && std::filesystem::path(test.file()).stem() != stem) continue;
      if (std::string_view(test.name()).starts_with("DISABLED_")) continue;
      names.push_back(std::string(suite.name()) + "." + test.name());
    }
  }
  return names;
}

int run_in_own_process(const char* program, const std::string& test) {
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  if (child == 0) {
    const std::string filter = "--gtest_filter=" + test;
    execl("/proc/self/exe", program, filter.c_str(), "--gtest_brief=1",
          static_cast<char*>(nullptr));
    std::perror("exec");
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::string stem;
  bool isolated = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (argument.starts_with("--source=")) {
      stem = argument.substr(std::string_view("--source=").size());
    } else if (argument == "--isolated") {
      isolated = true;
    } else {
      std::fprintf(stderr, "unknown argument %s\n", argv[i]);
      return 2;
    }
  }
  if (stem.empty() && !isolated) return RUN_ALL_TESTS();

  const std::vector<std::string> tests = registered_tests(stem);
  if (tests.empty()) {
    std::fprintf(stderr, "no tests in %s.cpp\n", stem.c_str());
    return 1;
  }
  if (isolated) {
    int failures = 0;
    for (const std::string& test : tests) {
      const int status = run_in_own_process(argv[0], test);
      std::printf("[%s] %s\n", status == 0 ? "  OK  " : "FAILED", test.c_str());
      if (status != 0) {
        std::printf("  exit status %d; replay: %s --gtest_filter=%s\n", status, argv[0],
                    test.c_str());
        ++failures;
      }
      std::fflush(stdout);
    }
    std::printf("%zu tests, %d failed\n", tests.size(), failures);
    return failures == 0 ? 0 : 1;
  }
  std::string filter;
  for (const std::string& test : tests) filter += (filter.empty() ? "" : ":") + test;
  testing::GTEST_FLAG(filter) = filter;
  return RUN_ALL_TESTS();
}
