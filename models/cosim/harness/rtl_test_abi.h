/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests only: several passes on one live engine, each started in the earliest cycle in which
 * the RTL takes it, while drains of the passes before still run. Tiles and blocks of the first two
 * passes are loaded beforehand, those of pass n+2 as soon as pass n is over, so loads, passes and
 * drains overlap. Results count from each pass's own start.
 */
#ifndef LACUNA_COSIM_HARNESS_RTL_TEST_ABI_H_
#define LACUNA_COSIM_HARNESS_RTL_TEST_ABI_H_

#include "cosim/rtl_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const lacuna_rtl_load* weights;
  const lacuna_rtl_load* block;
  const lacuna_rtl_pass* pass; /* hold1, hold2 are normally 0 here */
  uint32_t psum_base;
  uint32_t chain; /* read the partial sums that passes before left in the psum memory instead of
                     pass->psum_in */
  /* When the outside lets things happen; all 0: as early as possible. Then also job 1 is loaded
   * before the first start. */
  uint32_t load_wait;  /* cycles that the command of each load of this job is held back; job 1 then
                          loads beside pass 0 */
  uint32_t load_gaps;  /* of 256 cycles of a load, how many carry no beat (drawn per cycle); at most
                          250 */
  uint32_t start_wait; /* cycles that the start is held back once it could be taken: output space is
                          granted late */
  uint32_t
      start_early; /* the start waits at the port while the halves of the job are being loaded */
  uint32_t release_weights,
      release_block; /* the pass releases the half in the cycle after its last F */
  /* Of jobs[0]: not 0, reset the engine so many cycles after the first cycle of the call. Jobs that
   * are not over by then, drains and output beats included, give no result: groups is 0. */
  uint32_t reset_after;
} lacuna_rtl_job;

/* results[i] and starts[i] (cycle of the start, counted from the first) for each job. The arrays in
 * all results belong to the instance and live until its next call. Whenever a start waits,
 * start_ready_o must be high exactly when the halves are loaded and the pass before is over. */
int lacuna_rtl_test_run_jobs(lacuna_rtl_instance*, const lacuna_rtl_job* jobs, size_t count,
                             lacuna_rtl_result* results, uint64_t* starts);

#ifdef __cplusplus
}
#endif

#endif /* LACUNA_COSIM_HARNESS_RTL_TEST_ABI_H_ */
