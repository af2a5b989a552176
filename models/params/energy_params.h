// SPDX-License-Identifier: Apache-2.0
//
// The energy table of a technology: what configs/energy/*.yaml describes. One number per action,
// each with its source and whether that source states it (published) or we judged it. Joules and
// watts. Does not model temperature, process spread, or voltage scaling within a file: another
// operating point is another file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "params/field.h"

namespace lacuna::params {

/// Where a number comes from: stated by the named source, or judged by us (scaled, rounded,
/// estimated) for the reason given as its source.
enum class Basis { kPublished, kJudged };
constexpr auto enum_names(Basis) {
  return std::array{EnumName{Basis::kPublished, "published"}, EnumName{Basis::kJudged, "judged"}};
}

/// Energy of one action.
struct ActionEnergy {
  double joules = 0;
  Basis basis = Basis::kJudged;
  std::string source;

  friend bool operator==(const ActionEnergy&, const ActionEnergy&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("energy", "energy of one action", Unit::kJoules).range(0, 1e-3), self.joules);
    visitor(field("basis", "whether the source states this number or it was judged"), self.basis);
    visitor(field("source", "publication, or why this number was chosen"), self.source);
  }
};

/// Power that flows all the time.
struct StaticPower {
  double watts = 0;
  Basis basis = Basis::kJudged;
  std::string source;

  friend bool operator==(const StaticPower&, const StaticPower&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("power", "power of one unit", Unit::kWatts).range(0, 1e4), self.watts);
    visitor(field("basis", "whether the source states this number or it was judged"), self.basis);
    visitor(field("source", "publication, or why this number was chosen"), self.source);
  }
};

/// Energy per byte of an SRAM array of one size; sizes between two points are interpolated.
struct SramEnergyPoint {
  std::int64_t capacity = 8192;  ///< bytes
  double joules = 0;             ///< per byte read or written
  Basis basis = Basis::kJudged;
  std::string source;

  friend bool operator==(const SramEnergyPoint&, const SramEnergyPoint&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("capacity", "size of the array", Unit::kBytes).range(1, 1LL << 32),
            self.capacity);
    visitor(field("energy", "energy of one byte read or written", Unit::kJoules).range(0, 1e-3),
            self.joules);
    visitor(field("basis", "whether the source states this number or it was judged"), self.basis);
    visitor(field("source", "publication, or why this number was chosen"), self.source);
  }
};

/// One family of DRAM.
struct DramEnergy {
  ActionEnergy bit;        ///< one bit read or written, interface and array, without the activation
  ActionEnergy activate;   ///< one row activated and precharged
  StaticPower background;  ///< per channel, refresh included

  friend bool operator==(const DramEnergy&, const DramEnergy&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("bit", "one bit moved, without the activation"), self.bit);
    visitor(field("activate", "one row activated and precharged"), self.activate);
    visitor(field("background", "one channel, refresh included"), self.background);
  }
};

/// A whole table.
struct EnergyParams {
  std::string name;
  ActionEnergy mac_int8;
  ActionEnergy mac_gated;
  ActionEnergy accumulator_byte;
  ActionEnergy fifo_byte;
  ActionEnergy broadcast_bit;
  ActionEnergy int32_add;
  ActionEnergy requantize;
  ActionEnergy crossbar_bit;
  ActionEnergy vector_element;
  /// Needed by chips that have the parts; a table may leave them out.
  std::optional<ActionEnergy> decode_byte;
  std::optional<ActionEnergy> link_bit;
  std::optional<ActionEnergy> near_memory_byte;
  std::vector<SramEnergyPoint> sram_byte;
  std::map<std::string, DramEnergy> dram;
  StaticPower core;
  StaticPower sram_mib;
  StaticPower uncore;

  friend bool operator==(const EnergyParams&, const EnergyParams&) = default;
  [[nodiscard]] std::vector<Violation> validate() const;

  /// Energy per byte of an SRAM array of `capacity` bytes: linear between the logarithms of the two
  /// neighbouring points, and along the nearest two outside them. sram_byte has been validated.
  [[nodiscard]] double sram_byte_joules(double capacity) const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("name", "what reports call this table"), self.name);
    visitor.group("actions", "energy of one action", [&](auto& actions) {
      actions(field("mac_int8", "8-bit multiplication added into a 32-bit sum"), self.mac_int8);
      actions(field("mac_gated", "the same with a zero operand: nothing but the clock switches"),
              self.mac_gated);
      actions(field("accumulator_byte", "accumulator register file: one byte read or written"),
              self.accumulator_byte);
      actions(field("fifo_byte", "activation FIFO of a PE: one byte pushed or popped"),
              self.fifo_byte);
      actions(field("broadcast_bit", "one bit from a scanner to all PEs of its way"),
              self.broadcast_bit);
      actions(field("int32_add", "32-bit addition"), self.int32_add);
      actions(field("requantize", "scale, round, clamp and encode one output"), self.requantize);
      actions(field("crossbar_bit", "one bit between a core and an SRAM bank"), self.crossbar_bit);
      actions(field("vector_element", "one element through one operation of the vector unit"),
              self.vector_element);
      actions(field("decode_byte", "one byte of encoded weights or activations through a decoder"),
              self.decode_byte);
      actions(field("link_bit", "one bit between memory dies and chip (dram.link)"), self.link_bit);
      actions(field("near_memory_byte", "one byte read by a unit beside the DRAM banks"),
              self.near_memory_byte);
    });
    visitor(field("sram_byte", "SRAM arrays by size, smallest first"), self.sram_byte);
    visitor(field("dram", "by family: the part of the memory preset's name before the first '-'"),
            self.dram);
    visitor.group("static", "leakage, clocks and background", [&](auto& power) {
      power(field("core", "one core with its buffers"), self.core);
      power(field("sram_mib", "one MiB of on-chip SRAM"), self.sram_mib);
      power(field("uncore", "dispatcher, crossbar and memory interfaces"), self.uncore);
    });
  }
};

}  // namespace lacuna::params
