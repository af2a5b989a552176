// SPDX-License-Identifier: Apache-2.0
//
// The recurrence of docs/reference/engine.md (section 7) for 16 PEs at a time. Included once per
// instruction set, inside its namespace and after its simd_*.h. Nothing here may be shared between
// translation units, and no inline function of the standard library may be called: the linker would
// be free to give the AVX2 copy of it to everybody.
//
// Form. Per PE two states suffice: `leave`, the first cycle in which the mask stage may take the
// next entry (S of an entry that the MAC stage took, M + 1 of a dropped one), and `free`, the end
// of the MAC stage's slots:
//
//   M = max(I + L_issue, leave)      S = max(M + L_mask, free, bank)
//   leave' = needs ? S : M + 1       free' = needs ? S + n : free
//
// State is kept as lag, relative to the way's last issue, in 16 bits (32 where those do not
// suffice). A block of min(D, 16) entries is computed at once: their room terms concern entries
// before the block, so all their issue cycles follow from a prefix maximum; then the PEs, 16 at a
// time, run through the block with their state in registers.
//
// The bank's term only counts until the way's issue has passed it. Gap attribution: of b and e only
// sums since a PE's previous taken entry are needed, and every PE takes the last entry of a group;
// so the sums are kept relative to the group's start, and steps leave out sums that are still zero.
//
// Ranges are checked after every block; the caller falls back to wider lags.

constexpr int kBlock = 16;  // entries of a block and PEs of a vector

/// The vector of a lag type and the ranges within which nothing can overflow. kHigh and kLow bound
/// states at the start of a block, kSpan the cycles that a block may take; an entry adds at most
/// 255 (16 bits: counts fit a byte) or 1024.
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

alignas(64) static constexpr I32 kIota[kBlock] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};

/// State of 16 PEs of a way. Lags are relative to the way's last issue.
template <class Vector>
struct alignas(64) Lanes {
  Vector leave;  // leave + 1
  Vector free;
  Vector blocked_seen;  // the way's sum of b, in this group, at the last taken entry
  Vector empty_seen;    // the same of e
  Vector imbalance;     // PE-cycles by cause, of this group
  Vector window;
  Vector bank;
};

/// What a group sends in one way.
struct Scan {
  std::uint16_t* position;  // of the entries with k
  I32* offset;  // if any_empty: issue cycle of each entry if never blocked; 1 is the first cycle
  int with_k;   // entries
  int entries;  // with_k, + 1 if the last one has no k
  bool any_empty;
};

/// What the scalars of a block are kept as.
template <class Lag>
struct ScalarOf {
  using Type = I32;
};
#if LACUNA_PAIRS
template <>
struct ScalarOf<I16> {
  using Type = I16;
};
#endif

enum class Loss { kNone, kImbalance, kBoth };  // which sums are not constant so far in the group

/// The scalars of one block. In vectors of two ways they are kept as they are computed; else in the
/// form from which splat_scalar() reads one fastest.
template <class Scalar>
struct Block {
  int count;
  Loss loss;
  bool bank;                         // the bank counts
  int bank_free;                     // relative to the issue before the block
  int advance;                       // cycles from the issue before the block to its last one
  alignas(64) Scalar issue[kBlock];  // I + 3 (the first S possible) - i, relative to the same
  alignas(64) Scalar blocked[kBlock];
  alignas(64) Scalar empty[kBlock];
};

template <class Vector, class Count, class Scalar>
struct Way {
  Block<Scalar> block;  // the next one, ready to run
  Scan scan;
  const Count* slots;  // rows of MAC slots of each PE: one per position, then see end_positions()
  int begin;           // entries of the group already run
  I32 offset_before;   // offset of the entry before `begin`
  I64 issue;           // I of the last entry
  I64 issued;          // entries so far
  I64 blocked;         // sum of b in this group
  I64 all_rows;        // that have weights at all; -1: not counted yet
  Lanes<Vector>* lanes;
  I32* room;       // 1 + max of M over the PEs, of entry j at [j - room_shift]
  I64 room_shift;  // the last D entries are always there
};

/// Entry `i` of a block.
template <class Vector, class Scalar>
struct BlockScalars {
  const Block<Scalar>& block;
  int i;
  [[nodiscard]] LACUNA_INLINE Vector issue() const { return splat_scalar<Vector>(block.issue + i); }
  [[nodiscard]] LACUNA_INLINE Vector blocked() const {
    return splat_scalar<Vector>(block.blocked + i);
  }
  [[nodiscard]] LACUNA_INLINE Vector empty() const { return splat_scalar<Vector>(block.empty + i); }
};

