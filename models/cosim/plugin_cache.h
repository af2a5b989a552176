// SPDX-License-Identifier: Apache-2.0
//
// Verilated engines on disk: one shared object per set of RTL parameters, built when first asked
// for and kept. A file's name is a hash of everything that goes into it: the RTL sources, the
// harness, the build script, the parameters, and the versions of Verilator and the compiler; so a
// file is never out of date, and old ones may be deleted at any time. Safe between processes: who
// builds holds a lock file, others wait.
#pragma once

#include <string>
#include <vector>

#include "params/chip_params.h"

namespace lacuna::cosim {

struct PluginCacheOptions {
  /// Empty: LACUNA_RTL_CACHE, else $XDG_CACHE_HOME/lacuna/rtl, else $HOME/.cache/lacuna/rtl.
  std::string folder;
  /// Where rtl/ lies. Empty: LACUNA_HOME, else the source folder this program was built from.
  std::string home;
  int jobs = 2;           ///< compiler processes of a build
  bool checks = false;    ///< plug-ins with the assertions of rtl/assert
  bool coverage = false;  ///< plug-ins that count what is covered, with the points of rtl/cover
  bool trace = false;     ///< plug-ins that can write waveforms (larger and slower)
};

/// "checks", "coverage" and "trace", as far as they are asked for, in this order.
[[nodiscard]] std::vector<std::string> variant_words(const PluginCacheOptions& options);

/// RTL parameters as the build script takes them: "Pes=16", ... in the order of engine.md.
[[nodiscard]] std::vector<std::string> rtl_arguments(const params::EngineParams& engine);

/// A plug-in in the cache.
struct CachedPlugin {
  std::string path;
  std::int64_t bytes = 0;
  /// As the build script took them; empty when the file beside the plug-in that says so is missing.
  std::vector<std::string> arguments;
  std::vector<std::string> variant;  ///< see variant_words()
  bool current = false;              ///< made of today's sources and tools: it would be used
};

/// What clean() removed.
struct CleanedCache {
  int plugins = 0;
  std::int64_t bytes = 0;
  int in_use = 0;  ///< left alone because a process is building them
};

/// The folder that holds rtl/ and configs/, by the same rules; it need not exist.
[[nodiscard]] std::string home_folder(const PluginCacheOptions& options);

class PluginCache {
 public:
  /// UserError: no RTL sources there, or no folder to keep plug-ins in.
  explicit PluginCache(const PluginCacheOptions& options);

  /// Path of the shared object for `engine`, built if it is not there yet. UserError: parameters
  /// that the RTL cannot have, no Verilator, a failing build (with the end of its output and where
  /// the whole of it is).
  [[nodiscard]] std::string find_or_build(const params::EngineParams& engine) const;

  /// Removes a file that turned out to be unusable (cut off, foreign machine), so that the next
  /// find_or_build() makes it anew.
  void discard(const std::string& path) const;

  /// Whether find_or_build() would not have to build.
  [[nodiscard]] bool contains(const params::EngineParams& engine) const;

  /// All plug-ins in the folder, by name of the file.
  [[nodiscard]] std::vector<CachedPlugin> list() const;

  /// Removes plug-ins that are out of date, or all of them, with what belongs to them, and what
  /// broken builds have left. A process that has one loaded keeps it.
  CleanedCache clean(bool all) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& home() const { return home_; }

 private:
  [[nodiscard]] std::string target(const std::vector<std::string>& arguments) const;
  void build(const std::vector<std::string>& arguments, const std::string& target) const;

  std::string folder_;
  std::string home_;
  int jobs_;
  std::vector<std::string> variant_;
};

/// Why no RTL can be built here (no Verilator, no compiler, no sources), or an empty string. For
/// tests that skip with a reason.
[[nodiscard]] std::string rtl_unavailable_reason(const PluginCacheOptions& options);

}  // namespace lacuna::cosim
