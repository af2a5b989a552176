// SPDX-License-Identifier: Apache-2.0
//
// One lane, two ways of two PEs, FIFOs of two entries: every kind of stall is frequent.
#include <gtest/gtest.h>

#include "equivalence.h"

namespace lacuna::test {
namespace {

params::EngineParams small() {
  params::EngineParams engine;
  engine.pes = 2;
  engine.k_ways = 2;
  engine.rows_per_pe = 4;
  engine.lanes = 1;
  engine.fifo_depth = 2;
  engine.scan_width = 8;
  engine.skip_empty = params::SkipEmpty::kDecoupled;
  engine.drain_width = 2;
  engine.weight_buffer = 1024;
  engine.activation_buffer = 512;
  engine.psum_buffer = 512;
  engine.output_buffer = 512;
  engine.load_width = 8;
  engine.weight_word = 4;
  engine.max_k = 256;
  engine.act_block = 8;
  return engine;
}

TEST(Small, RandomPassesAreEqualInModelAndRtl) { compare_random_passes(small(), 1, 500); }

}  // namespace
}  // namespace lacuna::test