constexpr int kMostPositions = 32'700;  // rows of slots have to fit 16 bits
constexpr int kRoomExtra = 4096;        // entries between two moves of a way's rooms

template <class Lag, class Count>
struct Kernel {
  using T = Traits<Lag>;
  using Vector = typename T::Vector;
  using Scalar = typename ScalarOf<Lag>::Type;
  using W = Way<Vector, Count, Scalar>;

  const KernelInput& in;
  KernelOutput& out;
  const Count* counts;
  int chunks;
  Vector valid;     // lanes of the last chunk that are PEs
  Vector counting;  // 1 .. 16
  W ways[16];
  Vector bad;         // lanes that left their range in this group
  bool bad_pair;      // the same of vectors of two ways
  bool bank_counted;  // in this group, for some block
  bool whole_blocks;  // D >= 16: all blocks but a group's last are of 16 entries

  LACUNA_INLINE void scan_group(int q, int g) {
    Scan& scan = ways[q].scan;
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

  /// offset[i] = i + shift for i in [begin, end); writes up to 15 more.
  LACUNA_INLINE void fill_offsets(const Scan& scan, std::ptrdiff_t begin, std::ptrdiff_t end,
                                  I32 shift) {
    for (std::ptrdiff_t i = begin; i < end; i += kBlock) {
      store_cycles(scan.offset + i, load_lags<V32>(kIota), static_cast<I32>(i) + shift);
    }
  }

  /// Rows written for the first time: bits of the OR of the masks. Stops once every row that has
  /// weights at all is written.
  LACUNA_INLINE void count_first_writes(int q) {
    switch (in.mask_stride) {
      case 32:
        return count_first_writes_of<1, 32>(q, 0);
      case 64:
        return count_first_writes_of<2, 64>(q, 0);
      default:
        for (int part = 0; part < in.mask_stride; part += 32) count_first_writes_of<1, 0>(q, part);
    }
  }

  /// The same of kParts times 32 bytes of masks; kStride: the mask_stride if it is known.
  template <int kParts, int kStride>
  LACUNA_INLINE void count_first_writes_of(int q, int part) {
    const Scan& scan = ways[q].scan;
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
      if (ways[q].all_rows < 0) {  // these are all the masks: the same number in each group
        ways[q].all_rows = 0;
        LACUNA_UNROLL for (int c = 0; c < kParts; ++c) {
          ways[q].all_rows += static_cast<I64>(count_bits(all[c]));
        }
      }
      out.first_writes += static_cast<std::uint64_t>(ways[q].all_rows);
      return;
    }
    if (i + 8 > scan.with_k) {
      for (; i < scan.with_k; ++i) add(i);
    }
    LACUNA_UNROLL for (int c = 0; c < kParts; ++c) out.first_writes += count_bits(seen[c]);
  }

