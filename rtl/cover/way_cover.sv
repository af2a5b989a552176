// SPDX-License-Identifier: Apache-2.0
//
// Cover points of way: why there is no room, and who holds up whom.
`include "points.svh"

module way_cover #(
  parameter int unsigned Pes = 16
) (
  input logic           clk_i,
  input logic           rst_ni,
  input logic           obs_blocked,
  input logic           push_q,
  input logic           last_q,
  input logic           has_k_q,
  input logic [Pes-1:0] full,
  input logic [Pes-1:0] almost_full
);
  `LACUNA_COVER(blocked_by_full, obs_blocked && (full != '0))
  `LACUNA_COVER(blocked_by_entry_under_way, obs_blocked && (full == '0) && push_q)
  `LACUNA_COVER(blocked_by_one_pe, obs_blocked && (Pes > 1) && $onehot(full))
  `LACUNA_COVER(blocked_by_all_pes, obs_blocked && (&full))
  `LACUNA_COVER(push_into_almost_full, push_q && (almost_full != '0))
  `LACUNA_COVER(push_last_with_k, push_q && last_q && has_k_q)
  `LACUNA_COVER(push_last_without_k, push_q && last_q && !has_k_q)
endmodule

bind way way_cover #(
  .Pes(Pes)
) u_cover (
  .clk_i      (clk_i),
  .rst_ni     (rst_ni),
  .obs_blocked(obs_blocked),
  .push_q     (push_q),
  .last_q     (last_q),
  .has_k_q    (has_k_q),
  .full       (full),
  .almost_full(almost_full)
);
