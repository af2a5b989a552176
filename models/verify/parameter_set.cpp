// SPDX-License-Identifier: Apache-2.0
#include "verify/parameter_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "config/loader.h"
#include "timing/engine/capacity.h"

namespace lacuna::verify {

namespace fs = std::filesystem;

std::vector<params::Violation> ParameterSet::validate() const {
  std::vector<params::Violation> found;
  for (const params::Violation& limit : engine.rtl_limits()) {
    params::Violation below{{}, limit.message};
    for (const std::string& key : limit.keys) below.keys.push_back("engine." + key);
    found.push_back(std::move(below));
  }
  if (!found.empty() || !engine.validate().empty()) return found;
  const auto require = [&](std::int64_t needed, std::int64_t there, const char* key,
                           const char* what) {
    if (needed <= there) return;
    found.push_back({{std::string("engine.") + key},
                     fmt::format("{} ({} B) must hold {}: {} B", key, there, what, needed)});
  };
  require(timing::engine::pe_weight_bytes(engine, 1, engine.rows_per_pe, engine.rows_per_pe) *
              engine.pes * engine.k_ways,
          engine.weight_buffer, "weight_buffer", "one position of all rows");
  require(std::int64_t{engine.lanes} * engine.k_ways, engine.activation_buffer, "activation_buffer",
          "one value per way");
  require(timing::engine::psum_bytes(engine, engine.rows_per_pe, 1), engine.psum_buffer,
          "psum_buffer", "one group of all channels");
  require(timing::engine::output_bytes(engine, engine.lanes, engine.max_channels()),
          engine.output_buffer, "output_buffer", "one group of all channels");
  return found;
}

std::string set_folder(const std::string& home) { return home + "/configs/verify"; }

std::vector<std::string> set_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".yaml" || at->path().stem() == "base") continue;
    names.push_back(at->path().stem().string());
  }
  if (names.empty()) {
    throw base::UserError(fmt::format("{}: no parameter sets there{}", base::printable(folder),
                                      error ? " (" + error.message() + ")" : std::string()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

NamedSet load_set(const std::string& folder, const std::string& name) {
  std::string file = name;
  if (!name.ends_with(".yaml")) {
    const std::vector<std::string> names = set_names(folder);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw base::UserError(fmt::format("no parameter set '{}'{}; there are {}",
                                        base::printable(name), base::did_you_mean(name, names),
                                        base::join(names, ", ")));
    }
    file = folder + "/" + name + ".yaml";
  }
  return {fs::path(file).stem().string(), file, name, config::load<ParameterSet>(file).value};
}

}  // namespace lacuna::verify
