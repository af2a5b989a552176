// SPDX-License-Identifier: Apache-2.0
//
// Four lanes, three ways, empty entries that cost a cycle, a drain wider than a row of PEs.
#include <gtest/gtest.h>

#include "equivalence.h"

namespace lacuna::test {
namespace {

params::EngineParams lanes() {
  params::EngineParams engine;
  engine.pes = 4;
  engine.k_ways = 3;
  engine.rows_per_pe = 6;
  engine.lanes = 4;
  engine.fifo_depth = 4;
  engine.scan_width = 16;
  engine.skip_empty = params::SkipEmpty::kNone;
  engine.drain_width = 8;
  engine.weight_buffer = 6144;
  engine.activation_buffer = 3072;
  engine.psum_buffer = 4096;
  engine.output_buffer = 4096;
  engine.load_width = 16;
  engine.weight_word = 8;
  engine.max_k = 384;
  engine.act_block = 16;
  return engine;
}

TEST(Lanes, RandomPassesAreEqualInModelAndRtl) { compare_random_passes(lanes(), 2, 300); }

}  // namespace
}  // namespace lacuna::test
