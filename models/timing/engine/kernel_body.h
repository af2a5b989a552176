// SPDX-License-Identifier: Apache-2.0
//
// The recurrence of docs/reference/engine.md (section 7) for 16 PEs at a time. Included once per
// instruction set, inside the namespace of that instruction set; nothing here may be shared between
// translation units, and no inline function of the standard library may be called.
//
// Form. Per PE two states suffice: `leave`, the first cycle in which the mask stage may take the
// next entry (S of an entry that the MAC stage took, M + 1 of a dropped one), and `free`, the end
// of the MAC stage's slots. With the bank of a group folded into `free` at the group's first entry:
//
//   M = max(I + L_issue, leave)      S = max(M + L_mask, free)
//   leave' = needs ? S : M + 1       free' = needs ? S + n : free
//
// State is kept as lag, relative to the way's last issue, in 16 bits (32 where those do not
// suffice). A block of min(D, 16) entries is computed at once: their room terms concern entries
// before the block, so all their issue cycles follow from a prefix maximum; then the PEs, 16 at a
// time, run through the block with their state in registers.
//
// Gap attribution: of b and e only sums since a PE's previous taken entry are needed, and every PE
// takes the last entry of a group; so the sums are kept relative to the group's start.
//
// Ranges are checked after every block; sums of b per group. The caller then falls back.

using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;

typedef I16 V16 __attribute__((vector_size(32)));
typedef I32 V32 __attribute__((vector_size(64)));
typedef std::uint8_t V8u __attribute__((vector_size(16)));
typedef std::uint16_t V16u __attribute__((vector_size(32)));
typedef std::uint8_t V8half __attribute__((vector_size(8)));
typedef std::uint16_t V16uhalf __attribute__((vector_size(16)));
typedef std::uint64_t V64 __attribute__((vector_size(32)));

#define LACUNA_INLINE __attribute__((always_inline)) inline

constexpr int kBlock = 16;  // entries of a block and PEs of a vector

template <class Vector>
static LACUNA_INLINE Vector load(const void* from) {
  Vector vector;
  __builtin_memcpy(&vector, from, sizeof(Vector));
  return vector;
}
template <class Vector>
static LACUNA_INLINE void store(void* to, const Vector& vector) {
  __builtin_memcpy(to, &vector, sizeof(Vector));
}

/// Traits of a lag type: its vector and the ranges within which nothing can overflow. `kHigh` and
/// `kLow` bound states at the start of a block, `kSpan` the cycles that a block may take; one entry
/// adds at most 255 (16 bits: counts fit a byte) or 1024.
template <class Lag>
struct Traits;
template <>
struct Traits<I16> {
  using Vector = V16;
  static constexpr I64 kHigh = 14000;
  static constexpr I64 kLow = -9000;
  static constexpr I64 kSpan = 4000;
};
template <>
struct Traits<I32> {
  using Vector = V32;
  static constexpr I64 kHigh = 400'000'000;
  static constexpr I64 kLow = -400'000'000;
  static constexpr I64 kSpan = 100'000'000;
};

static LACUNA_INLINE V16 vmax(V16 a, V16 b) {
#if defined(__AVX2__)
  return (V16)_mm256_max_epi16((__m256i)a, (__m256i)b);
#else
  return a > b ? a : b;
#endif
}
static LACUNA_INLINE V16 vmin(V16 a, V16 b) {
#if defined(__AVX2__)
  return (V16)_mm256_min_epi16((__m256i)a, (__m256i)b);
#else
  return a < b ? a : b;
#endif
}
static LACUNA_INLINE V32 vmax(V32 a, V32 b) { return a > b ? a : b; }
static LACUNA_INLINE V32 vmin(V32 a, V32 b) { return a < b ? a : b; }

template <class Lag>
static LACUNA_INLINE typename Traits<Lag>::Vector splat(Lag value) {
  return typename Traits<Lag>::Vector{} + value;
}

template <class Lag>
static LACUNA_INLINE typename Traits<Lag>::Vector iota() {
  return typename Traits<Lag>::Vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
}

