// SPDX-License-Identifier: Apache-2.0
//
// What a chip says about its DRAM: which memory, how many channels, and where the controllers
// differ from the policy that the memory preset suggests. The memory itself is
// params/memory_params.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "params/field.h"
#include "params/memory_params.h"

namespace lacuna::params {

/// MemoryControllerParams with every key optional: what is left out stays as the preset has it.
struct MemoryControllerOverrides {
  std::optional<MemoryScheduler> scheduler;
  std::optional<int> read_queue;
  std::optional<int> write_queue;
  std::optional<int> write_high;
  std::optional<int> write_low;
  std::optional<int> min_batch;
  std::optional<int> write_age;
  std::optional<int> row_hit_cap;
  std::optional<MemoryPagePolicy> page_policy;
  std::optional<int> page_timeout;
  std::optional<int> power_down;
  std::optional<int> self_refresh;
  std::optional<MemoryRefresh> refresh;
  std::optional<int> refresh_postpone;
  std::optional<int> pipeline_cycles;
  std::optional<std::string> mapping;

  [[nodiscard]] MemoryControllerParams applied_to(MemoryControllerParams policy) const;

  friend bool operator==(const MemoryControllerOverrides&,
                         const MemoryControllerOverrides&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("scheduler", "fr_fcfs: row hits first; fcfs: strictly in order"), self.scheduler);
    visitor(field("read_queue", "reads that a channel can reorder, in bursts").range(1, 1024),
            self.read_queue);
    visitor(field("write_queue", "writes that a channel can hold, in bursts").range(1, 1024),
            self.write_queue);
    visitor(field("write_high", "waiting writes at which a drain starts").range(1, 1024),
            self.write_high);
    visitor(field("write_low", "waiting writes at which a drain ends if reads wait").range(0, 1024),
            self.write_low);
    visitor(field("min_batch", "column commands in one direction before the bus turns round")
                .range(1, 1024),
            self.min_batch);
    visitor(field("write_age", "age at which a waiting write starts a drain", Unit::kCycles)
                .range(1, 1e9),
            self.write_age);
    visitor(field("row_hit_cap", "younger row hits that may pass an older request of their bank")
                .range(1, 1 << 20),
            self.row_hit_cap);
    visitor(field("page_policy",
                  "open: rows stay open until another row or a refresh needs the bank; closed: the "
                  "last waiting access of a row closes it (RDA, WRA); timeout: a row that nobody "
                  "wants for page_timeout is closed"),
            self.page_policy);
    visitor(
        field("page_timeout", "cycles that an unwanted row stays open, with timeout", Unit::kCycles)
            .range(1, 1e9),
        self.page_timeout);
    visitor(
        field("power_down", "idle cycles after which a rank powers down; 0: never", Unit::kCycles)
            .range(0, 1e9),
        self.power_down);
    visitor(field("self_refresh", "idle cycles after which a rank refreshes itself; 0: never",
                  Unit::kCycles)
                .range(0, 1e9),
            self.self_refresh);
    visitor(field("refresh", "all banks of a rank at once, bank by bank, or not at all"),
            self.refresh);
    visitor(field("refresh_postpone", "refreshes that may be owed while requests wait").range(0, 8),
            self.refresh_postpone);
    visitor(
        field("pipeline", "cycles added to every completion for controller and PHY", Unit::kCycles)
            .range(0, 10000),
        self.pipeline_cycles);
    visitor(
        field("mapping", "address bits from most to least significant, or the name of a mapping"),
        self.mapping);
  }
};

/// The interface between memory dies and chip, where it is narrower than what the channels deliver.
struct MemoryLinkParams {
  int width = 64;   ///< bytes per chip cycle, each way
  int latency = 8;  ///< chip cycles

  friend bool operator==(const MemoryLinkParams&, const MemoryLinkParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("width", "bytes per chip cycle, each way", Unit::kBytes).range(1, 65536),
            self.width);
    visitor(
        field("latency", "chip cycles from one end to the other", Unit::kCycles).range(0, 10000),
        self.latency);
  }
};

/// Units beside the DRAM banks, on the memory's side of the link: for weights in row layout
/// (docs/reference/chip.md) they read the rows that the activations ask for, and what crosses the
/// link is neither padded nor anything else. docs/reference/memory.md.
struct NearMemoryParams {
  bool enabled = true;
  bool decode = true;  ///< rows cross as the engine takes them; else encoded, for a decoder on chip
  int width = 64;      ///< bytes per chip cycle that the unit of a channel reads
  int latency = 20;    ///< chip cycles from the data of a channel to what leaves the unit

  friend bool operator==(const NearMemoryParams&, const NearMemoryParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("enabled", "false: plain memory, to see what the units are worth").optional(),
            self.enabled);
    visitor(field("decode", "decompress before the link; false: after it").optional(), self.decode);
    visitor(field("width", "bytes per chip cycle through the unit of a channel", Unit::kBytes)
                .range(1, 65536),
            self.width);
    visitor(field("latency", "chip cycles through a unit", Unit::kCycles).range(0, 10000),
            self.latency);
  }
};

struct DramParams {
  std::string preset = "configs/memories/lpddr4x-4266.yaml";  ///< path; the loader resolves names
  int channels = 8;
  int channel_width = 16;  ///< bits, all pseudo-channels of a channel together
  MemoryControllerOverrides controller;
  std::optional<MemoryLinkParams> link;         ///< none: the channels end at the chip
  std::optional<NearMemoryParams> near_memory;  ///< none: plain memory
  [[nodiscard]] bool has_near_memory() const { return near_memory && near_memory->enabled; }

  friend bool operator==(const DramParams&, const DramParams&) = default;

  /// The preset with this chip's controller policy.
  [[nodiscard]] MemoryPreset applied_to(MemoryPreset memory) const;
  /// What does not fit between this and the memory it names. Keys are those of this struct.
  [[nodiscard]] std::vector<Violation> check_against(const MemoryPreset& memory) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(
        field("preset",
              "memory preset: a name in ../memories/, seen from this file, or the path of a file")
            .preset_in("../memories"),
        self.preset);
    visitor(
        field("channels", "independent channels, one controller each").range(1, 64).power_of_2(),
        self.channels);
    visitor(field("channel_width", "data pins of a channel; must be what the preset describes",
                  Unit::kBits)
                .range(8, 1024)
                .power_of_2(),
            self.channel_width);
    visitor(field("controller", "what differs from the controller policy of the preset"),
            self.controller);
    visitor(field("link", "interface between memory dies and chip; left out: none of its own"),
            self.link);
    visitor(field("near_memory", "row selection beside the DRAM banks; left out: none"),
            self.near_memory);
  }
};

}  // namespace lacuna::params
