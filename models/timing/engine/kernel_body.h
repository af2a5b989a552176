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
//
// Rooms: what is kept (kernel_state.h), what a group sends (kernel_scan.h), when a block's entries
// issue (kernel_blocks.h), the block in 16 PEs (kernel_lanes.h) and in 16 PEs of two ways
// (kernel_pairs.h); here, in which order blocks, groups and ways are taken.

#include "timing/engine/kernel_state.h"
//
#include "timing/engine/kernel_scan.h"
//
#include "timing/engine/kernel_blocks.h"
//
#include "timing/engine/kernel_lanes.h"
#if LACUNA_PAIRS
#include "timing/engine/kernel_pairs.h"
#endif

constexpr int kMostPositions = 32'700;  // rows of slots have to fit 16 bits

/// A way's block that is ready, in all PEs.
template <class Lag, class Count>
static LACUNA_INLINE void run_block(State<Lag, Count>& state, int q) {
  auto& way = state.ways[q];
  const auto& block = way.block;
  typename Traits<Lag>::Vector maxima;
  if (block.bank) {
    maxima = run_chunks<Loss::kBoth, true>(state, way);
  } else if (block.loss == Loss::kBoth) {
    maxima = run_chunks<Loss::kBoth, false>(state, way);
  } else if (block.loss == Loss::kImbalance) {
    maxima = run_chunks<Loss::kImbalance, false>(state, way);
  } else {
    maxima = run_chunks<Loss::kNone, false>(state, way);
  }
  end_block(state, way, maxima);
}

#if LACUNA_PAIRS
/// As run_entries(), two ways at a time.
template <class Count>
static LACUNA_INLINE bool run_pairs(State<I16, Count>& state, I64 bank_free) {
  const KernelInput& in = state.in;
  auto& ways = state.ways;
  bool in_range = true;
  const auto unfinished = [&](int q) {
    return q < in.ways && ways[q].begin != ways[q].scan.entries;
  };
  const auto prepare = [&](int q) {
    const bool first = unfinished(q);
    const bool second = unfinished(q + 1);
    if (first && second) {
      in_range = prepare_pair(state, q, bank_free) && in_range;
    } else if (first || second) {
      in_range = prepare_block(state, first ? q : q + 1, kBlock, bank_free) && in_range;
    }
  };
  for (int q = 0; q < in.ways; q += 2) prepare(q);
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
        run_pair(state, ways[q], ways[q + 1]);
      } else {
        run_block(state, first ? q : q + 1);
      }
      if (pending >= 0) prepare(pending);
      pending = q;
      more = true;
    }
  }
  return in_range;
}
#endif

/// All entries of one group. False if a range was left.
///
/// A way's blocks wait for each other, and preparing one is a long chain of dependent operations.
/// So ways take turns, and a way's next block is prepared after another way's has been run: the
/// processor finds enough independent work to overlap.
template <class Lag, class Count>
static bool run_entries(State<Lag, Count>& state, I64 bank_free) {
  using Vector = typename Traits<Lag>::Vector;
  const KernelInput& in = state.in;
  auto& ways = state.ways;
  const int block_entries = in.depth < kBlock ? in.depth : kBlock;
  bool in_range = true;
  state.bad = splat<Vector>(0);
  state.bad_pair = false;
  for (int q = 0; q < in.ways; ++q) {
    ways[q].blocked = 0;
    ways[q].begin = 0;
    ways[q].offset_before = 0;
    end_positions(in, ways[q].scan);
  }
  bool more = true;
#if LACUNA_PAIRS
  if constexpr (sizeof(Lag) == 2) {
    if (state.whole_blocks && state.chunks == 1 && in.ways > 1) {
      in_range = run_pairs(state, bank_free);
      more = false;
    }
  }
#endif
  for (int q = 0; q < in.ways && more; ++q) {
    in_range = prepare_block(state, q, block_entries, bank_free) && in_range;
  }
  int pending = -1;  // the way that is still to be prepared
  while (more && in_range) {
    more = false;
    for (int q = 0; q < in.ways; ++q) {
      auto& way = ways[q];
      if (way.begin == way.scan.entries) continue;
      if (pending == q) {
        in_range = prepare_block(state, q, block_entries, bank_free) && in_range;
        pending = -1;
      }
      run_block(state, q);
      if (pending >= 0) {
        in_range = prepare_block(state, pending, block_entries, bank_free) && in_range;
      }
      pending = way.begin == way.scan.entries ? -1 : q;
      more = true;
    }
  }
  for (int q = 0; q < in.ways; ++q) {
    state.out.blocked += static_cast<std::uint64_t>(ways[q].blocked);
    in_range = in_range && ways[q].issue < (1 << 30);
  }
  return in_range && !state.bad_pair && !any_bit(state.bad);
}

