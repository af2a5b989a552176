// SPDX-License-Identifier: Apache-2.0
//
// Picks a vector version of the recurrence at run time: 16-bit lags first, 32-bit ones where a lag
// leaves their range.
#include <array>
#include <memory>

#include "timing/engine/kernel.h"
#include "timing/engine/latencies.h"
#include "timing/engine/timing.h"

namespace lacuna::timing::engine {

bool have_avx2() {
#if defined(LACUNA_ENGINE_AVX2) && (defined(__x86_64__) || defined(__i386__))
  static const bool supported = __builtin_cpu_supports("avx2") != 0 &&
                                __builtin_cpu_supports("bmi") != 0 &&
                                __builtin_cpu_supports("bmi2") != 0;
  return supported;
#else
  return false;
#endif
}

bool have_avx512() {
#if defined(LACUNA_ENGINE_AVX512) && (defined(__x86_64__) || defined(__i386__))
  static const bool supported =
      have_avx2() && __builtin_cpu_supports("avx512f") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
  return supported;
#else
  return false;
#endif
}

std::size_t kernel_scratch_bytes(const KernelInput& input) {
  const auto size_of = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  // Per way: lanes (7 vectors of 32-bit lags), rooms, offsets, positions; kernel_body.h.
  const std::size_t lanes = size_of(input.count_stride) * 7 * 4 + 64;
  const std::size_t rooms = size_of(2 * input.depth + 4096 + 32) * 4;
  const std::size_t entries = size_of(input.positions + 65) * 6;
  return size_of(input.ways) * (lanes + rooms + entries + 4 * 64) + 64;
}

bool evaluate_vector(const PassInputs& in, Kernel kernel, PassResult& result) {
  const Tile& tile = in.tile;
  const Block& block = in.block;
  KernelInput input{};
  input.pes = in.params.pes;
  input.ways = in.params.k_ways;
  input.depth = in.params.fifo_depth;
  input.groups = block.groups;
  input.positions = tile.positions;
  input.windows = tile.windows;
  input.window_words = tile.window_words;
  input.skip_none = in.params.skip_empty == params::SkipEmpty::kNone;
  input.base = tile.base.data();
  input.present = tile.present.data();
  input.block_masks = block.masks.data();
  input.count_stride = tile.count_stride;
  input.counts8 = tile.wide_counts ? nullptr : tile.counts8.data();
  input.counts16 = tile.wide_counts ? tile.counts16.data() : nullptr;
  input.zero_pes = tile.zero_pes.data();
  input.mask_stride = tile.mask_stride;
  input.masks = tile.masks.data();
  input.any_masks = tile.any_masks.data();
  input.hold1 = in.command.hold1;
  input.hold2 = in.command.hold2;
  input.drain_cycles = kDrainLatency + drain_beats(in.params, tile.rows);

  std::array<TimingKernel, 2> kernels{portable::timing_16, portable::timing_32};
  if (kernel == Kernel::kAuto && have_avx512()) {
    kernels = {avx512::timing_16, avx512::timing_32};
  } else if (kernel != Kernel::kPortable && have_avx2()) {
    kernels = {avx2::timing_16, avx2::timing_32};
  }
  // Kept between passes: fresh memory costs more than a short pass.
  thread_local std::unique_ptr<unsigned char[]> scratch;
  thread_local std::size_t scratch_bytes = 0;
  if (const std::size_t need = kernel_scratch_bytes(input); need > scratch_bytes) {
    scratch = std::make_unique_for_overwrite<unsigned char[]>(need);
    scratch_bytes = need;
  }
  result.group_end.resize(static_cast<std::size_t>(block.groups));
  result.drain_end.resize(static_cast<std::size_t>(block.groups));
  for (const TimingKernel run : kernels) {
    KernelOutput output{};
    output.group_end = result.group_end.data();
    output.drain_end = result.drain_end.data();
    if (!run(input, scratch.get(), output)) continue;
    result.length = result.group_end.back();
    result.carry_in_used = output.carry_in_used;
    Counters& counters = result.counters;
    counters.windows_visited = output.windows_visited;
    counters.windows_empty = output.windows_empty;
    counters.broadcasts = output.broadcasts;
    counters.entries_without_k = output.entries_without_k;
    counters.blocked_cycles = output.blocked;
    counters.acc_reads = output.first_writes;
    counters.pe_slot = output.slots;
    counters.pe_bank = output.bank;
    counters.pe_imbalance = output.imbalance;
    counters.pe_window = output.window;
    const std::uint64_t all_pes =
        static_cast<std::uint64_t>(in.params.pes) * static_cast<std::uint64_t>(in.params.k_ways);
    counters.pe_edge = output.tail + all_pes * kFillLatency;
    const std::uint64_t slots = counters.acc_writes;  // with a weight
    counters.pe_mac = slots;
    counters.pe_issue = all_pes * static_cast<std::uint64_t>(result.length) - slots -
                        counters.pe_slot - counters.pe_bank - counters.pe_edge -
                        counters.pe_imbalance - counters.pe_window;
    return true;
  }
  return false;
}

}  // namespace lacuna::timing::engine
