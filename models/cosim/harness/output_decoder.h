// SPDX-License-Identifier: Apache-2.0
//
// Reads the output port of an engine: masks and packed codes of a beat to codes by token and
// channel. Everything that the port says twice must agree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "cosim/harness/ports.h"
#include "cosim/harness/records.h"

namespace lacuna::cosim::harness {

/// Model is the Verilated top.
template <typename Model>
class OutputDecoder {
 public:
  OutputDecoder(Model& model, const lacuna_rtl_parameters& parameters)
      : model_(model),
        parameters_(parameters),
        values_(static_cast<std::size_t>(parameters.drain_width) * parameters.lanes),
        masks_(std::max<std::size_t>((values_ + 7) / 8, 8)),
        codes_(std::max<std::size_t>(values_, 8)),
        block_masks_(std::max<std::size_t>(
            static_cast<std::size_t>(parameters.act_block) * parameters.lanes / 8, 8)) {}

  /// Beat number `index` of a pass whose groups have `beats` beats each, into record.outputs
  /// ([token][channel]) and the count of non-zeros. std::runtime_error if the beat is out of order
  /// or contradicts itself; the mask words of blocks must say the same as the masks of their beats.
  void decode(const lacuna_rtl_pass& pass, std::uint64_t beats, std::uint64_t index,
              PassRecord& record) {
    const Place place{pass, index / beats, index % beats, beats};
    if (model_.out_group_o != place.group || model_.out_beat_o != place.beat) {
      fail("an output beat is out of order");
    }
    get_bytes(model_.out_mask_o, masks_.data(), (values_ + 7) / 8);
    get_bytes(model_.out_data_o, codes_.data(), values_);
    const std::uint64_t per_block = parameters_.act_block / parameters_.drain_width;
    const bool block_end = place.beat % per_block == per_block - 1 || place.beat == beats - 1;
    if ((model_.out_block_valid_o != 0) != block_end) fail("a mask word comes with the wrong beat");
    if (block_end) get_bytes(model_.out_block_mask_o, block_masks_.data(), block_masks_.size());
    for (std::uint64_t lane = 0; lane < parameters_.lanes; ++lane) {
      take_codes(place, lane, record);
      if (block_end) check_mask_word(place, lane, record);
    }
  }

 private:
  struct Place {
    const lacuna_rtl_pass& pass;
    std::uint64_t group, beat, beats;
  };

  [[noreturn]] static void fail(const char* message) { throw std::runtime_error(message); }

  void take_codes(const Place& place, std::uint64_t lane, PassRecord& record) {
    const std::uint64_t width = parameters_.drain_width;
    const std::uint64_t token = place.group * parameters_.lanes + lane;
    std::uint64_t next = lane * width;
    for (std::uint64_t c = 0; c < width; ++c) {
      const std::uint64_t channel = place.beat * width + c;
      const bool exists = token < place.pass.tokens && channel < place.pass.channels;
      std::uint8_t code = 0;
      if (test_bit(masks_.data(), lane * width + c)) {
        code = codes_[next++];
        if (code == 0) fail("the encoder calls a zero non-zero");
        if (!exists) fail("an output that does not exist is not zero");
        ++record.counters.outputs_nonzero;
      }
      if (exists) record.outputs[token * place.pass.channels + channel] = code;
    }
    for (; next < (lane + 1) * width; ++next) {
      if (codes_[next] != 0) fail("packed output codes are followed by something");
    }
  }

  void check_mask_word(const Place& place, std::uint64_t lane, const PassRecord& record) const {
    const std::uint64_t width = parameters_.drain_width;
    const std::uint64_t per_block = parameters_.act_block / width;
    const std::uint64_t token = place.group * parameters_.lanes + lane;
    const std::uint64_t first = place.beat / per_block * per_block * width;
    for (std::uint64_t c = 0; c < parameters_.act_block; ++c) {
      const bool exists = token < place.pass.tokens && first + c < place.pass.channels;
      const bool expected = exists && record.outputs[token * place.pass.channels + first + c] != 0;
      if (test_bit(block_masks_.data(), lane * parameters_.act_block + c) != expected) {
        fail("a mask word differs from the masks of its beats");
      }
    }
  }

  Model& model_;
  const lacuna_rtl_parameters& parameters_;
  std::size_t values_;  // channels x lanes of a beat
  std::vector<std::uint8_t> masks_, codes_, block_masks_;
};

}  // namespace lacuna::cosim::harness
