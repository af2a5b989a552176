// SPDX-License-Identifier: Apache-2.0
//
// Blocks of two ways of 16 PEs at once, in vectors of 32 lags, where the instruction set has them:
// prepared, run and ended as those of one way. A room of the kernel: see kernel_body.h.

/// As prepare_block(), of ways q and q + 1; q is even.
template <class Count>
static LACUNA_INLINE bool prepare_pair(State<I16, Count>& state, int q, I64 bank_free) {
  const KernelInput& in = state.in;
  auto& a = state.ways[q];
  auto& b = state.ways[q + 1];
  const Pair zero = splat<Pair>(0);
  const Pair counting = join(state.counting, state.counting);
  begin_block(in, a, kBlock);
  begin_block(in, b, kBlock);

  const bool any_empty = a.scan.any_empty || b.scan.any_empty;
  Pair offset = counting;
  if (any_empty) {
    V16 of_a = state.counting;
    V16 of_b = state.counting;
    if (a.scan.any_empty) load_cycles(of_a, a.scan.offset + a.begin, a.offset_before);
    if (b.scan.any_empty) load_cycles(of_b, b.scan.offset + b.begin, b.offset_before);
    offset = join(of_a, of_b);
  }
  Pair room;
  load_cycles(room, next_rooms(in, a), static_cast<I32>(a.issue), next_rooms(in, b),
              static_cast<I32>(b.issue));
  const Pair added = prefix_maxima(vmax(saturating_sub(room, offset), zero));
  store_scalars(a.block.blocked, added + join(splat<V16>(static_cast<int>(a.blocked)),
                                              splat<V16>(static_cast<int>(b.blocked))));
  Pair issue = added;
  if (any_empty) {
    const Pair extra = offset - counting;
    store_scalars(a.block.empty, extra + join(splat<V16>(a.offset_before - a.begin),
                                              splat<V16>(b.offset_before - b.begin)));
    issue = issue + extra;
  } else {
    store_scalars(a.block.empty, zero);
  }
  const PairMask fill =
      greater(counting, join(splat<V16>(a.block.count), splat<V16>(b.block.count)));
  store_scalars(a.block.issue, select(fill, splat<Pair>(static_cast<int>(Traits<I16>::kLow)),
                                      issue + splat<Pair>(4)));
  const bool in_range = rate_block(state, a, bank_free);
  return rate_block(state, b, bank_free) && in_range;
}

/// One block of each of two ways of 16 PEs at once. What neither loses stays zero, so a way runs
/// through the steps of the other.
template <Loss kLoss, bool kBank, class Count>
__attribute__((noinline)) static void run_pair_of(State<I16, Count>& state,
                                                  typename State<I16, Count>::W& a,
                                                  typename State<I16, Count>::W& b) {
  using T = Traits<I16>;
  using Vector = typename T::Vector;
  const auto& first = a.block;
  const auto& second = b.block;
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
  PairScalars scalars{load_scalars(first.issue), zero, zero, first_lags()};
  if constexpr (kLoss != Loss::kNone) scalars.all_blocked = load_scalars(first.blocked);
  if constexpr (kLoss == Loss::kBoth) scalars.all_empty = load_scalars(first.empty);
  const Pair one = opaque_one();
  RowMaxima<Pair> maxima;
  LACUNA_UNROLL for (int i = 0; i < kBlock; ++i) {
    Pair slots;
    load_counts(slots, a.slots + std::size_t{position_a[i]} * kBlock,
                b.slots + std::size_t{position_b[i]} * kBlock);
    maxima.add(i, run_step<kLoss, kBank>(lanes, bank_free, slots, one, scalars));
    scalars.lag = scalars.lag + one;
  }
  lanes.free = lanes.free -
               join(splat<Vector>(first.advance - kBlock), splat<Vector>(second.advance - kBlock));
  lanes.leave = lanes.leave - join(splat<Vector>(first.advance - first.count),
                                   splat<Vector>(second.advance - second.count));
  state.bad_pair =
      state.bad_pair ||
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
  store_cycles(a.room + (a.issued - a.room_shift), static_cast<I32>(a.issue),
               b.room + (b.issued - b.room_shift), static_cast<I32>(b.issue),
               maxima.result() + (join(state.counting, state.counting) - one));
  pass_block(a);
  pass_block(b);
}

template <class Count>
static LACUNA_INLINE void run_pair(State<I16, Count>& state, typename State<I16, Count>::W& a,
                                   typename State<I16, Count>::W& b) {
  const Loss loss = a.block.loss > b.block.loss ? a.block.loss : b.block.loss;
  if (a.block.bank || b.block.bank) {
    run_pair_of<Loss::kBoth, true>(state, a, b);
  } else if (loss == Loss::kBoth) {
    run_pair_of<Loss::kBoth, false>(state, a, b);
  } else if (loss == Loss::kImbalance) {
    run_pair_of<Loss::kImbalance, false>(state, a, b);
  } else {
    run_pair_of<Loss::kNone, false>(state, a, b);
  }
}
