// SPDX-License-Identifier: Apache-2.0
//
// One program under way: the contents behind the cores' work. Tiles and blocks are compiled from
// the codes that the tensor store holds at the simulated moment of their load; outputs are written
// to it when their pass has been evaluated and count as stored when their store has ended. Whatever
// is read must have been stored: LACUNA_CHECK.
#pragma once

#include <systemc>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "chip/stored_tensor.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "tlm/chip_dma.h"
#include "tlm/clock.h"
#include "tlm/work_source.h"
#include "workload/graph.h"
#include "workload/observation.h"
#include "workload/tensor_store.h"

namespace lacuna::chip {

class ProgramRun : public tlm::WorkSource {
 public:
  /// `all_codes`: run-time tiles have codes even where nobody computes with them (for RTL). `keep`:
  /// what is in the store when a program has ended.
  ProgramRun(const params::ChipParams& chip, const workload::Graph& graph, const tlm::Clock& clock,
             bool all_codes, workload::Keep keep);

  void set_dma(tlm::ChipDma* dma) { dma_ = dma; }
  /// Begins with samples first_sample .. of the workload; `variant` numbers the program.
  void begin(const mapper::Program& program, int index, int variant, std::int64_t first_sample);
  /// All layers have stored everything.
  [[nodiscard]] bool finished() const { return open_layers_ == 0; }
  [[nodiscard]] const workload::TensorStore& store() const { return *store_; }

  // tlm::WorkSource
  [[nodiscard]] const mapper::Program& program() const override { return *program_; }
  [[nodiscard]] int program_index() const override { return index_; }
  [[nodiscard]] int program_variant() const override { return variant_; }
  [[nodiscard]] std::string_view layer_name(int layer) const override;
  [[nodiscard]] int first_reader(int value) const override { return graph_.readers(value).front(); }
  [[nodiscard]] sc_core::sc_event& changed() override { return changed_; }
  [[nodiscard]] tlm::Readiness stored(const std::vector<mapper::Dependency>& needs) const override;
  [[nodiscard]] tlm::Readiness fetched(int fetch) const override;
  [[nodiscard]] bool reached(const std::vector<mapper::Milestone>& milestones) const override;
  tlm::TileLoad tile(const mapper::Task& task, int k_tile) override;
  tlm::BlockLoad block(const mapper::Task& task, int k_tile, int block) override;
  void fetch_done(int fetch) override;
  void release_fetch(int fetch) override;
  [[nodiscard]] timing::engine::PassCommand command(const mapper::Task& task,
                                                    int k_tile) const override;
  [[nodiscard]] bool computes(int index) const override;
  [[nodiscard]] std::uint64_t stated_nonzeros(const mapper::Task& task, int block) const override;
  std::vector<tlm::Transfer> outputs(const mapper::Task& task, int block,
                                     const timing::engine::PassResult& result) override;
  std::vector<tlm::Transfer> partial_sums(const mapper::Task& task, int block,
                                          const timing::engine::Tile& tile,
                                          std::vector<std::int32_t> sums) override;
  [[nodiscard]] bool summands_stored(const mapper::Task& reduction) const override;
  void block_stored(const mapper::Task& task, int block) override;
  tlm::VectorLoad vector_operands(const mapper::Task& task) override;
  [[nodiscard]] timing::vector::VectorTime vector_time(const mapper::Task& task) const override;
  std::vector<tlm::Transfer> vector_outputs(const mapper::Task& task) override;
  void vector_stored(const mapper::Task& task) override;

 private:
  /// A run of bytes of one sample of a tensor, to become a transfer.
  struct Span {
    int sample = -1;
    std::int64_t begin = -1;  ///< offset in the sample
    std::int64_t bytes = 0;
  };
  using BlockKey = std::tuple<int, int, int, int>;  // first plan, product, k tile, block
  using TileKey = std::tuple<int, int, int, int>;   // plan, product, n tile, k tile
  using SumKey = std::tuple<int, int, int, int>;    // plan, product, n tile, block
  /// Partial sums of a block of an n tile, added up as their parts come.
  struct Summands {
    int parts_left = 0;               ///< not stored yet
    std::int64_t channels = 0;        ///< of a psum memory row: channels of the tile and padding
    std::vector<std::int32_t> words;  ///< as psum_words(); empty if nobody computes
  };