/// Adds a way's sums of this group; returns the end of its last slot. Lanes that are no PEs
/// behave like PEs without weights, so they are never later than one.
template <class Lag, class Count>
static LACUNA_INLINE I64 finish_way(State<Lag, Count>& state, int q) {
  using Vector = typename Traits<Lag>::Vector;
  KernelOutput& out = state.out;
  auto& way = state.ways[q];
  const Vector zero = splat<Vector>(0);
  Vector last = way.lanes[0].free;
  for (int c = 0; c < state.chunks; ++c) {
    Lanes<Vector>& lanes = way.lanes[c];
    last = vmax(last, lanes.free);
    if (any_bit(lanes.imbalance | lanes.window | lanes.bank)) {
      const bool whole = c + 1 < state.chunks;
      out.imbalance += lane_sum(whole ? lanes.imbalance : lanes.imbalance & state.valid);
      out.window += lane_sum(whole ? lanes.window : lanes.window & state.valid);
      out.bank += lane_sum(whole ? lanes.bank : lanes.bank & state.valid);
      lanes.imbalance = lanes.window = lanes.bank = zero;
    }
    lanes.blocked_seen = lanes.empty_seen = zero;
  }
  return way.issue + largest(last);
}

/// All groups of a pass. False if a range was left.
template <class Lag, class Count>
static LACUNA_INLINE bool run_groups(State<Lag, Count>& state) {
  const KernelInput& in = state.in;
  KernelOutput& out = state.out;
  auto& ways = state.ways;
  I64 drained_1 = in.hold1;  // E(g-1)
  I64 drained_2 = in.hold2;  // E(g-2)
  for (int g = 0; g < in.groups; ++g) {
    I64 end = 0;
    for (int q = 0; q < in.ways; ++q) {
      Scan& scan = ways[q].scan;
      scan_group(in, out, scan, q, g);
      count_first_writes(in, out, scan, q);
      count_slots(in, out, scan, q);
    }
    state.bank_counted = false;
    if (!run_entries(state, drained_2)) return false;
    out.carry_in_used = out.carry_in_used || (g < 2 && state.bank_counted);
    for (int q = 0; q < in.ways; ++q) {
      const I64 way_end = finish_way(state, q);
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

template <class Lag, class Count>
static bool run_kernel(const KernelInput& in, const Count* counts, unsigned char* scratch,
                       KernelOutput& out) {
  using Vector = typename Traits<Lag>::Vector;
  State<Lag, Count> state(in, out);
  const std::uintptr_t aligned = (reinterpret_cast<std::uintptr_t>(scratch) + 63) / 64 * 64;
  unsigned char* next = reinterpret_cast<unsigned char*>(aligned);
  const auto take = [&next](std::size_t bytes) {
    unsigned char* result = next;
    next += (bytes + 63) / 64 * 64;
    return result;
  };
  const std::size_t chunks = static_cast<std::size_t>(state.chunks);
  const std::size_t rooms = static_cast<std::size_t>(2 * in.depth + kRoomExtra + 2 * kBlock);
  const std::size_t entries = static_cast<std::size_t>(in.positions + 1 + 4 * kBlock);
  const std::size_t stride = static_cast<std::size_t>(in.count_stride);
  const std::size_t rows = 2 * static_cast<std::size_t>(in.positions) + 3;
  const std::size_t first = in.skip_none ? static_cast<std::size_t>(in.positions) + 1 : 0;
  alignas(64) Lag valid[kBlock];
  alignas(64) Lag counting[kBlock];
  for (int i = 0; i < kBlock; ++i) {
    counting[i] = static_cast<Lag>(i + 1);
    const bool pe = in.pes - (state.chunks - 1) * kBlock > i;
    valid[i] = static_cast<Lag>(pe ? -1 : 0);
  }
  state.valid = load_lags<Vector>(valid);
  state.counting = load_lags<Vector>(counting);
  const Vector zero = splat<Vector>(0);
  for (int q = 0; q < in.ways; ++q) {
    auto& way = state.ways[q];
    way.scan.offset = reinterpret_cast<I32*>(take(entries * sizeof(I32)));
    way.scan.position = reinterpret_cast<std::uint16_t*>(take(entries * sizeof(std::uint16_t)));
    way.slots = counts + (static_cast<std::size_t>(q) * rows + first) * stride;
    way.issue = 0;  // L_start - 1
    way.issued = 0;
    way.blocked = 0;
    way.scan.all_rows = -1;
    way.block.issue = state.issue[q];
    way.block.blocked = state.blocked[q];
    way.block.empty = state.empty[q];
    way.lanes = reinterpret_cast<Lanes<Vector>*>(take(chunks * sizeof(Lanes<Vector>)));
    way.room = reinterpret_cast<I32*>(take(rooms * sizeof(I32)));
    way.room_shift = -in.depth;  // D entries before the first, which never blocked anything
    for (int i = 0; i < in.depth + 2 * kBlock; ++i) way.room[i] = -(1 << 30);
    for (std::size_t c = 0; c < chunks; ++c) {
      // A PE's first slot can stand in cycle 4 at the earliest; what is before it is edge.
      way.lanes[c] = {zero, splat<Vector>(4), zero, zero, zero, zero, zero};
    }
  }
  return run_groups(state);
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
