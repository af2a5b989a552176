// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/interrupt.h"

namespace lacuna::cli {

namespace {

/// First byte of what a child sends: how it ended.
enum Tag : char { kDone = 'd', kUser = 'u', kInterrupted = 's', kBug = 'b', kMemory = 'm' };

constexpr int kPollMilliseconds = 200;

void write_all(int file, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(file, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(1);
    done += static_cast<std::size_t>(count);
  }
}

[[noreturn]] void child_main(const std::function<std::string()>& task, int file) {
  std::string message;
  try {
    message = std::string(1, kDone) + task();
  } catch (const base::UserError& error) {
    message = std::string(1, kUser) + error.what();
  } catch (const base::Interrupted& interrupted) {
    message = std::string(1, kInterrupted) + std::to_string(interrupted.signal_number());
  } catch (const std::bad_alloc&) {
    message = std::string(1, kMemory);
  } catch (const std::exception& error) {
    message = std::string(1, kBug) + error.what();
  }
  write_all(file, message);
  ::close(file);
  // No destructors of what belongs to the parent; nothing is buffered here.
  ::_exit(0);
}

class Child {
 public:
  explicit Child(const std::function<std::string()>& task) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
      throw base::UserError(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    }
    pid_ = ::fork();
    if (pid_ < 0) {
      const int error = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      throw base::UserError(fmt::format("cannot make a process: {}", std::strerror(error)));
    }
    if (pid_ == 0) {
      ::close(ends[0]);
      child_main(task, ends[1]);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::close(pipe_);
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      wait();
    }
  }

  [[nodiscard]] int pipe() const { return pipe_; }
  [[nodiscard]] bool finished() const { return pid_ == 0; }

  /// Reads what is there; notices the end.
  void receive() {
    std::array<char, 65536> buffer{};
    const ssize_t count = ::read(pipe_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) return;
    if (count > 0) {
      text_.append(buffer.data(), static_cast<std::size_t>(count));
    } else {
      status_ = wait();
    }
  }

  [[nodiscard]] std::string result() const {
    std::string body = text_.empty() ? std::string() : text_.substr(1);
    switch (text_.empty() ? '\0' : text_[0]) {
      case kDone:
        return body;
      case kUser:
        throw base::UserError(body);
      case kInterrupted:
        throw base::Interrupted(std::stoi(body));
      case kMemory:
        throw std::bad_alloc();
      case kBug:
        throw base::InternalError(body);
      default:
        throw base::InternalError(
            fmt::format("a simulation process ended without a result (wait status {})", status_));
    }
  }

 private:
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  pid_t pid_ = 0;
  int pipe_ = -1;
  int status_ = 0;
  std::string text_;
};

}  // namespace

std::vector<std::string> run_in_children(const std::vector<std::function<std::string()>>& tasks,
                                         int parallel,
                                         const std::function<void(std::int64_t)>& report) {
  std::vector<std::unique_ptr<Child>> children(tasks.size());
  std::size_t started = 0;
  std::size_t finished = 0;
  while (finished < tasks.size()) {
    while (started < tasks.size() &&
           started - finished < static_cast<std::size_t>(parallel < 1 ? 1 : parallel)) {
      children[started] = std::make_unique<Child>(tasks[started]);
      ++started;
    }
    std::vector<pollfd> waiting;
    std::vector<Child*> who;
    for (std::size_t i = 0; i < started; ++i) {
      if (children[i]->finished()) continue;
      waiting.push_back({children[i]->pipe(), POLLIN, 0});
      who.push_back(children[i].get());
    }
    const int ready = ::poll(waiting.data(), waiting.size(), kPollMilliseconds);
    base::throw_if_interrupted();
    if (ready <= 0) continue;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      who[i]->receive();
      if (!who[i]->finished()) continue;
      ++finished;
      if (report) report(static_cast<std::int64_t>(finished));
    }
  }
  std::vector<std::string> results;
  for (const auto& child : children) results.push_back(child->result());
  return results;
}

}  // namespace lacuna::cli
