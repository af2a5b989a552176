// SPDX-License-Identifier: Apache-2.0
#include "workload/value_table.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::workload {

using tensor::shape_text;

int ValueTable::add(Value value, const std::string& key) {
  std::int64_t elements = 1;
  for (const std::int64_t dimension : value.shape) {
    if (elements > tensor::kMaxMatrixBytes / dimension) {
      loader_.fail(key,
                   fmt::format("'{}' of shape {} has more than the {} elements that are supported",
                               value.name, shape_text(value.shape), tensor::kMaxMatrixBytes));
    }
    elements *= dimension;
  }
  const int id = static_cast<int>(graph_.values.size());
  if (value.storage == kNoValue) value.storage = id;
  graph_.values.push_back(std::move(value));
  return id;
}

void ValueTable::claim(const std::string& key, const std::string& name, int id) {
  if (!names_.emplace(name, id).second) {
    loader_.fail(key, fmt::format("the name '{}' is used twice", name));
  }
}

int ValueTable::find(const std::string& key, const std::string& name) const {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  for (const params::LayerParams& layer : params_.layers) {
    if (layer.name == name) {
      loader_.fail(key,
                   fmt::format("layer '{}' stands later in the file; layers can only read inputs "
                               "and earlier layers",
                               name));
    }
  }
  std::vector<std::string> known;
  for (const auto& [known_name, id] : names_) known.push_back(known_name);
  loader_.fail(key, fmt::format("there is no input or layer '{}'{}", base::printable(name),
                                base::did_you_mean(name, known)));
}

}  // namespace lacuna::workload
