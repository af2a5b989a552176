// SPDX-License-Identifier: Apache-2.0
#include "cosim/plugin_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/text.h"
#include "cosim/process.h"

#ifndef LACUNA_DEFAULT_HOME
#error "the build says where rtl/ lies"
#endif

namespace lacuna::cosim {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxSourceBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxArgumentBytes = 4096;
constexpr std::size_t kLogTailLines = 12;
/// Words of variant_words(), and the folders of rtl/ that only they are made of.
constexpr const char* kChecks = "checks";
constexpr const char* kCoverage = "coverage";
constexpr const char* kTrace = "trace";
constexpr const char* kChecksFolder = "rtl/assert/";
constexpr const char* kCoverageFolder = "rtl/cover/";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string choose_folder(const std::string& asked) {
  if (!asked.empty()) return asked;
  if (std::string set = environment("LACUNA_RTL_CACHE"); !set.empty()) return set;
  if (std::string xdg = environment("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/lacuna/rtl";
  if (std::string user = environment("HOME"); !user.empty()) return user + "/.cache/lacuna/rtl";
  throw base::UserError(
      "no folder to keep built RTL in: set --rtl-cache, LACUNA_RTL_CACHE or HOME");
}

std::string choose_home(const std::string& asked) {
  if (!asked.empty()) return asked;
  if (std::string set = environment("LACUNA_HOME"); !set.empty()) return set;
  return LACUNA_DEFAULT_HOME;
}

std::string script_of(const std::string& home) { return home + "/rtl/build_plugin"; }

/// As the build script chooses it: CXX, which may hold arguments, else clang++, else g++.
std::vector<std::string> compiler() {
  std::vector<std::string> words;
  for (const std::string& word : base::split(environment("CXX"), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.empty()) words.emplace_back(program_exists("clang++") ? "clang++" : "g++");
  return words;
}

bool is_source(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".sv" || extension == ".svh" || extension == ".vlt" || extension == ".cpp" ||
         extension == ".cc" || extension == ".h" || path.filename() == "build_plugin";
}

/// Folders of rtl/ that no plug-in is made of.
bool is_beside(const fs::path& folder) {
  return folder.filename() == "formal" || folder.filename() == "synth";
}

/// Every file that a plug-in is made of, sorted.
std::vector<std::string> source_files(const std::string& home) {
  std::vector<std::string> files{home + "/models/cosim/rtl_abi.h"};
  for (const char* part : {"/rtl", "/models/cosim/harness"}) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(home + part, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->is_directory() && is_beside(entry->path())) entry.disable_recursion_pending();
      if (entry->is_regular_file() && is_source(entry->path())) {
        files.push_back(entry->path().string());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// An exclusive lock on a file, waited for in small steps so that Ctrl-C works.
class FileLock {
 public:
  FileLock(const std::string& path, const std::string& what)
      : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
    if (fd_ < 0) {
      throw base::UserError(
          fmt::format("cannot lock {}: {}", base::printable(path), std::strerror(errno)));
    }
    base::Progress progress("waiting for another process that builds " + what, 0);
    const auto start = std::chrono::steady_clock::now();
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        const int error = errno;
        ::close(fd_);
        throw base::UserError(
            fmt::format("cannot lock {}: {}", base::printable(path), std::strerror(error)));
      }
      if (base::pending_interrupt() != 0) ::close(fd_);
      base::throw_if_interrupted();
      progress.update(
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start)
              .count());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { ::close(fd_); }

 private:
  int fd_;
};

/// A file lock if nobody else has it.
class TryLock {
 public:
  explicit TryLock(const std::string& path)
      : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)) {
    if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }
  TryLock(const TryLock&) = delete;
  TryLock& operator=(const TryLock&) = delete;
  ~TryLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// "x/abc.so" -> "x/abc<extension>".
std::string beside(const std::string& path, const char* extension) {
  return fs::path(path).replace_extension(extension).string();
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Hashes of the sources and tools; with a plug-in's arguments and variant they are its name.
class Fingerprint {
 public:
  explicit Fingerprint(const std::string& home) {
    for (const std::string& file : source_files(home)) {
      const std::string name = fs::path(file).lexically_relative(home).string();
      Hash& hash = name.starts_with(kChecksFolder)     ? checks_
                   : name.starts_with(kCoverageFolder) ? coverage_
                                                       : common_;
      hash.add(name);
      hash.add(base::read_text_file(file, kMaxSourceBytes));
    }
    for (std::vector<std::string> command : {std::vector<std::string>{"verilator"}, compiler()}) {
      command.emplace_back("--version");
      const ProcessResult version = run_process(command);
      if (version.exit_status != 0) {
        throw base::UserError(fmt::format("'{}' fails: {}", base::join(command, " "),
                                          base::printable(version.output, 200)));
      }
      common_.add(base::join(command, " "));
      common_.add(version.output);
    }
  }

  [[nodiscard]] std::string key(const std::vector<std::string>& arguments,
                                const std::vector<std::string>& variant) const {
    Hash whole = common_;
    for (const std::string& argument : arguments) whole.add(argument);
    for (const std::string& word : variant) whole.add(word);
    if (contains(variant, kChecks)) whole.add(checks_.text());
    if (contains(variant, kCoverage)) whole.add(coverage_.text());
    return whole.text();
  }

 private:
  struct Hash {
    std::uint64_t low = 1;
    std::uint64_t high = 2;
    void add(std::string_view text) {
      low = base::hash_combine(low, base::hash_text(text, 1));
      high = base::hash_combine(high, base::hash_text(text, 2));
    }
    [[nodiscard]] std::string text() const { return fmt::format("{:016x}{:016x}", high, low); }
  };

  Hash common_, checks_, coverage_;
};

std::string tail(const std::string& text, std::size_t count) {
  std::vector<std::string> lines = base::split(base::trim(text), '\n');
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<long>(count));
  return base::join(lines, "\n  ");
}

}  // namespace

std::vector<std::string> rtl_arguments(const params::EngineParams& engine) {
  const auto argument = [](const char* name, std::int64_t value) {
    return fmt::format("{}={}", name, value);
  };
  return {argument("Pes", engine.pes),
          argument("KWays", engine.k_ways),
          argument("RowsPerPe", engine.rows_per_pe),
          argument("Lanes", engine.lanes),
          argument("FifoDepth", engine.fifo_depth),
          argument("ScanWidth", engine.scan_width),
          argument("SkipEmpty", engine.skip_empty == params::SkipEmpty::kDecoupled ? 1 : 0),
          argument("DrainWidth", engine.drain_width),
          argument("LoadWidth", engine.load_width),
          argument("WeightWord", engine.weight_word),
          argument("MaxK", engine.max_k),
          argument("ActBlock", engine.act_block),
          argument("WeightBuffer", engine.weight_buffer),
          argument("ActivationBuffer", engine.activation_buffer),
          argument("PsumBuffer", engine.psum_buffer),
          argument("OutputBuffer", engine.output_buffer)};
}

std::vector<std::string> variant_words(const PluginCacheOptions& options) {
  std::vector<std::string> words;
  if (options.checks) words.emplace_back(kChecks);
  if (options.coverage) words.emplace_back(kCoverage);
  if (options.trace) words.emplace_back(kTrace);
  return words;
}

std::string home_folder(const PluginCacheOptions& options) { return choose_home(options.home); }

PluginCache::PluginCache(const PluginCacheOptions& options)
    : folder_(choose_folder(options.folder)),
      home_(choose_home(options.home)),
      jobs_(std::max(1, options.jobs)),
      variant_(variant_words(options)) {
  if (!fs::exists(script_of(home_))) {
    throw base::UserError(
        fmt::format("the RTL sources are not at {}/rtl: set LACUNA_HOME to the folder that has "
                    "rtl/build_plugin, or use --engine model",
                    base::printable(home_)));
  }
  base::create_folders(folder_);
}

std::string PluginCache::target(const std::vector<std::string>& arguments) const {
  return folder_ + "/" + Fingerprint(home_).key(arguments, variant_) + ".so";
}

std::string PluginCache::find_or_build(const params::EngineParams& engine) const {
  if (const auto limits = engine.rtl_limits(); !limits.empty()) {
    std::string text = "the RTL cannot be built for these parameters:";
    for (const params::Violation& violation : limits) text += "\n  " + violation.message;
    throw base::UserError(text + "\nUse --engine model, or other parameters.");
  }
  if (!program_exists("verilator")) {
    throw base::UserError(
        "the RTL needs the program 'verilator', which is not in PATH: install it (Debian: "
        "verilator), or use --engine model");
  }
  if (const std::string name = compiler().front(); !program_exists(name)) {
    throw base::UserError(fmt::format(
        "the RTL needs the compiler '{}', which is not in PATH: install it or set CXX, or use "
        "--engine model",
        base::printable(name)));
  }
  const std::vector<std::string> arguments = rtl_arguments(engine);
  std::string wanted = target(arguments);
  if (!fs::exists(wanted)) build(arguments, wanted);
  return wanted;
}

bool PluginCache::contains(const params::EngineParams& engine) const {
  return fs::exists(target(rtl_arguments(engine)));
}

std::vector<CachedPlugin> PluginCache::list() const {
  std::optional<Fingerprint> fingerprint;
  PluginCacheOptions here;
  here.home = home_;
  if (rtl_unavailable_reason(here).empty()) fingerprint.emplace(home_);
  std::vector<CachedPlugin> plugins;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() != ".so" || path.stem().string().find('.') != std::string::npos) continue;
    CachedPlugin plugin;
    plugin.path = path.string();
    std::error_code vanished;
    const auto bytes = fs::file_size(path, vanished);
    if (vanished) continue;
    plugin.bytes = static_cast<std::int64_t>(bytes);
    const std::string described = beside(plugin.path, ".args");
    if (fs::exists(described)) {
      const std::string text = base::read_text_file(described, kMaxArgumentBytes);
      for (const std::string& word : base::split(base::trim(text), ' ')) {
        if (word.find('=') != std::string::npos) {
          plugin.arguments.push_back(word);
        } else if (!word.empty()) {
          plugin.variant.push_back(word);
        }
      }
      plugin.current =
          fingerprint && fingerprint->key(plugin.arguments, plugin.variant) == path.stem().string();
    }
    plugins.push_back(std::move(plugin));
  }
  std::sort(plugins.begin(), plugins.end(),
            [](const CachedPlugin& a, const CachedPlugin& b) { return a.path < b.path; });
  return plugins;
}

