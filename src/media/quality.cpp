#include "media/quality.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "media/scaler.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// A frame's luma as 16-bit values.
struct Luma {
  int width = 0, height = 0, depth = 8;
  std::vector<std::uint16_t> values;
  const std::uint16_t* row(int y) const { return values.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width); }
};

// Planar YUV and grey are read as they are; RGB and packed formats go through swscale to planar YUV first.
base::Result<Luma> luma_of(const Frame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.av()->format));
  if (format == nullptr) return base::fail(ErrorCode::unsupported, "unknown pixel format");
  const bool plain = (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_BITSTREAM)) == 0 &&
                     format->comp[0].plane == 0 && format->comp[0].shift == 0 &&
                     format->comp[0].step == (format->comp[0].depth > 8 ? 2 : 1);
  Frame converted;
  const AVFrame* source = frame.av();
  int depth = format->comp[0].depth;
  if (!plain) {
    depth = depth > 8 ? 10 : 8;
    KINORA_TRY(converted, Frame::create(frame.width(), frame.height(), depth > 8 ? PixelFormat::yuv420p10 : PixelFormat::yuv420p));
    Scaler scaler(SWS_BICUBIC | SWS_ACCURATE_RND);
    KINORA_OK(scaler.run(*source, *converted.av(), frame.width(), frame.height()));
    source = converted.av();
  }
  Luma luma;
  luma.width = frame.width();
  luma.height = frame.height();
  luma.depth = depth;
  luma.values.resize(static_cast<std::size_t>(luma.width) * static_cast<std::size_t>(luma.height));
  auto out = luma.values.begin();
  for (int y = 0; y < luma.height; ++y) {
    const std::uint8_t* line = source->data[0] + static_cast<std::ptrdiff_t>(y) * source->linesize[0];
    if (depth > 8)
      out = std::copy_n(reinterpret_cast<const std::uint16_t*>(line), luma.width, out);
    else
      out = std::copy_n(line, luma.width, out);
  }
  return luma;
}

void deepen(Luma& luma, int depth) {
  const int shift = depth - luma.depth;
  if (shift <= 0) return;
  for (std::uint16_t& value : luma.values) value = static_cast<std::uint16_t>(value << shift);
  luma.depth = depth;
}

double psnr(const Luma& a, const Luma& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double d = static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]);
    sum += d * d;
  }
  if (sum == 0) return kMaxPsnr;
  const double peak = (1 << a.depth) - 1;
  return std::min(kMaxPsnr, 10 * std::log10(peak * peak * static_cast<double>(a.values.size()) / sum));
}

// Sums over one 4x4 block: of each picture, of both squares together, of the products.
struct Block {
  double a = 0, b = 0, squares = 0, products = 0;
};

std::vector<Block> blocks_of(const Luma& a, const Luma& b, int row, int count) {
  std::vector<Block> out(static_cast<std::size_t>(count));
  for (int y = 4 * row; y < 4 * row + 4; ++y) {
    const std::uint16_t* pa = a.row(y);
    const std::uint16_t* pb = b.row(y);
    for (int x = 0; x < 4 * count; ++x) {
      Block& block = out[static_cast<std::size_t>(x / 4)];
      const double va = pa[x], vb = pb[x];
      block.a += va;
      block.b += vb;
      block.squares += va * va + vb * vb;
      block.products += va * vb;
    }
  }
  return out;
}

// The mean over all 8x8 windows whose corners lie on multiples of 4 (Wang et al. 2004 with a box for the Gaussian, as
// FFmpeg's and x264's ssim; variances by n - 1).
double ssim(const Luma& a, const Luma& b) {
  const int columns = a.width / 4, rows = a.height / 4;
  if (columns < 2 || rows < 2) return a.values == b.values ? 1.0 : 0.0;
  const double peak = (1 << a.depth) - 1;
  const double c1 = 0.01 * 0.01 * peak * peak * 64, c2 = 0.03 * 0.03 * peak * peak * 64 * 63;
  double total = 0;
  std::vector<Block> above = blocks_of(a, b, 0, columns);
  for (int row = 1; row < rows; ++row) {
    std::vector<Block> below = blocks_of(a, b, row, columns);
    for (std::size_t x = 0; x + 1 < above.size(); ++x) {
      Block w;
      for (const Block& part : {above[x], above[x + 1], below[x], below[x + 1]}) {
        w.a += part.a;
        w.b += part.b;
        w.squares += part.squares;
        w.products += part.products;
      }
      const double variances = w.squares * 64 - w.a * w.a - w.b * w.b;
      const double covariance = w.products * 64 - w.a * w.b;
      total += (2 * w.a * w.b + c1) * (2 * covariance + c2) / ((w.a * w.a + w.b * w.b + c1) * (variances + c2));
    }
    above = std::move(below);
  }
  return total / (static_cast<double>(columns - 1) * (rows - 1));
}

