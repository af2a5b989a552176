// SPDX-License-Identifier: Apache-2.0
//
// How the SRAM is divided where the network's weights do not all fit in it: between activations,
// weights that stay for the next program (pinned), and the ring through which the others stream.
// Each division is judged by a model of the whole program: layer after layer, weights fetched ahead
// at the DRAM's rate as far as the ring lets them, whatever finds no room read from and written to
// DRAM while its layer runs. It ranks; what a program really takes is what the simulation says.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/predict.h"
#include "mapper/program.h"
#include "params/mapping_params.h"

namespace lacuna::mapper {

/// What a layer wants, in the order of the program.
struct LayerDemand {
  double cycles = 0;               ///< with everything in SRAM
  std::int64_t weights = 0;        ///< bytes of its images that could stream or be pinned
  std::int64_t largest_image = 0;  ///< of them
  double selected_bytes = 0;       ///< of rows that come straight from DRAM in any case
  double selected_cycles = 0;      ///< that they keep DRAM or link busy
  double image_users = 1;          ///< loads of an image that comes straight from DRAM
  double rounds = 1;  ///< how often its tasks come round to an image that has left the ring
  double groups = 1;  ///< of samples, each of which wants its images
  /// Bytes of the images of all layers that groups go through: what a ring must hold so that the
  /// next group finds them.
  std::int64_t together = 0;
  /// Bytes that move between the chip and a value that is not in SRAM, and the loads that wait for
  /// them one after the other on a core.
  struct Access {
    int value = kNone;
    double bytes = 0;
    double loads = 0;
  };
  std::vector<Access> accesses;
};

struct MemoryModel {
  std::vector<LayerDemand> layers;
  double bytes_per_cycle = 0;  ///< from DRAM to the chip
  double latency = kDramLatency;
  std::int64_t burst = 64;
};

/// Fills the predicted figures of a division. `in_sram`: by value. The first images of the program
/// are pinned.
void predict_memory(const MemoryModel& model, const std::vector<bool>& in_sram, MemorySplit& split);

/// Less is better: cycles of a first program and one after it, or the energy of both; then bytes
/// from and to DRAM.
[[nodiscard]] bool better(params::Objective objective, const MappingCosts& costs,
                          const MemorySplit& a, const MemorySplit& b);

}  // namespace lacuna::mapper
