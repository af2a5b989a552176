// SPDX-License-Identifier: Apache-2.0
//
// The load side of an engine under test: which half holds what, the loads that wait, and the load
// port cycle by cycle. One load is under way at a time, beside the passes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "cosim/harness/ports.h"
#include "cosim/harness/records.h"
#include "cosim/harness/rtl_test_abi.h"

namespace lacuna::cosim::harness {

/// Halves of the weight and activation memories that a job uses.
struct Halves {
  unsigned weights = 0, acts = 0;
};

/// Model is the Verilated top. The driver calls drive() before and observe() after the evaluation
/// with a low clock.
template <typename Model>
class LoadPort {
 public:
  explicit LoadPort(Model& model, const lacuna_rtl_parameters& parameters)
      : model_(model), parameters_(parameters) {}

  /// The engine was reset: it holds nothing.
  void forget() {
    weights_ = {};
    acts_ = {};
    last_ = {1, 1};
    abandon();
  }
  /// No load waits any more. The gaps of a call are the same whatever was before it.
  void abandon() {
    loads_.clear();
    random_ = 0x9e3779b97f4a7c15ULL;
    waited_ = 0;
  }

  /// Assigns halves to job number `index` and queues the loads that it needs.
  Halves place(const lacuna_rtl_job& job, std::size_t index, PassRecord& record) {
    last_.weights = place(weights_, *job.weights, job.release_weights != 0, last_.weights,
                          &record.load_weights, index, job);
    last_.acts = place(acts_, *job.block, job.release_block != 0, last_.acts, &record.load_block,
                       index, job);
    return last_;
  }

  /// A pass has ended that releases these halves.
  void released_weights(unsigned half) { weights_[half].loaded = false; }
  void released_acts(unsigned half) { acts_[half].loaded = false; }

  [[nodiscard]] bool idle() const { return loads_.empty(); }
  /// Whether something is to be driven: loads, or inputs to be taken back.
  [[nodiscard]] bool active() const {
    return !idle() || model_.ld_valid_i != 0 || model_.release_wt_i != 0 ||
           model_.release_act_i != 0;
  }
  /// Everything that the jobs up to this one need has been loaded.
  [[nodiscard]] bool ready_for(std::size_t job) const {
    return loads_.empty() || loads_.front().job > job;
  }
  /// A half that is being released still counts as loaded, with its old contents.
  [[nodiscard]] bool releasing() const {
    return model_.release_wt_i != 0 || model_.release_act_i != 0;
  }
  /// Cycles since something moved that the driver was not holding back itself.
  [[nodiscard]] std::uint64_t waited() const { return waited_; }

  /// Beats of all loads that wait, with what each command takes.
  [[nodiscard]] std::uint64_t pending_beats() const {
    std::uint64_t beats = 0;
    for (const Load& load : loads_) beats += load.in->image_bytes / parameters_.load_width + 4;
    return beats;
  }

  /// How far the first load is, for messages; needs one.
  [[nodiscard]] std::string whereabouts() const {
    const Load& load = loads_.front();
    return "the load of the " + std::string(load.in->kind == 0 ? "tile" : "block") + " of pass " +
           std::to_string(load.job) + " is at byte " + std::to_string(load.sent) + " of " +
           std::to_string(load.in->image_bytes);
  }

  /// Inputs of the load port for this cycle. Halves to be loaded anew are released first.
  void drive() {
    model_.release_wt_i = 0;
    model_.release_act_i = 0;
    model_.ld_cmd_valid_i = 0;
    model_.ld_valid_i = 0;
    if (loads_.empty()) return;
    unsigned released_weights = 0, released_acts = 0;
    for (Load& waiting : loads_) {
      if (!waiting.half->loaded) continue;
      (waiting.in->kind == 0 ? released_weights : released_acts) |= 1U << waiting.half_index;
      waiting.half->loaded = false;
    }
    set(model_.release_wt_i, released_weights, 2);
    set(model_.release_act_i, released_acts, 2);
    if (released_weights != 0 || released_acts != 0) return;
    Load& load = loads_.front();
    const lacuna_rtl_load& in = *load.in;
    // With early starts also the command of the next load waits at the port.
    if (load.commanded && loads_.size() > 1 && loads_[1].wait == 0 && !loads_[1].commanded &&
        loads_[1].schedule->start_early != 0) {
      drive_command(loads_[1]);
    }
    if (load.wait > 0) {
      --load.wait;
      waited_ = 0;
    } else if (!load.commanded) {
      drive_command(load);
    } else if (load.sent < in.image_bytes && gap(load)) {
      if (load.first_beat != kNever) ++load.gaps;
      waited_ = 0;
    } else if (load.sent < in.image_bytes) {
      model_.ld_valid_i = 1;
      set_bytes(model_.ld_data_i, in.image + load.sent, parameters_.load_width);
    }
  }

