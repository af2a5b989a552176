// SPDX-License-Identifier: Apache-2.0
#include "tlm/chip_dma.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::tlm {

ChipDma::ChipDma(sc_core::sc_module_name name, CoreContext& context, std::vector<MemoryPort*> ports)
    : sc_module(name), context_(context) {
  int number = 0;
  for (MemoryPort* port : ports) {
    sc_core::sc_spawn_options options;
    options.set_stack_size(1 << 16);
    sc_core::sc_spawn([this, port] { engine(*port); },
                      ("engine_" + std::to_string(number++)).c_str(), &options);
  }
}

void ChipDma::begin(const mapper::Program& program, bool warm) {
  LACUNA_CHECK(idle(), "a program begins while {} fetches are under way", open_);
  program_ = &program;
  states_.assign(program.fetches.size(), {});
  next_fetch_ = 0;
  next_chunk_ = 0;
  for (std::size_t i = 0; i < program.fetches.size(); ++i) {
    const mapper::Fetch& fetch = program.fetches[i];
    State& state = states_[i];
    state.uses_left = fetch.uses;
    if (warm && fetch.resident) {
      state.done = context_.clock->now();
      continue;
    }
    state.chunks_left = base::ceil_div(fetch.bytes, kChunkBytes);
    ++open_;
  }
  work_.notify();
}

void ChipDma::engine(MemoryPort& port) {
  try {
    transfer_loop(port);
  } catch (const sc_core::sc_unwind_exception&) {
    throw;  // the kernel ends its threads this way
  } catch (...) {
    context_.fail(std::current_exception());
  }
}

bool ChipDma::is_free(const mapper::Fetch& fetch) const {
  return std::all_of(fetch.overwrites.begin(), fetch.overwrites.end(), [this](int other) {
    return states_[static_cast<std::size_t>(other)].uses_left == 0;
  });
}

void ChipDma::transfer_loop(MemoryPort& port) {
  for (;;) {
    const auto fetches = program_ == nullptr ? 0 : static_cast<int>(program_->fetches.size());
    while (next_fetch_ < fetches && states_[static_cast<std::size_t>(next_fetch_)].done >= 0) {
      ++next_fetch_;  // resident
    }
    if (next_fetch_ >= fetches) {
      sc_core::wait(work_);
      continue;
    }
    const int number = next_fetch_;
    const std::int64_t chunk = next_chunk_++;
    const mapper::Fetch& fetch = program_->fetches[static_cast<std::size_t>(number)];
    if (next_chunk_ == base::ceil_div(fetch.bytes, kChunkBytes)) {
      ++next_fetch_;
      next_chunk_ = 0;
    }
    bool waited = false;
    while (!is_free(fetch)) {
      waited = true;
      sc_core::wait(released_);
    }
    while (!context_.source->reached(fetch.after)) sc_core::wait(context_.source->changed());
    if (waited && chunk == 0) ++context_.met.ring_waits;
    context_.clock->align();
    State& state = states_[static_cast<std::size_t>(number)];
    if (state.begin < 0) state.begin = context_.clock->now();
    const std::int64_t offset = chunk * kChunkBytes;
    const std::int64_t bytes = std::min(kChunkBytes, fetch.bytes - offset);
    const Transfer from{fetch.from + static_cast<std::uint64_t>(offset), bytes};
    const Transfer to{fetch.to + static_cast<std::uint64_t>(offset), bytes};
    port.move({&from, 1}, false);
    port.move({&to, 1}, true);
    context_.clock->align();
    if (--state.chunks_left == 0) finish(number);
  }
}

void ChipDma::finish(int fetch) {
  State& state = states_[static_cast<std::size_t>(fetch)];
  state.done = context_.clock->now();
  --open_;
  const mapper::Fetch& command = program_->fetches[static_cast<std::size_t>(fetch)];
  int layer = -1;
  if (command.kind == mapper::Fetch::Kind::kWeights) {
    const int gemm = program_->weight_tiles[static_cast<std::size_t>(command.index)].gemm;
    layer = program_->gemms[static_cast<std::size_t>(gemm)].layer;
  } else if (command.kind == mapper::Fetch::Kind::kConstants) {
    layer = program_->vectors[static_cast<std::size_t>(command.index)].layer;
  } else {
    layer = context_.source->first_reader(command.index);
  }
  if (layer >= 0) {
    Traffic& traffic = context_.layers[static_cast<std::size_t>(layer)].traffic;
    traffic.dram_read += command.bytes;
    traffic.link += command.bytes;
    traffic.sram_write += command.bytes;
  }
  if (context_.sink != nullptr) {
    context_.sink->event({-1, TimelineEvent::Unit::kFetch, layer, context_.source->program_index(),
                          state.begin, state.done, command.bytes});
  }
  context_.source->fetch_done(fetch);
}

void ChipDma::release(int fetch) {
  State& state = states_[static_cast<std::size_t>(fetch)];
  LACUNA_CHECK(state.uses_left > 0, "fetch {} is released once too often", fetch);
  if (--state.uses_left == 0) released_.notify();
}

}  // namespace lacuna::tlm
