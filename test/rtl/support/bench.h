// SPDX-License-Identifier: Apache-2.0
//
// Clock and port helpers for tests of single Verilated modules. A cycle: set inputs, settle() and
// read outputs, edge().
#pragma once

#include <verilated.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "rtl/support/generator.h"

namespace lacuna::test::rtl {

template <typename Model>
class Bench {
 public:
  Bench() : model_(std::make_unique<Model>(&context_, "top")) {}
  ~Bench() { model_->final(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  Model* operator->() { return model_.get(); }
  Model& operator*() { return *model_; }

  void settle() {
    model_->clk_i = 0;
    model_->eval();
  }
  void edge() {
    model_->clk_i = 1;
    model_->eval();
    ++cycle_;
  }
  void step() {
    settle();
    edge();
  }
  void reset() {
    model_->rst_ni = 0;
    step();
    model_->rst_ni = 1;
  }
  [[nodiscard]] std::int64_t cycle() const { return cycle_; }

 private:
  VerilatedContext context_;
  std::unique_ptr<Model> model_;
  std::int64_t cycle_ = 0;
};

/// Bits of a port of any width.
template <typename Port>
std::uint64_t bits(const Port& port, std::size_t first, std::size_t count) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&port);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = first + i;
    value |= std::uint64_t{(bytes[at / 8] >> (at % 8)) & 1U} << i;
  }
  return value;
}

template <typename Port>
void set_bits(Port& port, std::size_t first, std::size_t count, std::uint64_t value) {
  auto* bytes = reinterpret_cast<unsigned char*>(&port);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = first + i;
    const unsigned bit = 1U << (at % 8);
    const unsigned byte = bytes[at / 8];
    bytes[at / 8] = static_cast<unsigned char>(((value >> i) & 1) != 0 ? byte | bit : byte & ~bit);
  }
}

template <typename Port>
void clear(Port& port) {
  std::memset(static_cast<void*>(&port), 0, sizeof(Port));
}

inline std::int64_t signed_bits(std::uint64_t value, int width) {
  return static_cast<std::int64_t>(value << (64 - width)) >> (64 - width);
}

}  // namespace lacuna::test::rtl
