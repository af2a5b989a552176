// SPDX-License-Identifier: Apache-2.0
//
// One way, 40 rows per PE (8-byte masks), windows wider than a load beat, a slow drain.
#include <gtest/gtest.h>

#include "equivalence.h"

namespace lacuna::test {
namespace {

params::EngineParams wide() {
  params::EngineParams engine;
  engine.pes = 4;
  engine.k_ways = 1;
  engine.rows_per_pe = 40;
  engine.lanes = 2;
  engine.fifo_depth = 8;
  engine.scan_width = 128;
  engine.skip_empty = params::SkipEmpty::kDecoupled;
  engine.drain_width = 1;
  engine.weight_buffer = 32768;
  engine.activation_buffer = 2048;
  engine.psum_buffer = 16384;
  engine.output_buffer = 8192;
  engine.load_width = 8;
  engine.weight_word = 8;
  engine.max_k = 512;
  engine.act_block = 32;
  return engine;
}

TEST(Wide, RandomPassesAreEqualInModelAndRtl) { compare_random_passes(wide(), 3, 150); }

}  // namespace
}  // namespace lacuna::test