std::string size_text(const Frame& frame) { return std::to_string(frame.width()) + "x" + std::to_string(frame.height()); }

struct Pair {
  Luma a, b;  // of one size and depth
};

base::Result<Pair> pair_of(const Frame& a, const Frame& b) {
  if (!a || !b) return base::fail(ErrorCode::invalid, "there is no picture to compare");
  if (a.width() != b.width() || a.height() != b.height())
    return base::fail(ErrorCode::invalid, "pictures of different sizes: " + size_text(a) + " and " + size_text(b));
  Pair pair;
  KINORA_TRY(pair.a, luma_of(a));
  KINORA_TRY(pair.b, luma_of(b));
  const int depth = std::max(pair.a.depth, pair.b.depth);
  deepen(pair.a, depth);
  deepen(pair.b, depth);
  return pair;
}

double flicker(const Pair& before, const Pair& now) {
  if (before.a.values.size() != now.a.values.size() || before.a.depth != now.a.depth) return 0;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < now.a.values.size(); ++i)
    sum += std::abs((now.b.values[i] - before.b.values[i]) - (now.a.values[i] - before.a.values[i]));
  return static_cast<double>(sum) / static_cast<double>(now.a.values.size() << (now.a.depth - 8));
}

}  // namespace

base::Result<FrameQuality> measure_frame(const Frame& a, const Frame& b) {
  KINORA_TRY(const Pair pair, pair_of(a, b));
  return FrameQuality{.psnr_y = psnr(pair.a, pair.b), .ssim_y = ssim(pair.a, pair.b)};
}

base::Result<Quality> measure(const std::string& path_a, const std::string& path_b, const Limits& limits, const Control& control) {
  VideoReaderOptions reading;
  reading.limits = limits;
  KINORA_TRY(VideoReader a, VideoReader::open(path_a, reading));
  KINORA_TRY(VideoReader b, VideoReader::open(path_b, reading));
  const std::int64_t expected = std::min(a.frames_expected(), b.frames_expected());
  Quality quality;
  Pair before;
  for (;;) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    KINORA_TRY(const std::optional<Frame> left, a.next());
    KINORA_TRY(const std::optional<Frame> right, b.next());
    if (!left && !right) break;
    // The longer one is read to its end, for the count.
    if (!left || !right) continue;
    KINORA_TRY(Pair pair, pair_of(*left, *right));
    const FrameQuality frame{
        .psnr_y = psnr(pair.a, pair.b), .ssim_y = ssim(pair.a, pair.b), .flicker = quality.frames.empty() ? 0 : flicker(before, pair)};
    before = std::move(pair);
    quality.mean.flicker += frame.flicker;
    quality.mean.psnr_y += frame.psnr_y;
    quality.mean.ssim_y += frame.ssim_y;
    if (static_cast<std::int64_t>(quality.frames.size()) >= kMaxMeasuredFrames)
      return base::fail(ErrorCode::too_large, "more than 10 million frames");
    quality.frames.push_back(frame);
    const auto done = static_cast<std::int64_t>(quality.frames.size());
    if (control.report)
      control.report({expected > 0 ? std::min(0.999, static_cast<double>(done) / static_cast<double>(expected)) : 0, done, expected});
  }
  if (quality.frames.empty()) return base::fail(ErrorCode::invalid, "no frame to compare");
  quality.mean.psnr_y /= static_cast<double>(quality.frames.size());
  quality.mean.ssim_y /= static_cast<double>(quality.frames.size());
  quality.mean.flicker /= static_cast<double>(std::max<std::size_t>(quality.frames.size() - 1, 1));
  quality.frames_a = a.frames_read();
  quality.frames_b = b.frames_read();
  return quality;
}

}  // namespace kinora::media
