// SPDX-License-Identifier: Apache-2.0
#include "chip/program_run.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"
#include "encoding/encoding.h"
#include "mapper/row_layout.h"
#include "mapper/tile_compiler.h"
#include "timing/engine/image.h"
#include "timing/engine/latencies.h"
#include "workload/lowering.h"
#include "workload/vector_ops.h"

namespace lacuna::chip {

namespace engine_model = timing::engine;
using tlm::Transfer;

ProgramRun::ProgramRun(const params::ChipParams& chip, const workload::Graph& graph,
                       const tlm::Clock& clock, bool all_codes, workload::Keep keep)
    : chip_(chip),
      graph_(graph),
      clock_(clock),
      all_codes_(all_codes),
      keep_(keep),
      observation_(workload::observe(graph)),
      changed_("changed") {}

std::string_view ProgramRun::layer_name(int index) const { return layer(index).name; }

void ProgramRun::begin(const mapper::Program& program, int index, int variant,
                       std::int64_t first_sample) {
  program_ = &program;
  index_ = index;
  variant_ = variant;
  store_ = std::make_unique<workload::TensorStore>(graph_, first_sample, program.batch,
                                                   observation_, keep_);
  blocks_.clear();
  tiles_.clear();
  summands_.clear();
  compiled_.clear();
  recent_.clear();
  find_same_blocks();
  tensors_.assign(graph_.values.size(), {});
  samples_left_.assign(graph_.layers.size(), 0);
  open_layers_ = 0;
  for (std::size_t id = 0; id < graph_.values.size(); ++id) {
    const mapper::TensorPlan& plan = program.tensors[id];
    if (!plan.stored) continue;
    const workload::Value& value = graph_.values[id];
    tensors_[id].assign(static_cast<std::size_t>(program.batch), {plan.layout, plan.tokens});
    if (value.kind == workload::ValueKind::kLayer) {
      samples_left_[static_cast<std::size_t>(value.layer)] = program.batch;
      ++open_layers_;
    } else if (!plan.fetched) {  // already where it is read from: DRAM
      for (int sample = 0; sample < program.batch; ++sample) {
        tensor(static_cast<int>(id), sample).present(clock_.now());
      }
    }
  }
}

void ProgramRun::store_codes(int value, int sample, std::int64_t codes) {
  if (!tensor(value, sample).store(codes, clock_.now(), counted(value, sample))) return;
  const int producer = graph_.value(value).layer;
  if (producer != workload::kNoValue) {
    if (--samples_left_[static_cast<std::size_t>(producer)] == 0) --open_layers_;
    release_operands(layer(producer), sample);
    const int plan = program_->gemm_of_layer[static_cast<std::size_t>(producer)];
    if (plan != mapper::kNone) release_loads(plan, sample);
  }
  changed_.notify(sc_core::SC_ZERO_TIME);
}

void ProgramRun::release_operands(const workload::Layer& of, int sample) {
  std::vector<int> operands{of.input, of.right};
  operands.insert(operands.end(), of.others.begin(), of.others.end());
  for (const int operand : operands) {
    if (operand == workload::kNoValue) continue;
    const std::vector<int> readers = graph_.readers(operand);
    const auto has_stored = [&](int reader) { return stored(reader, sample); };
    if (!std::all_of(readers.begin(), readers.end(), has_stored)) continue;
    store_->release(operand, sample);
    if (tensors_[static_cast<std::size_t>(storage(operand))].empty()) continue;  // a constant
    tensor(storage(operand), sample).release();
  }
}

void ProgramRun::release_loads(int index, int sample) {
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(index)];
  const int shared = block_plan_[static_cast<std::size_t>(index)];
  const bool blocks =
      --block_users_[static_cast<std::size_t>(shared)][static_cast<std::size_t>(sample)] == 0;
  if (plan.run_time) {
    const int heads = layer(plan.layer).gemm.heads;
    const auto erase = [&](auto& map, int of) {
      map.erase(map.lower_bound({of, sample * heads, 0, 0}),
                map.lower_bound({of, (sample + 1) * heads, 0, 0}));
    };
    erase(tiles_, index);
    erase(summands_, index);
    if (blocks) erase(blocks_, shared);
    return;
  }
  // Blocks and sums that other samples have rows of are kept until the last of these is stored.
  const std::int64_t m = layer(plan.layer).gemm.m;
  const int product = sample / plan.samples;
  const std::int64_t first_row = sample % plan.samples * m;
  const auto all_stored = [&](int block, const auto& is_stored) {
    const std::int64_t begin = std::int64_t{block} * plan.split.block_rows;
    const std::int64_t end = std::min(begin + plan.split.block_rows, plan.rows);
    for (std::int64_t s = begin / m; s <= (end - 1) / m; ++s) {
      if (!is_stored(static_cast<int>(product * plan.samples + s))) return false;
    }
    return true;
  };
  const auto first = static_cast<int>(first_row / plan.split.block_rows);
  const auto last = static_cast<int>((first_row + m - 1) / plan.split.block_rows);
  const std::vector<int>& users = block_users_[static_cast<std::size_t>(shared)];
  for (int block = first; block <= last; ++block) {
    if (blocks &&
        all_stored(block, [&](int s) { return users[static_cast<std::size_t>(s)] == 0; })) {
      for (int k = 0; k < static_cast<int>(plan.split.k_tiles.size()); ++k) {
        blocks_.erase({shared, product, k, block});
      }
    }
    if (plan.split.k_parts > 1 && all_stored(block, [&](int s) { return stored(plan.layer, s); })) {
      for (int n = 0; n < plan.split.n_tiles; ++n) {
        summands_.erase({index, product, n, block});
      }
    }
  }
}