  /// One block in 16 PEs; returns M + 1 of each entry, the largest of the PEs. kSingle: these 16
  /// PEs are all there are. Inside, the time of entry i is counted from cycle i: what takes a cycle
  /// per entry then stands still. Entries that fill up the block have no slots and an issue cycle
  /// long ago: they change nothing.
  template <Loss kLoss, bool kBank, bool kSingle>
  __attribute__((noinline)) Vector run_lanes(const W& way, int chunk) {
    const Block<Scalar>& block = way.block;
    const std::uint16_t* position = way.scan.position + way.begin;
    const std::size_t stride = kSingle ? kBlock : static_cast<std::size_t>(in.count_stride);
    const Count* column = way.slots + chunk * kBlock;
    Lanes<Vector> lanes = way.lanes[chunk];
    const Vector zero = splat<Vector>(0);
    Vector bank_free = splat<Vector>(block.bank_free);
    const auto step = [&](int i) __attribute__((always_inline)) {
      Vector slots;
      load_counts(slots, column + position[i] * stride);
      return run_step<kLoss, kBank>(lanes, bank_free, slots, splat<Vector>(1),
                                    BlockScalars<Vector, Scalar>{block, i});
    };
    RowMaxima<Vector> maxima;
    int steps = kBlock;
    if (LACUNA_UNROLL_BLOCKS && sizeof(Lag) == 2 && whole_blocks) {
      LACUNA_UNROLL for (int i = 0; i < kBlock; ++i) maxima.add(i, step(i));
    } else {
      steps = block.count;
      Vector rows[kBlock];
      for (int i = 0; i < steps; ++i) rows[i] = step(i);
      for (int i = steps; i < kBlock; ++i) rows[i] = zero;  // nobody reads these maxima
      LACUNA_UNROLL for (int i = 0; i < kBlock; ++i) maxima.add(i, rows[i]);
    }
    lanes.free = lanes.free - splat<Vector>(block.advance - steps);
    lanes.leave = lanes.leave - splat<Vector>(block.advance - block.count);
    bad = bad | greater(vmax(lanes.free, lanes.leave), splat<Vector>(static_cast<int>(T::kHigh))) |
          greater(splat<Vector>(static_cast<int>(T::kLow)), lanes.free);
    Lanes<Vector>& to = way.lanes[chunk];
    to.leave = vmax(lanes.leave, zero);  // what is older than any issue to come has no influence
    to.free = lanes.free;
    if constexpr (kLoss != Loss::kNone) {
      to.blocked_seen = lanes.blocked_seen;
      to.imbalance = lanes.imbalance;
    }
    if constexpr (kLoss == Loss::kBoth) {
      to.empty_seen = lanes.empty_seen;
      to.window = lanes.window;
    }
    if constexpr (kBank) to.bank = lanes.bank;
    return maxima.result();
  }

  /// One entry: its MAC slots in each PE, its scalars. Returns M + 1.
  template <Loss kLoss, bool kBank, class V, class Scalars>
  static LACUNA_INLINE V run_step(Lanes<V>& lanes, V& bank_free, const V& slots, const V& one,
                                  const Scalars& scalars) {
    const auto needs = greater(slots, splat<V>(0));
    const V mask_stage = vmax(scalars.issue(), lanes.leave);
    const V ready = vmax(mask_stage, lanes.free);
    V taken = ready;
    if constexpr (kBank) {
      taken = vmax(ready, bank_free);
      lanes.bank = lanes.bank + ((taken - ready) & needs);
      lanes.leave = vmax(mask_stage, taken & needs);
      bank_free = bank_free - one;
    } else {
      lanes.leave = vmax(mask_stage, lanes.free & needs);
    }
    if constexpr (kLoss != Loss::kNone) {
      const V gap = ready - lanes.free;
      const V sum = scalars.blocked();
      const V part = vmin(gap, sum - lanes.blocked_seen);
      lanes.imbalance = lanes.imbalance + (part & needs);
      lanes.blocked_seen = select(needs, sum, lanes.blocked_seen);
      if constexpr (kLoss == Loss::kBoth) {
        const V empties = scalars.empty();
        lanes.window = lanes.window + (vmin(gap - part, empties - lanes.empty_seen) & needs);
        lanes.empty_seen = select(needs, empties, lanes.empty_seen);
      }
    }
    lanes.free = select(needs, taken, lanes.free) + (slots - one);
    return mask_stage;
  }

#if LACUNA_PAIRS
  /// One block of each of two ways of 16 PEs at once. What neither loses stays zero, so a way runs
  /// through the steps of the other.
  template <Loss kLoss, bool kBank>
  __attribute__((noinline)) void run_pair_of(W& a, W& b) {
    const Block<Scalar>& first = a.block;
    const Block<Scalar>& second = b.block;
    const std::uint16_t* position_a = a.scan.position + a.begin;
    const std::uint16_t* position_b = b.scan.position + b.begin;
    const Lanes<Vector>& from_a = a.lanes[0];
    const Lanes<Vector>& from_b = b.lanes[0];
    const Pair zero = splat<Pair>(0);
    Lanes<Pair> lanes{join(from_a.leave, from_b.leave),
                      join(from_a.free, from_b.free),
                      zero,
                      zero,
                      zero,
                      zero,
                      zero};
    if constexpr (kLoss != Loss::kNone) {
      lanes.blocked_seen = join(from_a.blocked_seen, from_b.blocked_seen);
      lanes.imbalance = join(from_a.imbalance, from_b.imbalance);
    }
    if constexpr (kLoss == Loss::kBoth) {
      lanes.empty_seen = join(from_a.empty_seen, from_b.empty_seen);
      lanes.window = join(from_a.window, from_b.window);
    }
    if constexpr (kBank) lanes.bank = join(from_a.bank, from_b.bank);
    Pair bank_free = join(splat<Vector>(first.bank_free), splat<Vector>(second.bank_free));
    PairScalars scalars{join(load_lags<Vector>(first.issue), load_lags<Vector>(second.issue)), zero,
                        zero, first_lags()};
    if constexpr (kLoss != Loss::kNone) {
      scalars.all_blocked =
          join(load_lags<Vector>(first.blocked), load_lags<Vector>(second.blocked));
    }
    if constexpr (kLoss == Loss::kBoth) {
      scalars.all_empty = join(load_lags<Vector>(first.empty), load_lags<Vector>(second.empty));
    }
    const Pair one = opaque_one();
    RowMaxima<Pair> maxima;
    LACUNA_UNROLL for (int i = 0; i < kBlock; ++i) {
      Pair slots;
      load_counts(slots, a.slots + std::size_t{position_a[i]} * kBlock,
                  b.slots + std::size_t{position_b[i]} * kBlock);
      maxima.add(i, run_step<kLoss, kBank>(lanes, bank_free, slots, one, scalars));
      scalars.lag = scalars.lag + one;
    }
    lanes.free = lanes.free - join(splat<Vector>(first.advance - kBlock),
                                   splat<Vector>(second.advance - kBlock));
    lanes.leave = lanes.leave - join(splat<Vector>(first.advance - first.count),
                                     splat<Vector>(second.advance - second.count));
    bad_pair =
        bad_pair ||
        any_lane(greater(vmax(lanes.free, lanes.leave), splat<Pair>(static_cast<int>(T::kHigh)))) ||
        any_lane(greater(splat<Pair>(static_cast<int>(T::kLow)), lanes.free));
    Lanes<Vector>& to_a = a.lanes[0];
    Lanes<Vector>& to_b = b.lanes[0];
    split(vmax(lanes.leave, zero), to_a.leave, to_b.leave);
    split(lanes.free, to_a.free, to_b.free);
    if constexpr (kLoss != Loss::kNone) {
      split(lanes.blocked_seen, to_a.blocked_seen, to_b.blocked_seen);
      split(lanes.imbalance, to_a.imbalance, to_b.imbalance);
    }
    if constexpr (kLoss == Loss::kBoth) {
      split(lanes.empty_seen, to_a.empty_seen, to_b.empty_seen);
      split(lanes.window, to_a.window, to_b.window);
    }
    if constexpr (kBank) split(lanes.bank, to_a.bank, to_b.bank);
    Vector maxima_a;
    Vector maxima_b;
    split(maxima.result(), maxima_a, maxima_b);
    end_block(a, maxima_a);
    end_block(b, maxima_b);
  }

