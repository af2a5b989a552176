// SPDX-License-Identifier: Apache-2.0
//
// The parameters of a chip: what configs/chips/*.yaml describes, what the timing model and the RTL
// (as -G parameters) are built from. Sizes are bytes, widths of buses bytes (of DRAM channels
// bits), clocks hertz. Plain data and rules, no I/O: config/ fills the structs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "params/compress_params.h"
#include "params/dram_params.h"
#include "params/field.h"
#include "params/mapping_params.h"

namespace lacuna::params {

/// What an activation costs a PE that has no weight for it: a cycle, or nothing (dropped in the
/// mask stage).
enum class SkipEmpty { kNone, kDecoupled };
constexpr auto enum_names(SkipEmpty) {
  return std::array{EnumName{SkipEmpty::kNone, "none"},
                    EnumName{SkipEmpty::kDecoupled, "decoupled"}};
}

/// How output channels are dealt to PEs: in order, by non-zero weights, or by non-zero weights
/// times how often their activation is non-zero.
enum class Balance { kNone, kGreedy, kActivation };
constexpr auto enum_names(Balance) {
  return std::array{EnumName{Balance::kNone, "none"}, EnumName{Balance::kGreedy, "greedy"},
                    EnumName{Balance::kActivation, "activation"}};
}

/// One sparse engine (docs/reference/engine.md). The names are those of the RTL parameters.
struct EngineParams {
  int pes = 16;
  int k_ways = 4;
  int rows_per_pe = 32;
  int lanes = 1;
  int fifo_depth = 16;
  int scan_width = 32;
  SkipEmpty skip_empty = SkipEmpty::kDecoupled;
  int drain_width = 16;
  std::int64_t weight_buffer = 128 * 1024;     ///< bytes per half
  std::int64_t activation_buffer = 16 * 1024;  ///< bytes per half
  std::int64_t psum_buffer = 128 * 1024;
  std::int64_t output_buffer = 16 * 1024;
  int load_width = 16;  ///< bytes per cycle
  int weight_word = 8;  ///< bytes
  int max_k = 4096;
  int act_block = 64;
  int transpose_width = 16;
  bool skip_weights = true;
  bool skip_activations = true;
  Balance balance = Balance::kGreedy;

  /// Windows of one way that a group's mask memory holds: max(16,
  /// 2*ceil(max_k/(k_ways*scan_width))). Twice the dense number, because segments of a convolution
  /// start at window boundaries.
  [[nodiscard]] int max_windows() const;
  /// Activation value slots of one way and half: max(64,
  /// 2*activation_buffer/(k_ways*lanes*scan_width)).
  [[nodiscard]] int act_slots() const;
  /// INT8 multiply-accumulates per cycle when nothing stalls.
  [[nodiscard]] std::int64_t macs_per_cycle() const { return std::int64_t{pes} * k_ways * lanes; }
  /// Output channels of one tile.
  [[nodiscard]] int max_channels() const { return pes * rows_per_pe; }

  /// Rules between members.
  [[nodiscard]] std::vector<Violation> validate() const;
  /// What the RTL cannot be built for, though the model can: checked when RTL is asked for.
  [[nodiscard]] std::vector<Violation> rtl_limits() const;