tlm::Readiness ProgramRun::stored(const std::vector<mapper::Dependency>& needs) const {
  tlm::Readiness ready{0, false};
  for (const mapper::Dependency& need : needs) {
    for (int sample = need.sample_begin; sample < need.sample_end; ++sample) {
      const base::Cycle since = tensor(need.value, sample).since(need.token_begin, need.token_end);
      if (since < 0) return {-1, false};
      if (since >= ready.at) {
        ready.at = since;
        ready.from_dram = program_->tensors[static_cast<std::size_t>(need.value)].fetched;
      }
    }
  }
  return ready;
}

tlm::Readiness ProgramRun::fetched(int fetch) const { return dma_->fetched(fetch); }

bool ProgramRun::reached(const std::vector<mapper::Milestone>& milestones) const {
  return std::all_of(milestones.begin(), milestones.end(), [this](const mapper::Milestone& each) {
    if (samples_left_[static_cast<std::size_t>(each.layer)] == 0) return true;
    for (int sample = each.sample_begin; sample < each.sample_end; ++sample) {
      if (!stored(each.layer, sample)) return false;
    }
    return true;
  });
}

void ProgramRun::fetch_done(int fetch) {
  const mapper::Fetch& command = program_->fetches[static_cast<std::size_t>(fetch)];
  if (command.kind == mapper::Fetch::Kind::kTensor) {
    StoredTensor& arriving = tensor(command.index, command.sample);
    if (!arriving.expects_pieces()) {
      arriving.expect_pieces(store_->codes(command.index, command.sample));
    }
    arriving.arrive(command.token_begin, command.token_end, clock_.now());
  }
  changed_.notify(sc_core::SC_ZERO_TIME);
}

void ProgramRun::release_fetch(int fetch) { dma_->release(fetch); }

engine_model::PassCommand ProgramRun::command(const mapper::Task& task, int k_tile) const {
  const workload::Layer& of = layer(task.layer);
  (void)k_tile;
  engine_model::PassCommand command;
  command.act_signed = graph_.value(of.input).is_signed();
  command.clamp_lo = static_cast<int>(of.range.low);
  command.clamp_hi = static_cast<int>(of.range.high);
  command.gate = static_cast<int>(of.range.gate);
  return command;
}

std::pair<int, std::int64_t> ProgramRun::locate(const mapper::GemmPlan& plan,
                                                const mapper::Task& task, std::int64_t row) const {
  if (plan.run_time) return {task.sample, row};
  const std::int64_t per_sample = layer(plan.layer).gemm.m;
  return {task.product * plan.samples + static_cast<int>(row / per_sample), row % per_sample};
}

