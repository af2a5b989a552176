// SPDX-License-Identifier: Apache-2.0
#include "verify/stimulus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "timing/engine/capacity.h"
#include "verify/operands.h"
#include "verify/requantize.h"
#include "verify/shape.h"

namespace lacuna::verify {

namespace engine = timing::engine;

namespace {

constexpr double kLiveShare = 0.12;
constexpr double kResetShare = 0.03;
constexpr double kLongShare = 0.02;
constexpr int kLongFactor = 8;
/// A pass whose contents do not fit is made smaller; after so many tries it is drawn anew.
constexpr int kMaxShrinks = 60;

/// Draws cases of one set. The plan is drawn first, so that plan_case() sees the same numbers.
class CaseBuilder {
 public:
  CaseBuilder(const ParameterSet& set, std::uint64_t seed)
      : set_(set), params_(set.engine), seed_(seed), rng_(seed) {}

  Case build() {
    Case made;
    made.seed = seed_;
    const Plan plan = draw_plan(rng_);
    made.kind = plan.kind;
    switch (plan.kind) {
      case CaseKind::kAlone:
        made.passes.push_back(alone());
        break;
      case CaseKind::kLive:
        made.passes = live(plan.passes);
        break;
      case CaseKind::kReset:
        made.passes = live(plan.passes_before);
        made.cut = plan.passes_before;
        made.reset_after = draw_reset();
        for (Stimulus& pass : live(plan.passes)) made.passes.push_back(std::move(pass));
        break;
    }
    return made;
  }

  struct Plan {
    CaseKind kind = CaseKind::kAlone;
    int passes = 1;
    int passes_before = 0;  // a reset
  };
  static Plan draw_plan(base::Rng& rng) {
    Plan plan;
    const double choice = rng.uniform();
    const int several = static_cast<int>(rng.range(2, 5));
    if (choice < kLiveShare) {
      plan.kind = CaseKind::kLive;
      plan.passes = several;
    } else if (choice < kLiveShare + kResetShare) {
      plan.kind = CaseKind::kReset;
      plan.passes_before = several;
      plan.passes = static_cast<int>(rng.range(1, 2));
    }
    return plan;
  }

 private:
  enum class Sums { kNone, kRead, kWrite, kBoth };

  /// What has been drawn last and may be kept for the next pass of a sequence.
  struct Drawn {
    Shape shape;
    WeightRecipe weights;
    ActivationRecipe activations;
    std::shared_ptr<const engine::Tile> tile;
    std::shared_ptr<const engine::Block> block;
    PostKind post = PostKind::kUsual;
  };

  double draw_cycles() {
    const double most = set_.pass_cycles;
    if (rng_.bernoulli(kLongShare)) return kLongFactor * most;
    return 20 * std::pow(most / 20, rng_.uniform());
  }

  [[nodiscard]] bool psums_fit(const Shape& shape) const {
    return engine::psum_bytes(params_, shape.rows(params_), shape.groups(params_)) <=
           params_.psum_buffer;
  }

  void draw_tile_of(Drawn& drawn, bool post) {
    PostVectors vectors;
    if (post) {
      drawn.post = draw_post_kind(rng_);
      vectors = draw_post(rng_, drawn.post, drawn.shape.channels);
    }
    drawn.tile = draw_tile(rng_, params_, drawn.shape, drawn.weights, post ? &vectors : nullptr);
  }

  [[nodiscard]] bool fits(const Drawn& drawn, bool outputs, bool psums) const {
    return engine::capacity_violations(params_, *drawn.tile).empty() &&
           engine::capacity_violations(params_, *drawn.block).empty() &&
           engine::capacity_violations(params_, *drawn.tile, *drawn.block, psums, outputs).empty();
  }

  /// A tile and a block of a new shape that fit together.
  Drawn draw(bool outputs, bool psums) {
    Drawn drawn;
    for (;;) {
      drawn.weights = draw_weight_recipe(rng_);
      drawn.activations = draw_activation_recipe(rng_);
      const Densities densities{drawn.weights.skip ? drawn.weights.density : 1,
                                drawn.activations.skip ? drawn.activations.density : 1};
      drawn.shape = draw_shape(rng_, params_, densities);
      draw_tokens(rng_, params_, densities, draw_cycles(), outputs, psums, drawn.shape);
      const bool post = outputs || rng_.bernoulli(0.3);
      for (int tries = 0; tries < kMaxShrinks; ++tries) {
        draw_tile_of(drawn, post);
        drawn.block = draw_block(rng_, params_, drawn.shape, drawn.activations);
        if (fits(drawn, outputs, psums)) return drawn;
        if (!shrink(params_, drawn.shape)) break;
      }
    }
  }

