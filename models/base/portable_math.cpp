// SPDX-License-Identifier: Apache-2.0
#include "base/portable_math.h"

#include <cmath>
#include <limits>

namespace lacuna::base {

namespace {

constexpr double kLn2High = 6.93147180369123816490e-01;  // 33 bits, so that k * high is exact
constexpr double kLn2Low = 1.90821492927058770002e-10;
// Pi/2 in three parts of at most 33 bits (fdlibm), for angles up to 2^20 * pi/2 without loss.
constexpr double kHalfPi1 = 1.57079632673412561417e+00;
constexpr double kHalfPi2 = 6.07710050630396597660e-11;
constexpr double kHalfPi3 = 2.02226624879595063154e-21;

}  // namespace

double portable_exp(double x) {
  if (x < -745) return 0;
  if (x > 709) return std::numeric_limits<double>::infinity();
  const double k = std::floor(x / (kLn2High + kLn2Low) + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  // Taylor, |r| <= 0.35: 17 terms leave 1e-23.
  double sum = 1;
  for (int n = 17; n >= 1; --n) sum = 1 + r / n * sum;
  return std::ldexp(sum, static_cast<int>(k));  // exact but for subnormal results
}

double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // [0.5, 1), exact
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  // log(m) = 2 atanh((m-1)/(m+1)), |s| <= 0.172.
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double sum = 0;
  for (int n = 25; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return exponent * kLn2High + (2 * s * sum + exponent * kLn2Low);
}

SineCosine portable_sine_cosine(double angle) {
  const double turns = std::floor(angle / kHalfPi1 + 0.5);
  const double r = ((angle - turns * kHalfPi1) - turns * kHalfPi2) - turns * kHalfPi3;
  const double square = r * r;
  double sine = 1;
  double cosine = 1;
  for (int n = 10; n >= 1; --n) {
    sine = 1 - square / ((2 * n) * (2 * n + 1)) * sine;
    cosine = 1 - square / ((2 * n - 1) * (2 * n)) * cosine;
  }
  sine *= r;
  switch (static_cast<int>(turns - 4 * std::floor(turns / 4))) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

double normal_below(double x) {
  const double a = std::fabs(x);
  constexpr double kInverseRootTwoPi = 0.39894228040143267794;
  double tail = 0;  // probability beyond a
  if (a > 38) {
    tail = 0;
  } else if (a < 3) {
    // Series of the integral from 0 (Marsaglia 2004).
    double sum = a;
    double term = a;
    for (int n = 3; n < 121; n += 2) {
      term = term * a * a / n;
      sum += term;
    }
    tail = 0.5 - sum * portable_exp(-0.5 * a * a) * kInverseRootTwoPi;
  } else {
    // Continued fraction of the tail, from far inside.
    double fraction = a;
    for (int n = 60; n >= 1; --n) fraction = a + n / fraction;
    tail = portable_exp(-0.5 * a * a) * kInverseRootTwoPi / fraction;
  }
  return x > 0 ? 1 - tail : tail;
}

double normal_quantile(double p) {
  double low = -38;
  double high = 38;
  for (int step = 0; step < 80; ++step) {
    const double middle = 0.5 * (low + high);
    (normal_below(middle) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace lacuna::base