void ProgramRun::add_read(Span& span, int value, int sample, std::int64_t begin,
                          std::int64_t end) const {
  const int id = storage(value);
  StoredTensor& stored_tensor =
      tensors_[static_cast<std::size_t>(id)][static_cast<std::size_t>(sample)];
  if (stored_tensor.complete() && !stored_tensor.measured()) {
    stored_tensor.measure(counted(id, sample));
  }
  const std::int64_t channels = stored_tensor.layout().channels;
  while (begin < end) {
    const std::int64_t token = begin / channels;
    LACUNA_CHECK(stored_tensor.available(token),
                 "value {} is read before token {} of sample {} is stored", graph_.value(id).name,
                 token, sample);
    const std::int64_t first = begin - token * channels;
    const std::int64_t last = std::min(channels, end - token * channels);
    if (span.begin < 0) {
      span.sample = sample;
      span.begin = stored_tensor.offset(token, first);
    }
    span.bytes += stored_tensor.traffic(token, first, last);
    begin = (token + 1) * channels;
  }
}

void ProgramRun::flush(Span& span, int value, std::vector<Transfer>& transfers) const {
  if (span.bytes > 0) {
    const mapper::TensorPlan& plan = program_->tensors[static_cast<std::size_t>(storage(value))];
    // Rounding up to whole accesses must not leave the tensor.
    const std::int64_t room = plan.sample_bytes - span.begin;
    transfers.push_back({plan.sample_address(span.sample) + static_cast<std::uint64_t>(span.begin),
                         std::min(span.bytes, room)});
  }
  span = {};
}

tlm::TileLoad ProgramRun::tile(const mapper::Task& task, int k_tile) {
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(task.plan)];
  if (plan.run_time) {
    const TileKey key{task.plan, task.product, task.n_tile, k_tile};
    auto found = tiles_.find(key);
    if (found == tiles_.end()) {
      found = tiles_.emplace(key, make_run_time_tile(task, k_tile)).first;
    }
    return found->second;
  }
  const auto k_tiles = static_cast<int>(plan.split.k_tiles.size());
  const auto id = static_cast<std::size_t>(plan.first_tile + task.n_tile * k_tiles + k_tile);
  const mapper::WeightTilePlan& weights = program_->weight_tiles[id];
  const int fetch = task.fetch_of(k_tile);
  const std::uint64_t address = fetch == mapper::kNone
                                    ? weights.dram_address
                                    : program_->fetches[static_cast<std::size_t>(fetch)].to;
  tlm::TileLoad load;
  load.tile = weight_tile(id);
  if (plan.row_layout) {
    load_rows(task, k_tile, address, load);
    return load;
  }
  load.beats = engine_model::weight_load_cycles(chip_.engine, *load.tile);
  load.fill_bytes = load.tile->image_bytes;
  load.transfers.push_back({address, weights.memory_bytes});
  if (chip_.compress.weights != params::WeightFormat::kImage) load.decoded = weights.memory_bytes;
  return load;
}

std::shared_ptr<const engine_model::Tile> ProgramRun::weight_tile(std::size_t id) {
  const mapper::WeightTilePlan& weights = program_->weight_tiles[id];
  if (weights.tile != nullptr) return weights.tile;
  // The mapper has dropped it to save memory. Cores that want it want it at about the same time.
  std::weak_ptr<const engine_model::Tile>& known = compiled_[id];
  std::shared_ptr<const engine_model::Tile> tile = known.lock();
  if (tile == nullptr) {
    const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(weights.gemm)];
    const workload::Layer& of = layer(plan.layer);
    const std::shared_ptr<const tensor::MaskMatrix> mask = of.weights.mask();
    tile = mapper::compile_tile(chip_.engine, of, plan, {{}, mask.get(), false}, weights.n_tile,
                                weights.k_tile);
    known = tile;
    recent_.push_back(tile);
    if (recent_.size() > kRecentTiles) recent_.pop_front();
  }
  return tile;
}

