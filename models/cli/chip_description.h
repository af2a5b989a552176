// SPDX-License-Identifier: Apache-2.0
//
// What `lacuna describe` says: the values with their origins, and the facts derived from them.
// Peaks are what the parts can do when nothing stalls; simulation tells what they do.
#pragma once

#include <string>
#include <vector>

#include "config/chip_files.h"

namespace lacuna::cli {

struct DerivedFact {
  std::string key;  ///< of the JSON form; the unit is its last word
  double value;
  std::string text;  ///< value and unit for people
  std::string doc;
};

[[nodiscard]] std::vector<DerivedFact> derive_facts(const params::ChipParams& chip,
                                                    const params::MemoryPreset& memory);

/// Things that are allowed but worth knowing.
[[nodiscard]] std::vector<std::string> describe_notes(const params::ChipParams& chip);

[[nodiscard]] std::string describe_as_text(const config::ChipFiles& files);
/// {"schema": "lacuna-describe-1", chip, files, parameters[{key, value, origin, doc}], derived{},
/// notes[]}.
[[nodiscard]] std::string describe_as_json(const config::ChipFiles& files);

}  // namespace lacuna::cli