  Sums draw_sums() {
    const double choice = rng_.uniform();
    if (choice < 0.55) return Sums::kNone;
    if (choice < 0.7) return Sums::kRead;
    return choice < 0.85 ? Sums::kWrite : Sums::kBoth;
  }

  void draw_psum_in(Stimulus& pass) {
    const int groups = pass.block->groups;
    pass.psum_in.resize(
        static_cast<std::size_t>(engine::psum_words(params_, pass.tile->rows, groups)));
    const std::int32_t usual = rng_.bernoulli(0.5) ? 100'000 : 1'000'000'000;
    for (std::int32_t& sum : pass.psum_in) sum = draw_sum(rng_, usual);
  }

  Stimulus stimulus(const Drawn& drawn, Sums sums) {
    Stimulus pass;
    pass.tile = drawn.tile;
    pass.block = drawn.block;
    pass.command.act_signed = rng_.bernoulli(0.5);
    pass.command.psum_read = sums == Sums::kRead || sums == Sums::kBoth;
    pass.command.psum_write = sums == Sums::kWrite || sums == Sums::kBoth;
    draw_clamp(rng_, pass.command);
    pass.text =
        fmt::format("{}; weights {}; activations {}; requantize {}", describe(params_, drawn.shape),
                    drawn.weights.text(), drawn.activations.text(),
                    drawn.tile->has_post ? post_kind_name(drawn.post) : "none");
    return pass;
  }

  Stimulus alone() {
    const Sums sums = draw_sums();
    const bool writes = sums == Sums::kWrite || sums == Sums::kBoth;
    const Drawn drawn = draw(!writes, sums != Sums::kNone);
    Stimulus pass = stimulus(drawn, sums);
    if (pass.command.psum_read) draw_psum_in(pass);
    const double choice = rng_.uniform();
    if (choice < 0.45) {
      const int most = choice < 0.05 ? 4000 : choice < 0.25 ? 40 : 400;
      pass.command.hold1 = rng_.range(0, most);
      const std::uint64_t second = rng_.below(4);
      if (second == 0) pass.command.hold2 = pass.command.hold1;
      if (second > 1) pass.command.hold2 = rng_.range(0, pass.command.hold1);
    }
    return pass;
  }

  Schedule draw_schedule() {
    Schedule schedule;
    if (rng_.bernoulli(0.3)) schedule.load_wait = draw_wait();
    if (rng_.bernoulli(0.3)) schedule.load_gaps = static_cast<int>(rng_.range(1, 230));
    if (rng_.bernoulli(0.3)) schedule.start_wait = draw_wait();
    schedule.start_early = rng_.bernoulli(0.3);
    schedule.release_weights = rng_.bernoulli(0.25);
    schedule.release_block = rng_.bernoulli(0.25);
    return schedule;
  }

  int draw_wait() {
    return static_cast<int>(rng_.bernoulli(0.5) ? rng_.range(1, 8) : rng_.range(1, 300));
  }

  int draw_reset() {
    // Loads take some dozens to thousands of cycles, passes the same.
    const double most = rng_.bernoulli(0.3) ? 60 : 4.0 * set_.pass_cycles;
    return static_cast<int>(rng_.range(1, static_cast<std::int64_t>(most)));
  }

  /// Passes on a live engine: some share their tile or their block with the one before, some are
  /// the K tiles of one product and hand on partial sums.
  std::vector<Stimulus> live(int count) {
    std::vector<Stimulus> passes;
    if (count > 1 && rng_.bernoulli(0.3)) {
      passes = chain(count);
    } else {
      Drawn drawn;
      for (int i = 0; i < count; ++i) passes.push_back(next(drawn, i == 0));
    }
    for (Stimulus& pass : passes) pass.schedule = draw_schedule();
    return passes;
  }

  Stimulus next(Drawn& drawn, bool first) {
    const double keep = first ? 1 : rng_.uniform();
    const Sums sums = draw_sums();
    const bool writes = sums == Sums::kWrite || sums == Sums::kBoth;
    if (keep < 0.45) {
      // Keeps the tile, the block, or both, where the rules of the new pass allow it.
      Drawn kept = drawn;
      if (keep < 0.2) {
        kept.activations = draw_activation_recipe(rng_);
        kept.block = draw_block(rng_, params_, kept.shape, kept.activations);
      } else if (keep < 0.35) {
        kept.weights = draw_weight_recipe(rng_);
        draw_tile_of(kept, !writes || rng_.bernoulli(0.3));
      }
      if ((writes || kept.tile->has_post) && fits(kept, !writes, sums != Sums::kNone)) {
        drawn = kept;
        Stimulus pass = stimulus(drawn, sums);
        if (pass.command.psum_read) draw_psum_in(pass);
        return pass;
      }
    }
    drawn = draw(!writes, sums != Sums::kNone);
    Stimulus pass = stimulus(drawn, sums);
    if (pass.command.psum_read) draw_psum_in(pass);
    return pass;
  }