  LACUNA_INLINE void run_pair(W& a, W& b) {
    const Loss loss = a.block.loss > b.block.loss ? a.block.loss : b.block.loss;
    if (a.block.bank || b.block.bank) {
      run_pair_of<Loss::kBoth, true>(a, b);
    } else if (loss == Loss::kBoth) {
      run_pair_of<Loss::kBoth, false>(a, b);
    } else if (loss == Loss::kImbalance) {
      run_pair_of<Loss::kImbalance, false>(a, b);
    } else {
      run_pair_of<Loss::kNone, false>(a, b);
    }
  }

  /// As run_entries(), two ways at a time.
  LACUNA_INLINE bool run_pairs(I64 bank_free) {
    bool in_range = true;
    const auto unfinished = [&](int q) {
      return q < in.ways && ways[q].begin != ways[q].scan.entries;
    };
    const auto prepare = [&](int q) {
      if (unfinished(q)) in_range = prepare_block(q, kBlock, bank_free) && in_range;
      if (unfinished(q + 1)) in_range = prepare_block(q + 1, kBlock, bank_free) && in_range;
    };
    int pending = -1;  // the pair that is still to be prepared
    for (bool more = true; more && in_range;) {
      more = false;
      for (int q = 0; q < in.ways; q += 2) {
        const bool first = unfinished(q);
        const bool second = unfinished(q + 1);
        if (!first && !second) continue;
        if (pending == q) {
          prepare(q);
          pending = -1;
        }
        if (first && second) {
          run_pair(ways[q], ways[q + 1]);
        } else {
          run_block(first ? q : q + 1);
        }
        if (pending >= 0) prepare(pending);
        pending = q;
        more = true;
      }
    }
    return in_range;
  }
#endif

