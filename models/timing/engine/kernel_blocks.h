// SPDX-License-Identifier: Apache-2.0
//
// The scalars of a way's blocks: when each entry issues, from the rooms that earlier entries left
// in the FIFOs, and the rooms that a block leaves. A room of the kernel: see kernel_body.h.

constexpr int kRoomExtra = 4096;  // entries between two moves of a way's rooms

/// Keeps the rooms of the last D entries.
template <class W>
static void move_room(const KernelInput& in, W& way) {
  const I64 from = way.issued - in.depth - way.room_shift;
  for (I64 i = 0; i < in.depth; ++i) way.room[i] = way.room[from + i];
  way.room_shift += from;
}

/// How many entries a way's next block has; room for what it leaves.
template <class W>
static LACUNA_INLINE void begin_block(const KernelInput& in, W& way, int block_entries) {
  const int left = way.scan.entries - way.begin;
  way.block.count = left < block_entries ? left : block_entries;
  if (way.issued + kBlock - way.room_shift > in.depth + kRoomExtra) move_room(in, way);
}

/// What is to be known of a block whose issue cycles stand in it. False if a range was left.
template <class Lag, class Count>
static LACUNA_INLINE bool rate_block(State<Lag, Count>& state, typename State<Lag, Count>::W& way,
                                     I64 bank_free) {
  using T = Traits<Lag>;
  auto& block = way.block;
  const I64 bank_relative = bank_free - way.issue;
  block.advance = static_cast<Lag>(block.issue[block.count - 1]) - 4 + block.count;
  way.blocked = static_cast<Lag>(block.blocked[block.count - 1]);
  block.bank = bank_relative > static_cast<Lag>(block.issue[0]);
  state.bank_counted = state.bank_counted || block.bank;
  block.bank_free = static_cast<int>(block.bank ? bank_relative : 0);
  block.loss = way.scan.any_empty || block.bank ? Loss::kBoth
               : way.blocked > 0                ? Loss::kImbalance
                                                : Loss::kNone;
  return block.advance <= T::kSpan && way.blocked <= T::kHigh &&
         (!block.bank || bank_relative <= T::kHigh);
}

/// The rooms that count for a way's next block.
template <class W>
static LACUNA_INLINE const I32* next_rooms(const KernelInput& in, const W& way) {
  return way.room + (way.issued - in.depth - way.room_shift);
}

/// Issue cycles of a way's next block in this group. False if a range was left.
template <class Lag, class Count>
static LACUNA_INLINE bool prepare_block(State<Lag, Count>& state, int q, int block_entries,
                                        I64 bank_free) {
  using T = Traits<Lag>;
  using Vector = typename T::Vector;
  const Vector& counting = state.counting;
  auto& way = state.ways[q];
  auto& block = way.block;
  const Scan& scan = way.scan;
  const Vector zero = splat<Vector>(0);
  begin_block(state.in, way, block_entries);

  // Relative to the last issue: unblocked offsets, and what rooms add.
  Vector offset = counting;
  if (scan.any_empty) load_cycles(offset, scan.offset + way.begin, way.offset_before);
  Vector room;
  load_cycles(room, next_rooms(state.in, way), static_cast<I32>(way.issue));
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
  return rate_block(state, way, bank_free);
}

/// A block is over: the entries after it are next.
template <class W>
static LACUNA_INLINE void pass_block(W& way) {
  way.issue += way.block.advance;
  way.issued += way.block.count;
  way.begin += way.block.count;
  way.offset_before = way.scan.any_empty ? way.scan.offset[way.begin - 1] : way.begin;
}

/// `maxima`: M + 1 of each entry, entry i's counted from cycle i.
template <class Lag, class Count>
static LACUNA_INLINE void end_block(const State<Lag, Count>& state,
                                    typename State<Lag, Count>::W& way,
                                    const typename Traits<Lag>::Vector& maxima) {
  using Vector = typename Traits<Lag>::Vector;
  store_cycles(way.room + (way.issued - way.room_shift),
               maxima + (state.counting - splat<Vector>(1)), static_cast<I32>(way.issue));
  pass_block(way);
}
