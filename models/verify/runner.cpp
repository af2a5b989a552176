// SPDX-License-Identifier: Apache-2.0
#include "verify/runner.h"

#include <fmt/format.h>
#include <ctime>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "cosim/plugin.h"
#include "verify/replay.h"
#include "verify/stimulus.h"

namespace lacuna::verify {

namespace {

/// Cases that share an engine.
constexpr std::int64_t kChunk = 32;
constexpr std::int64_t kCoverageChunk = 256;
constexpr const char* kExclusions = "/rtl/cover/exclusions.txt";
constexpr std::size_t kMaxExclusionBytes = std::size_t{1} << 20U;
/// Mismatches of a set that are looked into.
constexpr std::size_t kExplained = 3;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// A file that is gone when this is.
struct RemovedFile {
  std::string path;
  explicit RemovedFile(std::string where) : path(std::move(where)) {}
  RemovedFile(const RemovedFile&) = delete;
  RemovedFile& operator=(const RemovedFile&) = delete;
  ~RemovedFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

struct Found {
  std::int64_t index = 0;
  Mismatch mismatch;
};

struct ChunkResult {
  Work work;
  double cpu_seconds = 0;
  std::vector<Found> found;
  CoverageDatabase coverage;
};

/// How far a set is. Chunks are handed out in order and merged in order.
struct SetState {
  const NamedSet* set = nullptr;
  std::shared_ptr<const cosim::RtlPlugin> plugin;
  std::int64_t cases = 0;  ///< to run; 0: until the time is over
  std::int64_t next = 0;   ///< first case of the next chunk
  std::int64_t merged = 0;
  std::map<std::int64_t, ChunkResult> waiting;  ///< by first case, until all before are merged
  bool stopped = false;
  double busy_seconds = 0;
  SetResult result;
  std::vector<Found> found;
  CoverageDatabase coverage;
};

class Regression {
 public:
  Regression(const std::vector<NamedSet>& sets, const RunOptions& options)
      : options_(options), chunk_(options.coverage_folder.empty() ? kChunk : kCoverageChunk) {
    options_.cache.coverage = !options.coverage_folder.empty();
    LACUNA_CHECK(options.passes > 0 || options.seconds > 0, "a run without an end");
    LACUNA_CHECK(options.max_mismatches >= 1 && options.jobs >= 1, "options out of range");
    for (const NamedSet& set : sets) {
      SetState& state = states_.emplace_back();
      state.set = &set;
      state.result.set = set;
    }
  }

  RunResult run() {
    build();
    std::int64_t planned = 0;
    for (SetState& state : states_) planned += plan(state);
    start_ = Clock::now();
    progress_.emplace("verify: passes", planned);
    std::vector<std::thread> workers;
    try {
      for (int i = 1; i < options_.jobs; ++i) workers.emplace_back([this] { work(); });
    } catch (...) {
      fail(std::current_exception());
    }
    work();
    for (std::thread& worker : workers) worker.join();
    progress_.reset();
    if (failure_) std::rethrow_exception(failure_);
    base::throw_if_interrupted();

    RunResult result;
    result.seed = options_.seed;
    result.jobs = options_.jobs;
    result.seconds = seconds_since(start_);
    if (!options_.coverage_folder.empty()) result.coverage = coverage();
    for (SetState& state : states_) {
      explain(state);
      result.sets.push_back(std::move(state.result));
    }
    return result;
  }

 private:
  void build() {
    const cosim::PluginCache cache(options_.cache);
    std::size_t number = 0;
    for (SetState& state : states_) {
      ++number;
      const params::EngineParams& engine = state.set->values.engine;
      if (!cache.contains(engine)) {
        base::log().info("building the RTL for set {} ({} of {})", state.set->name, number,
                         states_.size());
      }
      state.plugin = cosim::load_rtl(engine, options_.cache);
    }
  }

  /// How many cases give the wanted number of passes; returns the passes.
  std::int64_t plan(SetState& state) const {
    std::int64_t passes = 0;
    while (passes < options_.passes) {
      passes += plan_case(case_seed(options_.seed, state.set->name, state.cases)).passes;
      ++state.cases;
    }
    return passes;
  }

  /// The set that is next, or null when there is nothing left to begin.
  SetState* choose() {
    if (failure_ || base::pending_interrupt() != 0) return nullptr;
    const bool timed = options_.seconds > 0;
    if (timed && seconds_since(start_) >= options_.seconds) return nullptr;
    SetState* chosen = nullptr;
    for (SetState& state : states_) {
      if (state.stopped || (state.cases > 0 && state.next >= state.cases)) continue;
      if (chosen == nullptr || (timed && state.busy_seconds < chosen->busy_seconds)) {
        chosen = &state;
      }
    }
    return chosen;
  }

