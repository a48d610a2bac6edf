#include "kinora/quality_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <vector>

namespace kinora::cli {
namespace {

namespace json = base::json;

constexpr int kWidth = 900, kLeft = 70, kRight = 20, kPanel = 150, kGap = 45, kTop = 50;
constexpr int kPlot = kWidth - kLeft - kRight;

struct Panel {
  const char* key;
  const char* name;
  const char* color;
};
constexpr Panel kPanels[] = {{"psnr_y", "PSNR-Y, dB", "#1565c0"},
                             {"ssim", "SSIM", "#2e7d32"},
                             {"flicker", "flicker, levels", "#c62828"},
                             {"vmaf", "VMAF", "#6a1b9a"}};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

double number(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

void draw(std::string& svg, const Panel& panel, const std::vector<double>& values, double mean, int top) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  double from = *low, to = *high;
  if (to - from < 1e-6) from -= 0.5, to += 0.5;
  const auto y = [&](double value) { return top + kPanel * (1 - (value - from) / (to - from)); };
  const auto x = [&](std::size_t i) {
    return kLeft + (values.size() < 2 ? 0 : static_cast<double>(i) * kPlot / static_cast<double>(values.size() - 1));
  };
  svg += fmt::format("<rect x='{}' y='{}' width='{}' height='{}' fill='none' stroke='#bbb'/>\n", kLeft, top, kPlot, kPanel);
  svg += fmt::format("<text x='{}' y='{}'>{}, mean {:.4g}</text>\n", kLeft, top - 6, panel.name, mean);
  for (const double value : {from, to})
    svg += fmt::format("<text x='{}' y='{:.1f}' text-anchor='end'>{:.4g}</text>\n", kLeft - 6, y(value) + 4, value);
  svg += fmt::format("<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' stroke='#999' stroke-dasharray='4 4'/>\n", kLeft, kLeft + kPlot,
                     y(std::clamp(mean, from, to)));
  svg += fmt::format("<polyline fill='none' stroke='{}' stroke-width='1.2' points='", panel.color);
  // At most two points a pixel column.
  const std::size_t step = std::max<std::size_t>(1, values.size() / kPlot);
  for (std::size_t i = 0; i < values.size(); i += step) {
    const auto part = std::minmax_element(values.begin() + static_cast<std::ptrdiff_t>(i),
                                          values.begin() + static_cast<std::ptrdiff_t>(std::min(i + step, values.size())));
    svg += fmt::format("{:.1f},{:.1f} ", x(i), y(*part.first));
    if (step > 1) svg += fmt::format("{:.1f},{:.1f} ", x(i), y(*part.second));
  }
  svg += "'/>\n";
}

}  // namespace

std::string quality_plot(const json::object& result, const std::string& title) {
  const json::value* frames = result.if_contains("frames");
  const bool vmaf = result.contains("vmaf");
  const std::span panels(kPanels, std::size(kPanels) - (vmaf ? 0 : 1));
  const int height = kTop + static_cast<int>(panels.size()) * (kPanel + kGap);
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' viewBox='0 0 {0} {1}' font-family='sans-serif' font-size='12'>\n"
      "<rect width='{0}' height='{1}' fill='white'/>\n<text x='{2}' y='22' font-size='15'>{3}</text>\n",
      kWidth, height, kLeft, escaped(title));
  int top = kTop;
  std::size_t count = 0;
  for (const Panel& panel : panels) {
    std::vector<double> values;
    if (frames != nullptr && frames->is_array())
      for (const json::value& frame : frames->get_array()) values.push_back(frame.is_object() ? number(frame.get_object(), panel.key) : 0);
    if (!values.empty()) draw(svg, panel, values, number(result, panel.key), top);
    count = values.size();
    top += kPanel + kGap;
  }
  svg += fmt::format("<text x='{}' y='{}'>frame 0</text>\n<text x='{}' y='{}' text-anchor='end'>{}</text>\n</svg>\n", kLeft,
                     top - kGap + 16, kLeft + kPlot, top - kGap + 16, count == 0 ? 0 : count - 1);
  return svg;
}

}  // namespace kinora::cli
