// SPDX-License-Identifier: Apache-2.0
//
// Masks that are cut out of Gaussians by a threshold: weights pruned by magnitude, activations that
// are correlated in space and differ by channel (mask_generator.h says what each means). Every row
// has a stream of its own, made of the seed and its number. Called by draw_mask() only.
#pragma once

#include "tensor/mask_generator.h"

namespace lacuna::tensor {

/// Spreads with which magnitude masks are like those of real networks (docs/reference/workload.md).
inline constexpr double kUsualRowSpread = 0.11;
inline constexpr double kUsualColumnSpread = 0.2;

/// `mask` has its size and no bit set.
void draw_magnitude_mask(MaskMatrix& mask, const MaskSpec& spec);
void draw_field_mask(MaskMatrix& mask, const MaskSpec& spec);

}  // namespace lacuna::tensor
