#include "kinora_train/video/latents.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "kinora_train/error.hpp"
#include "kinora_train/text.hpp"
#include "kinora_train/video/clip_tensor.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

constexpr std::int64_t kAtOnce = 8;  // clips

std::vector<Combination> shown_in(std::int64_t clips) {
  const auto seen = combinations(false);
  std::vector<Combination> shown;
  shown.reserve(static_cast<std::size_t>(clips));
  for (std::int64_t i = 0; i < clips; ++i) shown.push_back(seen[static_cast<std::size_t>(i) % seen.size()]);
  return shown;
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const auto wide = tensor.to(at::kDouble).contiguous();
  const auto* const data = static_cast<const double*>(wide.const_data_ptr());
  return {data, data + wide.numel()};
}

}  // namespace

Latents make_latents(const models::wan::Vae& vae, std::int64_t clips, std::uint64_t seed, const Talk& talk) {
  const at::NoGradGuard no_grad;
  Latents latents{.values = {}, .shown = shown_in(clips), .mean = {}, .deviation = {}};
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < clips; i += kAtOnce) {
    std::vector<at::Tensor> videos;
    for (std::int64_t j = i; j < std::min(i + kAtOnce, clips); ++j) {
      Random random(seed + 1, static_cast<std::uint64_t>(j));
      videos.push_back(clip_tensor(render(draw_scene(latents.shown[static_cast<std::size_t>(j)], random))));
    }
    parts.push_back(vae.encode(at::stack(videos).to(vae.dtype()), {.frames_at_once = 64}).mode().to(at::kFloat).contiguous());
    if ((i / kAtOnce) % 100 == 99) talk(text("latents of %s clips", std::to_string(i + kAtOnce).c_str()));
  }
  const auto all = at::cat(parts);
  const auto mean = all.mean({0, 2, 3, 4}), deviation = all.sub(mean.view({1, -1, 1, 1, 1})).square().mean({0, 2, 3, 4}).sqrt();
  latents.mean = numbers(mean);
  latents.deviation = numbers(deviation);
  latents.values = all.sub(mean.view({1, -1, 1, 1, 1})).div(deviation.view({1, -1, 1, 1, 1})).to(at::kBFloat16);
  return latents;
}

void save_latents(const std::filesystem::path& path, const Latents& latents, std::uint64_t seed) {
  nn::write_safetensors(path,
                        {{"latents", latents.values},
                         {"mean", at::tensor(latents.mean, at::kDouble)},
                         {"deviation", at::tensor(latents.deviation, at::kDouble)}},
                        {{"seed", std::to_string(seed)}});
}

Latents load_latents(const std::filesystem::path& path, std::int64_t clips, std::uint64_t seed) {
  const nn::SafetensorsFile file(path);
  const auto& metadata = file.header().metadata;
  const auto tensors = file.tensors();
  const auto found = metadata.find("seed");
  for (const char* const name : {"latents", "mean", "deviation"})
    if (!tensors.contains(name)) throw Failure(path.string() + " has no \"" + name + "\"");
  if (found == metadata.end() || found->second != std::to_string(seed) || tensors.at("latents").size(0) != clips)
    throw Failure(path.string() + " was made with another --seed or --clips; remove it to make it anew");
  return {.values = tensors.at("latents"),
          .shown = shown_in(clips),
          .mean = numbers(tensors.at("mean")),
          .deviation = numbers(tensors.at("deviation"))};
}

}  // namespace kinora::train
