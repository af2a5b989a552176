// SPDX-License-Identifier: Apache-2.0
#include "cosim/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/text.h"

namespace lacuna::cosim {

namespace {

constexpr int kTickMilliseconds = 100;

/// The read end of a pipe and a child; ends the child's group if it is left behind.
class Child {
 public:
  Child(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::close(pipe_);
    if (pid_ > 0) {
      ::kill(-pid_, SIGTERM);
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }
  [[nodiscard]] int pipe() const { return pipe_; }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  int pipe_;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw base::UserError(fmt::format("cannot start {}: {}", command.at(0), std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);

  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn does not write to it
  }
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return {127, fmt::format("cannot start {}: {}\n", command[0], std::strerror(error))};
  }

  Child child(pid, ends[0]);
  ProcessResult result;
  std::array<char, 4096> buffer{};
  for (;;) {
    base::throw_if_interrupted();
    pollfd waiting{child.pipe(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kTickMilliseconds);
    if (options.tick) options.tick();
    if (ready <= 0) continue;
    const ssize_t count = ::read(child.pipe(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    result.output.append(buffer.data(), static_cast<std::size_t>(count));
    if (result.output.size() > 2 * options.max_output) {
      result.output.erase(0, result.output.size() - options.max_output);
    }
  }
  result.exit_status = child.wait();
  if (result.output.size() > options.max_output) {
    result.output.erase(0, result.output.size() - options.max_output);
  }
  return result;
}

bool program_exists(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const std::string& folder : base::split(path, ':')) {
    const std::string file = (folder.empty() ? std::string(".") : folder) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace lacuna::cosim
