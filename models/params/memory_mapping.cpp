// SPDX-License-Identifier: Apache-2.0
#include "params/memory_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>

#include "base/text.h"

namespace lacuna::params {
namespace {

constexpr std::array<std::string_view, kMemoryFields> kFieldNames = {
    "column", "bank", "bank_group", "rank", "pseudo_channel", "channel", "row"};

struct NamedMapping {
  std::string_view name;
  std::string_view fields;
};
// Low bits of bank group, pseudo-channel and channel everywhere: a stream then alternates between
// bank groups (tCCD_L never shows) and loads all channels alike.
constexpr std::array<NamedMapping, 3> kNamed = {{
    {"row_bank_column", "row rank bank column pseudo_channel bank_group channel column:1"},
    {"bank_row_column", "rank bank row column pseudo_channel bank_group channel column:1"},
    {"row_column_bank", "row column rank bank pseudo_channel bank_group channel column:1"},
}};

struct Token {
  MemoryField field = MemoryField::kRow;
  int bits = -1;  // -1: what remains
  bool with_row = false;
};

int log2_of(std::int64_t value) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value))) - 1;
}

std::array<int, kMemoryFields> field_bits(const MemoryOrganization& organization, int channels) {
  std::array<int, kMemoryFields> bits{};
  const auto set = [&](MemoryField field, std::int64_t count) {
    bits[static_cast<std::size_t>(field)] = log2_of(std::max<std::int64_t>(count, 1));
  };
  set(MemoryField::kColumn, organization.bursts_per_row());
  set(MemoryField::kBank, organization.banks);
  set(MemoryField::kBankGroup, organization.bank_groups);
  set(MemoryField::kRank, organization.ranks);
  set(MemoryField::kPseudoChannel, organization.pseudo_channels);
  set(MemoryField::kChannel, channels);
  set(MemoryField::kRow, organization.rows);
  return bits;
}

// One word of the mapping; false and an error if it is none.
bool parse_token(std::string_view word, Token& token, std::string& error) {
  const std::string_view whole = word;
  if (word.ends_with("^row")) {
    token.with_row = true;
    word.remove_suffix(4);
  }
  const std::size_t colon = word.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view number = word.substr(colon + 1);
    const auto [end, problem] =
        std::from_chars(number.data(), number.data() + number.size(), token.bits);
    if (problem != std::errc() || end != number.data() + number.size() || token.bits < 0 ||
        token.bits > 40) {
      error = fmt::format("'{}': the number of bits must be 0 to 40", base::printable(whole));
      return false;
    }
    word = word.substr(0, colon);
  }
  const auto found = std::find(kFieldNames.begin(), kFieldNames.end(), word);
  if (found == kFieldNames.end()) {
    const std::vector<std::string> known(kFieldNames.begin(), kFieldNames.end());
    error = fmt::format("'{}' is not an address field{}; the fields are {}", base::printable(word),
                        base::did_you_mean(word, known), base::list_in_words(known, "and"));
    return false;
  }
  token.field = static_cast<MemoryField>(found - kFieldNames.begin());
  if (token.with_row && (token.field == MemoryField::kRow || token.field == MemoryField::kColumn)) {
    error = fmt::format("'{}': only channels, ranks and banks can be combined with '^row'", whole);
    return false;
  }
  return true;
}

}  // namespace

MemoryMapping parse_memory_mapping(std::string_view text, const MemoryOrganization& organization,
                                   int channels) {
  MemoryMapping mapping;
  for (const NamedMapping& named : kNamed) {
    if (text == named.name) text = named.fields;
  }
  std::vector<Token> tokens;  // least significant first
  for (const std::string& word : base::split(text, ' ')) {
    if (word.empty()) continue;
    Token token;
    if (!parse_token(word, token, mapping.error)) return mapping;
    tokens.push_back(token);
  }
  if (tokens.size() > 64) {
    mapping.error = "a mapping has at most 64 fields";
    return mapping;
  }
  std::reverse(tokens.begin(), tokens.end());

  // Fields without a width take what the others leave.
  std::array<int, kMemoryFields> left = field_bits(organization, channels);
  std::array<int, kMemoryFields> open{};
  std::array<int, kMemoryFields> seen{};
  for (const Token& token : tokens) {
    const auto field = static_cast<std::size_t>(token.field);
    ++seen[field];
    if (token.bits < 0) {
      ++open[field];
    } else {
      left[field] -= token.bits;
    }
  }
  for (std::size_t field = 0; field < kMemoryFields; ++field) {
    // A channel field with more bits than there are channels is cut, so that one mapping serves
    // chips of any number of channels.
    const bool is_channel = field == static_cast<std::size_t>(MemoryField::kChannel);
    if (open[field] > 1) {
      mapping.error = fmt::format("'{}' stands twice without ':bits'", kFieldNames[field]);
    } else if (left[field] < 0 && !is_channel) {
      mapping.error = fmt::format("'{}' has {} bits too many", kFieldNames[field], -left[field]);
    } else if (left[field] > 0 && open[field] == 0) {
      mapping.error = fmt::format("{} bits of '{}' are missing", left[field], kFieldNames[field]);
    }
    if (!mapping.error.empty()) return mapping;
  }

  std::array<int, kMemoryFields> placed{};
  const std::array<int, kMemoryFields> total = field_bits(organization, channels);
  int next_row_bit = 0;
  for (const Token& token : tokens) {
    const auto field = static_cast<std::size_t>(token.field);
    int bits = token.bits < 0 ? std::max(left[field], 0) : token.bits;
    bits = std::min(bits, total[field] - placed[field]);
    if (bits == 0) continue;
    MappingSlice slice{token.field, mapping.address_bits, placed[field], bits, -1};
    if (token.with_row) {
      slice.row_bit = next_row_bit;
      next_row_bit += bits;
    }
    placed[field] += bits;
    mapping.address_bits += bits;
    mapping.slices.push_back(slice);
  }
  if (next_row_bit > total[static_cast<std::size_t>(MemoryField::kRow)]) {
    mapping.error = "'^row' asks for more row bits than there are";
  }
  return mapping;
}

}  // namespace lacuna::params