  template <Loss kLoss, bool kBank>
  LACUNA_INLINE Vector run_chunks(const W& way) {
    if (chunks == 1) return run_lanes<kLoss, kBank, true>(way, 0);
    Vector maxima = run_lanes<kLoss, kBank, false>(way, 0);
    for (int c = 1; c < chunks; ++c) maxima = vmax(maxima, run_lanes<kLoss, kBank, false>(way, c));
    return maxima;
  }

  /// Issue cycles of a way's next block in this group. False if a range was left.
  LACUNA_INLINE bool prepare_block(int q, int block_entries, I64 bank_free) {
    W& way = ways[q];
    Block<Scalar>& block = way.block;
    const Scan& scan = way.scan;
    const Vector zero = splat<Vector>(0);
    const int left = scan.entries - way.begin;
    block.count = left < block_entries ? left : block_entries;
    if (way.issued + kBlock - way.room_shift > in.depth + kRoomExtra) move_room(way);

    // Relative to the last issue: unblocked offsets, and what rooms add.
    Vector offset = counting;
    if (scan.any_empty) load_cycles(offset, scan.offset + way.begin, way.offset_before);
    Vector room;
    load_cycles(room, way.room + (way.issued - in.depth - way.room_shift),
                static_cast<I32>(way.issue));
    const Vector added = prefix_maxima(vmax(saturating_sub(room, offset), zero));
    store_scalars(block.blocked, added + splat<Vector>(static_cast<int>(way.blocked)));
    Vector issue = added;  // + 4: I + 3 - i
    if (scan.any_empty) {
      const Vector extra = offset - counting;  // empty cycles since the last issue
      store_scalars(block.empty, extra + splat<Vector>(way.offset_before - way.begin));
      issue = issue + extra;
    } else {
      store_scalars(block.empty, zero);
    }
    const Vector fill = greater(counting, splat<Vector>(block.count));
    store_scalars(block.issue,
                  select(fill, splat<Vector>(static_cast<int>(T::kLow)), issue + splat<Vector>(4)));
    const I64 bank_relative = bank_free - way.issue;
    block.advance = static_cast<Lag>(block.issue[block.count - 1]) - 4 + block.count;
    way.blocked = static_cast<Lag>(block.blocked[block.count - 1]);
    block.bank = bank_relative > static_cast<Lag>(block.issue[0]);
    bank_counted = bank_counted || block.bank;
    block.bank_free = static_cast<int>(block.bank ? bank_relative : 0);
    block.loss = scan.any_empty || block.bank ? Loss::kBoth
                 : way.blocked > 0            ? Loss::kImbalance
                                              : Loss::kNone;
    return block.advance <= T::kSpan && way.blocked <= T::kHigh &&
           (!block.bank || bank_relative <= T::kHigh);
  }

  LACUNA_INLINE void run_block(int q) {
    W& way = ways[q];
    const Block<Scalar>& block = way.block;
    Vector maxima;
    if (block.bank) {
      maxima = run_chunks<Loss::kBoth, true>(way);
    } else if (block.loss == Loss::kBoth) {
      maxima = run_chunks<Loss::kBoth, false>(way);
    } else if (block.loss == Loss::kImbalance) {
      maxima = run_chunks<Loss::kImbalance, false>(way);
    } else {
      maxima = run_chunks<Loss::kNone, false>(way);
    }
    end_block(way, maxima);
  }

  /// `maxima`: M + 1 of each entry, entry i's counted from cycle i.
  LACUNA_INLINE void end_block(W& way, const Vector& maxima) {
    const Block<Scalar>& block = way.block;
    store_cycles(way.room + (way.issued - way.room_shift), maxima + (counting - splat<Vector>(1)),
                 static_cast<I32>(way.issue));
    way.issue += block.advance;
    way.issued += block.count;
    way.begin += block.count;
    way.offset_before = way.scan.any_empty ? way.scan.offset[way.begin - 1] : way.begin;
  }

