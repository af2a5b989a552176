// SPDX-License-Identifier: Apache-2.0
#include "config/provenance.h"

namespace lacuna::config {

base::SourceLocation Provenance::locate(const std::string& path) const {
  std::string at = path;
  for (;;) {
    const auto known = places_.find(at);
    if (known != places_.end()) return known->second;
    if (at.empty()) return {};
    const std::size_t cut = at.find_last_of(".[");
    at.resize(cut == std::string::npos ? 0 : cut);
  }
}

std::string Provenance::origin(const std::string& path) const {
  const auto known = places_.find(path);
  return known == places_.end() ? "default" : known->second.text();
}

}  // namespace lacuna::config
