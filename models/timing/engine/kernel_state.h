// SPDX-License-Identifier: Apache-2.0
//
// What the recurrence keeps of 16 PEs, of a way and of a pass, and within which ranges. A room of
// the kernel: see kernel_body.h, which includes it once per instruction set.

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

/// What a group sends in one way; the arrays are kept for all groups.
struct Scan {
  std::uint16_t* position;  // of the entries with k
  I32* offset;  // if any_empty: issue cycle of each entry if never blocked; 1 is the first cycle
  int with_k;   // entries
  int entries;  // with_k, + 1 if the last one has no k
  bool any_empty;
  I64 all_rows;  // of the way that have weights at all; -1: not counted yet
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
  bool bank;        // the bank counts
  int bank_free;    // relative to the issue before the block
  int advance;      // cycles from the issue before the block to its last one
  Scalar* issue;    // [kBlock] I + 3 (the first S possible) - i, relative to the same
  Scalar* blocked;  // [kBlock]
  Scalar* empty;    // [kBlock]
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

/// A pass.
template <class Lag, class Count>
struct State {
  using T = Traits<Lag>;
  using Vector = typename T::Vector;
  using Scalar = typename ScalarOf<Lag>::Type;
  using W = Way<Vector, Count, Scalar>;

  /// The rest is set before it is read: most passes are short, and have few ways.
  State(const KernelInput& input, KernelOutput& output)
      : in(input),
        out(output),
        chunks(input.count_stride / kBlock),
        whole_blocks(input.depth >= kBlock) {}

  const KernelInput& in;
  KernelOutput& out;
  int chunks;       // of 16 PEs
  Vector valid;     // lanes of the last chunk that are PEs
  Vector counting;  // 1 .. 16
  W ways[16];
  Vector bad;         // lanes that left their range in this group
  bool bad_pair;      // the same of vectors of two ways
  bool bank_counted;  // in this group, for some block
  bool whole_blocks;  // D >= 16: all blocks but a group's last are of 16 entries
  // Of the ways' blocks: those of two ways side by side.
  alignas(64) Scalar issue[16][kBlock];
  alignas(64) Scalar blocked[16][kBlock];
  alignas(64) Scalar empty[16][kBlock];
};
