#include "media/blend.hpp"

#include <algorithm>
#include <cmath>

#include "media/av.hpp"

namespace kinora::media {
namespace {

constexpr int kWeightBits = 15;

template <class Sample>
void blend_row(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* to, int width, int weight) {
  const auto* from_a = reinterpret_cast<const Sample*>(a);
  const auto* from_b = reinterpret_cast<const Sample*>(b);
  auto* out = reinterpret_cast<Sample*>(to);
  const int rest = (1 << kWeightBits) - weight;
  for (int x = 0; x < width; ++x)
    out[x] = static_cast<Sample>((from_a[x] * rest + from_b[x] * weight + (1 << (kWeightBits - 1))) >> kWeightBits);
}

}  // namespace

base::Result<Frame> crossfade(const Frame& a, const Frame& b, double weight) {
  if (a.width() != b.width() || a.height() != b.height() || a.av()->format != b.av()->format)
    return base::fail(base::ErrorCode::invalid, "pictures of different shapes cannot be mixed");
  const bool deep = a.bit_depth() > 8;
  KINORA_TRY(Frame out, Frame::create(a.width(), a.height(), deep ? PixelFormat::yuv420p10 : PixelFormat::yuv420p));
  out.set_color(a.color());
  const int scaled = static_cast<int>(std::lround(std::clamp(weight, 0.0, 1.0) * (1 << kWeightBits)));
  for (const int plane : {0, 1, 2}) {
    const int shift = plane == 0 ? 0 : 1;
    const int width = AV_CEIL_RSHIFT(a.width(), shift), height = AV_CEIL_RSHIFT(a.height(), shift);
    for (int y = 0; y < height; ++y) {
      const auto row = [&](const Frame& f) { return f.av()->data[plane] + static_cast<std::ptrdiff_t>(y) * f.av()->linesize[plane]; };
      if (deep)
        blend_row<std::uint16_t>(row(a), row(b), row(out), width, scaled);
      else
        blend_row<std::uint8_t>(row(a), row(b), row(out), width, scaled);
    }
  }
  return out;
}

}  // namespace kinora::media
