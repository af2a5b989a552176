// SPDX-License-Identifier: Apache-2.0
#include "config/values.h"

#include <cctype>

namespace lacuna::config {

std::string quote(const std::string& text) {
  const auto plain_letter = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' ||
           letter == '/' || letter == '.';
  };
  bool plain = !text.empty() && text != "null" && plain_letter(text.front());
  for (const char letter : text) plain = plain && (plain_letter(letter) || letter == '-');
  // "---" and "..." mark documents.
  if (plain && text != "...") return text;
  std::string result = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += letter;
    }
  }
  return result + "\"";
}

namespace detail {

std::string format_path(const std::string& path, const std::string& target_file) {
  if (target_file.empty() || path.empty()) return path;
  const std::filesystem::path from = std::filesystem::absolute(target_file).lexically_normal();
  const std::filesystem::path to = std::filesystem::absolute(path).lexically_normal();
  return to.lexically_relative(from.parent_path()).string();
}

}  // namespace detail

}  // namespace lacuna::config
