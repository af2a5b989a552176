/* SPDX-License-Identifier: Apache-2.0
 *
 * C interface between the simulator and a Verilated engine: one shared object per parameter set
 * exports exactly these functions. The harness behind it loads tile and block images through the
 * RTL's load port, starts a pass, clocks the RTL until every group is drained, and hands back what
 * it observed, in cycles since the start (docs/reference/engine.md, sections 7 and 8). A pass is
 * replayed alone: the drains of its predecessors enter as hold1 and hold2.
 *
 * Plain C: the two sides may be built with different compilers and options.
 */
#ifndef LACUNA_COSIM_RTL_ABI_H_
#define LACUNA_COSIM_RTL_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LACUNA_RTL_ABI_VERSION 2

/* Elaborated parameters and latencies, read back from the RTL; the loader compares all of them. */
typedef struct {
  uint32_t abi_version;
  uint32_t pes, k_ways, rows_per_pe, lanes, fifo_depth, scan_width, skip_empty, drain_width;
  uint32_t load_width, weight_word, max_k, act_block;
  uint32_t weight_buffer, activation_buffer, psum_buffer, output_buffer;
  uint32_t max_windows, act_slots;
  uint32_t l_start, l_issue, l_mask, l_mac, l_drain, l_post, l_load;
} lacuna_rtl_parameters;

/* One load: the fields of the load command and the image bytes (a multiple of load_width). */
typedef struct {
  uint32_t kind; /* 0 weight tile, 1 activation block */
  uint32_t windows, positions, rows, groups, mask_log, in_place, post;
  const uint8_t* image;
  size_t image_bytes;
  uint64_t key; /* equal non-zero keys mean equal loads: the harness may keep what a half already
                   holds */
} lacuna_rtl_load;

/* The fields of the start descriptor; halves are the harness's business. */
typedef struct {
  uint32_t groups, tokens, channels;
  uint32_t act_signed, psum_read, psum_write;
  int32_t clamp_lo, clamp_hi;
  uint32_t gate;
  uint32_t hold1, hold2;
  const int32_t*
      psum_in; /* groups*beats*W*V words, word c*V+v of (group, beat); NULL unless psum_read */
  uint32_t want_trace;  /* 0: only group ends and counters; 1: every issue, mask-stage and MAC-stage
                           cycle too */
  uint64_t cycle_limit; /* give up (error) after this many cycles from the start */
} lacuna_rtl_pass;

/* Counters of section 8, in its order. */
typedef struct {
  uint64_t windows_visited, windows_empty, broadcasts, entries_without_k, activation_reads,
      fifo_pushes;
  uint64_t metadata_reads, weight_words, macs, macs_gated, acc_writes, acc_reads, psum_reads,
      psum_writes;
  uint64_t drain_beats, outputs, outputs_nonzero, blocked_cycles;
  uint64_t pe_mac, pe_slot, pe_bank, pe_edge, pe_imbalance, pe_window, pe_issue;
} lacuna_rtl_counters;

/* What was observed. Arrays belong to the instance and live until its next call. */
typedef struct {
  uint64_t length; /* pass length: F of the last group */
  uint32_t groups;
  const uint64_t* group_end; /* F(g) */
  const uint64_t* drain_end; /* E(g) */
  /* With want_trace. Way q's issues are issue[issue_offset[q] .. issue_offset[q+1]). Entries popped
   * by PE p of way q, in order: mask[mask_offset[q*P+p] ..) = M; entries taken by its MAC stage:
   * mac[mac_offset[q*P+p] ..) = S. */
  const uint32_t *issue, *mask, *mac;
  const uint64_t *issue_offset, *mask_offset, *mac_offset; /* lengths Q+1, Q*P+1, Q*P+1 */
  /* Output codes (8 bits, as s8 or u8 by the clamp) decoded from the encoder's masks and packed
   * data: [token][channel], tokens x channels bytes; NULL when the pass writes partial sums. */
  const uint8_t* outputs;
  const int32_t* psum_out; /* groups*beats*W*V words as written; NULL unless psum_write */
  uint64_t load_cycles_weights,
      load_cycles_block; /* measured: first beat to loaded flag; 0 when the half was kept */
  uint64_t rtl_cycles;   /* clock cycles spent on this call, loads included */
  lacuna_rtl_counters counters;
} lacuna_rtl_result;

typedef struct lacuna_rtl_instance lacuna_rtl_instance;

/* Exported by the shared object. Functions that can fail return 0 on success; lacuna_rtl_error()
 * then tells why. One instance must be used by one thread at a time; different instances are
 * independent. */
uint32_t lacuna_rtl_abi_version(void);
lacuna_rtl_instance* lacuna_rtl_create(void);
void lacuna_rtl_destroy(lacuna_rtl_instance*);
void lacuna_rtl_get_parameters(lacuna_rtl_instance*, lacuna_rtl_parameters* out);
int lacuna_rtl_run_pass(lacuna_rtl_instance*, const lacuna_rtl_load* weights,
                        const lacuna_rtl_load* block, const lacuna_rtl_pass*,
                        lacuna_rtl_result* out);
const char* lacuna_rtl_error(lacuna_rtl_instance*);
/* Where the last call failed: index of the pass that was started last (its start counts from the
 * first) and the cycle of that pass. Returns 1, or 0 if the call did not fail, failed before any
 * start, or is one that hangs. */
int lacuna_rtl_failure(lacuna_rtl_instance*, uint64_t* pass, uint64_t* start, uint64_t* cycle);
/* Writes what was covered since the instance was made to a file in Verilator's format. Fails if
 * this shared object was built without coverage. */
int lacuna_rtl_coverage(lacuna_rtl_instance*, const char* file);

/* For waveforms. Cycles count from the instance's creation and are the same in every run of the
 * same calls. */
/* Cycle of the first start of the last call (0: none was taken), and cycles so far. */
void lacuna_rtl_position(lacuna_rtl_instance*, uint64_t* first_start, uint64_t* now);
/* Writes the cycles first .. last, as far as they are still to come, into an FST file; cycle c
 * stands at time 2c (clock low) and 2c+1. Fails if this shared object was built without tracing, or
 * a waveform is being written already. */
int lacuna_rtl_trace(lacuna_rtl_instance*, const char* file, uint64_t first, uint64_t last);

#ifdef __cplusplus
}
#endif

#endif /* LACUNA_COSIM_RTL_ABI_H_ */
