// SPDX-License-Identifier: Apache-2.0
//
// Where cores get the contents of their work from: compiled tiles and blocks, addresses, what is
// stored already; and where their outputs go. chip/ implements it over a mapper::Program and the
// tensor store; cores only know time. Single-threaded (the SystemC kernel's thread).
#pragma once

#include <systemc>

#include <memory>
#include <string_view>
#include <vector>

#include "base/cycles.h"
#include "mapper/program.h"
#include "timing/engine/pass.h"
#include "timing/vector/vector_model.h"
#include "tlm/memory_port.h"

namespace lacuna::tlm {

using base::Cycle;

/// A weight tile on its way into a weight buffer half.
struct TileLoad {
  std::shared_ptr<const timing::engine::Tile> tile;
  Cycle beats = 0;      ///< load port cycles until a start may use it, transpose unit included
  Cycle transpose = 0;  ///< of these, the transpose unit's
  std::int64_t fill_bytes = 0;  ///< into the buffer
  /// Has arrived before the transfers are asked for: it says where they lie.
  std::vector<Transfer> header;
  std::vector<Transfer> transfers;
  std::int64_t decoded = 0;                 ///< encoded bytes through the load port's decoder
  std::int64_t rows = 0, rows_skipped = 0;  ///< `layout: row`: k that were loaded, and left out
};

/// An activation block on its way into an activation buffer half.
struct BlockLoad {
  std::shared_ptr<const timing::engine::Block> block;
  Cycle beats = 0;
  std::vector<Transfer> transfers;
};

/// Operands of a vector task.
struct VectorLoad {
  std::vector<Transfer> transfers;
  std::int64_t sums = 0;  ///< of these, bytes of partial sums
};

/// Since when something can be read; `at` < 0: not yet.
struct Readiness {
  Cycle at = -1;
  bool from_dram = false;  ///< the last of it came from DRAM (a fetch), not from an earlier layer
};

class WorkSource {
 public:
  virtual ~WorkSource() = default;

  [[nodiscard]] virtual const mapper::Program& program() const = 0;
  /// Counts the programs of the run.
  [[nodiscard]] virtual int program_index() const = 0;
  /// Equal for programs whose weight tiles are the same.
  [[nodiscard]] virtual int program_variant() const = 0;
  [[nodiscard]] virtual std::string_view layer_name(int layer) const = 0;

  /// The first layer that reads a value; its traffic is charged with fetching it.
  [[nodiscard]] virtual int first_reader(int value) const = 0;

  /// Fires when anything below may have become ready.
  [[nodiscard]] virtual sc_core::sc_event& changed() = 0;
  [[nodiscard]] virtual Readiness stored(const std::vector<mapper::Dependency>& needs) const = 0;
  [[nodiscard]] virtual Readiness fetched(int fetch) const = 0;
  /// What is named has been stored.
  [[nodiscard]] virtual bool reached(const std::vector<mapper::Milestone>& milestones) const = 0;
  [[nodiscard]] bool may_store(const mapper::Task& task) const {
    return task.after == nullptr || reached(*task.after);
  }

  virtual TileLoad tile(const mapper::Task& task, int k_tile) = 0;
  virtual BlockLoad block(const mapper::Task& task, int k_tile, int block) = 0;
  /// The chip DMA has carried out a fetch.
  virtual void fetch_done(int fetch) = 0;
  /// A load of a fetched tile has ended; its ring space has one user less.
  virtual void release_fetch(int fetch) = 0;

  /// Start descriptor without hold1 and hold2.
  [[nodiscard]] virtual timing::engine::PassCommand command(const mapper::Task& task,
                                                            int k_tile) const = 0;
  /// Whether anybody looks at the outputs of a layer. If not, what it stores is stated (drawn).
  [[nodiscard]] virtual bool computes(int layer) const = 0;
  /// Non-zero codes among the stated outputs of a block.
  [[nodiscard]] virtual std::uint64_t stated_nonzeros(const mapper::Task& task,
                                                      int block) const = 0;
  /// Takes the outputs of a block's last pass (none if the layer is not computed); returns where
  /// the store goes.
  virtual std::vector<Transfer> outputs(const mapper::Task& task, int block,
                                        const timing::engine::PassResult& result) = 0;
  /// Takes the partial sums of a block of a part of K (psum memory words; none if the layer is not
  /// computed); returns where the store goes.
  virtual std::vector<Transfer> partial_sums(const mapper::Task& task, int block,
                                             const timing::engine::Tile& tile,
                                             std::vector<std::int32_t> sums) = 0;
  /// All parts of what a reduction adds have been stored.
  [[nodiscard]] virtual bool summands_stored(const mapper::Task& reduction) const = 0;
  /// The store of a block has ended.
  virtual void block_stored(const mapper::Task& task, int block) = 0;

  /// Operands of a vector task or reduction.
  virtual VectorLoad vector_operands(const mapper::Task& task) = 0;
  [[nodiscard]] virtual timing::vector::VectorTime vector_time(const mapper::Task& task) const = 0;
  /// Computes it; returns where the store goes.
  virtual std::vector<Transfer> vector_outputs(const mapper::Task& task) = 0;
  virtual void vector_stored(const mapper::Task& task) = 0;
};

}  // namespace lacuna::tlm