  void work() {
    try {
      for (;;) {
        SetState* state = nullptr;
        std::int64_t begin = 0;
        {
          const std::lock_guard lock(mutex_);
          state = choose();
          if (state == nullptr) return;
          begin = state->next;
          state->next += chunk_;
        }
        const std::int64_t end =
            state->cases > 0 ? std::min(begin + chunk_, state->cases) : begin + chunk_;
        const auto started = Clock::now();
        ChunkResult chunk = run_chunk(*state, begin, end);
        const std::lock_guard lock(mutex_);
        state->busy_seconds += seconds_since(started);
        merge(*state, begin, std::move(chunk));
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  ChunkResult run_chunk(const SetState& state, std::int64_t begin, std::int64_t end) const {
    const double cpu = thread_seconds();
    const auto rtl = state.plugin->create();
    ChunkResult chunk;
    for (std::int64_t index = begin; index < end; ++index) {
      if (base::pending_interrupt() != 0) break;
      const std::uint64_t seed = case_seed(options_.seed, state.set->name, index);
      try {
        const Case made = make_case(state.set->values, seed);
        const CaseOutcome outcome = execute(state.set->values.engine, *rtl, made);
        chunk.work += outcome.work;
        if (outcome.mismatch) chunk.found.push_back({index, *outcome.mismatch});
      } catch (const std::exception&) {
        base::log().error("the checker itself fails in: {}", replay_command(*state.set, {seed}));
        throw;
      }
    }
    chunk.cpu_seconds = thread_seconds() - cpu;
    if (!options_.coverage_folder.empty()) {
      const RemovedFile file{
          fmt::format("{}/{}-{}.tmp", options_.coverage_folder, state.set->name, begin)};
      rtl->write_coverage(file.path);
      chunk.coverage.add_file(file.path);
    }
    return chunk;
  }

  /// Under the lock. What comes after the last allowed mismatch does not count, whoever ran it.
  void merge(SetState& state, std::int64_t begin, ChunkResult chunk) {
    state.waiting.emplace(begin, std::move(chunk));
    for (auto at = state.waiting.begin(); at != state.waiting.end() && at->first == state.merged;
         at = state.waiting.erase(at)) {
      state.merged += chunk_;
      if (state.stopped) continue;
      done_ += at->second.work.passes;
      state.result.work += at->second.work;
      state.result.cpu_seconds += at->second.cpu_seconds;
      state.coverage.add(at->second.coverage);
      for (Found& found : at->second.found) state.found.push_back(std::move(found));
      state.stopped = static_cast<int>(state.found.size()) >= options_.max_mismatches;
    }
    progress_->update(done_);
  }

  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
  }

  /// Turns what was found into reports; the first few are replayed on an engine of their own.
  void explain(SetState& state) const {
    state.result.left_early = state.stopped;
    const auto most = static_cast<std::size_t>(options_.max_mismatches);
    for (std::size_t i = 0; i < std::min(state.found.size(), most); ++i) {
      const Found& found = state.found[i];
      MismatchReport report;
      report.index = found.index;
      report.seed = case_seed(options_.seed, state.set->name, found.index);
      report.replay = {report.seed};
      report.first = found.mismatch.difference.first;
      report.kinds = found.mismatch.difference.kinds;
      if (i < kExplained) look_into(state, found, report);
      state.result.mismatches.push_back(std::move(report));
    }
  }

  /// Replays the case alone, then with more and more of the cases before it on the same engine.
  void look_into(const SetState& state, const Found& found, MismatchReport& report) const {
    const std::int64_t first = found.index / chunk_ * chunk_;
    const std::int64_t most = found.index - first;
    std::int64_t before = 0;
    for (;;) {
      std::vector<std::uint64_t> seeds;
      for (std::int64_t index = found.index - before; index <= found.index; ++index) {
        seeds.push_back(case_seed(options_.seed, state.set->name, index));
      }
      const auto rtl = state.plugin->create();
      const Replay again = replay(state.set->values, *rtl, seeds);
      if (again.outcome.mismatch) {
        report.replay = std::move(seeds);
        report.text = again.text(state.set->values.engine);
        if (before > 0) {
          report.text +=
              fmt::format("  only after the {} case{} before it on the same engine, not alone\n",
                          before, before == 1 ? "" : "s");
        }
        return;
      }
      if (before == most) break;
      before = std::min(most, std::max<std::int64_t>(1, 2 * before));
    }
    report.text = report.first +
                  "\n  not found again on a fresh engine, not even after the cases before it\n";
  }

  /// A database for each set; the places of all of them together.
  [[nodiscard]] CoverageResult coverage() const {
    const std::string rules = cosim::home_folder(options_.cache) + kExclusions;
    std::vector<CoverageExclusion> exclusions;
    if (std::filesystem::exists(rules)) {
      exclusions = parse_exclusions(base::read_text_file(rules, kMaxExclusionBytes), rules);
    }
    CoverageDatabase all;
    CoverageResult counted;
    for (const SetState& state : states_) {
      state.coverage.write(options_.coverage_folder + "/" + state.set->name + ".dat");
      all.add(state.coverage);
      counted.sets.push_back(state.set->name);
      counted.passes += state.result.work.passes;
    }
    CoverageResult folded = fold_coverage(all, exclusions);
    folded.sets = std::move(counted.sets);
    folded.passes = counted.passes;
    return folded;
  }

  RunOptions options_;
  std::int64_t chunk_;
  std::vector<SetState> states_;
  std::mutex mutex_;
  std::exception_ptr failure_;
  Clock::time_point start_;
  std::optional<base::Progress> progress_;
  std::int64_t done_ = 0;
};

}  // namespace

Work RunResult::total() const {
  Work sum;
  for (const SetResult& set : sets) sum += set.work;
  return sum;
}

double RunResult::cpu_seconds() const {
  double sum = 0;
  for (const SetResult& set : sets) sum += set.cpu_seconds;
  return sum;
}

RunResult run(const std::vector<NamedSet>& sets, const RunOptions& options) {
  return Regression(sets, options).run();
}

std::string replay_command(const NamedSet& set, const std::vector<std::uint64_t>& seeds) {
  std::vector<std::string> words;
  for (const std::uint64_t seed : seeds) words.push_back(fmt::format("{:#x}", seed));
  return fmt::format("lacuna verify --set {} --replay {}", set.argument, base::join(words, ","));
}

}  // namespace lacuna::verify
