// SPDX-License-Identifier: Apache-2.0
//
// What a channel tells anyone who listens: every command with its cycle. Costs one branch a command
// when nobody does.
#pragma once

#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

struct CommandRecord {
  Cycle time = 0;  ///< first cycle on the command bus
  MemoryCommand command = MemoryCommand::kACT;
  int bank = 0;     ///< in the channel; of commands to a whole rank (a set of banks) the first
  int row = -1;     ///< ACT, RD, RDA, WR, WRA: the row; else -1
  int column = -1;  ///< RD, RDA, WR, WRA: in bursts; else -1

  friend bool operator==(const CommandRecord&, const CommandRecord&) = default;
};

class CommandObserver {
 public:
  virtual ~CommandObserver() = default;
  virtual void on_command(const CommandRecord& record) = 0;
};

}  // namespace lacuna::timing::dram
