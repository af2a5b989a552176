// SPDX-License-Identifier: Apache-2.0
//
// What a caller of the mapper chooses. (What a chip or a layer chooses is in
// params/mapping_params.h; how channels are dealt to PEs is an engine parameter: params::Balance.)
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "mapper/predict.h"
#include "mapper/program.h"
#include "params/mapping_params.h"

namespace lacuna::mapper {

using params::Dispatch;
using params::Ordering;
using params::WeightLayout;

struct MapOptions {
  int batch = 1;  ///< samples of a program
  Dispatch dispatch = Dispatch::kDynamic;
  /// Of layers that do not say; kAuto: as the chip says (mapper.order).
  Ordering ordering = Ordering::kAuto;
  /// Splits that are not searched, by layer. Must be sound (split_violations()).
  std::map<int, Split> splits;
  /// A layer whose tasks load nothing that is made at run time before all of it is stored, of all
  /// samples: to measure it by itself. kNone: there is none.
  int waits_for_batch = kNone;
  /// Which layers a batch goes through in groups of samples, if that is not searched.
  std::optional<std::vector<SampleChain>> chains;
  MappingCosts costs;                 ///< for mapper.objective: energy
  double dram_bytes_per_cycle = 0.0;  ///< of the DRAM's channels, about; 0: not known
  std::int64_t burst_bytes = 64;  ///< of the chip's DRAM: rows of `layout: row` are padded to it
  bool all_codes = false;         ///< weight tiles have codes even where nobody computes with them
};

/// Bytes a cycle that come from DRAM to the chip: a link may carry less than the channels give.
[[nodiscard]] inline double arriving_bytes_per_cycle(const params::ChipParams& chip,
                                                     const MapOptions& options) {
  if (!chip.dram.link) return options.dram_bytes_per_cycle;
  return std::min<double>(options.dram_bytes_per_cycle, chip.dram.link->width);
}

}  // namespace lacuna::mapper
