#include "media/clarity.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "media/av.hpp"

namespace kinora::media {
namespace {

constexpr std::size_t kMean = 9;                              // pixels of the blur that is compared with (Crete et al. 2007)
constexpr std::size_t kHalf = kMean / 2;                      // on each side
constexpr std::int64_t kUnknownStride = 25;                   // pictures between samples of a film of unknown length
constexpr std::int64_t kMostSamples = 2 * Clarity::kSamples;  // a film may be longer than it says

// The share of the neighbours' differences along one axis that a mean of kMean pixels takes away; -1: there are no differences.
// With B the mean, B[p] - B[p-1] is (F[p+4] - F[p-5]) / 9.
double sharp_along(const LumaPatch& patch, std::size_t step, std::size_t length, std::size_t lines, std::size_t next_line) {
  if (length <= kMean) return -1;
  double all = 0, taken = 0;
  for (std::size_t line = 0; line < lines; ++line) {
    const float* f = patch.values.data() + line * next_line;
    for (std::size_t p = kHalf + 1; p + kHalf < length; ++p) {
      const double here = std::abs(f[p * step] - f[(p - 1) * step]);
      const double blurred = std::abs(f[(p + kHalf) * step] - f[(p - kHalf - 1) * step]) / static_cast<double>(kMean);
      all += here;
      taken += std::max(0.0, here - blurred);
    }
  }
  return all > 0 ? taken / all : -1;
}

double mean_of(const LumaPatch& patch) {
  return std::accumulate(patch.values.begin(), patch.values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(patch.values.size(), 1));
}

double mean_deviation(const LumaPatch& patch) {
  const double mean = mean_of(patch);
  double sum = 0;
  for (const float value : patch.values) sum += std::abs(value - mean);
  return sum / static_cast<double>(std::max<std::size_t>(patch.values.size(), 1));
}

// Two independent samples differ by sqrt 2 of what each differs from the mean (of a normal distribution).
double unlike_noise(double difference, double deviation) {
  return deviation > 0 ? std::clamp(1 - difference / deviation / std::numbers::sqrt2, 0.0, 1.0) : 0;
}

}  // namespace

double sharpness(const LumaPatch& patch) {
  const double across = sharp_along(patch, 1, patch.width, patch.height, patch.width);
  const double down = sharp_along(patch, patch.width, patch.height, patch.width, 1);
  if (across < 0 || down < 0) return std::max({across, down, 0.0});
  return std::min(across, down);
}

double cleanness(const LumaPatch& patch) {
  double sum = 0, count = 0;
  for (std::size_t y = 0; y < patch.height; ++y)
    for (std::size_t x = 1; x < patch.width; ++x) {
      const std::size_t at = y * patch.width + x;
      sum += std::abs(patch.values[at] - patch.values[at - 1]);
      count += 1;
    }
  return count > 0 ? unlike_noise(sum / count, mean_deviation(patch)) : 0;
}

double steadiness(const LumaPatch& a, const LumaPatch& b) {
  if (a.values.size() != b.values.size() || a.values.empty()) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) sum += std::abs(a.values[i] - b.values[i]);
  return unlike_noise(sum / static_cast<double>(a.values.size()), mean_deviation(a));
}

LumaPatch middle_of(const Frame& frame, std::size_t most_pixels) {
  const AVFrame& f = *frame.av();
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(f.format));
  LumaPatch patch;
  if (format == nullptr || f.width <= 0 || f.height <= 0) return patch;
  patch.width = std::min<std::size_t>(static_cast<std::size_t>(f.width), most_pixels);
  patch.height = std::min<std::size_t>(static_cast<std::size_t>(f.height), most_pixels);
  const int left = (f.width - static_cast<int>(patch.width)) / 2, top = (f.height - static_cast<int>(patch.height)) / 2;
  const auto step = static_cast<float>(1 << (std::max(format->comp[0].depth, 8) - 8));
  std::vector<std::uint16_t> row(patch.width);
  patch.values.reserve(patch.width * patch.height);
  for (int y = 0; y < static_cast<int>(patch.height); ++y) {
    av_read_image_line(row.data(), const_cast<const std::uint8_t**>(f.data), f.linesize, format, left, top + y, 0,
                       static_cast<int>(patch.width), 0);
    for (const auto value : row) patch.values.push_back(static_cast<float>(value) / step);
  }
  return patch;
}

Clarity::Clarity(std::int64_t expected) : stride_(expected > 0 ? std::max<std::int64_t>(expected / kSamples, 1) : kUnknownStride) {}

void Clarity::add(const Frame& frame) {
  const bool sample = seen_++ % stride_ == 0 && samples_ < kMostSamples;
  if (!sample && last_.values.empty()) return;
  LumaPatch patch = middle_of(frame, kSide);
  if (!last_.values.empty()) {
    steady_ += steadiness(last_, patch);
    ++pairs_;
    last_ = {};
  }
  if (!sample) return;
  pictures_ += sharpness(patch) * cleanness(patch);
  ++samples_;
  last_ = std::move(patch);
}

double Clarity::value() const {
  if (samples_ == 0) return 0;
  return pictures_ / static_cast<double>(samples_) * (pairs_ > 0 ? steady_ / static_cast<double>(pairs_) : 1);
}

}  // namespace kinora::media
