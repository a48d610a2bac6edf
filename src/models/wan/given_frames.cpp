#include "models/wan/given_frames.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "models/diffusion/pictures.hpp"
#include "nn/pixels/image_processor.hpp"

namespace kinora::models::wan {
namespace {

at::Tensor latents_of(const Vae& vae, const at::Tensor& video, const VaeSavings& savings) {
  return vae.config().to_denoiser(vae.encode(video.to(vae.dtype()), savings).mode().to(at::kFloat));
}

}  // namespace

at::Tensor frame_of(const RgbPicture& picture, const VideoSize& size) {
  return nn::picture_to_latent_range(diffusion::bytes_tensor(picture), size.height, size.width).unsqueeze(2);
}

at::Tensor given_channels(const Vae& vae, const at::Tensor& first, const at::Tensor& last, const VideoSize& size,
                          const VaeSavings& savings) {
  auto video = at::zeros({1, 3, size.frames, size.height, size.width}, first.options());
  video.narrow(2, 0, 1).copy_(first);
  if (last.defined()) video.narrow(2, size.frames - 1, 1).copy_(last);
  const auto latents = latents_of(vae, video, savings);

  // The first frame counts time_factor times, as a latent holds so many frames of the others.
  const std::int64_t factor = vae.config().time_factor();
  auto mask = at::zeros({1, factor, latents.size(2), latents.size(3), latents.size(4)}, latents.options());
  mask.select(2, 0).fill_(1);
  if (last.defined()) mask.select(2, -1).select(1, -1).fill_(1);
  return at::cat({mask, latents}, 1);
}

at::Tensor given_first(const Vae& vae, const at::Tensor& first) { return latents_of(vae, first, {}); }

}  // namespace kinora::models::wan
