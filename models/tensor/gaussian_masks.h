// SPDX-License-Identifier: Apache-2.0
//
// Masks that are cut out of Gaussians by a threshold: weights pruned by magnitude, activations that
// are correlated in space and differ by channel (mask_generator.h says what each means). Every row
// has a stream of its own, made of the seed and its number. Internal to draw_mask().
#pragma once

#include "tensor/mask_generator.h"

namespace lacuna::tensor {

/// `mask` has its size and no bit set.
void draw_magnitude_mask(MaskMatrix& mask, const MaskSpec& spec);
void draw_field_mask(MaskMatrix& mask, const MaskSpec& spec);

}  // namespace lacuna::tensor
