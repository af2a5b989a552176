// SPDX-License-Identifier: Apache-2.0
//
// What the files of this folder are written with. A check is a concurrent assertion that is idle
// during reset; its text, with the place of the instance and the cycle, becomes a mismatch of the
// regression (models/cosim/harness). Only what Verilator 5.006 knows: no ##, no sequences, so longer
// spans of time are kept in registers of the checker.
`ifndef LACUNA_CHECKS_SVH_
`define LACUNA_CHECKS_SVH_

`define LACUNA_CHECK(name, property_expr, text) \
  name : assert property (@(posedge clk_i) disable iff (!rst_ni) property_expr) else $error(text);

`endif