  /// K tiles: all channels and tokens stay, the windows move on.
  std::vector<Stimulus> chain(int count) {
    Drawn drawn = draw(true, true);
    const bool act_signed = rng_.bernoulli(0.5);
    std::vector<Stimulus> passes;
    for (int i = 0; i < count; ++i) {
      const bool last = i == count - 1;
      if (i > 0) {
        Drawn kept = drawn;
        const engine::WindowTable table(params_, drawn.shape.segments);
        if (kept.shape.windows.end < table.windows()) {
          const int length =
              std::min(kept.shape.windows.count(), table.windows() - kept.shape.windows.end);
          kept.shape.windows = {kept.shape.windows.end, kept.shape.windows.end + length};
        }
        draw_tile_of(kept, last || rng_.bernoulli(0.3));
        kept.block = draw_block(rng_, params_, kept.shape, kept.activations);
        // Where the next K tile does not fit, the same one is added once more.
        if (fits(kept, last, true)) drawn = kept;
      }
      const bool outputs = last && drawn.tile->has_post;
      Stimulus pass = stimulus(drawn, outputs ? Sums::kRead : i == 0 ? Sums::kWrite : Sums::kBoth);
      pass.command.act_signed = act_signed;
      pass.chain = i > 0;
      passes.push_back(std::move(pass));
    }
    return passes;
  }

  const ParameterSet& set_;
  const params::EngineParams& params_;
  std::uint64_t seed_;
  base::Rng rng_;
};

}  // namespace

std::string_view case_kind_name(CaseKind kind) {
  constexpr std::array<std::string_view, kCaseKinds> kNames{"alone", "live", "reset"};
  return kNames[static_cast<std::size_t>(kind)];
}

CasePlan plan_case(std::uint64_t seed) {
  base::Rng rng(seed);
  const CaseBuilder::Plan plan = CaseBuilder::draw_plan(rng);
  return {plan.kind, plan.passes};
}

Case make_case(const ParameterSet& set, std::uint64_t seed) {
  return CaseBuilder(set, seed).build();
}

std::vector<std::string> broken_rules(const params::EngineParams& params, const Case& random_case) {
  std::vector<std::string> broken;
  for (std::size_t i = 0; i < random_case.passes.size(); ++i) {
    const Stimulus& pass = random_case.passes[i];
    const engine::PassCommand& command = pass.command;
    const auto add = [&](const std::vector<std::string>& found) {
      for (const std::string& rule : found) broken.push_back(fmt::format("pass {}: {}", i, rule));
    };
    const auto require = [&](bool holds, const char* rule) {
      if (!holds) add({rule});
    };
    add(engine::capacity_violations(params, *pass.tile));
    add(engine::capacity_violations(params, *pass.block));
    add(engine::capacity_violations(params, *pass.tile, *pass.block,
                                    command.psum_read || command.psum_write, !command.psum_write));
    require(
        pass.tile->windows == pass.block->windows && pass.tile->positions == pass.block->positions,
        "tile and block are of different windows");
    require(command.psum_write || pass.tile->has_post, "outputs without requantize vectors");
    require(command.hold2 <= command.hold1, "hold2 exceeds hold1");
    require(random_case.kind == CaseKind::kAlone || command.hold1 == 0,
            "carry-in on a live engine");
    require(command.clamp_lo >= -128 && command.clamp_lo <= command.clamp_hi &&
                command.clamp_hi <= 255 && command.gate >= 0 && command.gate <= 255,
            "clamp or gate out of range");
    if (pass.chain) {
      const bool first = i == 0 || (random_case.kind == CaseKind::kReset &&
                                    static_cast<int>(i) == random_case.cut);
      require(!first && command.psum_read && random_case.passes[i - 1].command.psum_write &&
                  random_case.passes[i - 1].tile->rows == pass.tile->rows &&
                  random_case.passes[i - 1].block->groups == pass.block->groups,
              "the pass before does not leave the partial sums that this one reads");
    } else {
      const std::int64_t words = engine::psum_words(params, pass.tile->rows, pass.block->groups);
      require(!command.psum_read || static_cast<std::int64_t>(pass.psum_in.size()) == words,
              "the partial sums are not as many as the pass reads");
    }
  }
  return broken;
}

std::uint64_t case_seed(std::uint64_t run_seed, std::string_view set, std::int64_t index) {
  return base::hash_combine(base::hash_combine(run_seed, base::hash_text(set)),
                            static_cast<std::uint64_t>(index));
}

}  // namespace lacuna::verify
