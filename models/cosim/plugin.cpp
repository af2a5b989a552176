// SPDX-License-Identifier: Apache-2.0
#include "cosim/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/error.h"
#include "timing/engine/image.h"
#include "timing/engine/latencies.h"

namespace lacuna::cosim {

namespace {

using timing::engine::Block;
using timing::engine::PassCommand;
using timing::engine::PassResult;
using timing::engine::Tile;

template <class Function>
void resolve(void* handle, const char* name, const std::string& path, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function == nullptr) {
    throw base::UserError(fmt::format("{} is not an RTL engine: it lacks {}", path, name));
  }
}

std::uint32_t u32(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// More cycles than any correct pass takes: every entry one after the other with all its rows.
std::uint64_t cycle_limit(const params::EngineParams& engine, const Tile& tile, const Block& block,
                          const PassCommand& command) {
  const std::int64_t per_group = std::int64_t{tile.positions} * (tile.rows + 3) + tile.windows +
                                 timing::engine::drain_beats(engine, tile.rows) + 32;
  return static_cast<std::uint64_t>(command.hold1 + per_group * block.groups + 1000);
}

std::vector<std::vector<base::Cycle>> lists(const std::uint32_t* values,
                                            const std::uint64_t* offsets, std::size_t count) {
  std::vector<std::vector<base::Cycle>> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    result[i].assign(values + offsets[i], values + offsets[i + 1]);
  }
  return result;
}

timing::engine::Counters counters_of(const lacuna_rtl_counters& rtl) {
  // Both have the counters of section 8 in its order and nothing else.
  timing::engine::Counters counters;
  static_assert(sizeof(rtl) == sizeof(counters));
  const auto* next = reinterpret_cast<const std::uint64_t*>(&rtl);
  timing::engine::Counters::visit(counters,
                                  [&](std::string_view, std::uint64_t& value) { value = *next++; });
  return counters;
}

}  // namespace

std::string parameter_differences(const lacuna_rtl_parameters& rtl,
                                  const params::EngineParams& engine) {
  using namespace timing::engine;
  std::string text;
  const auto compare = [&](const char* name, std::uint32_t found, std::int64_t wanted) {
    if (found == wanted) return;
    text += fmt::format("{}{} is {} in the RTL, {} in the model", text.empty() ? "" : "; ", name,
                        found, wanted);
  };
  compare("pes", rtl.pes, engine.pes);
  compare("k_ways", rtl.k_ways, engine.k_ways);
  compare("rows_per_pe", rtl.rows_per_pe, engine.rows_per_pe);
  compare("lanes", rtl.lanes, engine.lanes);
  compare("fifo_depth", rtl.fifo_depth, engine.fifo_depth);
  compare("scan_width", rtl.scan_width, engine.scan_width);
  compare("skip_empty", rtl.skip_empty, engine.skip_empty == params::SkipEmpty::kDecoupled);
  compare("drain_width", rtl.drain_width, engine.drain_width);
  compare("load_width", rtl.load_width, engine.load_width);
  compare("weight_word", rtl.weight_word, engine.weight_word);
  compare("max_k", rtl.max_k, engine.max_k);
  compare("act_block", rtl.act_block, engine.act_block);
  compare("weight_buffer", rtl.weight_buffer, engine.weight_buffer);
  compare("activation_buffer", rtl.activation_buffer, engine.activation_buffer);
  compare("psum_buffer", rtl.psum_buffer, engine.psum_buffer);
  compare("output_buffer", rtl.output_buffer, engine.output_buffer);
  compare("max_windows", rtl.max_windows, engine.max_windows());
  compare("act_slots", rtl.act_slots, engine.act_slots());
  compare("L_start", rtl.l_start, kStartLatency);
  compare("L_issue", rtl.l_issue, kIssueLatency);
  compare("L_mask", rtl.l_mask, kMaskLatency);
  compare("L_mac", rtl.l_mac, kMacLatency);
  compare("L_drain", rtl.l_drain, kDrainLatency);
  compare("L_post", rtl.l_post, kPostLatency);
  compare("L_load", rtl.l_load, kLoadLatency);
  return text;
}

std::shared_ptr<const RtlPlugin> RtlPlugin::open(const std::string& path,
                                                 const params::EngineParams& engine) {
  // Never closed again: the Verilator runtime inside registers thread-local and exit-time handlers.
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    throw base::UserError(
        fmt::format("cannot load the built RTL: {}", reason == nullptr ? path.c_str() : reason));
  }
  std::shared_ptr<RtlPlugin> plugin(new RtlPlugin);
  plugin->engine_ = engine;
  decltype(&lacuna_rtl_abi_version) abi_version = nullptr;
  resolve(handle, "lacuna_rtl_abi_version", path, abi_version);
  if (abi_version() != LACUNA_RTL_ABI_VERSION) {
    throw base::UserError(fmt::format("{} has interface version {}, this program needs {}", path,
                                      abi_version(), LACUNA_RTL_ABI_VERSION));
  }
  resolve(handle, "lacuna_rtl_create", path, plugin->create_);
  resolve(handle, "lacuna_rtl_destroy", path, plugin->destroy_);
  resolve(handle, "lacuna_rtl_get_parameters", path, plugin->get_parameters_);
  resolve(handle, "lacuna_rtl_run_pass", path, plugin->run_pass_);
  resolve(handle, "lacuna_rtl_error", path, plugin->error_);

  lacuna_rtl_instance* instance = plugin->create_();
  LACUNA_CHECK(instance != nullptr, "the RTL in {} cannot be created", path);
  lacuna_rtl_parameters parameters{};
  plugin->get_parameters_(instance, &parameters);
  plugin->destroy_(instance);
  const std::string differences = parameter_differences(parameters, engine);
  LACUNA_CHECK(differences.empty(), "the RTL in {} is another engine: {}", path, differences);
  return plugin;
}

