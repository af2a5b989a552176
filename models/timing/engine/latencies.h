// SPDX-License-Identifier: Apache-2.0
//
// The fixed latencies of the sparse engine in cycles (docs/reference/engine.md, section 1). The RTL
// exports the same constants and the loader of the RTL compares them.
#pragma once

namespace lacuna::timing::engine {

inline constexpr int kStartLatency = 1;  ///< L_start: start -> first cycle a scanner may issue
inline constexpr int kIssueLatency = 2;  ///< L_issue: issue -> first cycle the entry may be popped
inline constexpr int kMaskLatency = 1;   ///< L_mask: pop -> first cycle the MAC stage may take it
inline constexpr int kMacLatency = 2;    ///< L_mac: after the last MAC slot -> accumulators final
inline constexpr int kDrainLatency = 1;  ///< L_drain: drain decision -> first drain beat
inline constexpr int kPostLatency = 3;   ///< L_post: drain beat -> output beat
inline constexpr int kLoadLatency = 1;   ///< L_load: last load beat -> first start with that half

/// Cycle of the earliest possible MAC slot of a pass, counted from its start.
inline constexpr int kFillLatency = kStartLatency + kIssueLatency + kMaskLatency;

}  // namespace lacuna::timing::engine
