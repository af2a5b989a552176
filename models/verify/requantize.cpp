// SPDX-License-Identifier: Apache-2.0
#include "verify/requantize.h"

#include <array>
#include <limits>

namespace lacuna::verify {

namespace {

constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kHighest = std::numeric_limits<std::int32_t>::max();

std::int32_t anything(base::Rng& rng) {
  return static_cast<std::int32_t>(rng.range(kLowest, kHighest));
}

/// Powers of two with either sign, their neighbours, and the ends of the range.
std::int32_t corner(base::Rng& rng) {
  switch (rng.below(6)) {
    case 0:
      return kLowest;
    case 1:
      return kHighest;
    case 2:
      return static_cast<std::int32_t>(rng.range(-2, 2));
    default:
      break;
  }
  const std::int64_t power = std::int64_t{1} << rng.below(31);
  const std::int64_t value = power + rng.range(-1, 1);
  return static_cast<std::int32_t>(rng.bernoulli(0.5) ? value : -value);
}

}  // namespace

PostKind draw_post_kind(base::Rng& rng) {
  const double choice = rng.uniform();
  if (choice < 0.6) return PostKind::kUsual;
  if (choice < 0.7) return PostKind::kAnything;
  return choice < 0.85 ? PostKind::kCorners : PostKind::kTies;
}

std::string_view post_kind_name(PostKind kind) {
  switch (kind) {
    case PostKind::kUsual:
      return "usual";
    case PostKind::kAnything:
      return "anything";
    case PostKind::kCorners:
      return "corners";
    case PostKind::kTies:
      return "ties";
  }
  return "?";
}

PostVectors draw_post(base::Rng& rng, PostKind kind, int channels) {
  constexpr std::array<std::uint8_t, 8> kCornerShifts{1, 2, 31, 32, 33, 47, 61, 62};
  PostVectors post;
  for (int n = 0; n < channels; ++n) {
    switch (kind) {
      case PostKind::kUsual:
        post.bias.push_back(static_cast<std::int32_t>(rng.range(-5000, 5000)));
        post.multiplier.push_back(static_cast<std::int32_t>(rng.range(-20000, 60000)));
        post.shift.push_back(static_cast<std::uint8_t>(rng.range(14, 24)));
        break;
      case PostKind::kAnything:
        post.bias.push_back(anything(rng));
        post.multiplier.push_back(anything(rng));
        post.shift.push_back(static_cast<std::uint8_t>(rng.range(1, 62)));
        break;
      case PostKind::kCorners:
        post.bias.push_back(corner(rng));
        post.multiplier.push_back(corner(rng));
        post.shift.push_back(kCornerShifts[rng.below(kCornerShifts.size())]);
        break;
      case PostKind::kTies:
        // Small multiples of a power of two just above what the shift removes: halves are frequent.
        post.bias.push_back(static_cast<std::int32_t>(rng.range(-300, 300)));
        post.multiplier.push_back(static_cast<std::int32_t>(rng.range(-3, 3)));
        post.shift.push_back(static_cast<std::uint8_t>(rng.range(1, 6)));
        break;
    }
  }
  return post;
}

void draw_clamp(base::Rng& rng, timing::engine::PassCommand& command) {
  const double choice = rng.uniform();
  if (choice < 0.35) {
    command.clamp_lo = 0;
    command.clamp_hi = 255;
  } else if (choice < 0.65) {
    command.clamp_lo = -128;
    command.clamp_hi = 127;
  } else if (choice < 0.95) {
    command.clamp_lo = static_cast<int>(rng.range(-128, 255));
    command.clamp_hi = static_cast<int>(rng.range(command.clamp_lo, 255));
  } else {
    command.clamp_lo = command.clamp_hi = static_cast<int>(rng.range(-128, 255));
  }
  const double gate = rng.uniform();
  if (gate < 0.4) {
    command.gate = 0;
  } else if (gate < 0.8) {
    command.gate = static_cast<int>(rng.range(1, 40));
  } else {
    constexpr std::array<int, 4> kCorners{126, 127, 128, 255};
    command.gate = kCorners[rng.below(kCorners.size())];
  }
}

std::int32_t draw_sum(base::Rng& rng, std::int32_t usual) {
  const std::uint64_t choice = rng.below(20);
  if (choice == 0) return anything(rng);
  if (choice == 1) return corner(rng);
  return static_cast<std::int32_t>(rng.range(-usual, usual));
}

}  // namespace lacuna::verify
