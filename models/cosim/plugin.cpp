// SPDX-License-Identifier: Apache-2.0
#include "cosim/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cosim/plugin_calls.h"
#include "timing/engine/image.h"
#include "timing/engine/latencies.h"

namespace lacuna::cosim {

namespace {

using timing::engine::Block;
using timing::engine::PassCommand;
using timing::engine::Tile;

template <class Function>
void resolve(void* handle, const char* name, const std::string& path, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function == nullptr) {
    throw base::UserError(fmt::format("{} is not an RTL engine: it lacks {}", path, name));
  }
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
  resolve(handle, "lacuna_rtl_test_run_jobs", path, plugin->run_jobs_);
  resolve(handle, "lacuna_rtl_position", path, plugin->position_);
  resolve(handle, "lacuna_rtl_trace", path, plugin->trace_);
  resolve(handle, "lacuna_rtl_failure", path, plugin->failure_);
  resolve(handle, "lacuna_rtl_coverage", path, plugin->coverage_);

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
  const lacuna_rtl_load weights = weight_load(tile, tile_image_);
  const lacuna_rtl_load activations = block_load(block, block_image);
  const lacuna_rtl_pass pass = pass_call(engine, tile, block, command, psum_in, false, want_trace);
  lacuna_rtl_result rtl{};
  if (plugin_->run_pass_(instance_, &weights, &activations, &pass, &rtl) != 0) {
    tile_key_ = 0;
    RtlPassResult failed;
    failed.error = failure();
    std::uint64_t number = 0;
    std::uint64_t start = 0;
    std::uint64_t cycle = 0;
    if (plugin_->failure_(instance_, &number, &start, &cycle) != 0) {
      failed.error_cycle = static_cast<base::Cycle>(cycle);
    }
    return failed;
  }
  return take_result(engine, tile, block, want_trace, rtl);
}

std::string RtlInstance::failure() const {
  const char* reason = plugin_->error_(instance_);
  return reason == nullptr ? "the RTL gives no reason" : reason;
}

RtlSequenceResult RtlInstance::run_sequence(std::span<const RtlJob> jobs, int reset_after,
                                            bool want_trace) {
  const params::EngineParams& engine = plugin_->engine_;
  LACUNA_CHECK(!jobs.empty(), "a sequence of no passes");
  std::vector<std::vector<std::uint8_t>> images;
  std::vector<lacuna_rtl_load> loads;
  std::vector<lacuna_rtl_pass> passes;
  images.reserve(2 * jobs.size());
  loads.reserve(2 * jobs.size());
  passes.reserve(jobs.size());
  std::uint64_t waits = 0;  // what the schedules may add to the time of any pass
  std::uint64_t drain = 0;  // of a group: a pass may find two of them still to come
  for (const RtlJob& job : jobs) {
    images.push_back(timing::engine::weight_image(engine, *job.tile));
    loads.push_back(weight_load(*job.tile, images.back()));
    images.push_back(timing::engine::block_image(engine, *job.block));
    loads.push_back(block_load(*job.block, images.back()));
    passes.push_back(
        pass_call(engine, *job.tile, *job.block, job.command, job.psum_in, job.chain, want_trace));
    const RtlSchedule& schedule = job.schedule;
    LACUNA_CHECK(schedule.load_gaps <= kMaxLoadGaps, "{} of 256 cycles without a beat",
                 schedule.load_gaps);
    const auto beats = static_cast<std::uint64_t>((job.tile->image_bytes + job.block->image_bytes) /
                                                  engine.load_width);
    waits += 2 * schedule.load_wait + schedule.start_wait +
             (schedule.load_gaps == 0 ? 0 : 2 * beats * 256 / (256 - schedule.load_gaps) + 2000);
    drain = std::max(
        drain, static_cast<std::uint64_t>(timing::engine::kDrainLatency +
                                          timing::engine::drain_beats(engine, job.tile->rows)));
  }
  std::vector<lacuna_rtl_job> calls;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    passes[i].cycle_limit += waits + 2 * drain;
    lacuna_rtl_job call{};
    call.weights = &loads[2 * i];
    call.block = &loads[2 * i + 1];
    call.pass = &passes[i];
    call.psum_base = jobs[i].psum_base;
    call.chain = jobs[i].chain ? 1 : 0;
    const RtlSchedule& schedule = jobs[i].schedule;
    call.load_wait = schedule.load_wait;
    call.load_gaps = schedule.load_gaps;
    call.start_wait = schedule.start_wait;
    call.start_early = schedule.start_early ? 1 : 0;
    call.release_weights = schedule.release_weights ? 1 : 0;
    call.release_block = schedule.release_block ? 1 : 0;
    call.reset_after = i == 0 ? static_cast<std::uint32_t>(reset_after) : 0;
    calls.push_back(call);
  }
  std::vector<lacuna_rtl_result> results(jobs.size());
  std::vector<std::uint64_t> starts(jobs.size());
  tile_key_ = 0;
  RtlSequenceResult out;
  if (plugin_->run_jobs_(instance_, calls.data(), calls.size(), results.data(), starts.data()) !=
      0) {
    out.error = failure();
    std::uint64_t number = 0;
    std::uint64_t start = 0;
    std::uint64_t cycle = 0;
    if (plugin_->failure_(instance_, &number, &start, &cycle) != 0) {
      out.error_pass = static_cast<int>(number);
      out.error_start = static_cast<base::Cycle>(start);
      out.error_cycle = static_cast<base::Cycle>(cycle);
    }
    return out;
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (results[i].groups == 0) break;  // cut off by the reset, and so are all after it
    out.passes.push_back(
        take_result(engine, *jobs[i].tile, *jobs[i].block, want_trace, results[i]));
    out.starts.push_back(static_cast<base::Cycle>(starts[i]));
  }
  return out;
}

RtlPosition RtlInstance::position() const {
  std::uint64_t start = 0;
  std::uint64_t now = 0;
  plugin_->position_(instance_, &start, &now);
  return {static_cast<base::Cycle>(start), static_cast<base::Cycle>(now)};
}

void RtlInstance::write_coverage(const std::string& file) const {
  LACUNA_CHECK(plugin_->coverage_(instance_, file.c_str()) == 0, "no coverage: {}", failure());
}

void RtlInstance::trace(const std::string& file, base::Cycle first, base::Cycle last) {
  if (plugin_->trace_(instance_, file.c_str(), static_cast<std::uint64_t>(first),
                      static_cast<std::uint64_t>(last)) != 0) {
    throw base::UserError(
        fmt::format("cannot write the waveform {}: {}", base::printable(file), failure()));
  }
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
