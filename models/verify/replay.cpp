// SPDX-License-Identifier: Apache-2.0
#include "verify/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::verify {

namespace fs = std::filesystem;

namespace {

/// Removes a half-written file when something goes wrong.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& wanted)
      : wanted_(wanted), path_(fmt::format("{}.{}.tmp", wanted, ::getpid())) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
    fs::remove(path_ + ".hier", ignored);  // the FST writer's own
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  void keep() const {
    std::error_code error;
    fs::rename(path_, wanted_, error);
    if (error) {
      throw base::UserError(
          fmt::format("cannot write {}: {}", base::printable(wanted_), error.message()));
    }
  }

 private:
  std::string wanted_;
  std::string path_;
};

}  // namespace

PassEvidence Replay::shown() const {
  // A start that comes too early has no evidence of its own.
  if (evidence.empty()) return {};
  if (outcome.mismatch && outcome.mismatch->difference.place.kind == "start") return {};
  return evidence.back();
}

std::string Replay::text(const params::EngineParams& params) const {
  if (outcome.mismatch) return describe_mismatch(params, made, *outcome.mismatch, shown());
  std::string text = fmt::format("{}, {} of {} passes compared, all equal\n",
                                 case_kind_name(made.kind), evidence.size(), made.passes.size());
  for (const PassEvidence& seen : evidence) {
    text += fmt::format("  start {}, {} cycles, {} entries, hold {} {}\n", seen.start,
                        seen.model.length, seen.model.counters.broadcasts, seen.command.hold1,
                        seen.command.hold2);
  }
  for (const Stimulus& pass : made.passes) text += "  drawn: " + pass.text + "\n";
  return text;
}

Replay replay(const ParameterSet& set, cosim::RtlInstance& rtl,
              std::span<const std::uint64_t> seeds) {
  LACUNA_CHECK(!seeds.empty(), "nothing to replay");
  for (const std::uint64_t seed : seeds.first(seeds.size() - 1)) {
    (void)execute(set.engine, rtl, make_case(set, seed));
  }
  Replay result;
  result.made = make_case(set, seeds.back());
  result.outcome = execute(set.engine, rtl, result.made, &result.evidence);
  return result;
}

Wave write_wave(const ParameterSet& set, const std::shared_ptr<const cosim::RtlPlugin>& traced,
                std::span<const std::uint64_t> seeds, const WaveOptions& options) {
  Wave wave;
  base::Cycle first_start = 0;
  base::Cycle now = 0;
  {
    const auto rtl = traced->create();
    const Replay found = replay(set, *rtl, seeds);
    const PassEvidence shown = found.shown();
    const cosim::RtlPosition position = rtl->position();
    first_start = position.first_start;
    now = position.now;
    wave.start = first_start + shown.start;
    wave.pass = found.outcome.mismatch ? found.outcome.mismatch->pass
                                       : static_cast<int>(found.made.passes.size()) - 1;
    if (options.window) {
      wave.pass_cycles = *options.window;
    } else if (found.evidence.empty() || (!shown.rtl.error.empty() && shown.rtl.error_cycle < 0)) {
      wave.pass_cycles = {0, now - wave.start};
    } else if (found.outcome.mismatch) {
      wave.pass_cycles =
          window_around(set.engine, found.made, *found.outcome.mismatch, shown, options.before);
    } else {
      wave.pass_cycles = {0, shown.model.drain_end.back() + options.before / 4};
    }
  }
  const TemporaryFile file(options.file);
  {
    const auto rtl = traced->create();
    rtl->trace(file.path(), std::max<base::Cycle>(0, wave.start + wave.pass_cycles.first),
               std::max<base::Cycle>(0, wave.start + wave.pass_cycles.last));
    (void)replay(set, *rtl, seeds);
  }
  file.keep();
  return wave;
}

}  // namespace lacuna::verify
