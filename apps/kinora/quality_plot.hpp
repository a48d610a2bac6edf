#pragma once
// The values of `kinora measure` frame by frame as a drawing. Pure.
#include <string>

#include "base/json.hpp"

namespace kinora::cli {

// An SVG of three panels (PSNR-Y in dB, SSIM, flicker in levels) over the frame number, each with its mean. `result` is what kinora-media's
// `measure` gives. Longer clips than a panel is wide are drawn as the lowest and highest value of each pixel column.
std::string quality_plot(const base::json::object& result, const std::string& title);

}  // namespace kinora::cli