std::unique_ptr<RtlInstance> RtlPlugin::create() const {
  return std::make_unique<RtlInstance>(shared_from_this());
}

RtlInstance::RtlInstance(std::shared_ptr<const RtlPlugin> plugin)
    : plugin_(std::move(plugin)), instance_(plugin_->create_()) {
  LACUNA_CHECK(instance_ != nullptr, "the RTL cannot be created");
}

RtlInstance::~RtlInstance() { plugin_->destroy_(instance_); }

RtlPassResult RtlInstance::run(const Tile& tile, const Block& block, const PassCommand& command,
                               std::span<const std::int32_t> psum_in, bool want_trace) {
  const params::EngineParams& engine = plugin_->engine_;
  if (tile.key == 0 || tile.key != tile_key_) {
    tile_image_ = timing::engine::weight_image(engine, tile);
    tile_key_ = tile.key;
  }
  const std::vector<std::uint8_t> block_image = timing::engine::block_image(engine, block);

  lacuna_rtl_load weights{};
  weights.kind = 0;
  weights.windows = u32(tile.windows);
  weights.positions = u32(tile.positions);
  weights.rows = u32(tile.rows);
  weights.mask_log = u32(tile.mask_log());
  weights.in_place = tile.in_place ? 1 : 0;
  weights.post = tile.has_post ? 1 : 0;
  weights.image = tile_image_.data();
  weights.image_bytes = tile_image_.size();
  weights.key = tile.key;

  lacuna_rtl_load activations{};
  activations.kind = 1;
  activations.windows = u32(block.windows);
  activations.positions = u32(block.positions);
  activations.groups = u32(block.groups);
  activations.image = block_image.data();
  activations.image_bytes = block_image.size();
  activations.key = block.key;

  lacuna_rtl_pass pass{};
  pass.groups = u32(block.groups);
  pass.tokens = u32(block.tokens);
  pass.channels = u32(tile.channels);
  pass.act_signed = command.act_signed ? 1 : 0;
  pass.psum_read = command.psum_read ? 1 : 0;
  pass.psum_write = command.psum_write ? 1 : 0;
  pass.clamp_lo = command.clamp_lo;
  pass.clamp_hi = command.clamp_hi;
  pass.gate = u32(command.gate);
  pass.hold1 = u32(command.hold1);
  pass.hold2 = u32(command.hold2);
  const auto words =
      static_cast<std::size_t>(timing::engine::psum_words(engine, tile.rows, block.groups));
  if (command.psum_read) {
    LACUNA_CHECK(psum_in.size() == words, "{} partial sums for {} words", psum_in.size(), words);
    pass.psum_in = psum_in.data();
  }
  pass.want_trace = want_trace ? 1 : 0;
  pass.cycle_limit = cycle_limit(engine, tile, block, command);

  RtlPassResult out;
  lacuna_rtl_result rtl{};
  if (plugin_->run_pass_(instance_, &weights, &activations, &pass, &rtl) != 0) {
    const char* reason = plugin_->error_(instance_);
    out.error = reason == nullptr ? "the RTL gives no reason" : reason;
    tile_key_ = 0;
    return out;
  }
  PassResult& result = out.result;
  result.length = static_cast<base::Cycle>(rtl.length);
  result.group_end.assign(rtl.group_end, rtl.group_end + rtl.groups);
  result.drain_end.assign(rtl.drain_end, rtl.drain_end + rtl.groups);
  result.counters = counters_of(rtl.counters);
  if (rtl.outputs != nullptr) {
    const std::size_t bytes =
        static_cast<std::size_t>(block.tokens) * static_cast<std::size_t>(tile.channels);
    result.outputs.assign(rtl.outputs, rtl.outputs + bytes);
  }
  if (rtl.psum_out != nullptr) result.psum_out.assign(rtl.psum_out, rtl.psum_out + words);
  if (want_trace) {
    const auto ways = static_cast<std::size_t>(engine.k_ways);
    const std::size_t pes = ways * static_cast<std::size_t>(engine.pes);
    result.trace.issue = lists(rtl.issue, rtl.issue_offset, ways);
    result.trace.mask_stage = lists(rtl.mask, rtl.mask_offset, pes);
    result.trace.mac_stage = lists(rtl.mac, rtl.mac_offset, pes);
  }
  out.weight_load_cycles = static_cast<base::Cycle>(rtl.load_cycles_weights);
  out.block_load_cycles = static_cast<base::Cycle>(rtl.load_cycles_block);
  out.rtl_cycles = rtl.rtl_cycles;
  return out;
}

std::shared_ptr<const RtlPlugin> load_rtl(const params::EngineParams& engine,
                                          const PluginCacheOptions& options) {
  const PluginCache cache(options);
  const std::string path = cache.find_or_build(engine);
  try {
    return RtlPlugin::open(path, engine);
  } catch (const base::UserError&) {
    // Cut off by a full disk, or made on a machine with another C library.
    cache.discard(path);
    return RtlPlugin::open(cache.find_or_build(engine), engine);
  }
}

}  // namespace lacuna::cosim
