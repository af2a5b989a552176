// SPDX-License-Identifier: Apache-2.0
//
// Parameter sets: engines that the regression of the RTL against the model runs on. Each is a file
// configs/verify/<name>.yaml, small enough to build and simulate quickly, chosen for a corner of
// the parameter space (docs/guide/verify.md). A set is an engine and how long its passes may be.
#pragma once

#include <string>
#include <vector>

#include "params/chip_params.h"
#include "params/field.h"

namespace lacuna::verify {

/// The contents of a set's file.
struct ParameterSet {
  std::string about;  ///< one sentence: what this engine is there for
  /// Cycles that a usual pass is drawn to take at most; long passes are eight times that.
  int pass_cycles = 2000;
  params::EngineParams engine;

  friend bool operator==(const ParameterSet&, const ParameterSet&) = default;
  /// Rules of a set: the RTL can be built for it, and one group of all channels fits the buffers.
  [[nodiscard]] std::vector<params::Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(params::field("about", "one sentence: what this engine is there for"), self.about);
    visitor(params::field("pass_cycles", "cycles that a usual random pass takes at most",
                          params::Unit::kCycles)
                .range(20, 1e6),
            self.pass_cycles);
    visitor(params::field("engine", "the engine"), self.engine);
  }
};

struct NamedSet {
  std::string name;      ///< "small", or the file's stem
  std::string file;      ///< where it was read from
  std::string argument;  ///< how the user names it: the name, or the file
  ParameterSet values;
};

/// Where the shipped sets lie below the folder that holds rtl/.
[[nodiscard]] std::string set_folder(const std::string& home);

/// Names of the sets in a folder, sorted; files that only serve as a base (base.yaml) are left out.
/// UserError if there is no such folder or no set in it.
[[nodiscard]] std::vector<std::string> set_names(const std::string& folder);

/// Loads a set by name, or from a file (a name that ends in .yaml). UserError: no such set (with
/// the nearest name), or a file that is wrong.
[[nodiscard]] NamedSet load_set(const std::string& folder, const std::string& name);

}  // namespace lacuna::verify
