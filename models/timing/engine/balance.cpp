// SPDX-License-Identifier: Apache-2.0
#include "timing/engine/balance.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace lacuna::timing::engine {
namespace {

std::size_t size_of(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Load of every channel of the tile.
std::vector<double> channel_loads(const WindowTable& table, const TileSource& source,
                                  std::span<const float> density) {
  const KRange range = table.k_range(source.windows);
  LACUNA_CHECK(density.empty() || density.size() == size_of(range.count()), "{} densities for {} k",
               density.size(), range.count());
  std::vector<double> loads(size_of(source.channels), 0.0);
  for (int n = 0; n < source.channels; ++n) {
    if (source.mask != nullptr && source.skip_weights && density.empty()) {
      loads[size_of(n)] = static_cast<double>(tensor::count_row_bits(
          source.mask->row(source.first_channel + n), range.begin, range.end));
      continue;
    }
    const auto is_zero = [&](std::int64_t k) {
      return source.mask != nullptr ? !source.mask->test(source.first_channel + n, k)
                                    : source.weights.at(source.first_channel + n, k) == 0;
    };
    double load = 0;
    for (std::int64_t k = range.begin; k < range.end; ++k) {
      if (source.skip_weights && is_zero(k)) continue;
      load += density.empty() ? 1.0 : static_cast<double>(density[size_of(k - range.begin)]);
    }
    loads[size_of(n)] = load;
  }
  return loads;
}

/// One round alone leaves the PEs as uneven as the last row happens to be (which may not be full).
/// Dealing a row again never makes the sum of squared loads larger; the second round gets nearly
/// all of it.
constexpr int kRounds = 3;

}  // namespace

std::vector<std::uint8_t> balance_order(const params::EngineParams& params,
                                        const TileSource& source, params::Balance balance,
                                        std::span<const float> density) {
  const int pes = params.pes;
  const int rows = (source.channels + pes - 1) / pes;
  std::vector<std::uint8_t> order(size_of(pes) * size_of(rows));
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = static_cast<std::uint8_t>(i % size_of(pes));
  }
  if (balance == params::Balance::kNone) return order;
  if (balance == params::Balance::kGreedy) density = {};

  const WindowTable table(params, source.segments);
  const std::vector<double> loads = channel_loads(table, source, density);
  std::vector<double> pe_load(size_of(pes), 0.0);
  std::vector<int> places(size_of(pes));
  std::vector<int> free_pes(size_of(pes));
  for (int deal = 0; deal < kRounds * rows; ++deal) {
    const int r = deal % rows;
    const auto load_of = [&](int place) {
      const std::size_t n = size_of(r) * size_of(pes) + size_of(place);
      return n < loads.size() ? loads[n] : 0.0;
    };
    if (deal >= rows) {  // not the first round: take back what this row was dealt
      for (int i = 0; i < pes; ++i) {
        pe_load[order[size_of(r) * size_of(pes) + size_of(i)]] -= load_of(i);
      }
    }
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(),
                     [&](int a, int b) { return load_of(a) > load_of(b); });
    std::iota(free_pes.begin(), free_pes.end(), 0);
    std::stable_sort(free_pes.begin(), free_pes.end(),
                     [&](int a, int b) { return pe_load[size_of(a)] < pe_load[size_of(b)]; });
    for (int i = 0; i < pes; ++i) {
      const int place = places[size_of(i)];
      const int pe = free_pes[size_of(i)];
      order[size_of(r) * size_of(pes) + size_of(place)] = static_cast<std::uint8_t>(pe);
      pe_load[size_of(pe)] += load_of(place);
    }
  }
  return order;
}

}  // namespace lacuna::timing::engine
