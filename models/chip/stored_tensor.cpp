// SPDX-License-Identifier: Apache-2.0
#include "chip/stored_tensor.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "tensor/mask_matrix.h"

namespace lacuna::chip {

std::int64_t count_nonzeros(const std::uint8_t* codes, std::int64_t count) {
  std::int64_t nonzeros = 0;
  for (std::int64_t i = 0; i < count; i += 64) {
    const auto part = static_cast<int>(std::min<std::int64_t>(64, count - i));
    nonzeros += base::popcount(tensor::nonzero_bits(codes + i, part));
  }
  return nonzeros;
}

namespace {

std::int64_t slot_traffic(const mapper::SlotLayout& layout, const std::uint8_t* codes,
                          std::int64_t count) {
  if (codes == nullptr) return layout.slot_traffic(count);
  if (layout.is_bitmask()) return layout.slot_traffic(count_nonzeros(codes, count));
  return layout.slot_traffic({codes, static_cast<std::size_t>(count)});
}

/// Ends of the slots that channels [begin, end) touch, counted from `begin`; the last is `end`.
std::vector<std::int64_t> slot_ends(const mapper::SlotLayout& layout, std::int64_t begin,
                                    std::int64_t end) {
  std::vector<std::int64_t> ends;
  ends.reserve(static_cast<std::size_t>(layout.slot_of(end - 1) - layout.slot_of(begin) + 1));
  for (std::int64_t channel = begin; channel < end;) {
    channel = std::min(layout.slot_end(channel), end);
    ends.push_back(channel - begin);
  }
  return ends;
}

}  // namespace

StoredTensor::StoredTensor(const mapper::SlotLayout& layout, std::int64_t tokens)
    : layout_(&layout), tokens_(tokens), missing_(tokens * layout.channels) {}

bool StoredTensor::store(std::int64_t codes, base::Cycle now, std::span<const std::uint8_t> all) {
  LACUNA_CHECK(codes <= missing_, "{} codes are stored where {} are missing", codes, missing_);
  missing_ -= codes;
  if (missing_ > 0) return false;
  since_ = now;
  measure(all);
  return true;
}

void StoredTensor::expect_pieces(std::span<const std::uint8_t> all) {
  token_since_.assign(static_cast<std::size_t>(tokens_), -1);
  measure(all);
}

void StoredTensor::present(base::Cycle now) {
  missing_ = 0;
  since_ = now;
}

void StoredTensor::arrive(std::int64_t begin, std::int64_t end, base::Cycle now) {
  for (std::int64_t token = begin; token < end; ++token) {
    base::Cycle& since = token_since_[static_cast<std::size_t>(token)];
    LACUNA_CHECK(since < 0, "token {} arrives twice", token);
    since = now;
    missing_ -= layout_->channels;
  }
  since_ = now;  // counts once all is there
}

base::Cycle StoredTensor::since(std::int64_t begin, std::int64_t end) const {
  if (token_since_.empty()) return since_;
  if (begin == 0 && end == tokens_) return complete() ? since_ : -1;
  base::Cycle latest = 0;
  for (std::int64_t token = begin; token < end; ++token) {
    const base::Cycle since = token_since_[static_cast<std::size_t>(token)];
    if (since < 0) return -1;
    latest = std::max(latest, since);
  }
  return latest;
}

void StoredTensor::measure(std::span<const std::uint8_t> all) {
  slots_ = layout_->slots();
  LACUNA_CHECK(all.empty() ? layout_->is_bitmask()
                           : static_cast<std::int64_t>(all.size()) == tokens_ * layout_->channels,
               "a tensor of {} codes has {} bytes", tokens_ * layout_->channels, all.size());
  slot_bytes_ = layout_->slot_bytes();
  const std::vector<std::int64_t> ends = slot_ends(*layout_, 0, layout_->channels);
  LACUNA_CHECK(static_cast<std::int64_t>(ends.size()) == slots_,
               "a token has {} slots, {} expected", ends.size(), slots_);
  prefix_.resize(static_cast<std::size_t>(tokens_ * (slots_ + 1)));
  std::int32_t* prefix = prefix_.data();
  for (std::int64_t token = 0; token < tokens_; ++token) {
    const std::uint8_t* row = all.empty() ? nullptr : all.data() + token * layout_->channels;
    std::int32_t sum = 0;
    std::int64_t channel = 0;
    *prefix++ = 0;
    for (const std::int64_t end : ends) {
      sum += static_cast<std::int32_t>(
          slot_traffic(*layout_, row == nullptr ? nullptr : row + channel, end - channel));
      *prefix++ = sum;
      channel = end;
    }
  }
}

std::int64_t StoredTensor::traffic(std::int64_t token, std::int64_t begin, std::int64_t end) const {
  LACUNA_CHECK(token < tokens_ && available(token), "token {} is read before it is stored", token);
  const std::int64_t first = layout_->slot_of(begin);
  const std::int64_t last = layout_->slot_of(end - 1) + 1;
  const std::int32_t* prefix = prefix_.data() + token * (slots_ + 1);
  const std::int64_t whole = base::round_up((last - first) * slot_bytes_, mapper::kAccessBytes);
  return std::min<std::int64_t>(prefix[last] - prefix[first], whole);
}

WrittenSlots::WrittenSlots(const mapper::SlotLayout& layout, std::int64_t begin, std::int64_t end)
    : layout_(&layout), ends_(slot_ends(layout, begin, end)) {
  whole_ = base::round_up(static_cast<std::int64_t>(ends_.size()) * layout.slot_bytes(),
                          mapper::kAccessBytes);
}

std::int64_t WrittenSlots::traffic(std::span<const std::uint8_t> codes) const {
  std::int64_t bytes = 0;
  std::int64_t channel = 0;
  for (const std::int64_t end : ends_) {
    bytes +=
        slot_traffic(*layout_, codes.empty() ? nullptr : codes.data() + channel, end - channel);
    channel = end;
  }
  return std::min(bytes, whole_);
}

}  // namespace lacuna::chip