/// Largest element of rows[i] in element i.
static LACUNA_INLINE V16 row_maxima(const V16* rows) {
  V16 pair[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const V16 a = rows[2 * i];
    const V16 b = rows[2 * i + 1];
    pair[i] = vmax(
        __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27),
        __builtin_shufflevector(a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31));
  }
  V16 four[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const V16 a = pair[2 * i];
    const V16 b = pair[2 * i + 1];
    four[i] = vmax(
        __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 8, 9, 24, 25, 10, 11, 26, 27),
        __builtin_shufflevector(a, b, 4, 5, 20, 21, 6, 7, 22, 23, 12, 13, 28, 29, 14, 15, 30, 31));
  }
  V16 eight[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const V16 a = four[2 * i];
    const V16 b = four[2 * i + 1];
    eight[i] = vmax(
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31));
  }
  return vmax(__builtin_shufflevector(eight[0], eight[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19,
                                      20, 21, 22, 23),
              __builtin_shufflevector(eight[0], eight[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26,
                                      27, 28, 29, 30, 31));
}
static LACUNA_INLINE V32 row_maxima(const V32* rows) {
  V32 result{};
  for (int i = 0; i < kBlock; ++i) {
    I32 best = rows[i][0];
    for (int lane = 1; lane < kBlock; ++lane) best = rows[i][lane] > best ? rows[i][lane] : best;
    result[i] = best;
  }
  return result;
}

/// Element i becomes the maximum of elements 0..i. `low` is smaller than every element.
template <class Vector, class Lag>
static LACUNA_INLINE Vector prefix_maxima(Vector v, Lag low) {
  const Vector pad = Vector{} + low;
  v = vmax(v, __builtin_shufflevector(pad, v, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                      29, 30));
  v = vmax(v, __builtin_shufflevector(pad, v, 0, 1, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                      28, 29));
  v = vmax(v, __builtin_shufflevector(pad, v, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                      26, 27));
  return vmax(
      v, __builtin_shufflevector(pad, v, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
}

template <class Lag>
static LACUNA_INLINE typename Traits<Lag>::Vector load_counts(const std::uint8_t* row) {
  return __builtin_convertvector(load<V8u>(row), typename Traits<Lag>::Vector);
}
template <class Lag>
static LACUNA_INLINE typename Traits<Lag>::Vector load_counts(const std::uint16_t* row) {
  return __builtin_convertvector(load<V16u>(row), typename Traits<Lag>::Vector);
}

/// Positions of the set bits of each byte, lowest first.
struct BitTable {
  std::uint8_t positions[256][8];
};
static constexpr BitTable make_bit_table() {
  BitTable table{};
  for (int byte = 0; byte < 256; ++byte) {
    int used = 0;
    for (int bit = 0; bit < 8; ++bit) {
      if ((byte >> bit & 1) != 0) {
        table.positions[byte][used++] = static_cast<std::uint8_t>(bit);
      }
    }
  }
  return table;
}
static constexpr BitTable kBits = make_bit_table();

/// State of 16 PEs of a way. Lags are relative to the way's last issue.
template <class Lag>
struct alignas(64) Lanes {
  using Vector = typename Traits<Lag>::Vector;
  Vector leave;  // leave + 1
  Vector free;
  Vector blocked_seen;  // the way's sum of b, in this group, at the last taken entry
  Vector empty_seen;    // the same of e
  Vector imbalance;     // PE-cycles by cause, of this group
  Vector window;
  Vector bank;
};

template <class Lag>
struct Way {
  I64 issue;    // I of the last entry
  I64 issued;   // entries so far
  I64 blocked;  // sum of b in this group
  Lanes<Lag>* lanes;
  I32* room;       // [ring] 1 + max of M over the PEs, of entry j at (j - shift)
  I64 room_shift;  // entry number of room[0]
};

/// What a group sends in one way.
struct Scan {
  std::uint16_t* position;  // of the entries with k
  I32* offset;              // if any_empty: issue cycle of each entry if never blocked, 1 = first
  int with_k;
  int entries;  // with_k, + 1 if the last one has no k
  bool any_empty;
};

constexpr int kRoomExtra = 4096;  // entries between two moves of the ring

template <class Lag, class Count>
struct Kernel {
  using T = Traits<Lag>;
  using Vector = typename T::Vector;

  const KernelInput& in;
  KernelOutput& out;
  const Count* counts;
  int chunks;
  Way<Lag> ways[16];
  Scan scan;
  Count* last_row;  // weights of the last entry, at least 1 each

  LACUNA_INLINE void scan_group(int q, int g) {
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
        std::uint64_t hits = mask & row;
        auto at = static_cast<std::uint16_t>(in.base[w] + static_cast<int>(64 * i));
        for (; hits != 0; hits >>= 8U, at = static_cast<std::uint16_t>(at + 8)) {
          const std::size_t byte = hits & 0xFFU;
          const V16uhalf found =
              __builtin_convertvector(load<V8half>(kBits.positions[byte]), V16uhalf) + at;
          store(position, found);
          position += __builtin_popcount(static_cast<unsigned>(byte));
        }
      }
      if (mask_any == 0 || present_any == 0) continue;
      ++visited;
      if (position == before) {
        ++pending;
        continue;
      }
      if (pending != 0) {
        if (!scan.any_empty) fill_offsets(0, before - scan.position, 1);
        scan.any_empty = true;
        empty_total += pending;
        pending = 0;
      }
      if (scan.any_empty) {
        fill_offsets(before - scan.position, position - scan.position, empty_total + 1);
      }
    }
    scan.with_k = static_cast<int>(position - scan.position);
    scan.entries = scan.with_k;
    std::uint64_t empty = static_cast<std::uint64_t>(empty_total);
    if (visited == 0 || pending != 0) {  // the last entry has no k
      if (pending > 1 && !scan.any_empty) {
        fill_offsets(0, scan.with_k, 1);
        scan.any_empty = true;
      }
      const I32 before_it = pending > 1 ? pending - 1 : 0;
      empty += static_cast<std::uint64_t>(before_it);
      empty_total += before_it;
      if (scan.any_empty) fill_offsets(scan.with_k, scan.with_k + 1, empty_total + 1);
      ++scan.entries;
      out.entries_without_k += 1;
    }
    out.windows_visited += visited;
    out.windows_empty += empty;
    out.broadcasts += static_cast<std::uint64_t>(scan.entries);
  }

  /// offset[i] = i + shift for i in [begin, end); writes up to 15 more.
  LACUNA_INLINE void fill_offsets(std::ptrdiff_t begin, std::ptrdiff_t end, I32 shift) {
    for (std::ptrdiff_t i = begin; i < end; i += kBlock) {
      store(scan.offset + i, iota<I32>() + (static_cast<I32>(i) + shift));
    }
  }

  /// Rows written for the first time: bits of the OR of the masks. Stops once every row that has
  /// weights at all is written.
  LACUNA_INLINE void count_first_writes(int q) {
    const std::size_t stride = static_cast<std::size_t>(in.mask_stride);
    const std::uint8_t* masks =
        in.masks + static_cast<std::size_t>(q) * static_cast<std::size_t>(in.positions) * stride;
    const std::uint8_t* any = in.any_masks + static_cast<std::size_t>(q) * stride;
    std::uint64_t written = 0;
    for (std::size_t part = 0; part < stride; part += 32) {
      const V64 all = load<V64>(any + part);
      V64 seen{};
      const std::uint8_t* column = masks + part;
      int i = 0;
      for (; i + 8 <= scan.with_k; i += 8) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) seen |= load<V64>(column + scan.position[i + j] * stride);
        const V64 missing = seen ^ all;
        if ((missing[0] | missing[1] | missing[2] | missing[3]) == 0) break;
      }
      if (i + 8 > scan.with_k) {
        for (; i < scan.with_k; ++i) seen |= load<V64>(column + scan.position[i] * stride);
      }
      for (int j = 0; j < 4; ++j) {
        written += static_cast<std::uint64_t>(__builtin_popcountll(seen[j]));
      }
    }
    out.first_writes += written;
  }

  enum Loss { kNone, kImbalance, kBoth };  // which sums are not constant so far in the group

  /// One block of entries in 16 PEs; `rows[i]` becomes M + 1 of entry i (maximum with what is there
  /// unless `first`).
  template <Loss kLoss, bool kBank, bool kNeedAll>
  LACUNA_INLINE void run_lanes(Lanes<Lag>& lanes, const Count* column, const Count* last_column,
                               const std::uint16_t* position, int count, bool has_last, bool first,
                               const Lag* issue, const Lag* blocked, const Lag* empty,
                               Lag bank_free, Lag advance, Vector* rows, Vector& bad) const {
    Vector leave = lanes.leave;
    Vector free = lanes.free;
    Vector blocked_seen = lanes.blocked_seen;
    Vector empty_seen = lanes.empty_seen;
    Vector imbalance = lanes.imbalance;
    Vector window = lanes.window;
    Vector bank = lanes.bank;
    const Vector zero{};
    const Vector bank_term = splat<Lag>(bank_free);
    const auto step = [&](int i, Vector weights, bool all_need) __attribute__((always_inline)) {
      if (kNeedAll || all_need) weights = vmax(weights, splat<Lag>(1));
      const Vector needs = weights > zero;
      const Vector mask_stage = vmax(splat<Lag>(issue[i]), leave);  // M + 1
      rows[i] = first ? mask_stage : vmax(rows[i], mask_stage);
      const Vector ready = vmax(mask_stage, free);
      Vector taken = ready;
      if constexpr (kBank) {
        taken = vmax(ready, bank_term);
        bank += (taken - ready) & needs;
        leave = vmax(mask_stage, taken & needs) + 1;
      } else {
        leave = vmax(mask_stage, free & needs) + 1;
      }
      if constexpr (kLoss != kNone) {
        const Vector gap = ready - free;
        const Vector sum = splat<Lag>(blocked[i]);
        const Vector part = vmin(gap, sum - blocked_seen);
        imbalance += part & needs;
        blocked_seen = needs ? sum : blocked_seen;
        if constexpr (kLoss == kBoth) {
          const Vector empties = splat<Lag>(empty[i]);
          window += vmin(gap - part, empties - empty_seen) & needs;
          empty_seen = needs ? empties : empty_seen;
        }
      }
      free = needs ? taken + weights : free;
    };
    const int plain = has_last ? count - 1 : count;
    for (int i = 0; i < plain; ++i) {
      step(i, load_counts<Lag>(column + position[i] * static_cast<std::size_t>(in.count_stride)),
           false);
    }
    if (has_last) step(plain, load_counts<Lag>(last_column), true);
    const Vector moved = free - advance;
    const Vector moved_leave = leave - advance;
    bad |= (moved > static_cast<Lag>(T::kHigh)) | (moved < static_cast<Lag>(T::kLow)) |
           (moved_leave > static_cast<Lag>(T::kHigh));
    lanes.leave = vmax(moved_leave, splat<Lag>(0));  // older than any issue to come: no influence
    lanes.free = moved;
    lanes.blocked_seen = blocked_seen;
    lanes.empty_seen = empty_seen;
    lanes.imbalance = imbalance;
    lanes.window = window;
    lanes.bank = bank;
  }

  /// All entries of one way and group. False if a range was left.
  bool run_way(int q, I64 bank_free) {
    Way<Lag>& way = ways[q];
    const std::size_t stride = static_cast<std::size_t>(in.count_stride);
    const Count* table =
        counts + static_cast<std::size_t>(q) * static_cast<std::size_t>(in.positions) * stride;
    make_last_row(table);
    const int block = in.depth < kBlock ? in.depth : kBlock;
    way.blocked = 0;
    Vector bad{};
    I32 offset_before = 0;  // offset of the entry before the block
    alignas(64) Lag issue[kBlock];
    alignas(64) Lag blocked[kBlock];
    alignas(64) Lag empty[kBlock] = {};
    Vector rows[kBlock];
    for (int i = 0; i < kBlock; ++i) rows[i] = Vector{};

    for (int begin = 0; begin < scan.entries; begin += block) {
      const int count = scan.entries - begin < block ? scan.entries - begin : block;
      const bool has_last = begin + count == scan.entries;
      if (way.issued + kBlock - way.room_shift > in.depth + kRoomExtra) move_room(way);

      // Issue cycles relative to the last issue: unblocked offsets, and what rooms add.
      Vector offset = iota<Lag>() + 1;
      if (scan.any_empty) {
        const V32 wide = load<V32>(scan.offset + begin) - offset_before;
        offset = __builtin_convertvector(wide, Vector);
      }
      const I32* room_from = way.room + (way.issued - in.depth - way.room_shift);
      V32 room_wide = load<V32>(room_from) - static_cast<I32>(way.issue);
      room_wide =
          room_wide > static_cast<I32>(T::kLow) ? room_wide : V32{} + static_cast<I32>(T::kLow);
      const Vector room = __builtin_convertvector(room_wide, Vector);
      Vector added = prefix_maxima(vmax(room - offset, splat<Lag>(0)), static_cast<Lag>(T::kLow));
      const Vector relative = offset + added;
      const Lag advance = relative[count - 1];
      const Lag added_last = added[count - 1];
      store(issue, relative + 3);
      const Vector blocked_sum = added + static_cast<Lag>(way.blocked);
      store(blocked, blocked_sum);
      if (scan.any_empty) {
        store(empty, offset + static_cast<Lag>(offset_before - begin) - (iota<Lag>() + 1));
      }
      const I64 blocked_after = way.blocked + added_last;
      if (advance > T::kSpan || blocked_after > T::kHigh) return false;

      const I64 bank_relative = bank_free - way.issue;
      const bool bank = bank_relative > issue[0];
      if (bank && bank_relative > T::kHigh) return false;
      const Loss loss = scan.any_empty ? kBoth : blocked_after > 0 ? kImbalance : kNone;
      const auto run = [&]<Loss kLoss, bool kBank, bool kNeedAll>() {
        for (int c = 0; c < chunks; ++c) {
          run_lanes<kLoss, kBank, kNeedAll>(
              way.lanes[c], table + c * kBlock, last_row + c * kBlock, scan.position + begin, count,
              has_last, c == 0, issue, blocked, empty, static_cast<Lag>(bank ? bank_relative : 0),
              advance, rows, bad);
        }
      };
      if (in.skip_none) {
        bank ? run.template operator()<kBoth, true, true>()
             : run.template operator()<kBoth, false, true>();
      } else if (bank) {
        run.template operator()<kBoth, true, false>();
      } else if (loss == kBoth) {
        run.template operator()<kBoth, false, false>();
      } else if (loss == kImbalance) {
        run.template operator()<kImbalance, false, false>();
      } else {
        run.template operator()<kNone, false, false>();
      }

      const V32 maxima = __builtin_convertvector(row_maxima(rows), V32);
      store(way.room + (way.issued - way.room_shift), maxima + static_cast<I32>(way.issue));
      way.issue += advance;
      way.issued += count;
      way.blocked = blocked_after;
      offset_before = scan.any_empty ? scan.offset[begin + count - 1] : begin + count;
    }
    out.blocked += static_cast<std::uint64_t>(way.blocked);
    Lag any = 0;
    for (int i = 0; i < kBlock; ++i) any = static_cast<Lag>(any | bad[i]);
    return any == 0 && way.issue < (1 << 30);
  }

  /// The last entry's weights (none without k), and slots without a weight.
  LACUNA_INLINE void make_last_row(const Count* table) {
    const bool without_k = scan.entries > scan.with_k;
    const std::size_t stride = static_cast<std::size_t>(in.count_stride);
    if (without_k) {
      for (std::size_t i = 0; i < stride; ++i) last_row[i] = 0;
    } else {
      __builtin_memcpy(last_row, table + scan.position[scan.with_k - 1] * stride,
                       stride * sizeof(Count));
    }
  }

  /// Keeps the rooms of the last D entries.
  void move_room(Way<Lag>& way) {
    const I64 keep = in.depth;
    const I64 from = way.issued - keep - way.room_shift;
    __builtin_memmove(way.room, way.room + from, static_cast<std::size_t>(keep) * sizeof(I32));
    way.room_shift += from;
  }

  /// Adds a way's sums of this group; returns the end of its last slot.
  I64 finish_way(int q) {
    Way<Lag>& way = ways[q];
    I64 end = way.issue;
    for (int p = 0; p < in.pes; ++p) {
      const Lanes<Lag>& lanes = way.lanes[p / kBlock];
      const int i = p % kBlock;
      const I64 free = way.issue + lanes.free[i];
      end = free > end ? free : end;
      out.imbalance += static_cast<std::uint64_t>(lanes.imbalance[i]);
      out.window += static_cast<std::uint64_t>(lanes.window[i]);
      out.bank += static_cast<std::uint64_t>(lanes.bank[i]);
    }
    for (int c = 0; c < chunks; ++c) {
      Lanes<Lag>& lanes = way.lanes[c];
      lanes.imbalance = lanes.window = lanes.bank = Vector{};
      lanes.blocked_seen = lanes.empty_seen = Vector{};
    }
    return end;
  }

  void count_slots(int q) {
    const std::uint32_t* zeros =
        in.zero_pes + static_cast<std::size_t>(q) * static_cast<std::size_t>(in.positions);
    if (in.skip_none) {
      for (int i = 0; i < scan.with_k; ++i) out.slots += zeros[scan.position[i]];
    } else if (scan.entries == scan.with_k) {
      out.slots += zeros[scan.position[scan.with_k - 1]];
    }
    if (scan.entries > scan.with_k) out.slots += static_cast<std::uint64_t>(in.pes);
  }

  bool run() {
    I64 drained_1 = in.hold1;  // E(g-1)
    I64 drained_2 = in.hold2;  // E(g-2)
    for (int g = 0; g < in.groups; ++g) {
      I64 end = 0;
      for (int q = 0; q < in.ways; ++q) {
        scan_group(q, g);
        count_first_writes(q);
        count_slots(q);
        if (!run_way(q, drained_2)) return false;
        const I64 way_end = finish_way(q);
        end = way_end > end ? way_end : end;
      }
      const I64 finished = end + 2;  // L_mac
      const I64 drained = (finished > drained_1 ? finished : drained_1) + in.drain_cycles;
      out.group_end[g] = finished;
      out.drain_end[g] = drained;
      drained_2 = drained_1;
      drained_1 = drained;
    }
    const I64 length = out.group_end[in.groups - 1];
    for (int q = 0; q < in.ways; ++q) {
      for (int p = 0; p < in.pes; ++p) {
        const I64 free = ways[q].issue + ways[q].lanes[p / kBlock].free[p % kBlock];
        out.tail += static_cast<std::uint64_t>(length - free);
      }
    }
    return true;
  }
};

