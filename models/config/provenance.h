// SPDX-License-Identifier: Apache-2.0
//
// Where each value of a loaded struct was written. Paths are dotted, list elements in brackets:
// "engine.skip.weights", "layers[3].weights.tensor".
#pragma once

#include <map>
#include <string>

#include "base/error.h"

namespace lacuna::config {

class Provenance {
 public:
  void record(const std::string& path, const base::SourceLocation& where) { places_[path] = where; }

  /// The place of `path`, or of the nearest enclosing thing that was written down. Use it to report
  /// what only shows later: `throw UserError(provenance.locate("layers[3].weights"), "...")`.
  [[nodiscard]] base::SourceLocation locate(const std::string& path) const;

  /// "file:line:column", "--set", or "default" when the key was left out.
  [[nodiscard]] std::string origin(const std::string& path) const;

  [[nodiscard]] bool written(const std::string& path) const { return places_.contains(path); }

 private:
  std::map<std::string, base::SourceLocation> places_;
};

}  // namespace lacuna::config
