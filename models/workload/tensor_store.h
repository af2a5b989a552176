// SPDX-License-Identifier: Apache-2.0
//
// The codes of a batch of samples while a network runs: one buffer per value of the graph and
// sample, shared by everything that computes (engine backends write engine outputs, the vector
// unit's function reads and writes). Plain bytes: no time, no addresses, no compression.
//
// Samples are numbered from 0 within the batch; `first_sample` says which one of the workload's
// that is (wrapping around after the last, so a batch may be larger than the captured set).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workload/graph.h"
#include "workload/observation.h"

namespace lacuna::workload {

/// The codes of sample `sample` of the workload for a value that a statistic draws.
[[nodiscard]] std::vector<std::uint8_t> draw_sample(const Value& value, std::int64_t sample);

/// What stays after release(), for somebody looks at it when the network has been run.
enum class Keep {
  kComputed,  ///< everything that is computed: it cannot be made again
  kCompared,  ///< only what is compared (`expect`) or the result
};

/// Memory is taken when a sample of a value is first looked at (inputs, drawn values and constants
/// are loaded or drawn then; what layers compute begins as zeros) and may be given back with
/// release(). One thread at a time, also for reading.
///
/// Outputs that are not computed are all 1, codes of a statistic that nobody computes with are 1
/// wherever they are not zero: as good for everything that only asks for zeros.
class TensorStore {
 public:
  /// The graph must outlive the store. UserError when the batch would need more than kMaxBytes.
  TensorStore(const Graph& graph, std::int64_t first_sample, std::int64_t samples,
              Observation observation, Keep keep = Keep::kComputed);
  /// With everything computed.
  TensorStore(const Graph& graph, std::int64_t first_sample, std::int64_t samples);
  static constexpr std::int64_t kMaxBytes = std::int64_t{4} << 30;

  [[nodiscard]] const Graph& graph() const { return *graph_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }
  /// Index in the workload (0 .. graph.samples-1) of sample `sample` of the batch.
  [[nodiscard]] std::int64_t source_sample(std::int64_t sample) const {
    return (first_sample_ + sample) % graph_->samples;
  }

  /// The bytes of one sample of a value, row-major; views give the bytes of what they view. s8
  /// codes are two's complement.
  [[nodiscard]] std::span<const std::uint8_t> codes(int value, std::int64_t sample) const;
  /// For the producer of the value: only layer outputs may be written.
  [[nodiscard]] std::span<std::uint8_t> mutable_codes(int value, std::int64_t sample);

  /// Nobody computes or draws the value: each code counts as not zero, and is 1 if it is looked at.
  [[nodiscard]] bool stated(int value) const;

  /// Nobody will read this sample of a value any more: its memory is given back, unless it is kept.
  /// A constant's, which all samples share, never is.
  void release(int value, std::int64_t sample);

  /// One code as a number.
  [[nodiscard]] int at(int value, std::int64_t sample, std::int64_t index) const;

  /// Bytes of all buffers that are there now.
  [[nodiscard]] std::int64_t size_bytes() const;

 private:
  using Codes = std::vector<std::uint8_t>;
  /// The buffer of a sample of a stored value, filled.
  Codes& buffer(int storage, std::int64_t sample) const;
  [[nodiscard]] Codes make(const Value& value, std::int64_t sample) const;

  const Graph* graph_;
  std::int64_t first_sample_;
  std::int64_t samples_;
  Observation observation_;
  std::vector<bool> kept_;  ///< by value id
  /// By value id and sample (constants have one); empty for views and until somebody looks.
  mutable std::vector<std::vector<Codes>> buffers_;
  /// By value id and sample: was computed and has gone.
  std::vector<std::vector<bool>> gone_;
};

}  // namespace lacuna::workload
