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
  int jobs = 2;  ///< compiler processes of a build
};

/// RTL parameters as the build script takes them: "Pes=16", ... in the order of engine.md.
[[nodiscard]] std::vector<std::string> rtl_arguments(const params::EngineParams& engine);

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

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& home() const { return home_; }

 private:
  [[nodiscard]] std::string key(const std::vector<std::string>& arguments) const;
  void build(const std::vector<std::string>& arguments, const std::string& target) const;

  std::string folder_;
  std::string home_;
  int jobs_;
};

/// Why no RTL can be built here (no Verilator, no compiler, no sources), or an empty string. For
/// tests that skip with a reason.
[[nodiscard]] std::string rtl_unavailable_reason(const PluginCacheOptions& options);

}  // namespace lacuna::cosim
