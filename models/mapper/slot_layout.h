// SPDX-License-Identifier: Apache-2.0
//
// How a token (pixel) of activations is stored: units of channels that one producer writes, each
// cut into slots of act_block channels, or of the unit if it is smaller. A slot has a fixed size,
// the worst case of its form (compress.activations; of a bitmask: mask and room for all codes), so
// compression saves traffic and not capacity. The units are
// the n tiles of the layer that makes the tensor (docs/reference/engine.md: a mask word ends with
// the tile), so that two cores never write the same slot. A token begins on a 32-byte boundary.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/cycles.h"
#include "encoding/encoding.h"
#include "params/compress_params.h"

namespace lacuna::mapper {

inline constexpr std::int64_t kAccessBytes = 32;  ///< traffic of a slot is rounded up to this

struct SlotLayout {
  std::int64_t channels = 1;       ///< of a token
  std::int64_t head_channels = 1;  ///< channels = heads * head_channels; units start anew in each
  std::int64_t unit_channels = 1;  ///< of all units of a head but the last
  std::int64_t act_block = 64;
  params::CompressParams compress = {};  ///< the form of a slot

  /// Channels of a slot, but for the last one of a unit.
  [[nodiscard]] std::int64_t slot_channels() const { return std::min(act_block, unit_channels); }
  [[nodiscard]] std::int64_t slots_per_unit() const {
    return base::ceil_div(unit_channels, slot_channels());
  }
  [[nodiscard]] std::int64_t slots_per_head() const {
    const std::int64_t whole = head_channels / unit_channels;
    return whole * slots_per_unit() +
           base::ceil_div(head_channels % unit_channels, slot_channels());
  }
  [[nodiscard]] std::int64_t slots() const { return channels / head_channels * slots_per_head(); }
  [[nodiscard]] std::int64_t slot_of(std::int64_t channel) const {
    const std::int64_t in_head = channel % head_channels;
    return channel / head_channels * slots_per_head() + in_head / unit_channels * slots_per_unit() +
           in_head % unit_channels / slot_channels();
  }
  /// Channel after the last one of the slot that holds `channel`.
  [[nodiscard]] std::int64_t slot_end(std::int64_t channel) const {
    const std::int64_t head_begin = channel / head_channels * head_channels;
    const std::int64_t in_head = channel - head_begin;
    const std::int64_t unit_begin = in_head / unit_channels * unit_channels;
    const std::int64_t block_begin =
        unit_begin + (in_head - unit_begin) / slot_channels() * slot_channels();
    return head_begin +
           std::min({block_begin + slot_channels(), unit_begin + unit_channels, head_channels});
  }
  [[nodiscard]] std::int64_t mask_bytes() const {
    return base::ceil_div<std::int64_t>(slot_channels(), 8);
  }
  /// Room of a slot: for bitmask the mask and all codes.
  [[nodiscard]] std::int64_t slot_bytes() const {
    return encoding::worst_bytes(slot_channels(), compress, compress.activations);
  }
  [[nodiscard]] std::int64_t token_bytes() const {
    return base::round_up(slots() * slot_bytes(), kAccessBytes);
  }
  [[nodiscard]] bool is_bitmask() const {
    return compress.activations == params::ActivationFormat::kBitmask;
  }
  /// Bytes that move when a slot with these codes is read or written, if it is not a bitmask ...
  [[nodiscard]] std::int64_t slot_traffic(std::span<const std::uint8_t> codes) const {
    return base::round_up(
        encoding::choose(encoding::line_of(codes), compress, compress.activations).bytes,
        kAccessBytes);
  }
  /// ... and if it is one with this many non-zero codes.
  [[nodiscard]] std::int64_t slot_traffic(std::int64_t nonzeros) const {
    return base::round_up(mask_bytes() + nonzeros, kAccessBytes);
  }
  friend bool operator==(const SlotLayout&, const SlotLayout&) = default;
};

}  // namespace lacuna::mapper
