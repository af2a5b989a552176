// SPDX-License-Identifier: Apache-2.0
//
// What the files of this folder are written with. A point counts the cycles outside reset in which
// its condition holds; `lacuna verify --coverage` adds them up over instances and parameter sets, so
// a point need not be reachable in every set. Conditions are `&&`, never implications, which would
// count cycles in which nothing happens.
`ifndef LACUNA_POINTS_SVH_
`define LACUNA_POINTS_SVH_

`define LACUNA_COVER(name, condition) \
  name : cover property (@(posedge clk_i) rst_ni && (condition));

`endif