  friend bool operator==(const EngineParams&, const EngineParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    constexpr double kMaxBuffer = 1LL << 30;
    visitor(field("pes", "processing elements per way").range(1, 256), self.pes);
    visitor(field("k_ways", "ways: way q owns the k with k mod k_ways = q").range(1, 16),
            self.k_ways);
    visitor(field("rows_per_pe", "output channels that a PE holds (RTL: up to 64)").range(1, 1024),
            self.rows_per_pe);
    visitor(field("lanes", "tokens that share one weight read").range(1, 16).power_of_2(),
            self.lanes);
    visitor(field("fifo_depth", "entries of the activation FIFO of a PE").range(1, 256),
            self.fifo_depth);
    visitor(field("scan_width", "mask bits in a scanner window").range(8, 256).power_of_2(),
            self.scan_width);
    visitor(field("skip_empty",
                  "an entry without weights for a PE costs it a cycle (none) or is dropped in the "
                  "mask stage (decoupled)"),
            self.skip_empty);
    visitor(field("drain_width", "output channels drained per cycle, all lanes each")
                .range(1, 256.0 * 1024),
            self.drain_width);
    visitor(field("weight_buffer", "weight buffer, one of two halves", Unit::kBytes)
                .range(1, kMaxBuffer),
            self.weight_buffer);
    visitor(field("activation_buffer", "activation buffer, one of two halves", Unit::kBytes)
                .range(1, kMaxBuffer),
            self.activation_buffer);
    visitor(field("psum_buffer", "partial sums between K tiles", Unit::kBytes).range(1, kMaxBuffer),
            self.psum_buffer);
    visitor(field("output_buffer", "encoded outputs that wait for the DMA", Unit::kBytes)
                .range(1, kMaxBuffer),
            self.output_buffer);
    visitor(field("load_width", "bytes per cycle into a buffer", Unit::kBytes)
                .range(8, 64)
                .power_of_2(),
            self.load_width);
    visitor(
        field("weight_word", "word of the weight memory", Unit::kBytes).range(4, 16).power_of_2(),
        self.weight_word);
    visitor(field("max_k", "longest K of a tile").range(1, 65536), self.max_k);
    visitor(field("act_block", "channels per mask word of stored activations")
                .range(8, 256)
                .power_of_2(),
            self.act_block);
    visitor(field("transpose_width", "values per cycle of the transpose unit (run-time operands)")
                .range(1, 1024),
            self.transpose_width);
    visitor.group("skip", "what the engine skips; for studies of single-sided sparsity",
                  [&](auto& skip) {
                    skip(field("weights", "skip zero weights"), self.skip_weights);
                    skip(field("activations", "skip zero activations"), self.skip_activations);
                  });
    visitor(field("balance", "how output channels are dealt to PEs"), self.balance);
  }
};

/// The vector unit: softmax, layer norm, GELU, pooling, element-wise.
struct VectorParams {
  int lanes = 16;

  friend bool operator==(const VectorParams&, const VectorParams&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("lanes", "elements per cycle of the vector unit").range(1, 1024), self.lanes);
  }
};

/// The shared on-chip SRAM behind the crossbar.
struct SramParams {
  std::int64_t capacity = 16LL << 20;
  int banks = 32;
  int width = 64;      ///< bytes per bank and cycle
  int latency = 4;     ///< cycles
  int bank_ports = 1;  ///< words that a bank moves per cycle, reads or writes

  friend bool operator==(const SramParams&, const SramParams&) = default;
  [[nodiscard]] std::vector<Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor(field("capacity", "size of the shared SRAM", Unit::kBytes)
                .range(1024, 4.0 * 1024 * 1024 * 1024),
            self.capacity);
    visitor(field("banks", "independent banks").range(1, 1024).power_of_2(), self.banks);
    visitor(field("width", "bytes that a bank moves per cycle", Unit::kBytes)
                .range(8, 256)
                .power_of_2(),
            self.width);
    visitor(field("latency", "from request at a bank to data", Unit::kCycles).range(1, 1000),
            self.latency);
    visitor(field("bank_ports", "ports of a bank: words per cycle, reads or writes")
                .range(1, 4)
                .optional(),
            self.bank_ports);
  }
};

/// A whole chip.
struct ChipParams {
  std::string name = "reference";
  double clock_hz = 1e9;
  int cores = 32;
  int cores_per_port = 4;
  EngineParams engine;
  VectorParams vector;
  SramParams sram;
  DramParams dram;
  MapperParams mapper;
  CompressParams compress;
  std::string energy_table;  ///< path, resolved against the file that named it

  friend bool operator==(const ChipParams&, const ChipParams&) = default;
  [[nodiscard]] std::vector<Violation> validate() const;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor.group("chip", "the whole", [&](auto& chip) {
      chip(field("name", "what reports call this chip"), self.name);
      chip(field("clock", "clock of cores, crossbar and SRAM", Unit::kHertz).range(1e6, 1e10),
           self.clock_hz);
      chip(field("cores", "cores, each with one sparse engine and one vector unit").range(1, 1024),
           self.cores);
      chip(field("cores_per_port", "cores that share an SRAM port; their loads can multicast")
               .range(1, 64),
           self.cores_per_port);
    });
    visitor(field("engine", "the sparse engine of every core"), self.engine);
    visitor(field("vector", "the vector unit of every core"), self.vector);
    visitor(field("sram", "the shared on-chip SRAM"), self.sram);
    visitor(field("dram", "the DRAM controllers and devices"), self.dram);
    visitor(field("mapper", "how networks are mapped onto the chip").optional(), self.mapper);
    visitor(field("compress", "form of weights and activations in memory").optional(),
            self.compress);
    visitor.group("energy", "energy, area and cost", [&](auto& energy) {
      energy(field("table", "energy table file").path(), self.energy_table);
    });
  }
};

}  // namespace lacuna::params
