// SPDX-License-Identifier: Apache-2.0
//
// Interface between the vector versions of the recurrence and the code that picks one at run time.
// Plain data only: the AVX2 translation unit is compiled with other flags than the rest, so it must
// not instantiate inline functions that others share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lacuna::timing::engine {

/// What a timing kernel reads. Arrays as in Tile and Block.
struct KernelInput {
  int pes, ways, depth, groups, positions, windows, window_words;
  bool skip_none;  ///< SkipEmpty::kNone
  const int* base;
  const std::uint64_t* present;
  const std::uint64_t* block_masks;
  int count_stride;
  const std::uint8_t* counts8;  ///< null if counts are wide; both [Q][2X+3][count_stride]
  const std::uint16_t* counts16;
  const std::uint32_t* zero_pes;
  int mask_stride;
  const std::uint8_t* masks;
  const std::uint8_t* any_masks;
  std::int64_t hold1, hold2;
  std::int64_t drain_cycles;  ///< L_drain + n_b
};

/// What it gives, besides F and E.
struct KernelOutput {
  std::int64_t* group_end;
  std::int64_t* drain_end;
  std::uint64_t windows_visited, windows_empty, broadcasts, entries_without_k;
  std::uint64_t first_writes, blocked, slots;  ///< slots: PE slots without a weight
  std::uint64_t bank, imbalance, window;       ///< PE-cycles by cause
  std::uint64_t tail;                          ///< PE-cycles after each PE's last slot
  bool carry_in_used;                          ///< as in PassResult
};

/// Bytes of scratch memory that a kernel needs.
[[nodiscard]] std::size_t kernel_scratch_bytes(const KernelInput& input);

/// The recurrence with lags of 16 or 32 bits. False: a lag left the range; the output is void.
using TimingKernel = bool (*)(const KernelInput& input, unsigned char* scratch,
                              KernelOutput& output);

namespace portable {
bool timing_16(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
bool timing_32(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
}  // namespace portable

namespace avx2 {
bool timing_16(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
bool timing_32(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
}  // namespace avx2

namespace avx512 {
bool timing_16(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
bool timing_32(const KernelInput& input, unsigned char* scratch, KernelOutput& output);
}  // namespace avx512

/// True if the AVX2 versions are compiled in and this machine can run them.
[[nodiscard]] bool have_avx2();
/// The same of the versions for AVX-512 with VNNI; never without AVX2.
[[nodiscard]] bool have_avx512();

}  // namespace lacuna::timing::engine