void ProgramRun::load_rows(const mapper::Task& task, int k_tile, std::uint64_t address,
                           tlm::TileLoad& load) {
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(task.plan)];
  const mapper::KTile& k = plan.split.k_tiles[static_cast<std::size_t>(k_tile)];
  std::vector<std::uint64_t> wanted;
  if (task.select_rows) {
    std::vector<std::shared_ptr<const engine_model::Block>> blocks;
    std::vector<const engine_model::Block*> seen;
    for (int b = task.block_begin; b < task.block_end; ++b) {
      blocks.push_back(block(task, k_tile, b).block);
      seen.push_back(blocks.back().get());
    }
    wanted = mapper::wanted_rows(seen);
  }
  const engine_model::WindowTable windows(chip_.engine, mapper::segments_of(layer(task.layer)));
  const mapper::RowSelection rows =
      mapper::select_rows(chip_.engine, windows, {k.window_begin, k.window_end}, *load.tile,
                          program_->burst_bytes, wanted, chip_.compress);
  load.header.push_back({address, rows.header_bytes});
  for (const mapper::ByteRun& run : rows.runs) {
    load.transfers.push_back({address + static_cast<std::uint64_t>(run.offset), run.bytes});
    if (chip_.compress.weights != params::WeightFormat::kImage) load.decoded += run.bytes;
  }
  if (chip_.dram.has_near_memory() && task.select_rows && mapper::is_dram_address(address)) {
    // The header ends at the units, which know the rows by it; what the engine needs of it and the
    // rows cross together.
    const params::NearMemoryParams& near = *chip_.dram.near_memory;
    load.header.front().crossing = rows.runs.empty() ? rows.header_fill : 0;
    for (std::size_t i = 0; i < rows.runs.size(); ++i) {
      load.transfers[i].crossing = near.decode ? rows.decoded[i] : rows.packed[i];
      if (i == 0) load.transfers[i].crossing += rows.header_fill;
    }
  }
  load.beats = rows.beats + engine_model::kLoadLatency - 1;
  load.fill_bytes = rows.fill_bytes;
  load.rows = rows.rows;
  load.rows_skipped = rows.all_rows - rows.rows;
}

tlm::TileLoad ProgramRun::make_run_time_tile(const mapper::Task& task, int k_tile) const {
  const workload::Layer& of = layer(task.layer);
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(task.plan)];
  const int head = task.product % of.gemm.heads;
  const workload::Value& right = graph_.value(of.right);
  const engine_model::WeightView view = mapper::run_time_weights(
      of, store_->codes(of.right, task.sample).data(), right.channels(), head);
  tlm::TileLoad load;
  load.tile =
      mapper::compile_tile(chip_.engine, of, plan,
                           {view, nullptr, all_codes_ || computes(of.index)}, task.n_tile, k_tile);
  load.beats = engine_model::weight_load_cycles(chip_.engine, *load.tile);
  load.fill_bytes = load.tile->image_bytes;

  const mapper::KTile& k = plan.split.k_tiles[static_cast<std::size_t>(k_tile)];
  const engine_model::WindowTable windows(chip_.engine, mapper::segments_of(of));
  const engine_model::KRange k_range = windows.k_range({k.window_begin, k.window_end});
  const std::int64_t n_begin = std::int64_t{task.n_tile} * plan.split.tile_channels;
  const std::int64_t n_end = n_begin + load.tile->channels;
  if (of.transpose_right) {
    load.transpose = base::ceil_div<std::int64_t>(k_range.count() * load.tile->channels,
                                                  chip_.engine.transpose_width);
    load.beats += load.transpose;
  }
  // Stored tokens are the n of scores and the k of attention x values.
  const std::int64_t width = of.transpose_right ? of.gemm.k : of.gemm.n;
  const std::int64_t token_begin = of.transpose_right ? n_begin : k_range.begin;
  const std::int64_t token_end = of.transpose_right ? n_end : k_range.end;
  const int right_head = head / of.gemm.heads_per_right;
  const std::int64_t channel_begin =
      right_head * width + (of.transpose_right ? k_range.begin : n_begin);
  const std::int64_t channel_end = right_head * width + (of.transpose_right ? k_range.end : n_end);
  Span span;
  for (std::int64_t token = token_begin; token < token_end; ++token) {
    add_read(span, of.right, task.sample, token * right.channels() + channel_begin,
             token * right.channels() + channel_end);
  }
  flush(span, of.right, load.transfers);
  return load;
}

bool ProgramRun::same_blocks(const mapper::GemmPlan& a, const mapper::GemmPlan& b) const {
  const workload::Layer& one = layer(a.layer);
  const workload::Layer& other = layer(b.layer);
  if (one.op != params::Op::kLinear || other.op != params::Op::kLinear) return false;
  return one.input == other.input && one.gemm.k == other.gemm.k && a.rows == b.rows &&
         a.samples == b.samples && mapper::segments_of(one) == mapper::segments_of(other) &&
         a.split.block_rows == b.split.block_rows &&
         std::equal(a.split.k_tiles.begin(), a.split.k_tiles.end(), b.split.k_tiles.begin(),
                    b.split.k_tiles.end(), [](const mapper::KTile& x, const mapper::KTile& y) {
                      return x.window_begin == y.window_begin && x.window_end == y.window_end;
                    });
}

