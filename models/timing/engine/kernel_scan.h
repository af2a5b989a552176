// SPDX-License-Identifier: Apache-2.0
//
// What a group sends: the hits of its windows, one after another (docs/reference/engine.md, section
// 6), and what can be counted by them alone. A room of the kernel: see kernel_body.h.

/// offset[i] = i + shift for i in [begin, end); writes up to 15 more.
static LACUNA_INLINE void fill_offsets(const Scan& scan, std::ptrdiff_t begin, std::ptrdiff_t end,
                                       I32 shift) {
  for (std::ptrdiff_t i = begin; i < end; i += kBlock) {
    store_cycles(scan.offset + i, load_lags<V32>(kIota), static_cast<I32>(i) + shift);
  }
}

/// The entries of group `g` in way `q`.
static LACUNA_INLINE void scan_group(const KernelInput& in, KernelOutput& out, Scan& scan, int q,
                                     int g) {
  const std::size_t words = static_cast<std::size_t>(in.window_words);
  const std::size_t windows = static_cast<std::size_t>(in.windows);
  const std::uint64_t* present = in.present + static_cast<std::size_t>(q) * windows * words;
  const std::uint64_t* masks =
      in.block_masks + (static_cast<std::size_t>(q) * static_cast<std::size_t>(in.groups) +
                        static_cast<std::size_t>(g)) *
                           windows * words;
  std::uint16_t* position = scan.position;
  I32 pending = 0;      // empty cycles not yet followed by an entry
  I32 empty_total = 0;  // those that were
  std::uint64_t visited = 0;
  scan.any_empty = false;
  for (std::size_t w = 0; w < windows; ++w) {
    std::uint64_t mask_any = 0;
    std::uint64_t present_any = 0;
    std::uint16_t* const before = position;
    for (std::size_t i = 0; i < words; ++i) {
      const std::uint64_t mask = masks[w * words + i];
      const std::uint64_t row = present[w * words + i];
      mask_any |= mask;
      present_any |= row;
      position = store_hits(position, mask & row, static_cast<std::size_t>(in.base[w]) + 64 * i);
    }
    if (mask_any == 0 || present_any == 0) continue;
    ++visited;
    if (position == before) {
      ++pending;
      continue;
    }
    if (pending != 0) {
      if (!scan.any_empty) fill_offsets(scan, 0, before - scan.position, 1);
      scan.any_empty = true;
      empty_total += pending;
      pending = 0;
    }
    if (scan.any_empty) {
      fill_offsets(scan, before - scan.position, position - scan.position, empty_total + 1);
    }
  }
  scan.with_k = static_cast<int>(position - scan.position);
  scan.entries = scan.with_k;
  if (visited == 0 || pending != 0) {  // the last entry has no k
    if (pending > 1) {
      if (!scan.any_empty) fill_offsets(scan, 0, scan.with_k, 1);
      scan.any_empty = true;
      empty_total += pending - 1;
    }
    if (scan.any_empty) fill_offsets(scan, scan.with_k, scan.with_k + 1, empty_total + 1);
    ++scan.entries;
    out.entries_without_k += 1;
  }
  out.windows_visited += visited;
  out.windows_empty += static_cast<std::uint64_t>(empty_total);
  out.broadcasts += static_cast<std::uint64_t>(scan.entries);
}

/// Of kParts times 32 bytes of masks; kStride: the mask_stride if it is known.
template <int kParts, int kStride>
static LACUNA_INLINE void count_first_writes_of(const KernelInput& in, KernelOutput& out,
                                                Scan& scan, int q, int part) {
  const std::size_t stride =
      kStride != 0 ? std::size_t{kStride} : static_cast<std::size_t>(in.mask_stride);
  const std::uint8_t* column =
      in.masks + static_cast<std::size_t>(part) +
      static_cast<std::size_t>(q) * static_cast<std::size_t>(in.positions) * stride;
  const std::uint8_t* any = in.any_masks + part + static_cast<std::size_t>(q) * stride;
  Bits all[kParts];
  Bits seen[kParts];
  LACUNA_UNROLL for (int c = 0; c < kParts; ++c) {
    all[c] = load_bits(any + 32 * c);
    seen[c] = Bits{};
  }
  const auto add = [&](int i) __attribute__((always_inline)) {
    const std::uint8_t* masks = column + scan.position[i] * stride;
    LACUNA_UNROLL for (int c = 0; c < kParts; ++c) {
      seen[c] = seen[c] | load_bits(masks + 32 * c);
    }
  };
  int i = 0;
  for (; i + 8 <= scan.with_k; i += 8) {
    LACUNA_UNROLL for (int j = 0; j < 8; ++j) add(i + j);
    bool whole = true;
    LACUNA_UNROLL for (int c = 0; c < kParts; ++c) whole = whole && covers(seen[c], all[c]);
    if (!whole) continue;
    if (kStride == 0) break;
    if (scan.all_rows < 0) {  // these are all the masks: the same number in each group
      scan.all_rows = 0;
      LACUNA_UNROLL for (int c = 0; c < kParts; ++c) {
        scan.all_rows += static_cast<I64>(count_bits(all[c]));
      }
    }
    out.first_writes += static_cast<std::uint64_t>(scan.all_rows);
    return;
  }
  if (i + 8 > scan.with_k) {
    for (; i < scan.with_k; ++i) add(i);
  }
  LACUNA_UNROLL for (int c = 0; c < kParts; ++c) out.first_writes += count_bits(seen[c]);
}

/// Rows written for the first time: bits of the OR of the masks. Stops once every row that has
/// weights at all is written.
static LACUNA_INLINE void count_first_writes(const KernelInput& in, KernelOutput& out, Scan& scan,
                                             int q) {
  switch (in.mask_stride) {
    case 32:
      return count_first_writes_of<1, 32>(in, out, scan, q, 0);
    case 64:
      return count_first_writes_of<2, 64>(in, out, scan, q, 0);
    default:
      for (int part = 0; part < in.mask_stride; part += 32) {
        count_first_writes_of<1, 0>(in, out, scan, q, part);
      }
  }
}

/// Slots without a weight.
static LACUNA_INLINE void count_slots(const KernelInput& in, KernelOutput& out, const Scan& scan,
                                      int q) {
  const std::uint32_t* zeros =
      in.zero_pes + static_cast<std::size_t>(q) * static_cast<std::size_t>(in.positions);
  const bool without_k = scan.entries > scan.with_k;
  if (in.skip_none) {
    for (int i = 0; i < scan.with_k; ++i) out.slots += zeros[scan.position[i]];
  } else if (!without_k) {
    out.slots += zeros[scan.position[scan.with_k - 1]];
  }
  if (without_k) out.slots += static_cast<std::uint64_t>(in.pes);
}

/// The group's last entry takes a slot in every PE; what fills up its last block takes none. Both
/// have rows of their own (Tile::counts8), here counted from the first row of `slots`.
static LACUNA_INLINE void end_positions(const KernelInput& in, Scan& scan) {
  const int x = in.positions;
  std::uint16_t& last = scan.position[scan.entries - 1];
  if (scan.entries > scan.with_k) {
    last = static_cast<std::uint16_t>(in.skip_none ? x : 2 * x + 1);
  } else if (!in.skip_none) {
    last = static_cast<std::uint16_t>(last + x + 1);
  }
  const auto none = static_cast<std::uint16_t>(in.skip_none ? x + 1 : x);
  for (int i = 0; i < kBlock; ++i) scan.position[scan.entries + i] = none;
}
