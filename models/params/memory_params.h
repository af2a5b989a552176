// SPDX-License-Identifier: Apache-2.0
//
// A DRAM standard as data: what configs/memories/*.yaml describes. Timing is a table of constraints
// (level, commands before, commands after, latency, window), so that a new standard is a file and
// no code; docs/reference/memory.md explains every key. All times are cycles of the memory's own
// command clock, written as expressions over the named values of `timing`.
//
// Convention for multi-cycle commands (LPDDR, HBM): the values are those of the standard, from the
// last clock edge of one command to the last clock edge of the next. The controller and the checker
// derive from that when a command may start.
//
// Not described here: refresh management (RFM), on-die ECC, temperature-compensated refresh.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "params/field.h"

namespace lacuna::params {

/// Where a constraint holds: between commands to the same node of this level (or, with `sibling`,
/// to different nodes that share the next higher one).
enum class MemoryLevel { kChannel, kPseudoChannel, kRank, kBankGroup, kBank };
constexpr auto enum_names(MemoryLevel) {
  return std::array{
      EnumName{MemoryLevel::kChannel, "channel"},
      EnumName{MemoryLevel::kPseudoChannel, "pseudo_channel"}, EnumName{MemoryLevel::kRank, "rank"},
      EnumName{MemoryLevel::kBankGroup, "bank_group"}, EnumName{MemoryLevel::kBank, "bank"}};
}

/// Commands of the DRAM. RDA and WRA precharge their bank by themselves. PREA and REFab address a
/// whole rank, as do entry and exit of power-down (PDE, PDX) and of self-refresh (SRE, SRX). REFpb
/// refreshes one bank, or organization.refresh_banks of them (LPDDR5: a pair, DDR5: REFsb).
enum class MemoryCommand {
  kACT,
  kRD,
  kRDA,
  kWR,
  kWRA,
  kPRE,
  kPREA,
  kREFab,
  kREFpb,
  kPDE,
  kPDX,
  kSRE,
  kSRX
};
inline constexpr int kMemoryCommands = 13;
constexpr auto enum_names(MemoryCommand) {
  return std::array{
      EnumName{MemoryCommand::kACT, "ACT"},     EnumName{MemoryCommand::kRD, "RD"},
      EnumName{MemoryCommand::kRDA, "RDA"},     EnumName{MemoryCommand::kWR, "WR"},
      EnumName{MemoryCommand::kWRA, "WRA"},     EnumName{MemoryCommand::kPRE, "PRE"},
      EnumName{MemoryCommand::kPREA, "PREA"},   EnumName{MemoryCommand::kREFab, "REFab"},
      EnumName{MemoryCommand::kREFpb, "REFpb"}, EnumName{MemoryCommand::kPDE, "PDE"},
      EnumName{MemoryCommand::kPDX, "PDX"},     EnumName{MemoryCommand::kSRE, "SRE"},
      EnumName{MemoryCommand::kSRX, "SRX"}};
}

/// One row of the timing table.
struct MemoryConstraint {
  MemoryLevel level = MemoryLevel::kBank;
  std::vector<MemoryCommand> from;
  std::vector<MemoryCommand> to;
  std::string latency;   ///< expression
  int window = 1;        ///< counts from the window-th latest `from`: 4 for tFAW
  bool sibling = false;  ///< between different nodes of `level` below the same parent

  friend bool operator==(const MemoryConstraint&, const MemoryConstraint&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("level", "where the rule holds: commands to the same node of this level"),
            self.level);
    visitor(field("from", "the earlier command, any of these"), self.from);
    visitor(field("to", "the later command, any of these"), self.to);
    visitor(field("latency", "least distance in clock cycles: an expression over 'timing'"),
            self.latency);
    visitor(field("window", "counts from the n-th latest earlier command; 4 for tFAW")
                .range(1, 16)
                .optional(),
            self.window);
    visitor(
        field("sibling",
              "between different nodes of the level that share the next higher node: rank to rank")
            .optional(),
        self.sibling);
  }
};

/// How a command travels.
struct MemoryCommandForm {
  int cycles = 1;          ///< clock cycles that it occupies the command bus
  std::string bus = "ca";  ///< HBM has two: row, column

  friend bool operator==(const MemoryCommandForm&, const MemoryCommandForm&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("cycles", "clock cycles on the command bus", Unit::kCycles).range(1, 16),
            self.cycles);
    visitor(
        field("bus", "command bus; commands on different buses do not block each other").optional(),
        self.bus);
  }
};