void ProgramRun::find_same_blocks() {
  const std::size_t plans = program_->gemms.size();
  block_plan_.resize(plans);
  block_users_.assign(plans, std::vector<int>(static_cast<std::size_t>(program_->batch), 0));
  block_values_.assign(plans, all_codes_);
  for (std::size_t plan = 0; plan < plans; ++plan) {
    std::size_t first = 0;
    while (first < plan && !same_blocks(program_->gemms[first], program_->gemms[plan])) ++first;
    block_plan_[plan] = static_cast<int>(first);
    for (int& users : block_users_[first]) ++users;
    if (computes(program_->gemms[plan].layer)) block_values_[first] = true;
  }
}

tlm::BlockLoad ProgramRun::block(const mapper::Task& task, int k_tile, int block) {
  const int plan = block_plan_[static_cast<std::size_t>(task.plan)];
  const BlockKey key{plan, task.product, k_tile, block};
  auto found = blocks_.find(key);
  if (found == blocks_.end()) {
    found = blocks_.emplace(key, make_block(task, k_tile, block)).first;
  }
  return found->second;
}

std::int64_t ProgramRun::encoded_bytes(const std::uint8_t* codes, std::int64_t count) const {
  const params::ActivationFormat format = chip_.compress.activations;
  if (format == params::ActivationFormat::kBitmask) {
    return engine_model::stored_bytes(chip_.engine, static_cast<int>(count),
                                      count_nonzeros(codes, count));
  }
  std::int64_t bytes = 0;
  for (std::int64_t begin = 0; begin < count; begin += chip_.engine.act_block) {
    const auto length =
        static_cast<std::size_t>(std::min<std::int64_t>(chip_.engine.act_block, count - begin));
    bytes +=
        encoding::choose(encoding::line_of({codes + begin, length}), chip_.compress, format).bytes;
  }
  return bytes;
}

