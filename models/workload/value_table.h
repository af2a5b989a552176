// SPDX-License-Identifier: Apache-2.0
//
// The values of a graph under construction and their names. Internal to build_graph().
#pragma once

#include <map>
#include <string>

#include "workload/operand_loader.h"

namespace lacuna::workload {

class ValueTable {
 public:
  ValueTable(const params::WorkloadParams& params, Graph& graph, const OperandLoader& loader)
      : params_(params), graph_(graph), loader_(loader) {}

  /// Appends a value and returns its id; `storage` becomes the value itself unless it is set. `key`
  /// is where the value's shape is said.
  int add(Value value, const std::string& key);
  /// Makes a value known by a name, which must be new.
  void claim(const std::string& key, const std::string& name, int id);
  /// The value that an input or an earlier layer of that name has.
  [[nodiscard]] int find(const std::string& key, const std::string& name) const;

 private:
  const params::WorkloadParams& params_;
  Graph& graph_;
  const OperandLoader& loader_;
  std::map<std::string, int> names_;
};

}  // namespace lacuna::workload
