#include "kinora_train/side_by_side.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include <algorithm>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "media/image.hpp"

namespace kinora::train {
namespace {

at::Tensor window(const at::Tensor& rgb, std::int64_t top, std::int64_t left, std::int64_t side) {
  return rgb.slice(1, top, top + side).slice(2, left, left + side);
}

}  // namespace

void write_side_by_side(const std::filesystem::path& path, const std::vector<media::Frame>& versions) {
  const at::Tensor truth = rgb_of(versions.back());
  const std::int64_t side = std::min<std::int64_t>({kCropSide, truth.size(1), truth.size(2)});
  std::int64_t top = 0;
  std::int64_t left = 0;
  double best = -1;
  for (std::int64_t y = 0; y + side <= truth.size(1); y += side / 2) {
    for (std::int64_t x = 0; x + side <= truth.size(2); x += side / 2) {
      if (const double found = detail(window(truth, y, x, side)); found > best) best = found, top = y, left = x;
    }
  }
  std::vector<at::Tensor> parts;
  for (const media::Frame& version : versions) {
    if (!parts.empty()) parts.push_back(at::full({3, side * kCropEnlarge, kCropGap}, 255, at::kByte));
    parts.push_back(window(rgb_of(version), top, left, side).repeat_interleave(kCropEnlarge, 1).repeat_interleave(kCropEnlarge, 2));
  }
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  take(media::write_image(path.string(), frame_of(at::cat(parts, 2), {}), media::ImageType::png));
}

}  // namespace kinora::train
