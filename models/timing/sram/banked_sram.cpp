// SPDX-License-Identifier: Apache-2.0
#include "timing/sram/banked_sram.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace lacuna::timing::sram {

BankedSram::BankedSram(const params::SramParams& params)
    : capacity_(params.capacity),
      width_(params.width),
      width_shift_(std::countr_zero(static_cast<unsigned>(params.width))),
      latency_(params.latency),
      bank_mask_(static_cast<std::uint64_t>(params.banks) - 1),
      ports_(static_cast<std::size_t>(params.bank_ports)),
      free_at_(static_cast<std::size_t>(params.banks) * ports_, 0) {
  LACUNA_CHECK(base::is_power_of_two(params.banks) && base::is_power_of_two(params.width));
}

Cycle* BankedSram::first_free(std::uint64_t lane) {
  Cycle* begin = free_at_.data() + lane * ports_;
  return std::min_element(begin, begin + ports_);
}

Cycle BankedSram::reserve(std::uint64_t address, std::int64_t words, bool is_write,
                          Cycle earliest) {
  LACUNA_CHECK(words > 0, "SRAM burst at cycle {}", earliest);
  const std::uint64_t bank = (address >> width_shift_) & bank_mask_;
  // One cycle later means one lane on; after `banks` cycles the lanes repeat, so the loop ends with
  // the lane that becomes free first of all at the latest.
  const auto lane_of = [&](Cycle start) {
    return (bank - static_cast<std::uint64_t>(start)) & bank_mask_;
  };
  Cycle start = earliest;
  Cycle best = 0;
  bool found = false;
  for (Cycle offset = 0; offset <= static_cast<Cycle>(bank_mask_); ++offset) {
    const Cycle free = *first_free(lane_of(earliest + offset));
    if (free <= earliest + offset) {
      start = earliest + offset;
      found = true;
      break;
    }
    // This lane comes round again every `banks` cycles.
    const Cycle rounds =
        base::ceil_div<Cycle>(free - earliest - offset, static_cast<Cycle>(bank_mask_) + 1);
    const Cycle again = earliest + offset + rounds * (static_cast<Cycle>(bank_mask_) + 1);
    if (offset == 0 || again < best) best = again;
  }
  if (!found) start = best;

  *first_free(lane_of(start)) = start + words;
  ++stats_.bursts;
  (is_write ? stats_.write_words : stats_.read_words) += words;
  if (start > earliest) {
    ++stats_.conflicts;
    stats_.conflict_cycles += start - earliest;
  }
  return start;
}

}  // namespace lacuna::timing::sram