  const workload::Layer& layer(int index) const {
    return graph_.layers[static_cast<std::size_t>(index)];
  }
  /// Storage id of a value.
  [[nodiscard]] int storage(int value) const { return graph_.value(value).storage; }
  StoredTensor& tensor(int value, int sample) {
    return tensors_[static_cast<std::size_t>(value)][static_cast<std::size_t>(sample)];
  }
  const StoredTensor& tensor(int value, int sample) const {
    return tensors_[static_cast<std::size_t>(value)][static_cast<std::size_t>(sample)];
  }
  void store_codes(int value, int sample, std::int64_t codes);
  /// The codes of a stored value whose zeros are to be counted; empty: there are none.
  [[nodiscard]] std::span<const std::uint8_t> counted(int value, int sample) const;
  [[nodiscard]] bool stored(int layer, int sample) const {
    return tensor(graph_.layers[static_cast<std::size_t>(layer)].output, sample).complete();
  }
  /// Gives memory back that nobody needs any more now that a layer has stored a sample: what it was
  /// the last to read, blocks and tiles.
  void release_operands(const workload::Layer& of, int sample);
  void release_loads(int plan, int sample);
  /// Rows of a block: (sample, row in the sample).
  [[nodiscard]] std::pair<int, std::int64_t> locate(const mapper::GemmPlan& plan,
                                                    const mapper::Task& task,
                                                    std::int64_t row) const;
  /// Adds what reading codes [begin, end) of a value's sample (row-major, of the value or view)
  /// moves.
  void add_read(Span& span, int value, int sample, std::int64_t begin, std::int64_t end) const;
  void flush(Span& span, int value, std::vector<tlm::Transfer>& transfers) const;
  /// Stored form of codes of a token, slot by slot, without padding.
  [[nodiscard]] std::int64_t encoded_bytes(const std::uint8_t* codes, std::int64_t count) const;
  /// The plan of an engine task or a reduction.
  [[nodiscard]] const mapper::GemmPlan& gemm_of(const mapper::Task& task) const;
  /// Takes outputs [row][channel of the n tile] (none if not computed); where their store goes.
  std::vector<tlm::Transfer> store_rows(const mapper::Task& task, std::int64_t row_begin,
                                        std::int64_t row_end,
                                        std::span<const std::uint8_t> outputs);
  void rows_stored(const mapper::Task& task, std::int64_t row_begin, std::int64_t row_end);
  // program_run_reduce.cpp
  void part_stored(const mapper::Task& task, int block);
  /// Of rows [row_begin, row_end) of a part.
  [[nodiscard]] tlm::Transfer partial_transfer(const mapper::Task& task, int part,
                                               std::int64_t row_begin, std::int64_t row_end) const;
  [[nodiscard]] tlm::VectorLoad reduction_operands(const mapper::Task& task) const;
  [[nodiscard]] std::vector<std::uint8_t> reduce(const mapper::Task& task) const;
  tlm::BlockLoad make_block(const mapper::Task& task, int k_tile, int block) const;
  [[nodiscard]] bool same_blocks(const mapper::GemmPlan& a, const mapper::GemmPlan& b) const;
  void find_same_blocks();
  /// Header and wanted rows of a tile that lies k by k from `address` on.
  void load_rows(const mapper::Task& task, int k_tile, std::uint64_t address, tlm::TileLoad& load);
  std::shared_ptr<const timing::engine::Tile> weight_tile(std::size_t id);
  tlm::TileLoad make_run_time_tile(const mapper::Task& task, int k_tile) const;

  const params::ChipParams& chip_;
  const workload::Graph& graph_;
  const tlm::Clock& clock_;
  bool all_codes_;
  workload::Keep keep_;
  workload::Observation observation_;
  tlm::ChipDma* dma_ = nullptr;
  const mapper::Program* program_ = nullptr;
  int index_ = -1;
  int variant_ = 0;
  std::unique_ptr<workload::TensorStore> store_;
  /// [value][sample]; what is drawn is measured when it is first read
  mutable std::vector<std::vector<StoredTensor>> tensors_;
  std::vector<int> samples_left_;  ///< by layer: samples not complete
  int open_layers_ = 0;
  /// Layers of the same input and split (query, key and value of an attention) load the same
  /// blocks: the first plan of those that do, and how many of them have not stored a sample.
  std::vector<int> block_plan_;
  std::vector<std::vector<int>> block_users_;  ///< by plan and sample
  std::vector<bool> block_values_;
  std::map<BlockKey, tlm::BlockLoad> blocks_;  ///< of layers under way
  std::map<TileKey, tlm::TileLoad> tiles_;
  std::map<SumKey, Summands> summands_;
  /// Weight tiles that the program does not hold, compiled when they are loaded.
  std::map<std::size_t, std::weak_ptr<const timing::engine::Tile>> compiled_;
  static constexpr std::size_t kRecentTiles = 128;
  std::deque<std::shared_ptr<const timing::engine::Tile>> recent_;  ///< kept for the next who asks
  sc_core::sc_event changed_;
};

}  // namespace lacuna::chip