tlm::BlockLoad ProgramRun::make_block(const mapper::Task& task, int k_tile, int block) const {
  const workload::Layer& of = layer(task.layer);
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(task.plan)];
  const mapper::KTile& k = plan.split.k_tiles[static_cast<std::size_t>(k_tile)];
  const int head = plan.run_time ? task.product % of.gemm.heads : 0;
  const std::int64_t row_begin = std::int64_t{block} * plan.split.block_rows;
  const std::int64_t row_end = std::min(row_begin + plan.split.block_rows, plan.rows);
  const auto rows = static_cast<std::size_t>(row_end - row_begin);
  const workload::Value& input = graph_.value(of.input);

  engine_model::BlockSource source;
  source.tokens = static_cast<int>(rows);
  source.segments = mapper::segments_of(of);
  source.windows = {k.window_begin, k.window_end};
  source.skip_activations = chip_.engine.skip_activations;
  source.keep_values =
      block_values_[static_cast<std::size_t>(block_plan_[static_cast<std::size_t>(task.plan)])];
  const engine_model::WindowTable windows(chip_.engine, source.segments);
  const engine_model::KRange range = windows.k_range(source.windows);
  const int first_segment = windows.first_segment(source.windows);
  const int last_segment = windows.last_segment(source.windows);
  const auto touched = static_cast<std::size_t>(last_segment - first_segment);

  // One gather per stored piece: a kernel position, or the token. Im2col has several per segment.
  const int kernel =
      of.gemm.im2col ? static_cast<int>(of.window.kernel_y * of.window.kernel_x) : of.gemm.segments;
  const std::int64_t gather_k = of.gemm.k / kernel;
  const int gather_begin = static_cast<int>(range.begin / gather_k);
  const int gather_end = static_cast<int>((range.end + gather_k - 1) / gather_k);
  std::vector<Span> spans(static_cast<std::size_t>(gather_end - gather_begin));
  tlm::BlockLoad load;

  std::vector<const std::uint8_t*> pointers(rows * touched, nullptr);
  std::vector<std::uint8_t> gathered;
  if (of.gemm.im2col) gathered.resize(rows * static_cast<std::size_t>(of.gemm.k));
  std::vector<std::int64_t> encoded(rows, 0);
  // Where a token's piece is all of the block's k, the block has counted its codes.
  const bool counted = !of.gemm.im2col && gather_end - gather_begin == 1 &&
                       chip_.engine.lanes == 1 && chip_.engine.skip_activations &&
                       chip_.compress.activations == params::ActivationFormat::kBitmask;
  int sample = -1;
  std::optional<workload::Left> left;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto [row_sample, row] = locate(plan, task, row_begin + static_cast<std::int64_t>(i));
    if (row_sample != sample) {
      for (Span& span : spans) flush(span, of.input, load.transfers);
      sample = row_sample;
      left.emplace(of, *store_, sample, head);
    }
    for (int g = gather_begin; g < gather_end; ++g) {
      const std::int64_t token = left->token(row, g);
      if (token < 0) continue;  // padding: nothing is stored there
      const std::int64_t from = std::max(range.begin, g * gather_k) - g * gather_k;
      const std::int64_t to = std::min(range.end, (g + 1) * gather_k) - g * gather_k;
      const std::int64_t column = head * gather_k;
      add_read(spans[static_cast<std::size_t>(g - gather_begin)], of.input, sample,
               token * input.channels() + column + from, token * input.channels() + column + to);
      if (counted) {
        encoded[i] = range.count();  // until the block is there
      } else if (!of.gemm.im2col) {
        encoded[i] += encoded_bytes(left->segment(row, g) + from, to - from);
      }
    }
    if (of.gemm.im2col) {
      std::uint8_t* out = gathered.data() + i * static_cast<std::size_t>(of.gemm.k);
      left->gather(row, 0, of.gemm.k, out);
      pointers[i] = out;
      // The DMA hands on what it gathers dense, with its mask.
      encoded[i] =
          engine_model::stored_bytes(chip_.engine, static_cast<int>(range.count()), range.count());
    } else {
      for (int s = first_segment; s < last_segment; ++s) {
        pointers[i * touched + static_cast<std::size_t>(s - first_segment)] = left->segment(row, s);
      }
    }
  }
  for (Span& span : spans) flush(span, of.input, load.transfers);
  source.rows = pointers;
  auto made = std::make_shared<engine_model::Block>(engine_model::make_block(chip_.engine, source));
  const auto lanes = static_cast<std::size_t>(chip_.engine.lanes);
  for (std::size_t i = 0; counted && i < rows; ++i) {
    if (encoded[i] == 0) continue;  // padding
    std::int64_t nonzeros = 0;
    for (int way = 0; way < made->k_ways; ++way) {
      nonzeros += made->set_bits(way, static_cast<int>(i));
    }
    encoded[i] =
        engine_model::stored_bytes(chip_.engine, static_cast<int>(range.count()), nonzeros);
  }
  for (int group = 0; group < made->groups; ++group) {
    std::int64_t bytes = 0;
    const std::size_t begin = static_cast<std::size_t>(group) * lanes;
    for (std::size_t i = begin; i < std::min(begin + lanes, rows); ++i) bytes += encoded[i];
    load.beats += engine_model::group_load_cycles(chip_.engine, *made, group, bytes,
                                                  gather_end - gather_begin);
  }
  load.block = std::move(made);
  return load;
}

std::vector<Transfer> ProgramRun::outputs(const mapper::Task& task, int block,
                                          const engine_model::PassResult& result) {
  const mapper::GemmPlan& plan = gemm_of(task);
  const std::int64_t row_begin = std::int64_t{block} * plan.split.block_rows;
  return store_rows(task, row_begin, std::min(row_begin + plan.split.block_rows, plan.rows),
                    result.outputs);
}

const mapper::GemmPlan& ProgramRun::gemm_of(const mapper::Task& task) const {
  const int plan = program_->gemm_of_layer[static_cast<std::size_t>(task.layer)];
  return program_->gemms[static_cast<std::size_t>(plan)];
}

