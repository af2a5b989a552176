// SPDX-License-Identifier: Apache-2.0
//
// What each bank wants next, per direction: a column command for a waiting row hit, an ACT, or a
// PRE. Kept up to date when a bank's queue or row changes, so that choosing the next command is a
// scan over set bits and three loads each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "timing/dram/wish_scan.h"

namespace lacuna::timing::dram {

class Wishes {
 public:
  enum Kind : std::size_t { kColumn = 0, kActivate = 1, kPrecharge = 2, kNothing = 3 };
  static constexpr std::size_t kKinds = 4;
  /// A tag is the age of the request above the number of its bank: tags compare like ages.
  static constexpr int kBankBits = 9;

  explicit Wishes(int banks)
      : counts_{0, 0, 0, banks},
        position_(static_cast<std::size_t>(banks)),
        kind_(static_cast<std::size_t>(banks), kNothing) {
    for (auto& mask : masks_) mask.resize((static_cast<std::size_t>(banks) + 63) / 64);
    for (auto& tags : tags_) tags.resize(static_cast<std::size_t>(banks), kNoWish);
  }

  void set(int bank, Kind kind, int position, std::uint64_t order) {
    const auto at = static_cast<std::size_t>(bank);
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    if (kind_[at] != kind) {
      masks_[kind_[at]][at / 64] &= ~bit;
      masks_[kind][at / 64] |= bit;
      --counts_[kind_[at]];
      ++counts_[kind];
      tags_[kind_[at]][at] = kNoWish;
      kind_[at] = kind;
    }
    position_[at] = position;
    tags_[kind][at] = tag_of(bank, order);
  }

  /// Whether any bank has this wish.
  [[nodiscard]] bool any(Kind kind) const { return counts_[kind] > 0; }
  /// Bit b of word w: bank 64 w + b has this wish.
  [[nodiscard]] const std::vector<std::uint64_t>& banks(Kind kind) const { return masks_[kind]; }
  [[nodiscard]] Kind kind(int bank) const { return kind_[static_cast<std::size_t>(bank)]; }
  /// The request that the wish serves: its place in the bank's queue, and its age.
  [[nodiscard]] int position(int bank) const { return position_[static_cast<std::size_t>(bank)]; }
  /// 39 bits of it: half a million million requests of a channel.
  [[nodiscard]] std::uint64_t order(int bank) const { return tag(bank) >> kBankBits; }
  [[nodiscard]] std::uint64_t tag(int bank) const {
    return tags_[kind(bank)][static_cast<std::size_t>(bank)];
  }
  /// By bank: the tag of those with this wish, of others kNoWish.
  [[nodiscard]] const std::vector<std::uint64_t>& tags(Kind kind) const { return tags_[kind]; }
  [[nodiscard]] static std::uint64_t tag_of(int bank, std::uint64_t order) {
    return (order << kBankBits | static_cast<std::uint64_t>(bank)) & kTagMask;
  }
  /// From a tag, or a number with a tag in its low bits.
  [[nodiscard]] static int bank_of(std::uint64_t tag) {
    return static_cast<int>(tag & ((1U << kBankBits) - 1));
  }

 private:
  static constexpr std::uint64_t kTagMask = (std::uint64_t{1} << kTagBits) - 1;

  std::array<std::vector<std::uint64_t>, kKinds> masks_;
  std::array<int, kKinds> counts_;
  std::array<std::vector<std::uint64_t>, kKinds> tags_;
  std::vector<int> position_;
  std::vector<Kind> kind_;
};

}  // namespace lacuna::timing::dram