  /// What the load port did in this cycle. std::runtime_error if it breaks its protocol.
  void observe(std::uint64_t now) {
    if (loads_.empty()) return;
    ++waited_;
    Load& load = loads_.front();
    if (model_.ld_cmd_valid_i != 0 && model_.ld_cmd_ready_o != 0) {
      waited_ = 0;
      if (!load.commanded) {
        load.commanded = true;
        return;
      }
      loads_[1].commanded = true;
    }
    if (!load.commanded) return;
    const unsigned flags = load.in->kind == 0 ? model_.weights_loaded_o : model_.acts_loaded_o;
    if (((flags >> load.half_index) & 1U) != 0) {
      if (load.sent != load.in->image_bytes) fail("the image is longer than its load command says");
      load.half->loaded = true;
      *load.measured = now - load.first_beat - load.gaps;
      loads_.erase(loads_.begin());
      waited_ = 0;
      return;
    }
    if (model_.ld_valid_i != 0) {
      if (model_.ld_ready_o == 0) fail("the load port is not ready during a load");
      if (load.first_beat == kNever) load.first_beat = now;
      load.sent += parameters_.load_width;
      waited_ = 0;
    } else if (load.sent == load.in->image_bytes) {
      fail("the image is shorter than its load command says");
    }
  }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Half {
    bool loaded = false;
    std::uint64_t key = 0;
  };
  struct Load {
    const lacuna_rtl_load* in = nullptr;
    Half* half = nullptr;
    std::uint64_t* measured = nullptr;
    unsigned half_index = 0;
    std::size_t sent = 0;
    std::uint64_t first_beat = kNever;
    std::uint64_t gaps = 0;  // cycles without a beat since the first
    std::uint32_t wait = 0;  // cycles that the command is still held back
    bool commanded = false;
    std::size_t job = 0;
    const lacuna_rtl_job* schedule = nullptr;
  };

  [[noreturn]] static void fail(const std::string& message) { throw std::runtime_error(message); }

  /// A half for this operand: one that holds it, else the one that the job before does not use, to
  /// be loaded.
  unsigned place(std::array<Half, 2>& halves, const lacuna_rtl_load& load, bool released,
                 unsigned last_half, std::uint64_t* measured, std::size_t index,
                 const lacuna_rtl_job& job) {
    for (unsigned half = 0; half < 2; ++half) {
      if (load.key == 0 || halves[half].key != load.key) continue;
      if (released) halves[half].key = 0;
      return half;
    }
    const unsigned half = last_half ^ 1U;
    Load request;
    request.in = &load;
    request.half = &halves[half];
    request.half_index = half;
    request.measured = measured;
    request.wait = job.load_wait;
    request.job = index;
    request.schedule = &job;
    // Known from now on, since later jobs choose their halves while the load is under way; 0 if it
    // will be released, so that none of them counts on it.
    request.half->key = released ? 0 : load.key;
    loads_.push_back(request);
    return half;
  }

  /// Whether this cycle of a load carries no beat (xorshift: the same in every run).
  bool gap(const Load& load) {
    if (load.schedule->load_gaps == 0) return false;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return (random_ >> 32) % 256 < load.schedule->load_gaps;
  }

  void drive_command(const Load& load) {
    const lacuna_rtl_load& in = *load.in;
    model_.ld_cmd_valid_i = 1;
    set(model_.ld_cmd_kind_i, in.kind, 1);
    set(model_.ld_cmd_half_i, load.half_index, 1);
    set(model_.ld_cmd_windows_i, in.windows, 16);
    set(model_.ld_cmd_positions_i, in.positions, 16);
    set(model_.ld_cmd_rows_i, in.rows, 16);
    set(model_.ld_cmd_groups_i, in.groups, 16);
    set(model_.ld_cmd_mask_log_i, in.mask_log, 2);
    set(model_.ld_cmd_in_place_i, in.in_place != 0, 1);
    set(model_.ld_cmd_post_i, in.post != 0, 1);
  }

  Model& model_;
  const lacuna_rtl_parameters& parameters_;
  std::array<Half, 2> weights_{}, acts_{};
  Halves last_{1, 1};  ///< of the job placed last
  std::vector<Load> loads_;
  std::uint64_t random_ = 0x9e3779b97f4a7c15ULL;  ///< for gaps in loads
  std::uint64_t waited_ = 0;
};

}  // namespace lacuna::cosim::harness
