// SPDX-License-Identifier: Apache-2.0
//
// Exponential, logarithm, sine, normal distribution: from additions, multiplications, divisions and
// square roots only, which IEEE 754 rounds the same way everywhere. The standard library's versions
// may differ in the last bit between machines, and masks and tables drawn with a seed must not.
// Relative error about 1e-14, the normal distribution 1e-12 absolute. Files that include this are
// compiled without contraction to fused multiply-add (base/CMakeLists.txt).
#pragma once

namespace lacuna::base {

/// e^x; 0 below -745, infinity above 709.
[[nodiscard]] double portable_exp(double x);
/// Natural logarithm; x > 0.
[[nodiscard]] double portable_log(double x);

struct SineCosine {
  double sine = 0;
  double cosine = 1;
};
/// |angle| at most 1e6, for an error below 1e-11.
[[nodiscard]] SineCosine portable_sine_cosine(double angle);

/// Probability that a standard normal number is at most x.
[[nodiscard]] double normal_below(double x);
/// The x for which normal_below(x) = p; 0 < p < 1.
[[nodiscard]] double normal_quantile(double p);

}  // namespace lacuna::base