CleanedCache PluginCache::clean(bool all) const {
  CleanedCache cleaned;
  std::error_code ignored;
  for (const CachedPlugin& plugin : list()) {
    if (plugin.current && !all) continue;
    const TryLock held(beside(plugin.path, ".lock"));
    if (!held) {
      ++cleaned.in_use;
      continue;
    }
    if (!fs::remove(plugin.path, ignored)) continue;
    for (const char* extension : {".args", ".log", ".lock"}) {
      fs::remove(beside(plugin.path, extension), ignored);
    }
    ++cleaned.plugins;
    cleaned.bytes += plugin.bytes;
  }
  // Logs and locks of builds that failed.
  std::vector<fs::path> left;
  for (fs::directory_iterator entry(folder_, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string extension = entry->path().extension().string();
    if (extension != ".log" && extension != ".lock" && extension != ".args") continue;
    if (!fs::exists(beside(entry->path().string(), ".so"))) left.push_back(entry->path());
  }
  for (const fs::path& path : left) {
    const std::string lock = beside(path.string(), ".lock");
    const TryLock held(lock);
    if (!held) continue;
    fs::remove(path, ignored);
    fs::remove(lock, ignored);
  }
  return cleaned;
}

void PluginCache::discard(const std::string& path) const {
  std::error_code ignored;
  fs::remove(path, ignored);
}

void PluginCache::build(const std::vector<std::string>& arguments,
                        const std::string& target) const {
  const std::string stem = target.substr(0, target.size() - 3);
  const std::string what = fmt::format(
      "the RTL engine ({} ways of {} PEs{})", arguments[1].substr(6), arguments[0].substr(4),
      variant_.empty() ? "" : ", with " + base::list_in_words(variant_, "and"));
  const FileLock lock(stem + ".lock", what);
  if (fs::exists(target)) return;  // built while we waited for the lock

  const std::string made = fmt::format("{}.{}.tmp.so", stem, ::getpid());
  std::vector<std::string> command{script_of(home_), "--out", made, "--jobs",
                                   std::to_string(jobs_)};
  for (const std::string& word : variant_) command.push_back("--" + word);
  command.insert(command.end(), arguments.begin(), arguments.end());

  base::Progress progress("building " + what + ", seconds:", 0);
  const auto start = std::chrono::steady_clock::now();
  ProcessOptions options;
  options.tick = [&] {
    progress.update(
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start)
            .count());
  };
  ProcessResult result;
  try {
    result = run_process(command, options);
  } catch (...) {
    discard(made);
    throw;
  }
  if (result.exit_status != 0 || !fs::exists(made)) {
    discard(made);
    base::write_file_atomically(stem + ".log", result.output);
    throw base::UserError(fmt::format(
        "building {} failed with exit status {}; its output is in {}.log and ends with\n  {}", what,
        result.exit_status, stem, tail(result.output, kLogTailLines)));
  }
  std::vector<std::string> described = arguments;
  described.insert(described.end(), variant_.begin(), variant_.end());
  base::write_file_atomically(stem + ".args", base::join(described, " ") + "\n");
  std::error_code error;
  fs::rename(made, target, error);
  if (error) {
    discard(made);
    throw base::UserError(
        fmt::format("cannot keep the built RTL as {}: {}", target, error.message()));
  }
}

std::string rtl_unavailable_reason(const PluginCacheOptions& options) {
  if (!program_exists("verilator")) return "verilator is not in PATH";
  if (const std::string name = compiler().front(); !program_exists(name)) {
    return fmt::format("{} is not in PATH", name);
  }
  const std::string home = choose_home(options.home);
  if (!fs::exists(script_of(home))) return fmt::format("no RTL sources at {}/rtl", home);
  return {};
}

}  // namespace lacuna::cosim
