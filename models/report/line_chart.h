// SPDX-License-Identifier: Apache-2.0
//
// A line chart as SVG text: a few curves over one axis, for documents. Same input, same bytes.
#pragma once

#include <string>
#include <vector>

namespace lacuna::report {

struct ChartCurve {
  std::string name;
  /// By point of the x axis; negative: no value there, the curve is interrupted.
  std::vector<double> y;
  bool emphasised = false;
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<double> x;  ///< ascending, at least two
  std::vector<ChartCurve> curves;
  double y_limit = 0;  ///< values above are cut off; above 0
};

[[nodiscard]] std::string chart_svg(const LineChart& chart);

}  // namespace lacuna::report
