// SPDX-License-Identifier: Apache-2.0
#include "config/chip_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace lacuna::config {

namespace {

void report(const std::vector<params::Violation>& found, const std::string& path,
            const Provenance& provenance) {
  Issues issues;
  for (const params::Violation& violation : found) {
    const std::string key =
        violation.keys.empty() ? path : child_path(path, violation.keys.front());
    issues.add(provenance.locate(key), path + ": " + violation.message);
  }
  issues.throw_if_any();
}

/// Names of the .yaml files beside `path`, without the ending, sorted.
std::vector<std::string> names_beside(const std::string& path) {
  std::vector<std::string> names;
  std::error_code ignored;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  for (std::filesystem::directory_iterator at(folder, ignored), end; at != end;
       at.increment(ignored)) {
    if (at->path().extension() == ".yaml") names.push_back(at->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void require_file(const std::string& path, const Provenance& named_by, const std::string& key) {
  try {
    const base::MappedFile readable(path);
  } catch (const base::UserError& error) {
    const std::string stem = std::filesystem::path(path).stem().string();
    throw base::UserError(
        named_by.locate(key),
        fmt::format("{}: {}{}", key, error.what(), base::did_you_mean(stem, names_beside(path))));
  }
}

std::vector<std::string> ChipFiles::files() const {
  std::vector<std::string> all = chip.files;
  all.insert(all.end(), memory.files.begin(), memory.files.end());
  all.insert(all.end(), energy.files.begin(), energy.files.end());
  return all;
}

ChipFiles load_chip(const std::string& path, const LoadOptions& options) {
  ChipFiles files;
  files.chip = load<params::ChipParams>(path, options);
  const params::ChipParams& chip = files.chip.value;
  files.memory =
      load_named<params::MemoryPreset>(chip.dram.preset, files.chip.provenance, "dram.preset");
  report(chip.dram.check_against(files.memory.value), "dram", files.chip.provenance);
  files.effective_memory = chip.dram.applied_to(files.memory.value);
  files.energy =
      load_named<params::EnergyParams>(chip.energy_table, files.chip.provenance, "energy.table");
  return files;
}

void require_rtl_limits(const Loaded<params::ChipParams>& chip) {
  report(chip.value.engine.rtl_limits(), "engine", chip.provenance);
}

}  // namespace lacuna::config