/// Sizes. A "column" is one beat of the channel (or pseudo-channel), channel_width bits.
struct MemoryOrganization {
  int channel_width = 16;  ///< data bits of a pseudo-channel, or of the channel if it has one
  int device_width =
      16;  ///< data bits of one device; channel_width / device_width work in parallel
  int pseudo_channels = 1;
  int ranks = 1;
  int bank_groups = 1;
  int banks = 8;          ///< per bank group
  int refresh_banks = 1;  ///< that one REFpb refreshes, evenly spread over the rank
  std::int64_t rows = 65536;
  int columns = 1024;
  int burst_length = 16;        ///< beats
  int transfers_per_clock = 2;  ///< beats per cycle of the command clock

  friend bool operator==(const MemoryOrganization&, const MemoryOrganization&) = default;

  [[nodiscard]] int burst_bytes() const { return channel_width * burst_length / 8; }
  [[nodiscard]] int burst_cycles() const { return burst_length / transfers_per_clock; }
  [[nodiscard]] int bursts_per_row() const { return columns / burst_length; }
  [[nodiscard]] int banks_per_rank() const { return bank_groups * banks; }
  /// REFpb commands that refresh a whole rank.
  [[nodiscard]] int refresh_sets() const { return banks_per_rank() / refresh_banks; }
  [[nodiscard]] int total_banks() const { return pseudo_channels * ranks * bank_groups * banks; }
  /// Bytes behind one channel.
  [[nodiscard]] std::int64_t channel_bytes() const {
    return std::int64_t{total_banks()} * rows * columns * channel_width / 8;
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("channel_width", "data bits of a (pseudo-)channel", Unit::kBits)
                .range(8, 1024)
                .power_of_2(),
            self.channel_width);
    visitor(field("device_width", "data bits of one device; several in parallel make the channel",
                  Unit::kBits)
                .range(4, 1024)
                .power_of_2(),
            self.device_width);
    visitor(field("pseudo_channels", "halves of a channel with data buses of their own (HBM)")
                .range(1, 4)
                .power_of_2()
                .optional(),
            self.pseudo_channels);
    visitor(field("ranks", "ranks of a (pseudo-)channel").range(1, 8).power_of_2(), self.ranks);
    visitor(field("bank_groups", "bank groups of a rank").range(1, 8).power_of_2(),
            self.bank_groups);
    visitor(field("banks", "banks of a bank group").range(1, 32).power_of_2(), self.banks);
    visitor(field("refresh_banks",
                  "banks that one REFpb refreshes, evenly spread over the rank: LPDDR5 2, DDR5 "
                  "(REFsb) one of each bank group")
                .range(1, 32)
                .power_of_2()
                .optional(),
            self.refresh_banks);
    visitor(field("rows", "rows of a bank").range(2, 1 << 24).power_of_2(), self.rows);
    visitor(field("columns", "beats of channel_width bits in an open row")
                .range(8, 1 << 16)
                .power_of_2(),
            self.columns);
    visitor(field("burst_length", "beats of one read or write").range(2, 64).power_of_2(),
            self.burst_length);
    visitor(field("transfers_per_clock", "beats per cycle of the command clock")
                .range(1, 16)
                .power_of_2(),
            self.transfers_per_clock);
  }
};

/// Data and refresh times.
struct MemoryTimes {
  std::string read_latency;                 ///< last command edge to first data
  std::string write_latency;                ///< last command edge to first data
  std::string refresh_interval;             ///< per rank, all-bank
  std::string refresh_bank_interval = "0";  ///< between per-bank refreshes; 0 = the device has none

  friend bool operator==(const MemoryTimes&, const MemoryTimes&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("read", "clock cycles from the last edge of RD to the first data"),
            self.read_latency);
    visitor(field("write", "clock cycles from the last edge of WR to the first data"),
            self.write_latency);
    visitor(field("refresh", "average clock cycles between all-bank refreshes of a rank"),
            self.refresh_interval);
    visitor(field("refresh_bank", "the same between per-bank refreshes; 0: the device has none")
                .optional(),
            self.refresh_bank_interval);
  }
};

/// Supply currents of one device and rail, averages as in the data sheet, amperes.
struct MemoryRail {
  double volts = 0;
  double idd0 = 0;   ///< activate-precharge cycling at tRC
  double idd2n = 0;  ///< standby, all banks precharged
  double idd2p = 0;  ///< power-down, all banks precharged
  double idd3n = 0;  ///< standby, a bank open
  double idd3p = 0;  ///< power-down, a bank open
  double idd4r = 0;  ///< gapless reads
  double idd4w = 0;  ///< gapless writes
  double idd5 = 0;   ///< back-to-back all-bank refresh
  double idd6 = 0;   ///< self-refresh