template <class Lag, class Count>
static bool run_kernel(const KernelInput& in, const Count* counts, unsigned char* scratch,
                       KernelOutput& out) {
  Kernel<Lag, Count> kernel{in, out, counts, in.count_stride / kBlock, {}, {}, nullptr};
  const std::uintptr_t aligned = (reinterpret_cast<std::uintptr_t>(scratch) + 63) / 64 * 64;
  unsigned char* next = reinterpret_cast<unsigned char*>(aligned);
  const auto take = [&next](std::size_t bytes) {
    unsigned char* result = next;
    next += (bytes + 63) / 64 * 64;
    return result;
  };
  const std::size_t chunks = static_cast<std::size_t>(kernel.chunks);
  for (int q = 0; q < in.ways; ++q) {
    Way<Lag>& way = kernel.ways[q];
    way.lanes = reinterpret_cast<Lanes<Lag>*>(take(chunks * sizeof(Lanes<Lag>)));
  }
  const std::size_t ring = static_cast<std::size_t>(in.depth + in.depth + kRoomExtra + 2 * kBlock);
  I32* rings = reinterpret_cast<I32*>(take(static_cast<std::size_t>(in.ways) * ring * sizeof(I32)));
  const std::size_t entries = static_cast<std::size_t>(in.positions + 1 + 4 * kBlock);
  kernel.scan.offset = reinterpret_cast<I32*>(take(entries * sizeof(I32)));
  kernel.scan.position = reinterpret_cast<std::uint16_t*>(take(entries * sizeof(std::uint16_t)));
  kernel.last_row = reinterpret_cast<Count*>(take(static_cast<std::size_t>(in.count_stride) * 2));
  using Vector = typename Traits<Lag>::Vector;
  for (int q = 0; q < in.ways; ++q) {
    Way<Lag>& way = kernel.ways[q];
    way.issue = 0;  // L_start - 1
    way.issued = 0;
    way.blocked = 0;
    way.room = rings + static_cast<std::size_t>(q) * ring;
    way.room_shift = -in.depth;  // D entries before the first that never blocked anything
    for (std::size_t i = 0; i < ring; ++i) way.room[i] = -(1 << 30);
    for (std::size_t c = 0; c < chunks; ++c) {
      Lanes<Lag>& lanes = way.lanes[c];
      lanes.leave = Vector{};
      // A PE's first slot can stand in cycle 4 at the earliest; what is before it is edge.
      lanes.free = Vector{} + 4;
      lanes.blocked_seen = lanes.empty_seen = Vector{};
      lanes.imbalance = lanes.window = lanes.bank = Vector{};
    }
  }
  return kernel.run();
}

