// SPDX-License-Identifier: Apache-2.0
//
// The C interface of rtl_abi.h over one Verilated engine. Built by rtl/build_plugin, once per
// parameter set, with LACUNA_RTL_TOP (class) and LACUNA_RTL_HEADER (its header) defined; without
// them this file is empty, so that it may lie in a folder whose sources a library collects.
#ifdef LACUNA_RTL_TOP

#include LACUNA_RTL_HEADER

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "cosim/harness/driver.h"
#include "cosim/harness/messages.h"
#include "cosim/rtl_abi.h"
#include "verilated.h"

#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

#define LACUNA_RTL_EXPORT extern "C" __attribute__((visibility("default")))

namespace harness = lacuna::cosim::harness;

/// The driver looks after every clock edge.
void vl_stop_maybe(const char*, int, const char*, bool) { ++harness::messages().stops; }

using EngineDriver = harness::Driver<LACUNA_RTL_TOP, VerilatedContext>;

struct lacuna_rtl_instance {
  EngineDriver driver;
  std::vector<harness::PassRecord> records;
  std::string error;
#if VM_TRACE_FST
  VerilatedFstC trace;
#endif

  lacuna_rtl_instance() {
#if VM_TRACE_FST
    if (const char* file = std::getenv("LACUNA_RTL_TRACE_FILE")) {
      open_trace(file, 0, ~std::uint64_t{0});
    }
#endif
  }
#if VM_TRACE_FST
  std::uint64_t first_traced = 0, last_traced = 0;

  void open_trace(const char* file, std::uint64_t first, std::uint64_t last) {
    first_traced = first;
    last_traced = last;
    driver.model().trace(&trace, 99);
    trace.open(file);
    driver.on_eval_user = this;
    driver.on_eval = [](void* self, std::uint64_t time) {
      auto& instance = *static_cast<lacuna_rtl_instance*>(self);
      if (time / 2 >= instance.first_traced && time / 2 <= instance.last_traced) {
        instance.trace.dump(time);
      }
    };
  }
#endif
  ~lacuna_rtl_instance() {
#if VM_TRACE_FST
    trace.close();
#endif
  }
  lacuna_rtl_instance(const lacuna_rtl_instance&) = delete;
  lacuna_rtl_instance& operator=(const lacuna_rtl_instance&) = delete;
};

namespace {

void fill(const harness::PassRecord& record, bool trace, lacuna_rtl_result& out) {
  out = {};
  out.length = record.length;
  out.groups = static_cast<std::uint32_t>(record.group_end.size());
  out.group_end = record.group_end.data();
  out.drain_end = record.drain_end.data();
  if (trace) {
    out.issue = record.issue.data();
    out.mask = record.mask.data();
    out.mac = record.mac.data();
    out.issue_offset = record.issue_offset.data();
    out.mask_offset = record.mask_offset.data();
    out.mac_offset = record.mac_offset.data();
  }
  out.outputs = record.outputs.empty() ? nullptr : record.outputs.data();
  out.psum_out = record.psum_out.empty() ? nullptr : record.psum_out.data();
  out.load_cycles_weights = record.load_weights;
  out.load_cycles_block = record.load_block;
  out.rtl_cycles = record.cycles;
  out.counters = record.counters;
}

int run(lacuna_rtl_instance& instance, const lacuna_rtl_job* jobs, std::size_t count,
        lacuna_rtl_result* results, std::uint64_t* starts) {
  instance.error.clear();
  try {
    for (std::size_t i = 0; i < count; ++i) {
      if (jobs[i].weights == nullptr || jobs[i].block == nullptr || jobs[i].pass == nullptr) {
        instance.error = "a load or the pass is missing";
        return 1;
      }
    }
    instance.driver.run(jobs, count, instance.records);
    for (std::size_t i = 0; i < count; ++i) {
      fill(instance.records[i], jobs[i].pass->want_trace != 0, results[i]);
      if (starts != nullptr) starts[i] = instance.records[i].start - instance.records[0].start;
    }
    return 0;
  } catch (const std::exception& e) {
    instance.error = e.what();
  } catch (...) {
    instance.error = "unknown exception";
  }
  return 1;
}

}  // namespace

LACUNA_RTL_EXPORT uint32_t lacuna_rtl_abi_version(void) { return LACUNA_RTL_ABI_VERSION; }

LACUNA_RTL_EXPORT lacuna_rtl_instance* lacuna_rtl_create(void) {
  try {
    return new lacuna_rtl_instance;
  } catch (...) {
    return nullptr;
  }
}

LACUNA_RTL_EXPORT void lacuna_rtl_destroy(lacuna_rtl_instance* instance) { delete instance; }

LACUNA_RTL_EXPORT void lacuna_rtl_get_parameters(lacuna_rtl_instance* instance,
                                                 lacuna_rtl_parameters* out) {
  *out = instance->driver.parameters();
}

LACUNA_RTL_EXPORT int lacuna_rtl_run_pass(lacuna_rtl_instance* instance,
                                          const lacuna_rtl_load* weights,
                                          const lacuna_rtl_load* block, const lacuna_rtl_pass* pass,
                                          lacuna_rtl_result* out) {
  const lacuna_rtl_job job{weights, block, pass, 0, 0};
  return run(*instance, &job, 1, out, nullptr);
}

LACUNA_RTL_EXPORT const char* lacuna_rtl_error(lacuna_rtl_instance* instance) {
  return instance->error.c_str();
}

LACUNA_RTL_EXPORT int lacuna_rtl_failure(lacuna_rtl_instance* instance, uint64_t* pass,
                                         uint64_t* start, uint64_t* cycle) {
  const harness::FailurePlace place = instance->driver.failure();
  if (!place.known) return 0;
  *pass = place.pass;
  *start = place.start;
  *cycle = place.cycle;
  return 1;
}

LACUNA_RTL_EXPORT int lacuna_rtl_coverage(lacuna_rtl_instance* instance, const char* file) {
#if VM_COVERAGE
  instance->driver.context().coveragep()->write(file);
  return 0;
#else
  (void)file;
  instance->error = "the RTL was built without coverage";
  return 1;
#endif
}

LACUNA_RTL_EXPORT void lacuna_rtl_position(lacuna_rtl_instance* instance, uint64_t* first_start,
                                           uint64_t* now) {
  *first_start = instance->records.empty() ? 0 : instance->records.front().start;
  *now = instance->driver.now();
}

LACUNA_RTL_EXPORT int lacuna_rtl_trace(lacuna_rtl_instance* instance, const char* file,
                                       uint64_t first, uint64_t last) {
#if VM_TRACE_FST
  if (instance->trace.isOpen()) {
    instance->error = "a waveform is being written already";
    return 1;
  }
  instance->open_trace(file, first, last);
  if (instance->trace.isOpen()) return 0;
  instance->error = "the file cannot be written";
#else
  (void)file, (void)first, (void)last;
  instance->error = "the RTL was built without tracing";
#endif
  return 1;
}

LACUNA_RTL_EXPORT int lacuna_rtl_test_run_jobs(lacuna_rtl_instance* instance,
                                               const lacuna_rtl_job* jobs, size_t count,
                                               lacuna_rtl_result* results, uint64_t* starts) {
  if (count == 0) {
    instance->error = "no jobs";
    return 1;
  }
  return run(*instance, jobs, count, results, starts);
}

#endif  // LACUNA_RTL_TOP