  friend bool operator==(const MemoryRail&, const MemoryRail&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    const auto current = [](std::string_view name, std::string_view doc) {
      return field(name, doc, Unit::kAmperes).range(0, 100);
    };
    visitor(field("volts", "supply voltage", Unit::kVolts).range(0.1, 10), self.volts);
    visitor(current("idd0", "activate-precharge cycling at tRC"), self.idd0);
    visitor(current("idd2n", "standby, all banks precharged"), self.idd2n);
    visitor(current("idd2p", "power-down, all banks precharged"), self.idd2p);
    visitor(current("idd3n", "standby, a bank open"), self.idd3n);
    visitor(current("idd3p", "power-down, a bank open"), self.idd3p);
    visitor(current("idd4r", "gapless reads"), self.idd4r);
    visitor(current("idd4w", "gapless writes"), self.idd4w);
    visitor(current("idd5", "back-to-back all-bank refresh"), self.idd5);
    visitor(current("idd6", "self-refresh"), self.idd6);
  }
};

/// What is known about energy. Currents where a data sheet has them; a figure per bit for
/// everything.
struct MemoryPower {
  double per_bit = 0;   ///< joules per transferred bit, all included
  double io_read = 0;   ///< joules per bit read, I/O that the rails leave out
  double io_write = 0;  ///< joules per bit written, I/O that the rails leave out
  std::map<std::string, MemoryRail> rails;  ///< empty = no currents known
  std::string tras = "0";                   ///< ACT to PRE at which idd0 was measured, expression
  std::string trc = "0";                    ///< ACT to ACT at which idd0 was measured, expression
  std::string trfc = "0";                   ///< length of an all-bank refresh, expression

  friend bool operator==(const MemoryPower&, const MemoryPower&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("per_bit", "energy per transferred bit, everything included", Unit::kJoules)
                .range(0, 1e-9),
            self.per_bit);
    visitor(
        field("io_read", "I/O and termination of a read, per bit, beside the rails", Unit::kJoules)
            .range(0, 1e-9)
            .optional(),
        self.io_read);
    visitor(field("io_write", "I/O and termination of a write, per bit, beside the rails",
                  Unit::kJoules)
                .range(0, 1e-9)
                .optional(),
            self.io_write);
    visitor(field("tras", "ACT to PRE at which idd0 holds: an expression").optional(), self.tras);
    visitor(field("trc", "ACT to ACT at which idd0 holds: an expression").optional(), self.trc);
    visitor(field("trfc", "length of an all-bank refresh: an expression").optional(), self.trfc);
    visitor(field("rails", "supply currents by rail; left out: not known").optional(), self.rails);
  }
};

/// Which request goes next.
enum class MemoryScheduler { kFrFcfs, kFcfs };
constexpr auto enum_names(MemoryScheduler) {
  return std::array{EnumName{MemoryScheduler::kFrFcfs, "fr_fcfs"},
                    EnumName{MemoryScheduler::kFcfs, "fcfs"}};
}

/// When rows are closed.
enum class MemoryPagePolicy { kOpen, kClosed, kTimeout };
constexpr auto enum_names(MemoryPagePolicy) {
  return std::array{EnumName{MemoryPagePolicy::kOpen, "open"},
                    EnumName{MemoryPagePolicy::kClosed, "closed"},
                    EnumName{MemoryPagePolicy::kTimeout, "timeout"}};
}

/// How refresh is done.
enum class MemoryRefresh { kNone, kAllBank, kPerBank };
constexpr auto enum_names(MemoryRefresh) {
  return std::array{EnumName{MemoryRefresh::kNone, "none"},
                    EnumName{MemoryRefresh::kAllBank, "all_bank"},
                    EnumName{MemoryRefresh::kPerBank, "per_bank"}};
}

