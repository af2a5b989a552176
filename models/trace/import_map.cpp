// SPDX-License-Identifier: Apache-2.0
#include "trace/import_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace lacuna::trace {

namespace {

/// A pattern in pieces: texts and names of {word}, in turn, beginning and ending with a text.
struct Pattern {
  std::vector<std::string> texts{""};
  std::vector<std::string> words;
  std::string problem;  ///< why it is no pattern, or empty
};

Pattern parse_pattern(std::string_view text) {
  Pattern pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') {
      pattern.problem = "has a '}' without '{'";
      return pattern;
    }
    if (text[i] != '{') {
      pattern.texts.back() += text[i];
      continue;
    }
    const std::size_t end = text.find('}', i);
    const std::string word(text.substr(i + 1, end == std::string_view::npos ? end : end - i - 1));
    const bool is_word = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
    if (end == std::string_view::npos || !is_word) {
      pattern.problem = "needs a word and '}' after '{'";
      return pattern;
    }
    pattern.words.push_back(word);
    pattern.texts.emplace_back();
    i = end;
  }
  return pattern;
}

using Numbers = std::map<std::string, std::string>;

/// Whether `name` from `at` on matches piece `piece` and all after it.
bool match(const Pattern& pattern, std::string_view name, std::size_t piece, Numbers& numbers) {
  const std::string& text = pattern.texts[piece];
  if (!name.starts_with(text)) return false;
  name.remove_prefix(text.size());
  if (piece == pattern.words.size()) return name.empty();
  std::size_t digits = 0;
  while (digits < name.size() && std::isdigit(static_cast<unsigned char>(name[digits])) != 0) {
    ++digits;
  }
  const std::string& word = pattern.words[piece];
  const auto known = numbers.find(word);
  for (; digits > 0; --digits) {  // longest first
    const std::string number(name.substr(0, digits));
    if (known != numbers.end() && known->second != number) continue;
    Numbers trial = numbers;
    trial[word] = number;
    if (match(pattern, name.substr(digits), piece + 1, trial)) {
      numbers = trial;
      return true;
    }
  }
  return false;
}

std::string fill(const Pattern& pattern, const Numbers& numbers) {
  std::string text = pattern.texts[0];
  for (std::size_t i = 0; i < pattern.words.size(); ++i) {
    text += numbers.at(pattern.words[i]) + pattern.texts[i + 1];
  }
  return text;
}

MapEntry entry_of(const std::variant<std::string, MapEntry>& value) {
  if (const auto* name = std::get_if<std::string>(&value)) {
    MapEntry entry;
    entry.name = *name;
    return entry;
  }
  return std::get<MapEntry>(value);
}

}  // namespace

std::vector<params::Violation> MapEntry::validate() const {
  if (rows && (rows->size() != 2 || (*rows)[0] >= (*rows)[1])) {
    return {{{"rows"}, "'rows' must be [first, end) with first < end"}};
  }
  return {};
}

std::vector<params::Violation> ImportMap::validate() const {
  std::vector<params::Violation> found;
  if (schema != kMapSchema) {
    found.push_back(
        {{"schema"},
         fmt::format("schema '{}' is not known; this version reads '{}'", schema, kMapSchema)});
  }
  if (layers.empty()) found.push_back({{"layers"}, "the map names no layer"});
  for (const auto& [key, value] : layers) {
    const Pattern pattern = parse_pattern(key);
    const Pattern target = parse_pattern(entry_of(value).name);
    const std::string where = "layers." + key;
    if (!pattern.problem.empty()) {
      found.push_back({{where}, fmt::format("the key '{}' {}", key, pattern.problem)});
      continue;
    }
    if (!target.problem.empty()) {
      found.push_back(
          {{where}, fmt::format("the name '{}' {}", entry_of(value).name, target.problem)});
      continue;
    }
    for (const std::string& word : target.words) {
      if (std::find(pattern.words.begin(), pattern.words.end(), word) == pattern.words.end()) {
        found.push_back({{where},
                         fmt::format("the name '{}' uses {{{}}}, which the key '{}' does "
                                     "not have",
                                     entry_of(value).name, word, key)});
      }
    }
  }
  return found;
}

std::optional<FoundEntry> find_entry(const ImportMap& map, std::string_view layer) {
  std::optional<FoundEntry> best;
  std::size_t best_words = 0;
  for (const auto& [key, value] : map.layers) {
    const Pattern pattern = parse_pattern(key);
    Numbers numbers;
    if (!match(pattern, layer, 0, numbers)) continue;
    if (best && best_words <= pattern.words.size()) continue;
    best = FoundEntry{entry_of(value), key};
    best->entry.name = fill(parse_pattern(best->entry.name), numbers);
    best_words = pattern.words.size();
  }
  return best;
}

}  // namespace lacuna::trace
