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
} lacuna_rtl_job;

/* results[i] and starts[i] (cycle of the start, counted from the first) for each job. The arrays in
 * all results belong to the instance and live until its next call. */
int lacuna_rtl_test_run_jobs(lacuna_rtl_instance*, const lacuna_rtl_job* jobs, size_t count,
                             lacuna_rtl_result* results, uint64_t* starts);

#ifdef __cplusplus
}
#endif

#endif /* LACUNA_COSIM_HARNESS_RTL_TEST_ABI_H_ */
