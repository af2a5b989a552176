// SPDX-License-Identifier: Apache-2.0
#include "mapper/fetch_planner.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/cycles.h"
#include "base/error.h"
#include "mapper/lifetimes.h"

namespace lacuna::mapper {
namespace {

/// Inputs are fetched in pieces of about this size, so that work can begin before all is there.
constexpr std::int64_t kPieceBytes = 16 * 1024;

/// The ring as the planner sees it: what is alive after the fetches made so far.
class Ring {
 public:
  explicit Ring(const WeightSpace& space) : space_(space) {}

  /// A place for `bytes`; fetches that lay there are appended to `overwritten`.
  std::uint64_t take(int fetch, std::int64_t bytes, std::vector<int>& overwritten) {
    if (head_ + bytes > space_.bytes) head_ = 0;  // an image is not split over the end
    const std::int64_t begin = head_;
    const std::int64_t end = head_ + bytes;
    std::erase_if(live_, [&](const Live& live) {
      const bool hit = live.begin < end && begin < live.end;
      if (hit) overwritten.push_back(live.fetch);
      return hit;
    });
    live_.push_back({fetch, begin, end});
    head_ = end;
    return space_.begin + static_cast<std::uint64_t>(begin);
  }
  [[nodiscard]] bool alive(int fetch) const {
    return std::any_of(live_.begin(), live_.end(),
                       [&](const Live& live) { return live.fetch == fetch; });
  }

 private:
  struct Live {
    int fetch;
    std::int64_t begin, end;
  };
  WeightSpace space_;
  std::int64_t head_ = 0;
  std::deque<Live> live_;
};

}  // namespace

void plan_fetches(const WeightSpace& space, Program& program) {
  Ring ring(space);
  std::vector<Fetch>& fetches = program.fetches;
  // Constants were given places already; they are fetched before the task that needs them.
  std::vector<Fetch> constants;
  constants.swap(fetches);
  std::vector<int> latest(program.weight_tiles.size(), kNone);
  std::map<std::pair<int, int>, std::vector<bool>> fetched_pieces;  // of (value, sample)

  for (Task& task : program.tasks) {
    const auto want = [&](const std::vector<Dependency>& needs) {
      for (const Dependency& need : needs) {
        TensorPlan& tensor = program.tensors[static_cast<std::size_t>(need.value)];
        if (!tensor.fetched) continue;
        for (int sample = need.sample_begin; sample < need.sample_end; ++sample) {
          // In pieces of whole tokens, each when the first task needs it.
          const std::int64_t token_bytes = tensor.layout.token_bytes();
          const std::int64_t piece = std::max<std::int64_t>(1, kPieceBytes / token_bytes);
          std::vector<bool>& fetched = fetched_pieces[{need.value, sample}];
          fetched.resize(static_cast<std::size_t>(base::ceil_div(tensor.tokens, piece)), false);
          for (std::int64_t i = need.token_begin / piece; i * piece < need.token_end; ++i) {
            if (fetched[static_cast<std::size_t>(i)]) continue;
            fetched[static_cast<std::size_t>(i)] = true;
            Fetch fetch;
            fetch.kind = Fetch::Kind::kTensor;
            fetch.index = need.value;
            fetch.sample = sample;
            fetch.token_begin = i * piece;
            fetch.token_end = std::min((i + 1) * piece, tensor.tokens);
            fetch.bytes = (fetch.token_end - fetch.token_begin) * token_bytes;
            const auto offset = static_cast<std::uint64_t>(tensor.sample_bytes * sample +
                                                           fetch.token_begin * token_bytes);
            fetch.from = tensor.home + offset;
            fetch.to = tensor.address + offset;
            for (const EarlierUser& user : tensor.after) {
              fetch.after.push_back({user.layer, 0, program.batch});
            }
            fetches.push_back(std::move(fetch));
          }
        }
      }
    };
    want(task.needs);
    want(task.weight_needs);
    if (task.kind != TaskKind::kGemm) {
      VectorPlan& plan = program.vectors[static_cast<std::size_t>(task.plan)];
      if (plan.constant_fetch != kNone) {
        Fetch& constant = constants[static_cast<std::size_t>(plan.constant_fetch)];
        if (constant.bytes > 0) {
          fetches.push_back(constant);
          constant.bytes = 0;  // moved
        }
      }
    }
    if (task.kind == TaskKind::kGemm) {
      const GemmPlan& gemm = program.gemms[static_cast<std::size_t>(task.plan)];
      const auto k_tiles = static_cast<int>(gemm.split.k_tiles.size());
      if (!gemm.run_time) {
        task.weight_fetch.assign(static_cast<std::size_t>(task.k_tiles()), kNone);
      }
      for (int turn = 0; turn < task.k_tiles() && !gemm.run_time; ++turn) {
        const int k = task.k_tile_at(turn);
        const int id = gemm.first_tile + task.n_tile * k_tiles + k;
        const WeightTilePlan& tile = program.weight_tiles[static_cast<std::size_t>(id)];
        const std::int64_t bytes = aligned(tile.memory_bytes);
        int& fetch = latest[static_cast<std::size_t>(id)];
        const bool pinned =
            !space.pinned.empty() && space.pinned[static_cast<std::size_t>(id)] >= 0;
        const bool stays = space.resident || pinned;
        if (!stays && (task.select_rows || bytes * 2 > space.bytes)) {
          // Straight from DRAM: too large for the ring, or rows that are not known yet.
          continue;
        }
        if (fetch == kNone || (!stays && !ring.alive(fetch))) {
          fetch = static_cast<int>(fetches.size());
          Fetch made;
          made.kind = Fetch::Kind::kWeights;
          made.index = id;
          made.bytes = tile.memory_bytes;
          made.from = tile.dram_address;
          made.resident = stays;
          made.to = pinned ? static_cast<std::uint64_t>(space.pinned[static_cast<std::size_t>(id)])
                           : ring.take(fetch, bytes, made.overwrites);
          LACUNA_CHECK(!space.resident || made.overwrites.empty(),
                       "resident weights overlap (fetch {})", fetch);
          fetches.push_back(std::move(made));
        }
        ++fetches[static_cast<std::size_t>(fetch)].uses;
        task.weight_fetch[static_cast<std::size_t>(k - task.k_begin)] = fetch;
      }
    }
  }
  // Where the constants ended up.
  for (int i = 0; i < static_cast<int>(fetches.size()); ++i) {
    const Fetch& fetch = fetches[static_cast<std::size_t>(i)];
    if (fetch.kind == Fetch::Kind::kConstants) {
      program.vectors[static_cast<std::size_t>(fetch.index)].constant_fetch = i;
    }
  }
}

}  // namespace lacuna::mapper