std::vector<Transfer> ProgramRun::store_rows(const mapper::Task& task, std::int64_t row_begin,
                                             std::int64_t row_end,
                                             std::span<const std::uint8_t> outputs) {
  const workload::Layer& of = layer(task.layer);
  const mapper::GemmPlan& plan = gemm_of(task);
  const mapper::TensorPlan& place = program_->tensors[static_cast<std::size_t>(of.output)];
  const int head = plan.run_time ? task.product % of.gemm.heads : 0;
  const std::int64_t n_begin = std::int64_t{task.n_tile} * plan.split.tile_channels;
  const std::int64_t channels =
      std::min<std::int64_t>(plan.split.tile_channels, of.gemm.n - n_begin);
  const bool computed = computes(of.index);
  LACUNA_CHECK(
      !computed || static_cast<std::int64_t>(outputs.size()) == (row_end - row_begin) * channels,
      "layer {} has {} outputs, {} x {} expected", of.name, outputs.size(), row_end - row_begin,
      channels);
  const std::int64_t column = head * of.gemm.n + n_begin;
  const std::int64_t slot_offset = place.layout.slot_of(column) * place.layout.slot_bytes();
  const WrittenSlots slots(place.layout, column, column + channels);
  std::vector<Transfer> transfers;
  Span span;
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const auto [sample, m] = locate(plan, task, row);
    if (sample != span.sample) {
      flush(span, of.output, transfers);
      span.sample = sample;
      span.begin = m * place.layout.token_bytes() + slot_offset;
    }
    const auto at = static_cast<std::size_t>(workload::output_index(of, head, m, n_begin));
    const auto length = static_cast<std::size_t>(channels);
    const std::span<const std::uint8_t> codes = counted(of.output, sample);
    if (computed) {
      std::memcpy(store_->mutable_codes(of.output, sample).data() + at,
                  outputs.data() + (row - row_begin) * channels, length);
    }
    span.bytes += slots.traffic(codes.empty() ? codes : codes.subspan(at, length));
  }
  flush(span, of.output, transfers);
  return transfers;
}

std::span<const std::uint8_t> ProgramRun::counted(int value, int sample) const {
  const int id = storage(value);
  const bool bitmask = program_->tensors[static_cast<std::size_t>(id)].layout.is_bitmask();
  if (bitmask && store_->stated(id)) return {};
  return store_->codes(id, sample);
}

bool ProgramRun::computes(int index) const {
  return observation_.computed[static_cast<std::size_t>(index)];
}

std::uint64_t ProgramRun::stated_nonzeros(const mapper::Task& task, int block) const {
  const workload::Layer& of = layer(task.layer);
  const mapper::GemmPlan& plan = program_->gemms[static_cast<std::size_t>(task.plan)];
  const int head = plan.run_time ? task.product % of.gemm.heads : 0;
  const std::int64_t row_begin = std::int64_t{block} * plan.split.block_rows;
  const std::int64_t row_end = std::min(row_begin + plan.split.block_rows, plan.rows);
  const std::int64_t n_begin = std::int64_t{task.n_tile} * plan.split.tile_channels;
  const std::int64_t channels =
      std::min<std::int64_t>(plan.split.tile_channels, of.gemm.n - n_begin);
  if (store_->stated(of.output)) {
    return static_cast<std::uint64_t>((row_end - row_begin) * channels);
  }
  std::int64_t nonzeros = 0;
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const auto [sample, m] = locate(plan, task, row);
    nonzeros += count_nonzeros(
        store_->codes(of.output, sample).data() + workload::output_index(of, head, m, n_begin),
        channels);
  }
  return static_cast<std::uint64_t>(nonzeros);
}

void ProgramRun::block_stored(const mapper::Task& task, int block) {
  if (task.partial) {
    part_stored(task, block);
    return;
  }
  const mapper::GemmPlan& plan = gemm_of(task);
  const std::int64_t row_begin = std::int64_t{block} * plan.split.block_rows;
  rows_stored(task, row_begin, std::min(row_begin + plan.split.block_rows, plan.rows));
}

void ProgramRun::rows_stored(const mapper::Task& task, std::int64_t row_begin,
                             std::int64_t row_end) {
  const workload::Layer& of = layer(task.layer);
  const mapper::GemmPlan& plan = gemm_of(task);
  const std::int64_t n_begin = std::int64_t{task.n_tile} * plan.split.tile_channels;
  const std::int64_t channels =
      std::min<std::int64_t>(plan.split.tile_channels, of.gemm.n - n_begin);
  for (std::int64_t row = row_begin; row < row_end;) {
    const auto [sample, m] = locate(plan, task, row);
    const std::int64_t rows = std::min(row_end - row, of.gemm.m - m);
    store_codes(of.output, sample, rows * channels);
    row += rows;
  }
}

}  // namespace lacuna::chip
