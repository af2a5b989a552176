// SPDX-License-Identifier: Apache-2.0
//
// The recurrence itself: the entries of a block, one after another, in 16 PEs. A room of the
// kernel: see kernel_body.h.

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
    lanes.leave = raised(needs, mask_stage, taken, taken);
    bank_free = bank_free - one;
  } else {
    lanes.leave = raised(needs, mask_stage, ready, lanes.free);
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
  lanes.free = add_where(needs, taken, slots, lanes.free, one);
  return mask_stage;
}

/// One block in 16 PEs; returns M + 1 of each entry, the largest of the PEs. kSingle: these 16
/// PEs are all there are. Inside, the time of entry i is counted from cycle i: what takes a cycle
/// per entry then stands still. Entries that fill up the block have no slots and an issue cycle
/// long ago: they change nothing.
template <Loss kLoss, bool kBank, bool kSingle, class Lag, class Count>
__attribute__((noinline)) static typename Traits<Lag>::Vector run_lanes(
    State<Lag, Count>& state, const typename State<Lag, Count>::W& way, int chunk) {
  using T = Traits<Lag>;
  using Vector = typename T::Vector;
  using Scalar = typename ScalarOf<Lag>::Type;
  const Block<Scalar>& block = way.block;
  const std::uint16_t* position = way.scan.position + way.begin;
  const std::size_t stride = kSingle ? kBlock : static_cast<std::size_t>(state.in.count_stride);
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
  if (LACUNA_UNROLL_BLOCKS && sizeof(Lag) == 2 && state.whole_blocks) {
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
  state.bad = state.bad |
              greater(vmax(lanes.free, lanes.leave), splat<Vector>(static_cast<int>(T::kHigh))) |
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

/// The same in all chunks of 16 PEs.
template <Loss kLoss, bool kBank, class Lag, class Count>
static LACUNA_INLINE typename Traits<Lag>::Vector run_chunks(
    State<Lag, Count>& state, const typename State<Lag, Count>::W& way) {
  using Vector = typename Traits<Lag>::Vector;
  if (state.chunks == 1) return run_lanes<kLoss, kBank, true>(state, way, 0);
  Vector maxima = run_lanes<kLoss, kBank, false>(state, way, 0);
  for (int c = 1; c < state.chunks; ++c) {
    maxima = vmax(maxima, run_lanes<kLoss, kBank, false>(state, way, c));
  }
  return maxima;
}
