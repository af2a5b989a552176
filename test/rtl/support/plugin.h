// SPDX-License-Identifier: Apache-2.0
//
// A Verilated engine loaded from its shared object, for tests: the functions of rtl_abi.h and the
// test-only entry, and comparison of what was observed with what is expected.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "cosim/harness/rtl_test_abi.h"
#include "cosim/rtl_abi.h"
#include "rtl/support/images.h"
#include "rtl/support/oracle.h"

namespace lacuna::test::rtl {

#ifdef LACUNA_RTL_PLUGINS
/// Shared object of one of the engines that test/rtl/CMakeLists.txt builds. LACUNA_RTL_PLUGINS in
/// the environment names another folder.
inline std::string engine_file(const char* name) {
  const char* folder = std::getenv("LACUNA_RTL_PLUGINS");
  std::string file = folder != nullptr ? folder : LACUNA_RTL_PLUGINS;
  return file.append("/").append(name).append(".so");
}
#endif

class Plugin {
 public:
  explicit Plugin(const std::string& file) : handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    create_ = find<decltype(&lacuna_rtl_create)>("lacuna_rtl_create");
    destroy_ = find<decltype(&lacuna_rtl_destroy)>("lacuna_rtl_destroy");
    run_pass_ = find<decltype(&lacuna_rtl_run_pass)>("lacuna_rtl_run_pass");
    run_jobs_ = find<decltype(&lacuna_rtl_test_run_jobs)>("lacuna_rtl_test_run_jobs");
    parameters_ = find<decltype(&lacuna_rtl_get_parameters)>("lacuna_rtl_get_parameters");
    error_ = find<decltype(&lacuna_rtl_error)>("lacuna_rtl_error");
    instance_ = create_();
    if (instance_ == nullptr) throw std::runtime_error("no instance");
  }
  ~Plugin() {
    destroy_(instance_);
    dlclose(handle_);
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  [[nodiscard]] lacuna_rtl_parameters parameters() const {
    lacuna_rtl_parameters p{};
    parameters_(instance_, &p);
    return p;
  }
  [[nodiscard]] Shape shape() const {
    const lacuna_rtl_parameters p = parameters();
    Shape s;
    s.pes = static_cast<int>(p.pes);
    s.k_ways = static_cast<int>(p.k_ways);
    s.rows_per_pe = static_cast<int>(p.rows_per_pe);
    s.lanes = static_cast<int>(p.lanes);
    s.fifo_depth = static_cast<int>(p.fifo_depth);
    s.scan_width = static_cast<int>(p.scan_width);
    s.skip_empty = static_cast<int>(p.skip_empty);
    s.drain_width = static_cast<int>(p.drain_width);
    s.load_width = static_cast<int>(p.load_width);
    s.weight_word = static_cast<int>(p.weight_word);
    s.max_k = static_cast<int>(p.max_k);
    s.act_block = static_cast<int>(p.act_block);
    s.weight_buffer = static_cast<int>(p.weight_buffer);
    s.activation_buffer = static_cast<int>(p.activation_buffer);
    return s;
  }

  int run(const lacuna_rtl_load& tile, const lacuna_rtl_load& block, const lacuna_rtl_pass& pass,
          lacuna_rtl_result& result) {
    return run_pass_(instance_, &tile, &block, &pass, &result);
  }
  int run(const Images& images, lacuna_rtl_result& result) {
    return run(images.tile_load, images.block_load, images.pass, result);
  }
  int run(const std::vector<lacuna_rtl_job>& jobs, std::vector<lacuna_rtl_result>& results,
          std::vector<std::uint64_t>& starts) {
    results.resize(jobs.size());
    starts.resize(jobs.size());
    return run_jobs_(instance_, jobs.data(), jobs.size(), results.data(), starts.data());
  }
  [[nodiscard]] std::string error() const { return error_(instance_); }

 private:
  template <typename Function>
  Function find(const char* name) {
    void* symbol = dlsym(handle_, name);
    if (symbol == nullptr) throw std::runtime_error(dlerror());
    return reinterpret_cast<Function>(symbol);
  }

  void* handle_;
  lacuna_rtl_instance* instance_ = nullptr;
  decltype(&lacuna_rtl_create) create_;
  decltype(&lacuna_rtl_destroy) destroy_;
  decltype(&lacuna_rtl_run_pass) run_pass_;
  decltype(&lacuna_rtl_test_run_jobs) run_jobs_;
  decltype(&lacuna_rtl_get_parameters) parameters_;
  decltype(&lacuna_rtl_error) error_;
};

inline std::vector<std::uint32_t> part(const std::uint32_t* data, const std::uint64_t* offset,
                                       std::size_t i) {
  return {data + offset[i], data + offset[i + 1]};
}

/// Everything the two sides know of a counter set, with names for messages.
inline void expect_counters(const lacuna_rtl_counters& seen, const lacuna_rtl_counters& expected) {
#define LACUNA_SAME(field) EXPECT_EQ(seen.field, expected.field) << #field
  LACUNA_SAME(windows_visited);
  LACUNA_SAME(windows_empty);
  LACUNA_SAME(broadcasts);
  LACUNA_SAME(entries_without_k);
  LACUNA_SAME(activation_reads);
  LACUNA_SAME(fifo_pushes);
  LACUNA_SAME(metadata_reads);
  LACUNA_SAME(weight_words);
  LACUNA_SAME(macs);
  LACUNA_SAME(macs_gated);
  LACUNA_SAME(acc_writes);
  LACUNA_SAME(acc_reads);
  LACUNA_SAME(psum_reads);
  LACUNA_SAME(psum_writes);
  LACUNA_SAME(drain_beats);
  LACUNA_SAME(outputs);
  LACUNA_SAME(outputs_nonzero);
  LACUNA_SAME(blocked_cycles);
  LACUNA_SAME(pe_mac);
  LACUNA_SAME(pe_slot);
  LACUNA_SAME(pe_bank);
  LACUNA_SAME(pe_edge);
  LACUNA_SAME(pe_imbalance);
  LACUNA_SAME(pe_window);
  LACUNA_SAME(pe_issue);
#undef LACUNA_SAME
}

/// Compares a result (with trace) with what the oracle says, all of it.
inline void expect_same(const lacuna_rtl_result& seen, const Expected& expected) {
  for (std::size_t q = 0; q < expected.issue.size(); ++q) {
    EXPECT_EQ(part(seen.issue, seen.issue_offset, q), expected.issue[q]) << "issues of way " << q;
  }
  for (std::size_t pe = 0; pe < expected.mask.size(); ++pe) {
    EXPECT_EQ(part(seen.mask, seen.mask_offset, pe), expected.mask[pe]) << "pops of PE " << pe;
    EXPECT_EQ(part(seen.mac, seen.mac_offset, pe), expected.mac[pe]) << "takes of PE " << pe;
  }
  ASSERT_EQ(seen.groups, expected.group_end.size());
  EXPECT_EQ(std::vector<std::uint64_t>(seen.group_end, seen.group_end + seen.groups),
            expected.group_end);
  EXPECT_EQ(std::vector<std::uint64_t>(seen.drain_end, seen.drain_end + seen.groups),
            expected.drain_end);
  EXPECT_EQ(seen.length, expected.length);
  ASSERT_EQ(seen.outputs == nullptr, expected.outputs.empty());
  if (seen.outputs != nullptr) {
    EXPECT_EQ(std::vector<std::uint8_t>(seen.outputs, seen.outputs + expected.outputs.size()),
              expected.outputs);
  }
  ASSERT_EQ(seen.psum_out == nullptr, expected.psum_out.empty());
  if (seen.psum_out != nullptr) {
    EXPECT_EQ(std::vector<std::int32_t>(seen.psum_out, seen.psum_out + expected.psum_out.size()),
              expected.psum_out);
  }
  expect_counters(seen.counters, expected.counters);
}

}  // namespace lacuna::test::rtl
