// SPDX-License-Identifier: Apache-2.0
#include "report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace lacuna::report {

namespace {

constexpr double kLeft = 60, kTop = 40, kWidth = 560, kHeight = 320, kLegend = 110;
// Okabe and Ito (2008): told apart by everybody.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#e69f00", "#56b4e9", "#000000"};

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escaped(text));
}

}  // namespace

std::string chart_svg(const LineChart& chart) {
  LACUNA_CHECK(chart.x.size() >= 2 && chart.y_limit > 0, "a chart without a range");
  const double first = chart.x.front();
  const double span = chart.x.back() - first;
  const auto px = [&](double x) { return kLeft + kWidth * (x - first) / span; };
  const auto py = [&](double y) { return kTop + kHeight * (1 - y / chart.y_limit); };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" "
      "height=\"{1:g}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      kLeft + kWidth + kLegend, kTop + kHeight + 50);
  svg += label(kLeft, 22, "start", chart.title);
  constexpr int kTicks = 5;
  for (int i = 0; i <= kTicks; ++i) {
    const double x = first + span * i / kTicks;
    const double y = chart.y_limit * i / kTicks;
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {4:.1f}H{5:.1f}\" stroke=\"#dddddd\"/>\n",
        px(x), kTop, kTop + kHeight, kLeft, py(y), kLeft + kWidth);
    svg += label(px(x), kTop + kHeight + 16, "middle", fmt::format("{:.3g}", x));
    svg += label(kLeft - 6, py(y) + 4, "end", fmt::format("{:.3g}", y));
  }
  svg += label(kLeft + kWidth / 2, kTop + kHeight + 36, "middle", chart.x_label);
  svg += fmt::format(
      "<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      kTop + kHeight / 2, escaped(chart.y_label));
  svg += fmt::format(
      "<clipPath id=\"plot\"><rect x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\"/>"
      "</clipPath>\n",
      kLeft, kTop, kWidth, kHeight);
  for (std::size_t i = 0; i < chart.curves.size(); ++i) {
    const ChartCurve& curve = chart.curves[i];
    const char* colour = kColours[i % kColours.size()];
    const char* dashes = curve.emphasised ? " stroke-dasharray=\"6 4\"" : "";
    std::string path;
    bool drawing = false;
    for (std::size_t at = 0; at < chart.x.size(); ++at) {
      if (curve.y[at] < 0) {
        drawing = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", px(chart.x[at]), py(curve.y[at]));
      drawing = true;
    }
    svg += fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{} "
        "clip-path=\"url(#plot)\"/>\n",
        path, colour, curve.emphasised ? "3" : "1.8", dashes);
    const double y = kTop + 14 + 18 * static_cast<double>(i);
    svg += fmt::format("<path d=\"M{:.1f} {:.1f}h22\" stroke=\"{}\" stroke-width=\"{}\"{}/>\n",
                       kLeft + kWidth + 12, y - 4, colour, curve.emphasised ? "3" : "1.8", dashes);
    svg += label(kLeft + kWidth + 40, y, "start", curve.name);
  }
  return svg + "</svg>\n";
}

}  // namespace lacuna::report