/// 16 channels of one row, widened.
static LACUNA_INLINE V32 load_codes(const std::int8_t* codes) {
  typedef std::int8_t V8s __attribute__((vector_size(16)));
  return __builtin_convertvector(load<V8s>(codes), V32);
}

static void sum_products_16(const std::int8_t* const* rows, const std::int16_t* values, int count,
                            int channel, std::int32_t* sums) {
  V32 sum = load<V32>(sums + channel);
  for (int i = 0; i < count; ++i)
    sum += load_codes(rows[i] + channel) * static_cast<I32>(values[i]);
  store(sums + channel, sum);
}

#if defined(__AVX2__)
/// 64 channels; two rows at a time through multiply-add of 16-bit pairs.
static void sum_products_64(const std::int8_t* const* rows, const std::int16_t* values, int count,
                            int channel, std::int32_t* sums) {
  __m256i even[4];  // channels 0-3 and 8-11 of each 16
  __m256i odd[4];   // 4-7 and 12-15
  for (int c = 0; c < 4; ++c) even[c] = odd[c] = _mm256_setzero_si256();
  const auto add = [&](const std::int8_t* first, const std::int8_t* second, std::uint32_t pair)
      __attribute__((always_inline)) {
    const __m256i factors = _mm256_set1_epi32(static_cast<int>(pair));
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const __m256i a = _mm256_cvtepi8_epi16(load<__m128i>(first + channel + 16 * c));
      const __m256i b = _mm256_cvtepi8_epi16(load<__m128i>(second + channel + 16 * c));
      even[c] = _mm256_add_epi32(even[c], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), factors));
      odd[c] = _mm256_add_epi32(odd[c], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), factors));
    }
  };
  int i = 0;
  for (; i + 2 <= count; i += 2) {
    add(rows[i], rows[i + 1],
        static_cast<std::uint16_t>(values[i]) |
            static_cast<std::uint32_t>(static_cast<std::uint16_t>(values[i + 1])) << 16U);
  }
  if (i < count) add(rows[i], rows[i], static_cast<std::uint16_t>(values[i]));
  for (int c = 0; c < 4; ++c) {
    std::int32_t* const to = sums + channel + 16 * c;
    store(to,
          _mm256_add_epi32(load<__m256i>(to), _mm256_permute2x128_si256(even[c], odd[c], 0x20)));
    store(to + 8, _mm256_add_epi32(load<__m256i>(to + 8),
                                   _mm256_permute2x128_si256(even[c], odd[c], 0x31)));
  }
}
#endif

void sum_products(const std::int8_t* const* rows, const std::int16_t* values, int count,
                  int channels, std::int32_t* sums) {
  int channel = 0;
#if defined(__AVX2__)
  for (; channel + 64 <= channels; channel += 64) {
    sum_products_64(rows, values, count, channel, sums);
  }
#endif
  for (; channel + 16 <= channels; channel += 16) {
    sum_products_16(rows, values, count, channel, sums);
  }
  for (; channel < channels; ++channel) {
    std::uint32_t sum = static_cast<std::uint32_t>(sums[channel]);
    for (int i = 0; i < count; ++i) {
      sum += static_cast<std::uint32_t>(values[i] * rows[i][channel]);
    }
    sums[channel] = static_cast<std::int32_t>(sum);
  }
}

bool timing_16(const KernelInput& input, unsigned char* scratch, KernelOutput& output) {
  if (input.counts8 == nullptr) return false;
  return run_kernel<I16>(input, input.counts8, scratch, output);
}

bool timing_32(const KernelInput& input, unsigned char* scratch, KernelOutput& output) {
  return input.counts8 != nullptr ? run_kernel<I32>(input, input.counts8, scratch, output)
                                  : run_kernel<I32>(input, input.counts16, scratch, output);
}