  /// All entries of one group. False if a range was left.
  ///
  /// A way's blocks wait for each other, and preparing one is a long chain of dependent operations.
  /// So ways take turns, and a way's next block is prepared after another way's has been run: the
  /// processor finds enough independent work to overlap.
  bool run_entries(I64 bank_free) {
    const int block_entries = in.depth < kBlock ? in.depth : kBlock;
    bool in_range = true;
    bad = splat<Vector>(0);
    bad_pair = false;
    for (int q = 0; q < in.ways; ++q) {
      ways[q].blocked = 0;
      ways[q].begin = 0;
      ways[q].offset_before = 0;
      end_positions(ways[q]);
      in_range = prepare_block(q, block_entries, bank_free) && in_range;
    }
    bool more = true;
#if LACUNA_PAIRS
    if constexpr (sizeof(Lag) == 2) {
      if (whole_blocks && chunks == 1 && in.ways > 1) {
        in_range = in_range && run_pairs(bank_free);
        more = false;
      }
    }
#endif
    int pending = -1;  // the way that is still to be prepared
    while (more && in_range) {
      more = false;
      for (int q = 0; q < in.ways; ++q) {
        W& way = ways[q];
        if (way.begin == way.scan.entries) continue;
        if (pending == q) {
          in_range = prepare_block(q, block_entries, bank_free) && in_range;
          pending = -1;
        }
        run_block(q);
        if (pending >= 0) {
          in_range = prepare_block(pending, block_entries, bank_free) && in_range;
        }
        pending = way.begin == way.scan.entries ? -1 : q;
        more = true;
      }
    }
    for (int q = 0; q < in.ways; ++q) {
      out.blocked += static_cast<std::uint64_t>(ways[q].blocked);
      in_range = in_range && ways[q].issue < (1 << 30);
    }
    return in_range && !bad_pair && !any_bit(bad);
  }

  /// The group's last entry takes a slot in every PE; what fills up its last block takes none. Both
  /// have rows of their own (Tile::counts8), here counted from the first row of `slots`.
  LACUNA_INLINE void end_positions(W& way) {
    const int x = in.positions;
    Scan& scan = way.scan;
    std::uint16_t& last = scan.position[scan.entries - 1];
    if (scan.entries > scan.with_k) {
      last = static_cast<std::uint16_t>(in.skip_none ? x : 2 * x + 1);
    } else if (!in.skip_none) {
      last = static_cast<std::uint16_t>(last + x + 1);
    }
    const auto none = static_cast<std::uint16_t>(in.skip_none ? x + 1 : x);
    for (int i = 0; i < kBlock; ++i) scan.position[scan.entries + i] = none;
  }

  /// Keeps the rooms of the last D entries.
  void move_room(W& way) {
    const I64 from = way.issued - in.depth - way.room_shift;
    for (I64 i = 0; i < in.depth; ++i) way.room[i] = way.room[from + i];
    way.room_shift += from;
  }

  /// Adds a way's sums of this group; returns the end of its last slot. Lanes that are no PEs
  /// behave like PEs without weights, so they are never later than one.
  LACUNA_INLINE I64 finish_way(int q) {
    W& way = ways[q];
    const Vector zero = splat<Vector>(0);
    Vector last = way.lanes[0].free;
    for (int c = 0; c < chunks; ++c) {
      Lanes<Vector>& lanes = way.lanes[c];
      last = vmax(last, lanes.free);
      if (any_bit(lanes.imbalance | lanes.window | lanes.bank)) {
        const bool whole = c + 1 < chunks;
        out.imbalance += lane_sum(whole ? lanes.imbalance : lanes.imbalance & valid);
        out.window += lane_sum(whole ? lanes.window : lanes.window & valid);
        out.bank += lane_sum(whole ? lanes.bank : lanes.bank & valid);
        lanes.imbalance = lanes.window = lanes.bank = zero;
      }
      lanes.blocked_seen = lanes.empty_seen = zero;
    }
    return way.issue + largest(last);
  }

