#include "models/diffusion/pictures.hpp"

#include <ATen/ops/empty.h>

#include <cstring>

#include "nn/pixels/image_processor.hpp"

namespace kinora::models::diffusion {
namespace {

at::Tensor copied(const std::vector<std::uint8_t>& pixels, at::IntArrayRef shape) {
  auto tensor = at::empty(shape, at::kByte);
  std::memcpy(tensor.mutable_data_ptr(), pixels.data(), pixels.size());
  return tensor;
}

}  // namespace

at::Tensor bytes_tensor(const RgbPicture& picture) { return copied(picture.pixels, {picture.height, picture.width, 3}); }

at::Tensor bytes_tensor(const GrayPicture& picture) {
  return copied(picture.pixels, {picture.height, picture.width, 1}).expand({-1, -1, 3}).contiguous();
}

std::vector<RgbPicture> to_pictures(const at::Tensor& x) {
  const auto bytes = nn::latent_range_to_pictures(x);
  std::vector<RgbPicture> pictures;
  for (std::int64_t i = 0; i < bytes.size(0); ++i) {
    RgbPicture picture{.width = bytes.size(2), .height = bytes.size(1), .pixels = {}};
    const auto one = bytes[i].contiguous();
    const auto* begin = static_cast<const std::uint8_t*>(one.const_data_ptr());
    picture.pixels.assign(begin, begin + one.numel());
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace kinora::models::diffusion