/// The controller of a channel: not part of the standard.
struct MemoryControllerParams {
  MemoryScheduler scheduler = MemoryScheduler::kFrFcfs;
  int read_queue = 32;   ///< bursts
  int write_queue = 32;  ///< bursts
  int write_high = 24;   ///< start draining writes at this fill
  int write_low = 8;     ///< and stop at this one, if reads wait
  int min_batch = 16;    ///< column commands in one direction before turning round
  int write_age = 4096;  ///< cycles after which a waiting write starts a drain
  int row_hit_cap = 16;  ///< younger row hits that may pass a waiting older request of the bank
  MemoryPagePolicy page_policy = MemoryPagePolicy::kOpen;
  int page_timeout = 200;  ///< cycles that an unwanted row stays open, with kTimeout
  int power_down = 0;      ///< idle cycles before a rank's power-down; 0: never
  int self_refresh = 0;    ///< idle cycles before a rank's self-refresh; 0: never
  MemoryRefresh refresh = MemoryRefresh::kAllBank;
  int refresh_postpone = 8;  ///< refreshes that may be owed while requests wait
  int pipeline_cycles = 0;   ///< added to every completion: controller and PHY
  std::string mapping = "row rank bank column pseudo_channel bank_group channel";

  friend bool operator==(const MemoryControllerParams&, const MemoryControllerParams&) = default;

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
                  "wants for page_timeout is closed")
                .optional(),
            self.page_policy);
    visitor(
        field("page_timeout", "cycles that an unwanted row stays open, with timeout", Unit::kCycles)
            .range(1, 1e9)
            .optional(),
        self.page_timeout);
    visitor(
        field("power_down", "idle cycles after which a rank powers down; 0: never", Unit::kCycles)
            .range(0, 1e9)
            .optional(),
        self.power_down);
    visitor(field("self_refresh", "idle cycles after which a rank refreshes itself; 0: never",
                  Unit::kCycles)
                .range(0, 1e9)
                .optional(),
            self.self_refresh);
    visitor(field("refresh", "all banks of a rank at once, bank by bank, or not at all"),
            self.refresh);
    visitor(field("refresh_postpone",
                  "refreshes of a whole rank that may be owed while requests wait; JEDEC allows 8")
                .range(0, 8),
            self.refresh_postpone);
    visitor(
        field("pipeline", "cycles added to every completion for controller and PHY", Unit::kCycles)
            .range(0, 10000),
        self.pipeline_cycles);
    visitor(
        field("mapping",
              "address bits from most to least significant: fields row, rank, bank_group, bank, "
              "column, channel, pseudo_channel, each optionally with ':bits' and '^row'; or a "
              "name: row_bank_column, bank_row_column, row_column_bank"),
        self.mapping);
  }
  [[nodiscard]] std::vector<Violation> validate() const;
};

/// A memory description.
struct MemoryPreset {
  std::string name;
  std::string standard;
  std::string source;          ///< where the numbers come from, and which are judged
  double clock_period = 1e-9;  ///< seconds
  MemoryOrganization organization;
  std::map<std::string, std::int64_t> timing;
  MemoryTimes latency;
  std::map<std::string, MemoryCommandForm> commands;  ///< those that the device has
  std::vector<MemoryConstraint> constraints;
  MemoryPower power;
  MemoryControllerParams controller;

  friend bool operator==(const MemoryPreset&, const MemoryPreset&) = default;

  /// The clock in femtoseconds: exact for every JEDEC speed bin, so that long runs do not drift.
  [[nodiscard]] std::int64_t clock_fs() const;
  /// Bytes per second of one channel, all its pseudo-channels, when the data bus never rests.
  [[nodiscard]] double peak_bytes_per_second() const;
  /// Evaluates an expression over `timing`; call only after validate() found nothing.
  [[nodiscard]] std::int64_t cycles(const std::string& expression) const;
  [[nodiscard]] bool has(MemoryCommand command) const;

  [[nodiscard]] std::vector<Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("name", "what reports call this memory"), self.name);
    visitor(field("standard", "the family, for reports: LPDDR4X, DDR4, HBM2 ..."), self.standard);
    visitor(field("source", "where the numbers come from; which are judged"), self.source);
    visitor(field("clock_period", "period of the command clock", Unit::kSeconds).range(1e-11, 1e-7),
            self.clock_period);
    visitor(field("organization", "sizes of a channel"), self.organization);
    visitor(field("timing", "named values in clock cycles, for the expressions below"),
            self.timing);
    visitor(field("latency", "data and refresh times: expressions"), self.latency);
    visitor(field("commands",
                  "the commands that the device has, by name: ACT, RD, RDA, WR, WRA, PRE, "
                  "PREA, REFab, REFpb, PDE, PDX, SRE, SRX"),
            self.commands);
    visitor(field("constraints", "the timing table"), self.constraints);
    visitor(field("power", "energy per bit, supply currents"), self.power);
    visitor(field("controller", "default policy of the controller"), self.controller);
  }
};

}  // namespace lacuna::params
