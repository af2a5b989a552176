// SPDX-License-Identifier: Apache-2.0
#include "workload/tables.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"

namespace lacuna::workload {

namespace {

using params::Function;

double sigmoid(double x) { return 1 / (1 + base::portable_exp(-x)); }

/// In codes, not yet rounded. `full` is the highest code: what 1 becomes where values are at
/// most 1.
double function_value(Function function, double code, double full) {
  const double x = code / kCodesPerUnit;
  switch (function) {
    case Function::kRelu:
      return std::max(0.0, code);
    case Function::kRelu6:
      return std::clamp(code, 0.0, 6.0 * kCodesPerUnit);
    case Function::kGelu:
      return code * base::normal_below(x);
    case Function::kSilu:
      return code * sigmoid(x);
    case Function::kSigmoid:
      return full * sigmoid(x);
    case Function::kTanh:
      return full * (2 * sigmoid(2 * x) - 1);
  }
  return 0;
}

}  // namespace

std::vector<std::int16_t> function_table(Function function, CodeType input, CodeType output) {
  const double high = static_cast<double>(params::highest_code(output));
  const double low = static_cast<double>(params::lowest_code(output));
  std::vector<std::int16_t> table;
  table.reserve(256);
  for (int index = 0; index < 256; ++index) {
    const int code = input == CodeType::kS8 ? index - 128 : index;
    const double value = function_value(function, code, high);
    table.push_back(static_cast<std::int16_t>(std::clamp(std::floor(value + 0.5), low, high)));
  }
  return table;
}

std::vector<std::uint16_t> exponential_table() {
  std::vector<std::uint16_t> table;
  table.reserve(256);
  for (int d = 0; d < 256; ++d) {
    const double value = 32767 * base::portable_exp(-static_cast<double>(d) / kCodesPerUnit);
    table.push_back(static_cast<std::uint16_t>(std::floor(value + 0.5)));
  }
  return table;
}

std::int32_t norm_gamma(CodeType output) { return output == CodeType::kS8 ? 32 : 64; }

RotaryTable rotary_table(std::int64_t position, std::int64_t tokens, std::int64_t channels,
                         bool interleaved, std::int64_t theta) {
  RotaryTable table;
  table.channels = channels;
  table.interleaved = interleaved;
  const std::int64_t pairs = channels / 2;
  const double log_theta = base::portable_log(static_cast<double>(theta));
  std::vector<double> frequency;
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const double share = static_cast<double>(2 * pair) / static_cast<double>(channels);
    frequency.push_back(base::portable_exp(-share * log_theta));
  }
  table.cosine.reserve(static_cast<std::size_t>(tokens * pairs));
  table.sine.reserve(static_cast<std::size_t>(tokens * pairs));
  for (std::int64_t token = 0; token < tokens; ++token) {
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      const double angle =
          static_cast<double>(position + token) * frequency[static_cast<std::size_t>(pair)];
      const base::SineCosine at = base::portable_sine_cosine(angle);
      table.cosine.push_back(static_cast<std::int16_t>(std::floor(at.cosine * 16384 + 0.5)));
      table.sine.push_back(static_cast<std::int16_t>(std::floor(at.sine * 16384 + 0.5)));
    }
  }
  return table;
}

}  // namespace lacuna::workload
