// SPDX-License-Identifier: Apache-2.0
//
// From which layer to which a value or a layer's partial sums need a place, and places in a memory
// that what is alive at the same time does not share.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cycles.h"
#include "mapper/program.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// Everything that is given a place of its own is a multiple of this long.
inline constexpr std::int64_t kAlignment = 64;
[[nodiscard]] inline std::int64_t aligned(std::int64_t bytes) {
  return base::round_up<std::int64_t>(bytes, kAlignment);
}

/// A value or a layer's partial sums that need a place: from layer `birth` on, until layer `death`
/// has read it. What only layers of a chain make and read lives so for each group of samples anew
/// (`chain`); what comes into a chain or leaves it lives while all groups go through.
struct Lifetime {
  int value = kNone;
  int gemm = kNone;  ///< of partial sums
  int birth = -1;
  int death = -1;
  std::int64_t bytes = 0;
  int chain = kNone;   ///< in Program::chains
  bool wraps = false;  ///< it is there when a group begins, or until it ends: of a chain
};

/// Of all that is stored, by birth. Needs tensors and partial sums.
[[nodiscard]] std::vector<Lifetime> lifetimes(const workload::Graph& graph, const Program& program);

struct Allocation {
  Lifetime life;
  std::int64_t begin = 0;
};

/// Values by id, and behind them the partial sums of gemms.
[[nodiscard]] inline std::size_t place_id(const workload::Graph& graph, const Lifetime& life) {
  return life.gemm != kNone ? graph.values.size() + static_cast<std::size_t>(life.gemm)
                            : static_cast<std::size_t>(life.value);
}

/// Each where it finds room, first come, first served; what finds none is left out.
[[nodiscard]] std::vector<Allocation> place_all(const std::vector<Lifetime>& wanted,
                                                std::int64_t capacity);
/// Bytes up to the end of the highest.
[[nodiscard]] std::int64_t peak(const std::vector<Allocation>& placed);
/// Nobody reads it, or it is the result: it goes to DRAM.
[[nodiscard]] bool leaves_chip(const workload::Graph& graph, int value);
/// The chain whose layers alone make and read a value; kNone: there is none.
[[nodiscard]] int inner_chain(const workload::Graph& graph, const Program& program, int value);
/// Layers that read or made what lay in this space before.
[[nodiscard]] std::vector<EarlierUser> earlier_users(const workload::Graph& graph,
                                                     const Program& program,
                                                     const std::vector<Allocation>& placed,
                                                     const Allocation& mine);

}  // namespace lacuna::mapper
