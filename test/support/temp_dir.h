// SPDX-License-Identifier: Apache-2.0
//
// A fresh folder that disappears with the object.
#pragma once

#include <string>
#include <string_view>

namespace lacuna::test {

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Path of `name` inside; does not create it.
  [[nodiscard]] std::string file(std::string_view name) const;
  /// Writes a file (and the folders in its name) and returns its path.
  std::string write(std::string_view name, std::string_view content) const;
  /// Number of entries directly inside.
  [[nodiscard]] int entries() const;

 private:
  std::string path_;
};

}  // namespace lacuna::test