  /// Slots without a weight.
  LACUNA_INLINE void count_slots(int q) {
    const Scan& scan = ways[q].scan;
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

  bool run() {
    I64 drained_1 = in.hold1;  // E(g-1)
    I64 drained_2 = in.hold2;  // E(g-2)
    for (int g = 0; g < in.groups; ++g) {
      I64 end = 0;
      for (int q = 0; q < in.ways; ++q) {
        scan_group(q, g);
        count_first_writes(q);
        count_slots(q);
      }
      bank_counted = false;
      if (!run_entries(drained_2)) return false;
      out.carry_in_used = out.carry_in_used || (g < 2 && bank_counted);
      for (int q = 0; q < in.ways; ++q) {
        const I64 way_end = finish_way(q);
        end = way_end > end ? way_end : end;
      }
      const I64 finished = end + 2;  // L_mac
      out.carry_in_used = out.carry_in_used || (g == 0 && in.hold1 > finished);
      const I64 drained = (finished > drained_1 ? finished : drained_1) + in.drain_cycles;
      out.group_end[g] = finished;
      out.drain_end[g] = drained;
      drained_2 = drained_1;
      drained_1 = drained;
    }
    const I64 length = out.group_end[in.groups - 1];
    alignas(64) Lag free[kBlock];
    for (int q = 0; q < in.ways; ++q) {
      for (int p = 0; p < in.pes; ++p) {
        if (p % kBlock == 0) store_lags(free, ways[q].lanes[p / kBlock].free);
        out.tail += static_cast<std::uint64_t>(length - (ways[q].issue + free[p % kBlock]));
      }
    }
    return true;
  }
};

template <class Lag, class Count>
static bool run_kernel(const KernelInput& in, const Count* counts, unsigned char* scratch,
                       KernelOutput& out) {
  using Vector = typename Traits<Lag>::Vector;
  Kernel<Lag, Count> kernel{in, out,   counts, in.count_stride / kBlock, {}, {}, {},
                            {}, false, false,  in.depth >= kBlock};
  const std::uintptr_t aligned = (reinterpret_cast<std::uintptr_t>(scratch) + 63) / 64 * 64;
  unsigned char* next = reinterpret_cast<unsigned char*>(aligned);
  const auto take = [&next](std::size_t bytes) {
    unsigned char* result = next;
    next += (bytes + 63) / 64 * 64;
    return result;
  };
  const std::size_t chunks = static_cast<std::size_t>(kernel.chunks);
  const std::size_t rooms = static_cast<std::size_t>(2 * in.depth + kRoomExtra + 2 * kBlock);
  const std::size_t entries = static_cast<std::size_t>(in.positions + 1 + 4 * kBlock);
  const std::size_t stride = static_cast<std::size_t>(in.count_stride);
  const std::size_t rows = 2 * static_cast<std::size_t>(in.positions) + 3;
  const std::size_t first = in.skip_none ? static_cast<std::size_t>(in.positions) + 1 : 0;
  alignas(64) Lag valid[kBlock];
  alignas(64) Lag counting[kBlock];
  for (int i = 0; i < kBlock; ++i) {
    counting[i] = static_cast<Lag>(i + 1);
    const bool pe = in.pes - (kernel.chunks - 1) * kBlock > i;
    valid[i] = static_cast<Lag>(pe ? -1 : 0);
  }
  kernel.valid = load_lags<Vector>(valid);
  kernel.counting = load_lags<Vector>(counting);
  const Vector zero = splat<Vector>(0);
  for (int q = 0; q < in.ways; ++q) {
    auto& way = kernel.ways[q];
    way.scan.offset = reinterpret_cast<I32*>(take(entries * sizeof(I32)));
    way.scan.position = reinterpret_cast<std::uint16_t*>(take(entries * sizeof(std::uint16_t)));
    way.slots = counts + (static_cast<std::size_t>(q) * rows + first) * stride;
    way.issue = 0;  // L_start - 1
    way.issued = 0;
    way.blocked = 0;
    way.all_rows = -1;
    way.lanes = reinterpret_cast<Lanes<Vector>*>(take(chunks * sizeof(Lanes<Vector>)));
    way.room = reinterpret_cast<I32*>(take(rooms * sizeof(I32)));
    way.room_shift = -in.depth;  // D entries before the first, which never blocked anything
    for (int i = 0; i < in.depth + 2 * kBlock; ++i) way.room[i] = -(1 << 30);
    for (std::size_t c = 0; c < chunks; ++c) {
      // A PE's first slot can stand in cycle 4 at the earliest; what is before it is edge.
      way.lanes[c] = {zero, splat<Vector>(4), zero, zero, zero, zero, zero};
    }
  }
  return kernel.run();
}

bool timing_16(const KernelInput& input, unsigned char* scratch, KernelOutput& output) {
  if (input.counts8 == nullptr || input.positions > kMostPositions) return false;
  return run_kernel<I16>(input, input.counts8, scratch, output);
}

bool timing_32(const KernelInput& input, unsigned char* scratch, KernelOutput& output) {
  if (input.positions > kMostPositions) return false;
  return input.counts8 != nullptr ? run_kernel<I32>(input, input.counts8, scratch, output)
                                  : run_kernel<I32>(input, input.counts16, scratch, output);
}
