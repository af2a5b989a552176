// SPDX-License-Identifier: Apache-2.0
//
// A chip and the files that it names: memory preset and energy table, loaded and checked against
// each other. What every command that simulates or describes a chip starts from.
#pragma once

#include <string>

#include "config/loader.h"
#include "params/chip_params.h"
#include "params/energy_params.h"
#include "params/memory_params.h"

namespace lacuna::config {

struct ChipFiles {
  Loaded<params::ChipParams> chip;
  Loaded<params::MemoryPreset> memory;    ///< as its file says
  params::MemoryPreset effective_memory;  ///< with the chip's controller policy
  Loaded<params::EnergyParams> energy;

  /// All files that were read, the chip's own first.
  [[nodiscard]] std::vector<std::string> files() const;
};

/// UserError: anything wrong in any of the files. `sets` apply to the chip.
[[nodiscard]] ChipFiles load_chip(const std::string& path, const LoadOptions& options = {});

/// Loads a file that another one names in `key`: if it cannot be opened, the message has the place
/// of that key, and the nearest name in the folder.
template <class T>
[[nodiscard]] Loaded<T> load_named(const std::string& path, const Provenance& named_by,
                                   const std::string& key);

/// UserError, with the place of `key`, unless `path` is a readable file.
void require_file(const std::string& path, const Provenance& named_by, const std::string& key);

template <class T>
Loaded<T> load_named(const std::string& path, const Provenance& named_by, const std::string& key) {
  require_file(path, named_by, key);
  return load<T>(path);
}

/// UserError if the engine cannot be built as RTL; called when RTL is asked for.
void require_rtl_limits(const Loaded<params::ChipParams>& chip);

}  // namespace lacuna::config
